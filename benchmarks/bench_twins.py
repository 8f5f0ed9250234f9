"""NumPy's twins against the formulas that they replace, at the sizes of a training step.

A new twin needs a line in `CASES` for each size at which it is called; `test_every_twin_has_a_case` fails
without one.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest

from backends import TWINS, Workspace, load
from backprop.layers import (
    GELU,
    Affine,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dropout,
    LayerNorm,
    LeakyReLU,
    MaxPool2D,
    ReLU,
    Sigmoid,
    Tanh,
)
from backprop.losses import MeanSquaredError, SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.optimizers import SGD, AdaGrad, Adam, Momentum, Nesterov, RMSProp, clipping, decay
from backprop.reporting.timing import Times, Work
from backprop.training.step import minibatch

BACKEND = load("numpy")  # which registers its twins
BATCH, PIXELS, HIDDEN, CLASSES = 100, 784, 50, 10
SAMPLES = 10_000
SMALL, LARGE = 39_760, 3_256_330  # parameters of 784-50-10 and of 784-4096-10
HEADER = ("", "size", "twin µs", "formula µs", "twin / formula", "")

Call = Callable[[], tuple[Any, ...]]  # computes once and returns the results to compare


class Pair(NamedTuple):
    """A twin and its formula, each ready to be called with its own arrays."""

    twin: Call
    formula: Call


def twin_of(formula: str) -> Callable[..., Any]:
    return TWINS[BACKEND.name, formula].function


def workspace(needs_dx: bool = True, provided: Any = ()) -> Workspace:
    return Workspace(BACKEND, np.dtype("float32"), dict(provided), needs_dx)


rng = np.random.default_rng(0)


def a(*shape: int) -> np.ndarray:
    """Return normal random numbers, float32."""
    return rng.standard_normal(shape, dtype=np.float32)


def labels(size: int = BATCH) -> np.ndarray:
    return rng.integers(CLASSES, size=size)


def affine(n_in: int, n_out: int) -> Affine:
    return Affine(a(n_in, n_out), a(n_out))


def arrays_of(layer: Any) -> tuple[np.ndarray, ...]:
    """Return the parameters and the state of a layer, as its formulas take them."""
    return *layer.params.values(), *layer.state.values()


# --------------------------------------------------------------------------------------------------- layers


def batch_norm() -> BatchNorm:
    return BatchNorm(a(HIDDEN), a(HIDDEN))


def dropout() -> Dropout:
    layer = Dropout(0.2)
    layer.build((HIDDEN,), rng=0, backend=BACKEND)
    return layer


def layer_norm() -> LayerNorm:
    return LayerNorm(a(HIDDEN), a(HIDDEN))


def formulas_forward(layers: Sequence[Any], x: Any, targets: Sequence[Any]) -> tuple[Any, list[Any]]:
    """Return the output of neighbours, by their formulas one after the other, and what each saved.

    targets: for the last of them, if it is a loss.
    """
    saved = []
    for layer in layers:
        own = targets if layer is layers[-1] else ()
        x, kept, *_ = layer.compute(np, x, *own, *layer.params.values(), *layer.state.values())
        saved.append(kept)
    return x, saved


def formulas_backward(layers: Sequence[Any], dout: Any, saved: Sequence[Any]) -> tuple[Any, ...]:
    """Return the gradients of the input and of the parameters of neighbours."""
    grads: tuple[Any, ...] = ()
    for layer, kept in zip(reversed(layers), reversed(saved), strict=True):
        result = layer.derive(np, dout, *kept)
        dout, *own = result if isinstance(result, tuple) else (result,)
        grads = (*own, *grads)
    return dout, *grads


def bound_to(layers: Sequence[Any]) -> Any:
    """Return what a twin gets in place of `self`: the layer, or neighbours as a tuple."""
    return layers[0] if len(layers) == 1 else tuple(layers)


def forward(layers: Sequence[Any], x: Any, *targets: Any) -> Pair:
    """Return a layer's `compute`, or that of neighbours as one."""
    name, own = "+".join(type(layer).__name__ for layer in layers), bound_to(layers)
    twin, ws, arrays = twin_of(f"{name}.compute"), workspace(), arrays_of(layers[0])
    return Pair(
        lambda: twin(own, ws, x, *targets, *arrays)[:1],
        lambda: formulas_forward(layers, x, targets)[:1],
    )


def backward(layers: Sequence[Any], dout: Any, x: Any, *targets: Any, needs_dx: bool = True) -> Pair:
    """Return a layer's `derive`, or that of neighbours as one.

    needs_dx: whether the twin computes the gradient of x. The formula always does, so without it the ratio
    includes that difference.
    A loss is recomputed before each call, on both sides, since its twin overwrites what it has saved.
    """
    name, own = "+".join(type(layer).__name__ for layer in layers), bound_to(layers)
    compute, derive = twin_of(f"{name}.compute"), twin_of(f"{name}.derive")
    ws, arrays = workspace(needs_dx), arrays_of(layers[0])

    def twin_saved() -> Any:
        return compute(own, ws, x, *targets, *arrays)[1]

    def formula_saved() -> Any:
        return formulas_forward(layers, x, targets)[1]

    of_twin, of_formula = twin_saved(), formula_saved()

    def by_twins() -> tuple[Any, ...]:
        result = derive(own, ws, dout, *(twin_saved() if targets else of_twin))
        return result if isinstance(result, tuple) else (result,)

    def by_formulas() -> tuple[Any, ...]:
        dx, *grads = formulas_backward(layers, dout, formula_saved() if targets else of_formula)
        return dx if needs_dx else None, *grads

    return Pair(by_twins, by_formulas)


# ----------------------------------------------------------------------------------- updates and the batch


def update(optimizer: Any, size: int) -> Pair:
    """Return an optimizer's `compute` as training calls it: the twin may overwrite the gradient.

    The rate is 1, so a gradient overwritten by rate · gradient keeps its value. Nesterov writes something
    else there, so it gets a place of its own.
    """
    twin = twin_of(f"{type(optimizer).__name__}.compute")
    settings = [np.array(getattr(optimizer, name), np.float32) for name in optimizer.settings]
    state = [abs(a(size)) for _ in optimizer.zeros] + [np.array(9, np.float32) for _ in optimizer.numbers]
    arrays = [a(size), a(size), *state]

    def call(function: Callable[..., Any], context: Any, w: Any, g: Any, *state: Any) -> Call:
        def updated() -> tuple[Any, ...]:
            new, new_state = function(optimizer, context, w, g, *settings, *state)
            for target, value in zip((w, *state), (new, *new_state), strict=True):
                if value is not target:  # a formula returns new arrays, which the library copies into place
                    target[...] = value
            return w, *state

        return updated

    own = [array.copy() for array in arrays]
    step = own[1].copy() if isinstance(optimizer, Nesterov) else own[1]
    ws = workspace(provided={("step", (size,)): step})
    return Pair(call(twin, ws, *own), call(type(optimizer).compute, np, *arrays))


def prepared(name: str, *arguments: Any) -> Pair:
    """Return clipping or weight decay, of which a twin may write into the first argument."""
    twin, ws = twin_of(name), workspace()
    formula = next(getattr(module, name) for module in (clipping, decay) if hasattr(module, name))
    own = [argument.copy() for argument in arguments]
    return Pair(lambda: (twin(ws, *own),), lambda: (formula(np, *arguments),))


def draw() -> Pair:
    """Return a batch drawn from samples and labels."""
    data, batch, ws = (a(SAMPLES, PIXELS), labels(SAMPLES)), rng.integers(SAMPLES, size=BATCH), workspace()
    twin = twin_of("minibatch")
    return Pair(lambda: twin(ws, *data, batch), lambda: minibatch(np, *data, batch))


def between(make: Callable[[], Any]) -> dict[str, dict[str, Callable[[], Pair]]]:
    """Return the cases of a layer between the two Affine layers."""
    name = type(make()).__name__
    return {
        f"{name}.compute": {ROWS: lambda: forward([make()], a(BATCH, HIDDEN))},
        f"{name}.derive": {ROWS: lambda: backward([make()], a(BATCH, HIDDEN), a(BATCH, HIDDEN))},
    }


def convolution(*behind: Any) -> dict[str, dict[str, Callable[[], Pair]]]:
    """Return the cases of a convolution and the layers behind it: the second one of DeepConvNet."""
    layers = [Conv2D(a(16, 16, 3, 3), a(16), padding=1), *behind]
    name, side = "+".join(type(layer).__name__ for layer in layers), 14 if len(behind) == 2 else 28
    return {
        f"{name}.compute": {IMAGES: lambda: forward(layers, images(28))},
        f"{name}.derive": {IMAGES: lambda: backward(layers, images(side), images(28))},
    }


def pooling(layer: Any) -> dict[str, dict[str, Callable[[], Pair]]]:
    """Return the cases of a pooling of 2 × 2."""
    name = type(layer).__name__
    return {
        f"{name}.compute": {IMAGES: lambda: forward([layer], images(28))},
        f"{name}.derive": {IMAGES: lambda: backward([layer], images(14), images(28))},
    }


def images(side: int) -> np.ndarray:
    """Return a batch of square images with 16 channels, which lie last in memory."""
    return a(side, BATCH, side, 16).transpose(1, 3, 0, 2)


def hidden() -> np.ndarray:
    """Return the output of a ReLU."""
    return np.maximum(a(BATCH, HIDDEN), 0)


def answers() -> np.ndarray:
    """Return yes or no for each output, 1 or 0."""
    return (a(BATCH, CLASSES) > 0).astype("float32")


MEAN = 1.0 / BATCH  # dout of each sample's loss
FIRST, SECOND, NO_DX = f"{PIXELS}-{HIDDEN}", f"{HIDDEN}-{CLASSES}", f"{PIXELS}-{HIDDEN}, no dx"
ROWS, LOGITS = f"{BATCH} x {HIDDEN}", f"{BATCH} x {CLASSES}"
IMAGES = f"{BATCH} x 16 x 28 x 28"

# By plain function: what makes its arguments, for so many parameters.
PREPARED: dict[str, Callable[[int], tuple[np.ndarray, ...]]] = {
    "clipped": lambda size: (a(size), np.array(1.0, np.float32)),
    "decayed": lambda size: (a(size), a(size), abs(a(size))),
    "shrunk": lambda size: (a(size), np.array(1e-9, np.float32), abs(a(size))),
}

# By formula and size: the function that makes the pair.
CASES: dict[str, dict[str, Callable[[], Pair]]] = {
    "Affine.compute": {
        FIRST: lambda: forward([affine(PIXELS, HIDDEN)], a(BATCH, PIXELS)),
        SECOND: lambda: forward([affine(HIDDEN, CLASSES)], hidden()),
    },
    "Affine.derive": {
        NO_DX: lambda: backward([affine(PIXELS, HIDDEN)], a(BATCH, HIDDEN), a(BATCH, PIXELS), needs_dx=False),
        SECOND: lambda: backward([affine(HIDDEN, CLASSES)], a(BATCH, CLASSES), hidden()),
    },
    **between(ReLU),
    **between(LeakyReLU),
    **between(GELU),
    **between(Sigmoid),
    **between(Tanh),
    **between(batch_norm),
    **between(layer_norm),
    **between(dropout),
    **convolution(),
    **convolution(ReLU()),
    **convolution(ReLU(), MaxPool2D(2)),
    **pooling(MaxPool2D(2)),
    **pooling(AveragePool2D(2)),
    "Affine+ReLU.compute": {FIRST: lambda: forward([affine(PIXELS, HIDDEN), ReLU()], a(BATCH, PIXELS))},
    "Affine+ReLU.derive": {
        NO_DX: lambda: backward(
            [affine(PIXELS, HIDDEN), ReLU()], a(BATCH, HIDDEN), a(BATCH, PIXELS), needs_dx=False
        ),
        FIRST: lambda: backward([affine(PIXELS, HIDDEN), ReLU()], a(BATCH, HIDDEN), a(BATCH, PIXELS)),
    },
    "SoftmaxCrossEntropy.compute": {
        LOGITS: lambda: forward([SoftmaxCrossEntropy()], a(BATCH, CLASSES), labels())
    },
    "SoftmaxCrossEntropy.derive": {
        f"{LOGITS}, with compute": lambda: backward(
            [SoftmaxCrossEntropy()], MEAN, a(BATCH, CLASSES), labels()
        )
    },
    "MeanSquaredError.compute": {
        LOGITS: lambda: forward([MeanSquaredError()], a(BATCH, CLASSES), a(BATCH, CLASSES))
    },
    "MeanSquaredError.derive": {
        f"{LOGITS}, with compute": lambda: backward(
            [MeanSquaredError()], MEAN, a(BATCH, CLASSES), a(BATCH, CLASSES)
        )
    },
    "SigmoidBinaryCrossEntropy.compute": {
        LOGITS: lambda: forward([SigmoidBinaryCrossEntropy()], a(BATCH, CLASSES), answers())
    },
    "SigmoidBinaryCrossEntropy.derive": {
        f"{LOGITS}, with compute": lambda: backward(
            [SigmoidBinaryCrossEntropy()], MEAN, a(BATCH, CLASSES), answers()
        )
    },
    "Affine+SoftmaxCrossEntropy.compute": {
        SECOND: lambda: forward([affine(HIDDEN, CLASSES), SoftmaxCrossEntropy()], hidden(), labels())
    },
    "Affine+SoftmaxCrossEntropy.derive": {
        f"{SECOND}, with compute": lambda: backward(
            [affine(HIDDEN, CLASSES), SoftmaxCrossEntropy()], MEAN, hidden(), labels()
        )
    },
    "minibatch": {f"{BATCH} of {SAMPLES} x {PIXELS}": draw},
    **{
        f"{kind.__name__}.compute": {
            f"{SMALL:,}": lambda kind=kind: update(kind(1.0), SMALL),
            f"{LARGE:,} (hidden 4096)": lambda kind=kind: update(kind(1.0), LARGE),
        }
        for kind in (SGD, Momentum, Nesterov, AdaGrad, RMSProp, Adam)
    },
    **{
        name: {
            f"{SMALL:,}": lambda name=name, make=make: prepared(name, *make(SMALL)),
            f"{LARGE:,} (hidden 4096)": lambda name=name, make=make: prepared(name, *make(LARGE)),
        }
        for name, make in PREPARED.items()
    },
}


def test_every_twin_has_a_case():
    own = {formula for backend, formula in TWINS if backend == BACKEND.name}
    missing, gone = sorted(own - CASES.keys()), sorted(CASES.keys() - own)
    assert not missing, f"bench_twins.CASES: add the sizes of a training step for {', '.join(missing)}"
    assert not gone, f"bench_twins.CASES: NumPy has no twin of {', '.join(gone)}; remove the case"


def test_a_new_twin_is_seen(monkeypatch):
    monkeypatch.setitem(TWINS, (BACKEND.name, "Softmax.compute"), TWINS[BACKEND.name, "ReLU.compute"])
    with pytest.raises(AssertionError, match=r"add the sizes of a training step for Softmax\.compute\b"):
        test_every_twin_has_a_case()


@pytest.mark.benchmark(group="twins and their formulas in turns")
@pytest.mark.parametrize(("name", "size"), [(name, size) for name in CASES for size in CASES[name]])
def test_twin(name, size, works_in_turns, closing_table):
    pair = CASES[name][size]()
    results = pair.twin(), pair.formula()
    for mine, reference in zip(*results, strict=True):
        if mine is None or reference is None:
            assert mine is reference is None
            continue
        assert (mine.dtype, mine.shape) == (reference.dtype, reference.shape)
        largest = abs(reference).max()
        np.testing.assert_allclose(mine, reference, rtol=1e-5, atol=1e-5 * largest, err_msg=name)

    def work(call: Call) -> Work:
        def calls(n: int) -> None:
            for _ in range(n):
                call()

        return calls

    works = {"twin": work(pair.twin), "formula": work(pair.formula)}
    times = works_in_turns(works, rounds=15, block=0.01)
    if times:
        closing_table("NumPy's twins and their formulas, medians", HEADER, [row(name, size, times)])


def row(name: str, size: str, times: Times) -> tuple[str, ...]:
    ratio = times.ratio("twin", "formula")
    twin, formula = (f"{times.median(which) * 1e6:,.2f}" for which in ("twin", "formula"))
    return name, size, twin, formula, f"{ratio:.2f}", "faster" if ratio < 1 else "NOT faster"
