"""Weight decay: parameters are drawn towards 0, through the gradient or directly."""

from collections.abc import Collection, Mapping
from string import digits

from backends import Array, Namespace, listed, shown
from backprop.arrays.near import near

GROUPS = ("weights", "all")
SCALES = ("gamma", "beta")  # of normalizations, where they may have several axes; a number may follow


def decayed(xp: Namespace, w: Array, g: Array, decay: Array) -> Array:
    """Return g + decay · w, the gradient of the loss with a penalty Σ decay · w² / 2.

    w, g, decay: (P,). decay is 0 for parameters that do not decay.  Source: book section 6.4.2.
    """
    return g + decay * w


def shrunk(xp: Namespace, w: Array, rate: Array, decay: Array) -> Array:
    """Return w - rate · decay · w, decay that is decoupled from the gradient.

    w, decay: (P,).  rate: 0-d.  Source: Loshchilov and Hutter, arXiv 1711.05101, 2019.
    """
    return w - rate * decay * w


def group(where: str, chosen: str | Collection[str]) -> str | tuple[str, ...]:
    """Return "weights", "all" or a tuple of names; raise TypeError or ValueError otherwise."""
    if isinstance(chosen, str) and chosen in GROUPS:
        return chosen
    is_list = isinstance(chosen, Collection) and not isinstance(chosen, str | Mapping)
    names = tuple(chosen) if is_list else ()
    if not names or not all(isinstance(name, str) for name in names):
        rule = 'decayed must be "weights", "all" or a list of names, such as ["W1"]'
        as_value = isinstance(chosen, str) or (is_list and not names)
        raise (ValueError if as_value else TypeError)(f"{where}: {rule}, got {shown(chosen)}")
    return names


def members(where: str, chosen: str | tuple[str, ...], shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """Return the names of the parameters of a group; raise ValueError for a name that is not among them."""
    if chosen == "all":
        return [*shapes]
    if chosen == "weights":
        return [
            name for name, shape in shapes.items() if len(shape) > 1 and name.rstrip(digits) not in SCALES
        ]
    for name in chosen:
        if name not in shapes:
            meant = near(name, shapes)
            hint = f"did you mean {meant}?" if meant else f"the names are {listed(shapes)}"
            raise ValueError(f"{where}: decayed must name parameters, got {shown(name)}; {hint}")
    return [*chosen]
