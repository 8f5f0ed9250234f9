"""Weight decay that is larger in one pass than in the other, or missing there."""

from collections.abc import Callable
from typing import Any

from backprop.gradient_check.causes.quotients import compared
from backprop.gradient_check.comparison import Comparison

PRECISION = {"complex": 1e-6, "central": 1e-3}  # relative
Terms = dict[str, Callable[[Any], Any]]


def weight_decay(comparison: Comparison, name: str) -> str:
    """Test whether gradient minus derivative is λ W, λ sign W or both, with the same λ for -2 W."""
    if name in comparison.target.input_names:
        return ""
    terms: Terms = {"L2": lambda W: W, "L1": lambda W: (W > 0) * 1.0 - (W < 0) * 1.0}
    for norms in (["L2"], ["L1"], ["L2", "L1"]):
        some = {norm: terms[norm] for norm in norms}
        rates = _rates(comparison, name, some)
        there = rates and _rates(_elsewhere(comparison, name), name, some)
        precision = PRECISION[comparison.method]
        if there and all(abs(a - b) <= precision * abs(a) for a, b in zip(rates, there, strict=True)):
            return _words(dict(zip(norms, rates, strict=True)), name)
    return ""


def _words(rates: dict[str, float], name: str) -> str:
    words = {"L2": name, "L1": f"sign {name}"}
    sum_of = " ".join(
        f"{'plus' if rate > 0 else 'minus'} {abs(rate):.6g} {words[n]}" for n, rate in rates.items()
    )
    decay = f"weight decay ({' and '.join(rates)}) than in forward"
    how = f"more {decay}" if min(rates.values()) > 0 else f"less {decay}, or with the wrong sign"
    return f"backward is the derivative {sum_of}: {how}"


def _elsewhere(comparison: Comparison, name: str) -> Comparison:
    """Return the comparison with an array multiplied by -2."""
    elsewhere = compared(comparison.target, comparison.method)
    for method in {"central", comparison.method}:
        elsewhere.copy_for(method).arrays[name][...] *= -2.0
    elsewhere.gradients = elsewhere.target.run(elsewhere.copy_for("central")).gradients
    return elsewhere


def _rates(comparison: Comparison, name: str, terms: Terms) -> list[float]:
    """Return λ of each term if the terms explain gradient minus derivative along every direction, else []."""
    W, probes = comparison.array(name), comparison.probes(name)
    excess = [float((comparison.gradients[name] * u).sum()) - slope for u, slope in probes]
    columns = [[float((term(W) * u).sum()) for u, _ in probes] for term in terms.values()]
    rates = _least_squares(columns, excess)
    if not rates or not all(rates):
        return []
    largest = max(abs(rate) * _dot(c, c) ** 0.5 for rate, c in zip(rates, columns, strict=True))
    left = [e - _dot(rates, row) for e, *row in zip(excess, *columns, strict=True)]
    return rates if all(abs(each) <= PRECISION[comparison.method] * largest for each in left) else []


def _least_squares(columns: list[list[float]], wanted: list[float]) -> list[float]:
    """Return the factors of one or two columns whose sum comes nearest; [] if columns are collinear."""
    a, b = columns[0], columns[-1]
    aa, ab, bb, aw, bw = _dot(a, a), _dot(a, b), _dot(b, b), _dot(a, wanted), _dot(b, wanted)
    if len(columns) == 1:
        return [aw / aa] if aa else []
    determinant = aa * bb - ab * ab
    if not determinant > 1e-9 * aa * bb:
        return []
    return [(aw * bb - bw * ab) / determinant, (bw * aa - aw * ab) / determinant]


def _dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
