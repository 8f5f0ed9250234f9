"""The usual names of a layer's passes, of their arguments, and of gradients.

The tables come first; names are looked up in the order of their table.
"""

from collections.abc import Iterator, Mapping
from typing import Any

# Methods of the first two tables are passes: forward(x) -> out and backward(dout) -> dx.
FORWARD = (
    *("forward", "forward_pass", "fprop", "forward_prop", "forward_propagate", "forward_propagation"),
    *("feed_forward", "propagate"),
)
BACKWARD = (
    *("backward", "backward_pass", "bprop", "back_prop", "back_propagate", "back_propagation"),
    *("backward_propagate", "backward_propagation", "backward_prop"),
    *("_compute_gradients", "compute_gradients"),
)
# A function and its derivative at the same inputs: dx = dout · derivative(x). Only methods of the class
# count, because a layer may store an activation or a loss that is not its own forward.
FUNCTION = (
    *(*FORWARD, "fn", "func", "function", "f", "activate", "activation", "loss", "cost", "__call__"),
    *("apply_activation", "compute_activation", "compute_loss", "calculate_loss", "direct"),
)
DERIVATIVE = (
    *("grad", "gradient", "derivative", "derivate", "derivative_func", "derivative_fn", "deriv"),
    *("prime", "f_prime", "fn_prime", "func_prime", "compute_derivative", "calculate_derivative"),
)
BACKWARD_WORDS = ("back", "deriv", "prime", "slope", "grad", "bprop", "bptt")  # parts of other names

RATES = ("learning_rate", "learn_rate", "learningrate", "lr", "eta", "step_size", "alpha")
# From here on, names are plain: lower case, without underscores.
TRAINING = (
    *("training", "train", "istraining", "istrain", "trainflg", "trainflag", "trainingflag", "trainmode"),
    *("trainingmode", "trainablemode"),
)
# A name of dout contains one of these words, or is one of DOUTS.
DOUT_WORDS = ("dout", "grad", "delta", "error", "upstream", "topdiff")
DOUTS = ("d", "dy", "dz", "da", "dh", "dhs", "dvalues", "dnext", "dldy", "dldz", "dlda", "dldout", "err")
TARGETS = (
    *("t", "target", "targets", "label", "labels", "ytrue", "actual", "true", "gt", "groundtruth"),
    *("expected", "desired", "truth"),
)
INPUTS = ("x", "input", "inputs", "inputdata", "data", "logits", "scores")
RESULTS = (  # forward's output; for a loss, the predictions
    *("output", "outputs", "out", "y", "a", "activation", "activations", "yhat", "ypred", "pred", "preds"),
    *("predicted", "prediction", "predictions", "probs", "p"),
)

# Attributes in which a pass stores a result that it does not return.
OUTPUTS = ("output", "out", "outputs", "y", "a", "A", "activations", "Y", "z", "Z")
INPUT_GRADIENTS = ("dinputs", "dinput", "dx", "dX", "grad_input", "input_gradient", "d_input", "grad_x", "dA")

# Methods that clear gradients that backward adds to, and perhaps values that forward stores.
CLEARING = tuple(
    f"{verb}_{what}"
    for verb in ("zero", "clear", "reset", "flush")
    for what in ("grad", "grads", "gradients")
)

# Gradients: plain names of attributes or keys beside W; then mappings or lists of gradients under the names
# of the parameters, beside the parameters or beside their mapping.
GRADIENTS = (
    *("d{}", "grad{}", "{}grad", "{}gradient", "gradient{}", "{}grads", "grads{}", "dld{}", "dloss{}"),
    *("dldl{}", "der{}", "djd{}", "nabla{}"),
)
GRADIENT_CONTAINERS = (
    "grads",
    "gradients",
    "grad",
    "gradient",
    "dparams",
    "derivatives",
    "_grads",
    "_gradients",
)
PARAMETERS = ("params", "parameters", "_params", "_parameters")
# A W may have its gradient in dweights.
SYNONYMS = (("w", "weight", "weights", "kernel"), ("b", "bias", "biases"))
# Attributes of an object that is an array with its gradient: W.data and W.grad.
VALUES = ("data", "value", "val")


def passes(obj: Any) -> tuple[str, str]:
    """Return the names of an object's forward and backward, "" for one that is not recognized."""
    forward, backward = _callable_name(obj, FORWARD), _callable_name(obj, BACKWARD)
    if forward and backward and method_name(obj, ("calculate",)):  # mean of losses per sample
        forward = "calculate"
    forward = forward or method_name(obj, FUNCTION)
    return forward, backward or method_name(obj, tuple(name for name in DERIVATIVE if name != forward))


def network_methods(obj: Any) -> tuple[str, str]:
    """Return the names of a network's loss and gradient, the same twice if one method returns both."""
    loss, gradient = _callable_name(obj, ("loss", "calculate_loss")), _callable_name(obj, ("gradient",))
    if not gradient and not passes(obj)[1]:
        has_params = isinstance(getattr(obj, "params", None), (Mapping, list, tuple))
        gradient = _callable_name(obj, ("bptt",)) or loss * has_params
    return loss, gradient


def is_derivative(name: str, takes: list[str], inputs: list[str]) -> bool:
    """Return whether a method is a derivative at these inputs, by its name or its arguments."""
    name = plain(name)
    if "back" in name or name == "computegradients":  # takes dout
        return False
    return suggests_backward(name) or bool(takes) and {*takes} <= {*inputs}


def suggests_backward(name: str) -> bool:
    """Return whether a name suggests a backward or a derivative."""
    return any(word in plain(name) for word in BACKWARD_WORDS)


def is_dout(name: str) -> bool:
    """Return whether a plain name is a name of dout."""
    return name in DOUTS or any(word in name for word in DOUT_WORDS)


def _callable_name(obj: Any, names: tuple[str, ...]) -> str:
    """Return the first of these names that is callable on an object, or ""."""
    return next((name for name in _spelled(names, obj) if callable(getattr(obj, name, None))), "")


def _spelled(names: tuple[str, ...], obj: Any) -> Iterator[str]:
    """Yield names, then those that an object has in another spelling: feedForward for feed_forward."""
    yield from names
    public = {plain(each): each for each in dir(obj) if not each.startswith("_")}
    yield from (public[plain(name)] for name in names if plain(name) in public)


def method_name(obj: Any, names: tuple[str, ...]) -> str:
    """Return the first of these names that is a method of an object's class, or ""."""
    classes = [vars(cls) for cls in type(obj).__mro__]
    spelled = _spelled(names, type(obj))
    return next((name for name in spelled if any(callable(own.get(name)) for own in classes)), "")


def property_name(obj: Any, names: tuple[str, ...]) -> str | None:
    """Return the first of these names that is a property, so not stored in the object, or None."""
    return next((name for name in names if isinstance(getattr(type(obj), name, None), property)), None)


def plain(name: str) -> str:
    """Return a name in lower case without underscores: dW, d_W and _dW become the same."""
    return name.replace("_", "").lower()


def gradient_names(name: str) -> list[set[str]]:
    """Return plain names for the gradient of a parameter: from its own name, then from synonyms."""
    own = plain(name)
    others = next((names for names in SYNONYMS if own in names), ())
    return [{pattern.format(each) for pattern in GRADIENTS for each in names} for names in ((own,), others)]
