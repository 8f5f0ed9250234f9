// The picture on the page: the numbers that are known, and the node that is active.
"use strict";

const NONE = "–"; // a number that is not known yet

function pictureOf(graph, svg) {
  const found = { edge: [], node: [], local: [] }; // the parts of the picture by their owner
  for (const [name, lists] of Object.entries(found)) {
    for (const part of svg.querySelectorAll(`[data-${name}]`)) (lists[part.dataset[name]] ??= []).push(part);
  }
  const parts = (name, i) => found[name][i] ?? [];
  const role = (part) => part.parentNode.dataset.show; // of a part of an edge: line, forward or gradient
  const written = (edge, which) => parts("edge", edge).find((part) => role(part) === which);

  // Write the numbers that `compute` returned.
  function write(numbers) {
    const text = (number) => (number === null ? NONE : shown(number, graph.digits));
    graph.edges.forEach(([source], edge) => {
      written(edge, "forward").textContent = text(numbers.value[source]);
      const below = written(edge, "gradient"); // a constant has none
      if (below) below.textContent = text(numbers.gradient[edge]);
      for (const part of parts("local", edge)) part.textContent = `∂ ${text(numbers.local[edge])}`;
    });
  }

  // Show what is known after a step, and mark what is active in it.
  function mark(step, { value, gradient, passed }) {
    const back = step.pass === "backward", at = (node) => step.node === node;
    graph.edges.forEach(([source, target], edge) => {
      const now = back ? at(target) : at(source);
      for (const part of parts("edge", edge)) {
        const is = role(part), hidden = { forward: !value[edge], gradient: !gradient[edge] }[is] ?? false;
        part.classList.toggle("unknown", hidden);
        part.classList.toggle("now", now && (is === "line" || is === (back ? "gradient" : "forward")));
      }
      for (const part of parts("local", edge)) {
        part.classList.toggle("unknown", !gradient[edge]);
        part.classList.toggle("now", back && at(target));
      }
    });
    graph.nodes.forEach((_, i) => parts("node", i).forEach((part) => {
      part.classList.toggle("now", at(i));
      part.classList.toggle("unknown", part.dataset.after === "backward" && !passed[i]);
    }));
  }

  // Return the same as rows of a table: from, to, forward, gradient.
  function rows({ value, gradient }) {
    const text = (edge, which, there) => {
      const part = written(edge, which); // a constant has no gradient
      return part ? (there ? part.textContent : NONE) : "";
    };
    return graph.edges.map(([source, target], edge) => [
      graph.nodes[source].title, graph.nodes[target].title,
      text(edge, "forward", value[edge]), text(edge, "gradient", gradient[edge]),
    ]);
  }

  // Scroll a box so that a node is centred.
  function show(node, box) {
    const [shape] = parts("node", node);
    if (!shape || (box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight)) return;
    const here = shape.getBoundingClientRect(), around = box.getBoundingClientRect();
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    box.scrollTo({
      left: box.scrollLeft + here.left + here.width / 2 - around.left - box.clientWidth / 2,
      top: box.scrollTop + here.top + here.height / 2 - around.top - box.clientHeight / 2,
      behavior: calm ? "auto" : "smooth",
    });
  }

  return { write, mark, rows, show };
}
