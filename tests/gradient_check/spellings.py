"""One right layer, x W + b, under many usual names of its arrays, gradients and passes."""

from dataclasses import dataclass

PASSES = [
    ("forward", "backward"),
    ("forward_pass", "backward_pass"),
    ("fprop", "bprop"),
    ("__call__", "backward"),
    ("feed_forward", "back_propagate"),
    ("forward_propagation", "backward_propagation"),
    ("propagate", "backprop"),
]
PARAMETERS = [
    ("W", "b"),
    ("w", "b"),
    ("weights", "bias"),
    ("weight", "bias"),
    ("kernel", "bias"),
    ("_W", "_b"),
]
GRADIENTS = ["d{}", "d_{}", "grad_{}", "{}_grad", "{}_gradient", "dL_d{}", "dLd{}", "nabla_{}", "_d{}"]
CONTAINERS = [("params", "grads"), ("parameters", "gradients"), ("params", "dparams"), ("_params", "_grads")]
HOLDERS = ["attributes", "mappings", "prefixed keys", "gradients in a mapping", "lists"]


@dataclass(frozen=True)
class Spelling:
    """The names in a layer, and where it holds its gradients."""

    passes: tuple[str, str]
    names: tuple[str, str]
    gradient: str
    containers: tuple[str, str]
    holder: str

    def rows(self):
        """The names of the parameters in a report."""
        return [f"{self.containers[0]}[{i}]" for i in range(2)] if self.holder == "lists" else [*self.names]


class Dense:
    """A layer x W + b.  spoil: a function that changes a gradient, given its name in a report."""

    def __init__(self, spelling, W, b):
        self.spelling = spelling
        parameters, _ = spelling.containers
        if spelling.holder == "lists":
            setattr(self, parameters, [W, b])
        elif spelling.holder in ("mappings", "prefixed keys"):
            setattr(self, parameters, dict(zip(spelling.names, (W, b), strict=True)))
        else:
            vars(self).update(zip(spelling.names, (W, b), strict=True))

    def held(self):
        parameters = getattr(self, self.spelling.containers[0], None)
        if parameters is None:
            return [getattr(self, name) for name in self.spelling.names]
        return parameters if isinstance(parameters, list) else [*parameters.values()]

    def keep(self, values):
        spelling = self.spelling
        names = [spelling.gradient.format(name) for name in spelling.names]
        if spelling.holder == "attributes":
            vars(self).update(zip(names, values, strict=True))
        elif spelling.holder == "lists":
            setattr(self, spelling.containers[1], values)
        else:
            keys = names if spelling.holder == "prefixed keys" else spelling.names
            setattr(self, spelling.containers[1], dict(zip(keys, values, strict=True)))

    def run(self, x):
        W, b = self.held()
        self.x = x
        return x @ W + b

    def run_back(self, dout):
        W, _ = self.held()
        rows = [*self.spelling.rows(), "x"]
        gradients = [self.x.T @ dout, dout.sum(axis=0), dout @ W.T]
        dW, db, dx = (self.spoil(name, gradient) for name, gradient in zip(rows, gradients, strict=True))
        self.keep([dW, db])
        return dx

    def spoil(self, name, gradient):
        return gradient


def dense(spelling, W, b):
    """Return the layer with its passes under the names of a spelling."""
    forward, backward = spelling.passes
    return type("Dense", (Dense,), {forward: Dense.run, backward: Dense.run_back})(spelling, W, b)
