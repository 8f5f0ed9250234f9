"""The arguments of a user's method, by name: dout, an input or output of forward, a rate, a flag."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from backprop.gradient_check import styles
from backprop.gradient_check.requirements import WHERE
from backprop.gradient_check.styles import plain

DOUT, OUT, PREDICTIONS, RATE, FLAG = "dout", "output", "predictions", "rate", "flag"
Source = str | int  # one of the strings above, or the position of an input
NOTHING: Mapping[Any, Any] = {}
PREDICTIONS_NAME = "dvalues"  # dout in a layer; in a loss, beside a target, the predictions
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
NAMES = {**dict.fromkeys(styles.TRAINING, FLAG), **dict.fromkeys(map(plain, styles.RATES), RATE)}


@dataclass
class Call:
    """A way to call a method: a source for each argument.

    by_position: the number of arguments passed by position.  unknown: the names of required arguments for
    which no source is known.
    """

    sources: dict[str, Source]
    by_position: int
    unknown: list[str] = field(default_factory=list)

    def takes(self, source: Source) -> bool:
        """Return whether an argument has that source."""
        return source in self.sources.values()

    @property
    def is_derivative(self) -> bool:
        """True for a method of the inputs without dout: a derivative, still to be multiplied by dout."""
        return not self.takes(DOUT) and not {*self.sources.values()} <= {RATE, FLAG}

    def __call__(self, method: Any, inputs: Sequence[Any], values: Mapping[Any, Any] = NOTHING) -> Any:
        """Call the method.  values: those of arguments other than inputs, by source."""
        values = {FLAG: True, **values, **dict(enumerate(inputs))}
        given = {name: values[source] for name, source in self.sources.items()}
        first = [given.pop(name) for name in [*given][: self.by_position]]
        return method(*first, **given)


DOUT_ALONE = Call({"dout": DOUT}, 1)


def parameters(method: Any) -> list[inspect.Parameter]:
    """Return a method's parameters, those of the wrapped method if it takes `*args`; [] if unknown."""
    try:
        own = [*inspect.signature(method, follow_wrapped=False).parameters.values()]
        takes_any = any(each.kind is each.VAR_POSITIONAL for each in own)
        return [*inspect.signature(method).parameters.values()] if takes_any else own
    except (TypeError, ValueError):
        return []


def names(method: Any) -> list[str]:
    """Return the names of the parameters that a method takes by position, without `*args`."""
    return [each.name for each in parameters(method) if each.kind in POSITIONAL]


def forward_call(method: Any, count: int) -> Call:
    """Return the call of forward with that many inputs; flags such as `training` are set unless given."""
    behind = [each for i, each in enumerate(parameters(method)) if i >= count or each.kind not in POSITIONAL]
    flags = {each.name: FLAG for each in behind if NAMES.get(plain(each.name)) == FLAG}
    return Call({f"input {i}": i for i in range(count)} | flags, count)


def backward_call(method: Any, name: str, inputs: list[str], count: int) -> Call:
    """Return the call of backward.

    name: the method's name, which may be that of a derivative, a function of forward's inputs.  inputs: the
    names of forward's inputs.  count: the number of inputs passed to forward.
    """
    takes = [each for each in parameters(method) if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
    if not takes and parameters(method):  # backward(*args)
        return DOUT_ALONE
    needed = [each.name for each in takes if each.default is each.empty]
    inputs = inputs[:count]
    target = _target(inputs, [each.name for each in takes])
    given = _by_name(takes, inputs, target)
    if DOUT not in given.values():
        unknown = [each for each in needed if each not in given]
        if styles.is_derivative(name, needed, inputs):
            given.update(zip(unknown, [i for i in range(count) if i not in given.values()], strict=False))
        elif dout := _dout(given, needed or [each.name for each in takes[:1]], target):
            given[dout] = DOUT
        else:  # without a dout the output is of no use
            given = {each: source for each, source in given.items() if source != OUT}
    in_order = [each.name for each in takes if each.kind in POSITIONAL]
    by_position = next((i for i, each in enumerate(in_order) if each not in given), len(in_order))
    sources = {each.name: given[each.name] for each in takes if each.name in given}
    return Call(sources, by_position, [each for each in needed if each not in given])


def require_known(call: Call, called: str, cure: str) -> None:
    """Raise TypeError if there are required arguments without a known source.

    cure: the code to suggest, with one {} for the known arguments and one for all.
    """
    if call.unknown:
        given = [*(f"{name}={name}" for name in call.sources), *(f"{name}=0.0" for name in call.unknown)]
        rule = f"{called} takes {' and '.join(call.unknown)}, which the check cannot fill in"
        cure = cure.format(", ".join(call.sources) or "dout", ", ".join(given))
        raise TypeError(f"{WHERE}: {rule}; put a value in place of 0.0: {cure}")


def _by_name(takes: list[inspect.Parameter], inputs: list[str], target: int | None) -> dict[str, Source]:
    """Return the sources of arguments by their names.  target: the position of a loss's target."""
    given: dict[str, Source] = {}
    known = {plain(name): i for i, name in enumerate(inputs)}
    of_input = styles.INPUTS if target is None else (*styles.INPUTS, *styles.RESULTS)
    for each in takes:
        name, is_needed = plain(each.name), each.default is each.empty
        if name in known:
            given[each.name] = known[name]
        elif name in NAMES and (is_needed or name != "alpha"):
            given[each.name] = NAMES[name]
        elif target is not None and name in (*styles.TARGETS, "y"):
            given[each.name] = target
        elif name in of_input:
            given[each.name] = predicted(inputs)
        elif target is not None and name == PREDICTIONS_NAME and len(takes) > 1:
            given[each.name] = PREDICTIONS
        elif styles.is_dout(name) and DOUT not in given.values() and not isinstance(each.default, bool):
            given[each.name] = DOUT
        elif name in styles.RESULTS:
            given[each.name] = OUT
    return given


def _dout(given: dict[str, Source], candidates: list[str], target: int | None) -> str:
    """Return the argument that must be dout if no name says so: the only one, or the first unknown."""
    if len(candidates) == 1:
        source, name = given.get(candidates[0]), plain(candidates[0])
        is_target = source == target if target is not None else name in (*styles.TARGETS, "y")
        return "" if is_target or source in (RATE, FLAG) else candidates[0]
    if target is not None and target in given.values():  # the other may be the predictions
        return ""
    return next((each for each in candidates if given.get(each, OUT) == OUT), "")


def _target(inputs: list[str], takes: list[str]) -> int | None:
    """Return the position of the target among a loss's inputs, or None if this is not a loss."""
    is_loss = "y" in map(plain, inputs) or any(plain(name) in styles.TARGETS for name in (*inputs, *takes))
    return 1 - predicted(inputs) if is_loss and len(inputs) > 1 else None


def predicted(inputs: list[str]) -> int:
    """Return the position of the input that a loss is differentiated by: the first except targets."""
    first_is_target = len(inputs) > 1 and plain(inputs[0]) in (*styles.TARGETS, "y")
    return int(first_is_target and plain(inputs[1]) not in styles.TARGETS)
