"""Adapters to suggest in an error: if an object is refused, the message holds one line of code that works."""

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
    known = " under a known name" * bool(missing)
    missing += [one for one in passes.values() if isinstance(one, str) and one and not hasattr(layer, one)]
    if not missing:
        return
    has = [each for each in dir(layer) if not each.startswith("_")]
    has = [each for each in has if callable(getattr_static(layer, each, None))]
    back = [each for each in has if styles.suggests_backward(each)]
    fore = [each for each in has if not styles.suggests_backward(each)]
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
    cure = f"; pass Adapter(layer{written}) instead"
    raise TypeError(rule + its * (len(rule + its + cure) <= 200) + cure)


def choosing(layer: Any, forward: Pass, takes: Sequence[str], out: Any) -> str:
    """Return the adapter that picks an array from what forward returns, or from what it stores."""
    called = f"layer.{forward}({', '.join(takes)})" if isinstance(forward, str) else "..."
    items = dict(enumerate(out)) if isinstance(out, (list, tuple)) else out
    if isinstance(items, Mapping):
        called += next((f"[{key!r}]" for key, each in items.items() if is_value(each)), "")
    elif out is None and (kept := _arrays(layer)):
        called = f"({called}, layer.{[*kept][-1]})[1]"
    return f"Adapter(layer, forward=lambda layer, {', '.join(takes)}: {called})"


def one_by_one(passes: Sequence[str], count: int) -> str:
    """Return the error for a forward that takes its inputs in one list, with the adapter to write."""
    (name, _, forward), (_, _, backward) = (one.rpartition(".") for one in passes)
    names = ", ".join("abcdefghij"[:count])
    adapter = f"Adapter(layer, forward=lambda layer, {names}: layer.{forward}([{names}])"
    rule = f"{name} takes a list of inputs; the check needs them one by one"
    adapter += f", backward=lambda layer, dout: layer.{backward}(dout))"
    return f"{WHERE}: {rule}; pass {adapter} instead"


def keeping(
    forward: Pass, backward: Pass, takes: list[str], has_dout: bool, params: list[str], input_count: int = 0
) -> str:
    """Return the adapter that stores gradients of params that backward returns after those of the inputs.

    takes: the arguments of backward.  has_dout: True if dout is one of them.
    """
    known = ", ".join(takes if has_dout else ["dout", *takes])
    dx = f" or layer.kept[:{input_count}]" if input_count else ""
    kept = f'lambda layer, {known}: setattr(layer, "kept", layer.{backward}({", ".join(takes)})){dx}'
    grads = f"lambda layer: layer.kept[{input_count}:]"
    return f'Adapter(layer, forward="{forward}", backward={kept}, params={params}, grads={grads})'


def arrays_with_gradients(
    layer: Any, inputs: Sequence[Any], gradients: Sequence[Any]
) -> tuple[list[str], int]:
    """Return the arrays that backward seems to return gradients for, and the number of inputs before."""
    shapes = [getattr(each, "shape", None) for each in gradients]
    input_count = sum(a == getattr(b, "shape", ()) for a, b in zip(shapes, inputs, strict=False))
    return [name for name, each in _arrays(layer).items() if each.shape in shapes[input_count:]], input_count


def _arrays(layer: Any) -> dict[str, Any]:
    """Return the attributes that are arrays."""
    return {name: each for name, each in getattr(layer, "__dict__", {}).items() if is_array(each)}
