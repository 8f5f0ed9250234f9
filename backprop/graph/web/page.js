// Plays the two passes through a graph: what `backprop` computed, step by step, and anew for other inputs.
"use strict";

const byId = (id) => document.getElementById(id);

function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function start() {
  const graph = JSON.parse(byId("graph").textContent);
  graph.into = graph.nodes.map((_, i) => graph.edges.flatMap((edge, k) => (edge[1] === i ? [k] : [])));
  graph.from = graph.nodes.map((_, i) => graph.edges.flatMap((edge, k) => (edge[0] === i ? [k] : [])));
  const fixed = graph.nodes.some((node) => node.forward); // a network: its numbers stay what they are
  const steps = stepsOf(graph), inputs = new Map(), svg = document.querySelector("#picture svg");
  let numbers = fixed ? null : compute(graph, inputs), at = 0, timer = null;

  const text = (x) => shown(x, graph.digits);
  const isConstant = (edge) => graph.nodes[graph.edges[edge][0]].kind === "constant";
  const parts = (name, i) => [...svg.querySelectorAll(`[data-${name}="${i}"]`)];
  const colour = (part) => part.parentNode.dataset.show;
  const written = (edge, which) => parts("edge", edge).find((part) => colour(part) === which);

  // The name of what an edge brings, or its number where it has none.
  function nameOn(edge) {
    const [source] = graph.edges[edge], node = graph.nodes[source];
    if (node.kind === "branch") return nameOn(graph.into[source][0]);
    return node.name && node.kind !== "constant" && (node.layer || node.kind === "input")
      ? node.name : text(numbers.value[source]);
  }

  function write() {
    if (fixed) return;
    graph.edges.forEach(([source], edge) => {
      written(edge, "forward").textContent = text(numbers.value[source]);
      const below = written(edge, "gradient");
      if (below) below.textContent = numbers.gradient[edge] === null ? "" : text(numbers.gradient[edge]);
      for (const part of parts("local", edge)) part.textContent = `∂ ${text(numbers.local[edge])}`;
    });
  }

  function mark() {
    const { pass, node } = steps[at], { value, gradient } = known(graph, steps, at);
    graph.edges.forEach(([, target], edge) => {
      const now = node !== undefined && graph[pass === "backward" ? "into" : "from"][node].includes(edge);
      for (const part of parts("edge", edge)) {
        const show = colour(part);
        part.classList.toggle("unknown", (show === "forward" && !value[edge]) || (show === "gradient" && !gradient[edge]));
        part.classList.toggle("now", show === "line" ? now : now && show === (pass === "backward" ? "gradient" : "forward"));
      }
      for (const part of parts("local", edge)) {
        part.classList.toggle("unknown", !gradient[edge]);
        part.classList.toggle("now", pass === "backward" && target === node);
      }
    });
    graph.nodes.forEach((_, i) => {
      for (const part of parts("node", i)) part.classList.toggle("now", i === node);
    });
    const rows = graph.edges.map(([source, target], edge) => {
      const row = document.createElement("tr"), below = written(edge, "gradient");
      const cells = [graph.nodes[source].title, graph.nodes[target].title,
        value[edge] ? written(edge, "forward").textContent : "",
        gradient[edge] && below ? below.textContent : ""];
      row.append(...cells.map((cell) => element("td", cell)));
      return row;
    });
    byId("numbers").replaceChildren(...rows);
  }

  // What happens in a step, as elements for the panel.
  function told({ pass, node: i }) {
    const node = graph.nodes[i];
    if (pass === "start") {
      return [element("h2", "The inputs"), element("p", "They are given. The forward pass goes from left to right.")];
    }
    if (pass === "forward") {
      const said = [element("h2", `Forward through ${node.title}`)];
      if (node.forward) return [...said, element("p", node.forward)];
      const layer = LAYERS[node.layer], operands = graph.into[i];
      const name = node.name ? `${node.name} = ` : "", names = layer.text(...operands.map(nameOn));
      const put = layer.text(...operands.map((edge) => text(numbers.value[graph.edges[edge][0]])));
      const line = element("p", `${name}${names === put ? "" : `${names} = `}${put} = `, "equation");
      line.append(element("b", text(numbers.value[i])));
      return [...said, line];
    }
    if (pass === "seed") {
      const outputs = graph.nodes.filter((each) => each.kind === "output" && each.seed !== null);
      return [element("h2", "The backward pass begins"),
        ...outputs.map(({ title, seed }) => element("p",
          `The gradient of ${title} with respect to itself is ${text(seed)}. It goes from right to left.`))];
    }
    const said = [element("h2", `Backward through ${node.title}`)];
    if (node.backward) return [...said, element("p", node.backward)];
    const came = graph.from[i].map((edge) => numbers.gradient[edge]), dout = sum(came);
    if (dout === null) return [...said, element("p", "No gradient comes here: it has no part in the output.")];
    if (node.kind === "branch") {
      const line = element("p", came.filter((one) => one !== null).map(text).join(" + ") + " = ", "equation");
      line.append(element("b", text(dout), "gradient"));
      return [...said, element("p", "The gradients of its branches are added:"), line];
    }
    said.push(element("p", `The gradient ${text(dout)} comes in. Each operand gets it times the local derivative:`));
    for (const edge of graph.into[i].filter((each) => !isConstant(each))) {
      const line = element("p", "", "equation");
      line.append(element("span", text(dout), "gradient"), " × ", element("span", text(numbers.local[edge]), "local"),
        " = ", element("b", text(numbers.gradient[edge]), "gradient"), element("span", ` for ${nameOn(edge)}`, "note"));
      said.push(line);
    }
    return said;
  }

  function render() {
    mark();
    byId("step").replaceChildren(...told(steps[at]));
    byId("count").textContent = `step ${at} of ${steps.length - 1}`;
    for (const [id, off] of [["first", at === 0], ["back", at === 0], ["next", at === steps.length - 1],
      ["last", at === steps.length - 1]]) byId(id).setAttribute("aria-disabled", off);
    byId("play").textContent = timer ? "Pause" : "Play";
    const box = byId("picture"), [shape] = parts("node", steps[at].node ?? -1);
    if (shape && box.scrollWidth > box.clientWidth) {
      const middle = shape.getBoundingClientRect(), left = box.getBoundingClientRect().left;
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      box.scrollTo({ left: box.scrollLeft + middle.left - left - box.clientWidth / 2, behavior: calm ? "auto" : "smooth" });
    }
  }

  function go(to) {
    at = Math.max(0, Math.min(steps.length - 1, to));
    render();
  }

  function pause() {
    clearInterval(timer);
    timer = null;
  }

  function play() {
    if (timer) pause();
    else {
      if (at === steps.length - 1) at = 0;
      timer = setInterval(() => { if (at >= steps.length - 2) pause(); go(at + 1); }, 1600);
    }
    render();
  }

  const moves = { first: () => 0, back: () => at - 1, next: () => at + 1, last: () => steps.length - 1 };
  const keys = { ArrowLeft: "back", ArrowRight: "next", Home: "first", End: "last" };
  for (const [id, move] of Object.entries(moves)) {
    byId(id).addEventListener("click", () => { pause(); go(move()); });
  }
  byId("play").addEventListener("click", play);
  document.addEventListener("keydown", (event) => {
    const id = keys[event.key];
    if (!id || event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input")) return;
    event.preventDefault();
    pause();
    go(moves[id]());
  });

  // -------------------------------------------------------------------------------------------- inputs

  function change(field, i) {
    const node = graph.nodes[i], before = inputs.get(i), number = field.valueAsNumber;
    let wrong = Number.isNaN(number) ? `${node.title} needs a number.` : "";
    if (!wrong) {
      inputs.set(i, number);
      try {
        numbers = compute(graph, inputs);
      } catch (error) {
        wrong = `${error.message}: the picture shows the numbers from before.`;
        if (before === undefined) inputs.delete(i);
        else inputs.set(i, before);
      }
    }
    field.setAttribute("aria-invalid", wrong !== "");
    if (!wrong) {
      write();
      render();
    }
    byId("message").textContent = wrong || `With ${node.title} = ${text(number)}, ${results()}.`;
  }

  function results() {
    const ends = graph.nodes.flatMap((node, i) => (node.kind === "output" ? [i] : []));
    return ends.map((i) => `${graph.nodes[i].title} is ${text(numbers.value[i])}`).join(", ");
  }

  if (!fixed) {
    graph.nodes.forEach((node, i) => {
      if (node.kind !== "input") return;
      const label = element("label", node.title), field = document.createElement("input");
      Object.assign(field, { type: "number", step: "any", defaultValue: node.number });
      field.dataset.input = i;
      field.addEventListener("input", () => change(field, i));
      label.append(field);
      byId("fields").append(label);
    });
    byId("inputs").hidden = false;
    byId("inputs").addEventListener("submit", (event) => event.preventDefault());
    byId("inputs").addEventListener("reset", () => {
      inputs.clear();
      numbers = compute(graph, inputs);
      for (const field of byId("fields").querySelectorAll("input")) field.setAttribute("aria-invalid", false);
      byId("message").textContent = `The inputs are as they were; ${results()}.`;
      write();
      render();
    });
    write();
  }
  render();
}

start();
