// The steps of the passes, and what is known after each of them.
"use strict";

// Return every step of the two passes: the active node, and the pass.
function stepsOf(graph) {
  const nodes = graph.nodes.map((node, i) => i);
  const layers = nodes.filter((i) => graph.nodes[i].layer || graph.nodes[i].forward);
  const backwards = nodes.filter((i) => layers.includes(i) || graph.nodes[i].kind === "branch").reverse();
  return [
    { pass: "start" },
    ...layers.map((node) => ({ pass: "forward", node })),
    { pass: "seed" },
    ...backwards.map((node) => ({ pass: "backward", node })),
  ];
}

// Return which edges show their value or gradient, and which nodes have passed backward, after a step.
function known(graph, steps, count) {
  const done = (pass) => new Set(steps.slice(0, count + 1).filter((s) => s.pass === pass).map((s) => s.node));
  const forward = done("forward"), backward = done("backward"), seeded = done("seed").size > 0;
  const there = graph.nodes.map((node) => node.kind === "input" || node.kind === "constant");
  graph.nodes.forEach((node, i) => {
    if (forward.has(i)) there[i] = true;
    if (node.kind === "branch") there[i] = there[graph.edges[graph.into[i][0]][0]];
  });
  const value = graph.edges.map(([source]) => there[source]);
  const gradient = graph.edges.map(([, target]) =>
    graph.nodes[target].kind === "output" ? seeded : backward.has(target));
  return { value, gradient, passed: graph.nodes.map((_, i) => backward.has(i)) };
}
