// The description of a step, in words and numbers, as elements of the page.
"use strict";

function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

// Return the elements of a step. `numbers` comes from `compute`; for a network it is null, and the nodes hold
// the words.
function describe(graph, numbers, { pass, node: i }) {
  const node = graph.nodes[i], text = (number) => shown(number, graph.digits);
  const heading = (words) => element("h2", words), sentence = (words) => element("p", words);

  // Return the name of the value on an edge, or its number if it has none.
  function nameOn(edge) {
    const [source] = graph.edges[edge], { kind, name, layer } = graph.nodes[source];
    if (kind === "branch") return nameOn(graph.into[source][0]);
    return name && (layer || kind === "input") ? name : text(numbers.value[source]);
  }

  function forward() {
    const layer = layerOf(node), operands = graph.into[i];
    const names = layer.text(...operands.map(nameOn));
    const put = layer.text(...operands.map((edge) => text(numbers.value[graph.edges[edge][0]])));
    const sides = [node.name, names, put].filter((side, k, all) => side && side !== all[k + 1]);
    const line = element("p", sides.map((side) => `${side} = `).join(""), "equation");
    line.append(element("b", text(numbers.value[i])));
    return [line];
  }

  function backward() {
    const came = graph.from[i].map((edge) => numbers.gradient[edge]).filter((one) => one !== null);
    if (!came.length) return [sentence("No gradient arrives here, because the output does not depend on this node.")];
    const dout = text(sum(came));
    if (node.kind === "branch") {
      const line = element("p", `${came.map(text).join(" + ")} = `, "equation");
      line.append(element("b", dout, "gradient"));
      return [sentence("The gradients of the branches are added:"), line];
    }
    const lines = graph.into[i].filter((edge) => graph.nodes[graph.edges[edge][0]].kind !== "constant");
    return [
      sentence(`The gradient ${dout} arrives. Each operand gets it times the local derivative:`),
      ...lines.map((edge) => {
        const line = element("p", "", "equation");
        line.append(
          element("span", dout, "gradient"), " × ",
          element("span", text(numbers.local[edge]), "local"), " = ",
          element("b", text(numbers.gradient[edge]), "gradient"),
          element("span", ` for ${nameOn(edge)}`, "note"),
        );
        return line;
      }),
    ];
  }

  if (pass === "start") {
    const own = graph.nodes.find(({ recorded }) => recorded);
    const fixed = own ? `The page cannot compute ${own.layer}, so the inputs stay as recorded. ` : "";
    return [heading("The inputs"), sentence(`${fixed}The forward pass goes from left to right.`)];
  }
  if (pass === "seed") {
    const outputs = graph.nodes.filter(({ kind, seed }) => kind === "output" && seed !== null);
    const said = outputs.map(({ title, seed }) => seed === 1
      ? `The gradient of ${title} with respect to itself is 1.`
      : `The gradient at ${title} was set to ${text(seed)}.`);
    return [heading("The backward pass begins"), sentence(`${said.join(" ")} It goes from right to left.`)];
  }
  const title = heading(`${pass === "forward" ? "Forward" : "Backward"} through ${node.title}`);
  if (!numbers) return [title, sentence(node[pass])];
  return [title, ...(pass === "forward" ? forward() : backward())];
}
