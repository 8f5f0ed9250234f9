// What happens in a step, in words and numbers, as elements of the page.
"use strict";

function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

// The elements of a step. `numbers` is what `compute` gave; a network has none, its nodes bring their words.
function told(graph, numbers, { pass, node: i }) {
  const node = graph.nodes[i], text = (number) => shown(number, graph.digits);
  const heading = (words) => element("h2", words), sentence = (words) => element("p", words);

  // The name of what an edge brings, or its number where it has none.
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
    if (!came.length) return [sentence("No gradient comes here: it has no part in the output.")];
    const dout = text(sum(came));
    if (node.kind === "branch") {
      const line = element("p", `${came.map(text).join(" + ")} = `, "equation");
      line.append(element("b", dout, "gradient"));
      return [sentence("The gradients of its branches are added:"), line];
    }
    const lines = graph.into[i].filter((edge) => graph.nodes[graph.edges[edge][0]].kind !== "constant");
    return [
      sentence(`The gradient ${dout} comes in. Each operand gets it times the local derivative:`),
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
    const own = graph.nodes.find(({ recorded }) => recorded), given = "They are given. ";
    const fixed = own ? `They stay as they were recorded, for the page cannot compute ${own.layer}. ` : "";
    return [heading("The inputs"), sentence(`${given}${fixed}The forward pass goes from left to right.`)];
  }
  if (pass === "seed") {
    const outputs = graph.nodes.filter(({ kind, seed }) => kind === "output" && seed !== null);
    const said = outputs.map(({ title, seed }) => sentence(
      `The gradient of ${title} with respect to itself is ${text(seed)}. It goes from right to left.`));
    return [heading("The backward pass begins"), ...said];
  }
  const title = heading(`${pass === "forward" ? "Forward" : "Backward"} through ${node.title}`);
  if (!numbers) return [title, sentence(node[pass])];
  return [title, ...(pass === "forward" ? forward() : backward())];
}
