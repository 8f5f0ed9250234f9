// The steps in which the passes are played, and what is known after each of them.
"use strict";

// Every step of the two passes: which node is at work, and in which pass.
function stepsOf(graph) {
  const nodes = graph.nodes.map((node, i) => i);
  const works = nodes.filter((i) => graph.nodes[i].layer || graph.nodes[i].forward);
  const backwards = nodes.filter((i) => works.includes(i) || graph.nodes[i].kind === "branch").reverse();
  return [
    { pass: "start" },
    ...works.map((node) => ({ pass: "forward", node })),
    { pass: "seed" },
    ...backwards.map((node) => ({ pass: "backward", node })),
  ];
}

// Which edges show their value and which their gradient after so many steps.
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
  return { value, gradient };
}
