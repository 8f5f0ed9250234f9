// The scalar layers and both passes through them, computed as in the library.
"use strict";

// The layers of backprop/scalar: the formula as `text`, the forward `of` the operands, and `back`, which returns
// a gradient per operand. The local derivatives are the back of 1, as in the library.
const LAYERS = {
  AddLayer: { text: (x, y) => `${x} + ${y}`, of: (x, y) => x + y, back: (dout) => [dout, dout] },
  SumLayer: {
    text: (...all) => all.join(" + "),
    of: (...all) => all.reduce((sum, x) => sum + x),
    back: (dout, all) => all.map(() => dout),
  },
  MulLayer: {
    text: (x, y) => `${x} × ${y}`, of: (x, y) => x * y, back: (dout, [x, y]) => [dout * y, dout * x],
  },
  DivLayer: {
    text: (x, y) => `${x} ÷ ${y}`, of: (x, y) => x / y,
    back: (dout, [x, y], out) => [dout / y, (-dout * out) / y],
  },
  ReciprocalLayer: { text: (x) => `1 / ${x}`, of: (x) => 1 / x, back: (dout, _, out) => [-dout * out * out] },
  ExpLayer: { text: (x) => `exp(${x})`, of: Math.exp, back: (dout, _, out) => [dout * out] },
  SigmoidLayer: {
    text: (x) => `σ(${x})`,
    of: (x) => (x < 0 ? Math.exp(x) : 1) / (1 + Math.exp(-Math.abs(x))),
    back: (dout, [x]) => {
      const e = Math.exp(-Math.abs(x));
      return [dout * (e / ((1 + e) * (1 + e)))];
    },
  },
  LogLayer: { text: (x) => `log(${x})`, of: Math.log, back: (dout, [x]) => [dout / x] },
};

// Return the layer of a node, or for a user's own layer one that returns what was recorded.
function layerOf({ layer, recorded }) {
  if (!recorded) return LAYERS[layer];
  return {
    text: (...all) => `${layer}(${all.join(", ")})`,
    of: () => recorded.value,
    back: (dout) => recorded.local.map((derivative) => dout * derivative),
  };
}

// Return a number as the picture shows it, by the rule of backprop/graph/digits.py.
function shown(number, digits) {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "nan" : number > 0 ? "∞" : "−∞";
  const size = Math.abs(number), sign = number < 0 ? "−" : "";
  const [mantissa, exponent] = size.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  const plain = (text) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);
  if (power >= -3 && power < 7) return sign + plain(size.toFixed(Math.max(0, digits - 1 - power)));
  return `${sign}${plain(mantissa)}e${power}`.replace("e-", "e−");
}

// Run both passes: return the value of each node, and the gradient and local derivative of each edge.
// `inputs` holds numbers by node. Throws an Error that names the first node whose value is not finite.
function compute(graph, inputs) {
  const value = [], gradient = [], local = [];
  const operands = (i) => graph.into[i].map((edge) => value[graph.edges[edge][0]]);
  graph.nodes.forEach((node, i) => {
    if (node.number !== undefined) value[i] = inputs.get(i) ?? node.number;
    else if (node.layer) value[i] = layerOf(node).of(...operands(i));
    else [value[i]] = operands(i);
    if (!Number.isFinite(value[i])) {
      const numbers = operands(i).map((x) => shown(x, graph.digits));
      throw new Error(`${layerOf(node).text(...numbers)} is not a finite number`);
    }
  });
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (node.number !== undefined) continue;
    const dout = node.kind === "output" ? node.seed : sum(graph.from[i].map((edge) => gradient[edge]));
    const back = (d) => (node.layer ? layerOf(node).back(d, operands(i), value[i]) : [d]);
    const passed = dout === null ? [] : back(dout), locals = back(1);
    graph.into[i].forEach((edge, k) => { gradient[edge] = passed[k] ?? null; local[edge] = locals[k]; });
  }
  return { value, gradient, local };
}

// Return the sum of the gradients that are known, null if there are none.
function sum(gradients) {
  return gradients.reduce((total, one) => (one === null ? total : total === null ? one : total + one), null);
}
