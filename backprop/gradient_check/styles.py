"""The names that people give to the passes of a layer, to what these take, and to gradients.

The tables come first, since they are what this file is about; a name is looked up in the order of its table.
"""

from collections.abc import Iterator, Mapping
from typing import Any

# A method of the first two tables passes values on and back: backward(dout) -> dx.
FORWARD = (
    *("forward", "forward_pass", "fprop", "forward_prop", "forward_propagate", "forward_propagation"),
    *("feed_forward", "propagate"),
)
BACKWARD = (
    *("backward", "backward_pass", "bprop", "back_prop", "back_propagate", "back_propagation"),
    *("backward_propagate", "backward_propagation", "backward_prop"),
    *("_compute_gradients", "compute_gradients"),
)
# A function, and its derivative at the inputs that it takes: dx = dout · derivative(x). Only methods
# of a class count, since a layer may well have an activation, or a loss, that is not its own forward.
FUNCTION = (
    *(*FORWARD, "fn", "func", "function", "f", "activate", "activation", "loss", "cost", "__call__"),
    *("apply_activation", "compute_activation", "compute_loss", "calculate_loss", "direct"),
)
DERIVATIVE = (
    *("grad", "gradient", "derivative", "derivate", "derivative_func", "derivative_fn", "deriv"),
    *("prime", "f_prime", "fn_prime", "func_prime", "compute_derivative", "calculate_derivative"),
)
OF_BACKWARD = ("back", "deriv", "prime", "slope", "grad", "bprop", "bptt")  # words in the names of others

RATES = ("learning_rate", "learn_rate", "learningrate", "lr", "eta", "step_size", "alpha")
# From here on plain names.
TRAINING = (
    *("training", "train", "istraining", "istrain", "trainflg", "trainflag", "trainingflag", "trainmode"),
    *("trainingmode", "trainablemode"),
)
# A name of dout has one of these words in it, or is one of DOUTS.
OF_DOUT = ("dout", "grad", "delta", "error", "upstream", "topdiff")
DOUTS = ("d", "dy", "dz", "da", "dh", "dhs", "dvalues", "dnext", "dldy", "dldz", "dlda", "dldout", "err")
TARGETS = (
    *("t", "target", "targets", "label", "labels", "ytrue", "actual", "true", "gt", "groundtruth"),
    *("expected", "desired", "truth"),
)
INPUTS = ("x", "input", "inputs", "inputdata", "data", "logits", "scores")
RESULTS = (  # what forward has returned; of a loss, what it was given
    *("output", "outputs", "out", "y", "a", "activation", "activations", "yhat", "ypred", "pred", "preds"),
    *("predicted", "prediction", "predictions", "probs", "p"),
)

# Where a pass leaves what it does not return.
OUTPUTS = ("output", "out", "outputs", "y", "a", "A", "activations", "Y", "z", "Z")
INPUT_GRADIENTS = ("dinputs", "dinput", "dx", "dX", "grad_input", "input_gradient", "d_input", "grad_x", "dA")

# What clears the gradients that backward adds to, and perhaps what forward keeps.
CLEARING = tuple(
    f"{verb}_{what}"
    for verb in ("zero", "clear", "reset", "flush")
    for what in ("grad", "grads", "gradients")
)

# Gradients: as attributes or keys beside W, written without underscores and in small letters; and mappings or
# lists of them, with the names of the parameters', beside the parameters or beside the mapping of these.
GRADIENTS = (
    *("d{}", "grad{}", "{}grad", "{}gradient", "gradient{}", "{}grads", "grads{}", "dld{}", "dloss{}"),
    *("dldl{}", "der{}", "djd{}", "nabla{}"),
)
OF_GRADIENTS = ("grads", "gradients", "grad", "gradient", "dparams", "derivatives", "_grads", "_gradients")
PARAMETERS = ("params", "parameters", "_params", "_parameters")
# A W may have its gradient in dweights.
SYNONYMS = (("w", "weight", "weights", "kernel"), ("b", "bias", "biases"))
# Attributes of an object that is an array with its gradient: W.data and W.grad.
VALUES = ("data", "value", "val")


def passes(obj: Any) -> tuple[str, str]:
    """Return the names of an object's forward and backward; "" where none is known."""
    forward, backward = _callable_name(obj, FORWARD), _callable_name(obj, BACKWARD)
    if forward and backward and method_name(obj, ("calculate",)):  # the mean of a loss for each sample
        forward = "calculate"
    forward = forward or method_name(obj, FUNCTION)
    return forward, backward or method_name(obj, tuple(name for name in DERIVATIVE if name != forward))


def of_network(obj: Any) -> tuple[str, str]:
    """Return the names of a network's loss and of its gradient: of the loss again where that returns both."""
    loss, gradient = _callable_name(obj, ("loss", "calculate_loss")), _callable_name(obj, ("gradient",))
    if not gradient and not passes(obj)[1]:
        has_params = isinstance(getattr(obj, "params", None), (Mapping, list, tuple))
        gradient = _callable_name(obj, ("bptt",)) or loss * has_params
    return loss, gradient


def is_derivative(name: str, takes: list[str], inputs: list[str]) -> bool:
    """Return whether a method is the derivative of one of these inputs: by its name, or by what it takes."""
    name = plain(name)
    if "back" in name or name == "computegradients":  # of dout
        return False
    return goes_back(name) or bool(takes) and {*takes} <= {*inputs}


def goes_back(name: str) -> bool:
    """Return whether a name tells of a backward or of a derivative."""
    return any(word in plain(name) for word in OF_BACKWARD)


def is_dout(name: str) -> bool:
    """Return whether a plain name is one of dout."""
    return name in DOUTS or any(word in name for word in OF_DOUT)


def _callable_name(obj: Any, names: tuple[str, ...]) -> str:
    """Return the first of these names under which an object has something to call, or ""."""
    return next((name for name in _spelled(names, obj) if callable(getattr(obj, name, None))), "")


def _spelled(names: tuple[str, ...], obj: Any) -> Iterator[str]:
    """Yield names, and then, as an object spells them, those that it has: feedForward for feed_forward."""
    yield from names
    public = {plain(each): each for each in dir(obj) if not each.startswith("_")}
    yield from (public[plain(name)] for name in names if plain(name) in public)


def method_name(obj: Any, names: tuple[str, ...]) -> str:
    """Return the first of these names under which an object's class has a method, or ""."""
    classes = [vars(cls) for cls in type(obj).__mro__]
    spelled = _spelled(names, type(obj))
    return next((name for name in spelled if any(callable(own.get(name)) for own in classes)), "")


def property_name(obj: Any, names: tuple[str, ...]) -> str | None:
    """Return the first of these names that is a property of an object: what it returns lies nowhere in it."""
    return next((name for name in names if isinstance(getattr(type(obj), name, None), property)), None)


def plain(name: str) -> str:
    """Return a name without underscores and in small letters: dW, d_W and _dW are one."""
    return name.replace("_", "").lower()


def gradient_names(name: str) -> list[set[str]]:
    """Return plain names for the gradient of a parameter: the nearest first, then those of its synonyms."""
    own = plain(name)
    others = next((names for names in SYNONYMS if own in names), ())
    return [{pattern.format(each) for pattern in GRADIENTS for each in names} for names in ((own,), others)]
