// Plays the two passes through a graph step by step, and recomputes them when an input changes.
"use strict";

const PAUSE = 1600; // milliseconds per step while playing

function start() {
  const byId = (id) => document.getElementById(id);
  const graph = JSON.parse(byId("graph").textContent);
  const edges = graph.edges.map((_, edge) => edge);
  graph.from = graph.nodes.map((_, i) => edges.filter((edge) => graph.edges[edge][0] === i));
  graph.into = graph.nodes.map((_, i) => edges.filter((edge) => graph.edges[edge][1] === i));
  const network = graph.nodes.some((node) => node.forward); // it shows norms, which are fixed
  const fixed = network || graph.nodes.some((node) => node.recorded);
  const picture = pictureOf(graph, document.querySelector("#picture svg"));
  const steps = stepsOf(graph), last = steps.length - 1, inputs = new Map();
  let numbers = network ? null : compute(graph, inputs), at = 0, timer = null;

  function render() {
    const there = known(graph, steps, at);
    if (numbers) picture.write(numbers);
    picture.mark(steps[at], there);
    picture.show(steps[at].node, byId("picture"));
    byId("step").replaceChildren(...describe(graph, numbers, steps[at]));
    byId("count").textContent = `step ${at} of ${last}`;
    byId("play").textContent = timer ? "Pause" : "Play";
    for (const id of ["first", "back"]) byId(id).setAttribute("aria-disabled", at === 0);
    for (const id of ["next", "last"]) byId(id).setAttribute("aria-disabled", at === last);
    byId("numbers").replaceChildren(...picture.rows(there).map((cells) => {
      const row = document.createElement("tr");
      row.append(...cells.map((cell) => element("td", cell)));
      return row;
    }));
  }

  // Give the description the height of the tallest step, so that nothing below it moves.
  function reserve() {
    const box = byId("step");
    box.style.minHeight = "";
    const heights = steps.map((step) => {
      box.replaceChildren(...describe(graph, numbers, step));
      return box.offsetHeight;
    });
    box.style.minHeight = `${Math.max(...heights)}px`;
    box.replaceChildren(...describe(graph, numbers, steps[at]));
  }

  // ------------------------------------------------------------------------------------------- steps

  function go(to) {
    at = Math.max(0, Math.min(last, to));
    render();
  }

  function pause() {
    clearInterval(timer);
    timer = null;
  }

  function play() {
    if (timer) pause();
    else {
      if (at === last) at = 0;
      timer = setInterval(() => {
        if (at + 1 >= last) pause();
        go(at + 1);
      }, PAUSE);
    }
    render();
  }

  const moves = { first: () => 0, back: () => at - 1, next: () => at + 1, last: () => last };
  const keys = { Home: "first", ArrowLeft: "back", ArrowRight: "next", End: "last" };

  function move(id) {
    pause();
    go(moves[id]());
  }

  for (const id of Object.keys(moves)) byId(id).addEventListener("click", () => move(id));
  byId("play").addEventListener("click", play);
  document.addEventListener("keydown", (event) => {
    const id = keys[event.key];
    if (!id || event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input")) return;
    event.preventDefault();
    move(id);
  });

  // ------------------------------------------------------------------------------------------ inputs

  function results() {
    const ends = graph.nodes.flatMap(({ kind }, i) => (kind === "output" ? [i] : []));
    const said = ends.map((i) => `${graph.nodes[i].title} is ${shown(numbers.value[i], graph.digits)}`);
    return `${said.join(", ")}.`;
  }

  // Set an input and recompute. Returns what is wrong with the number, or "".
  function put(i, number) {
    if (Number.isNaN(number)) return `${graph.nodes[i].title} must be a number.`;
    try {
      numbers = compute(graph, new Map(inputs).set(i, number));
    } catch (error) {
      return `${error.message}. The picture keeps the previous numbers.`;
    }
    inputs.set(i, number);
    render();
    return "";
  }

  function field(i) {
    const { title, number } = graph.nodes[i], made = document.createElement("input");
    Object.assign(made, { type: "number", step: "any", defaultValue: number });
    made.addEventListener("input", () => {
      const wrong = put(i, made.valueAsNumber);
      made.setAttribute("aria-invalid", wrong !== "");
      const done = `With ${title} = ${shown(numbers.value[i], graph.digits)}, ${results()}`;
      byId("message").textContent = wrong || done;
    });
    const label = element("label", title);
    label.append(made);
    return label;
  }

  if (!fixed) {
    const places = graph.nodes.flatMap(({ kind }, i) => (kind === "input" ? [i] : []));
    byId("fields").append(...places.map(field));
    byId("inputs").hidden = false;
    byId("inputs").addEventListener("submit", (event) => event.preventDefault());
    byId("inputs").addEventListener("reset", () => {
      inputs.clear();
      numbers = compute(graph, inputs);
      for (const made of byId("fields").querySelectorAll("input")) made.setAttribute("aria-invalid", false);
      byId("message").textContent = `The inputs are reset: ${results()}`;
      render();
    });
  }
  render();
  reserve();
  let width = innerWidth;
  addEventListener("resize", () => {
    if (width !== innerWidth) reserve();
    width = innerWidth;
  });
}

// Tell the page around a frame how high this one is.
function tellHeight() {
  const { height } = document.documentElement.getBoundingClientRect();
  parent.postMessage({ graphHeight: Math.ceil(height) }, "*");
}

start();
if (parent !== window) new ResizeObserver(tellHeight).observe(document.documentElement);
