"""What to write where a stranger's object is refused: an adapter, as one line of code that works."""

from collections.abc import Callable, Mapping, Sequence
from inspect import getattr_static
from typing import Any

from backends import cut
from backprop.gradient_check import styles
from backprop.gradient_check.requirements import WHERE, is_array, is_value

Pass = str | Callable[..., Any]


def require_passes(layer: Any, forward: Pass, backward: Pass) -> None:
    """Raise TypeError, with the adapter to write, unless a layer has both passes."""
    passes = {"forward": forward, "backward": backward}
    missing = [what for what, one in passes.items() if not one]
    known = " that is known" * bool(missing)
    missing += [one for one in passes.values() if isinstance(one, str) and one and not hasattr(layer, one)]
    if not missing:
        return
    has = [each for each in dir(layer) if not each.startswith("_")]
    has = [each for each in has if callable(getattr_static(layer, each, None))]
    back = [each for each in has if styles.goes_back(each)]
    fore = [each for each in has if not styles.goes_back(each)]
    likely = {
        "forward": [*fore, "lambda layer, x: ..."],
        "backward": [*back, *fore[1:], "lambda layer, dout: ..."],
    }
    written = ""
    for what, one in passes.items():
        chosen = str(one) if one and one not in missing else likely[what][0]
        written += f', {what}="{chosen}"' if chosen.isidentifier() else f", {what}={chosen}"
    rule = f"{WHERE}: {type(layer).__name__} has no {' and no '.join(map(cut, missing))}{known}"
    its = f" (it has {', '.join(has[:8])})" if has else ""
    cure = f"; write Adapter(layer{written}) in its place"
    raise TypeError(rule + its * (len(rule + its + cure) <= 200) + cure)


def choosing(layer: Any, forward: Pass, takes: Sequence[str], out: Any) -> str:
    """Return the adapter that takes an array out of what forward returns, or out of what it keeps."""
    called = f"layer.{forward}({', '.join(takes)})" if isinstance(forward, str) else "..."
    items = dict(enumerate(out)) if isinstance(out, (list, tuple)) else out
    if isinstance(items, Mapping):
        called += next((f"[{key!r}]" for key, each in items.items() if is_value(each)), "")
    elif out is None and (kept := _arrays(layer)):
        called = f"({called}, layer.{[*kept][-1]})[1]"
    return f"Adapter(layer, forward=lambda layer, {', '.join(takes)}: {called})"


def one_by_one(passes: Sequence[str], count: int) -> str:
    """Return what to say where forward takes several inputs in one list, and backward returns as many."""
    (name, _, forward), (_, _, backward) = (one.rpartition(".") for one in passes)
    names = ", ".join("abcdefghij"[:count])
    adapter = f"Adapter(layer, forward=lambda layer, {names}: layer.{forward}([{names}])"
    rule = f"{name} takes a list of inputs, which are to be given one by one"
    adapter += f", backward=lambda layer, dout: layer.{backward}(dout))"
    return f"{WHERE}: {rule}; write {adapter} in its place"


def keeping(
    forward: Pass, backward: Pass, takes: list[str], has_dout: bool, params: list[str], of_inputs: int = 0
) -> str:
    """Return the adapter that keeps gradients of params, which backward returns behind those of inputs.

    takes: the arguments of backward; has_dout: whether dout is one of them.
    """
    known = ", ".join(takes if has_dout else ["dout", *takes])
    dx = f" or layer.kept[:{of_inputs}]" if of_inputs else ""
    kept = f'lambda layer, {known}: setattr(layer, "kept", layer.{backward}({", ".join(takes)})){dx}'
    grads = f"lambda layer: layer.kept[{of_inputs}:]"
    return f'Adapter(layer, forward="{forward}", backward={kept}, params={params}, grads={grads})'


def of_gradients(layer: Any, inputs: Sequence[Any], gradients: Sequence[Any]) -> tuple[list[str], int]:
    """Return which arrays backward seems to return gradients of, and of how many inputs before."""
    shapes = [getattr(each, "shape", None) for each in gradients]
    of_inputs = sum(a == getattr(b, "shape", ()) for a, b in zip(shapes, inputs, strict=False))
    return [name for name, each in _arrays(layer).items() if each.shape in shapes[of_inputs:]], of_inputs


def _arrays(layer: Any) -> dict[str, Any]:
    """Return the attributes that are arrays."""
    return {name: each for name, each in getattr(layer, "__dict__", {}).items() if is_array(each)}
