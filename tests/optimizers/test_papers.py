"""Every optimizer against the rule of its paper, written out in NumPy here, and against PyTorch's."""

from importlib.util import find_spec

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop.arrays.arrays import Arrays
from backprop.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSProp

STEPS = 100


def sgd(rate=0.1):
    def step(w, g, k):
        w -= rate * g

    return step


def momentum(rate=0.1, momentum=0.9):
    v = 0.0

    def step(w, g, k):
        nonlocal v
        v = momentum * v - rate * g
        w += v

    return step


def nesterov(rate=0.1, momentum=0.9):
    """Nesterov's own form, whose parameters u lie behind the point w where the gradient is taken."""
    u = v = None

    def step(w, g, k):
        nonlocal u, v
        if u is None:
            u, v = w.copy(), np.zeros_like(w)
        v = momentum * v - rate * g
        u = u + v
        w[:] = u + momentum * v

    return step


def ada_grad(rate=0.1, eps=1e-7):
    h = 0.0

    def step(w, g, k):
        nonlocal h
        h = h + g**2
        w -= rate * g / (np.sqrt(h) + eps)

    return step


def rms_prop(rate=0.1, beta=0.9, eps=1e-7):
    h = 0.0

    def step(w, g, k):
        nonlocal h
        h = beta * h + (1 - beta) * g**2
        w -= rate * g / (np.sqrt(h) + eps)

    return step


def adam(rate=0.1, beta1=0.9, beta2=0.999, eps=1e-8):
    m = v = 0.0

    def step(w, g, k):
        nonlocal m, v
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        w -= rate * (m / (1 - beta1**k)) / (np.sqrt(v / (1 - beta2**k)) + eps)

    return step


# By class: the rule, and settings other than the usual ones, in their places.
RULES = {
    SGD: (sgd, (0.02,)),
    Momentum: (momentum, (0.02, 0.8)),
    Nesterov: (nesterov, (0.02, 0.8)),
    AdaGrad: (ada_grad, (0.05, 1e-3)),
    RMSProp: (rms_prop, (0.02, 0.7, 1e-3)),
    Adam: (adam, (0.03, 0.8, 0.95, 1e-3)),
    AdamW: (adam, (0.03, 0.8, 0.95, 1e-3)),
}
OPTIONS = {
    "plain": {"weight_decay": 0.0},
    "decay": {"weight_decay": 0.3},
    "clip and decay of all": {"clip": 4.0, "weight_decay": 0.3, "decayed": "all"},
}

# A loss of two arrays, W (3, 2) and b (2,), with steep and flat directions; its gradient is noisy.
RNG = np.random.default_rng(5)
START, STEEP, NOISE = RNG.normal(size=8), 10.0 ** RNG.uniform(-1, 1, 8), RNG.normal(size=(STEPS + 1, 8))
SHAPES = {"W": (3, 2), "b": (2,)}


def gradient(w, k):
    return STEEP * w + NOISE[k]


def by_the_rule(kind, weight_decay=0.0, decayed="weights", clip=None):
    """The parameters after each step."""
    rule, settings = RULES[kind]
    w, step, path, norms = START.copy(), rule(*settings), [], []
    decay = weight_decay * (np.arange(8) < {"weights": 6, "all": 8}[decayed])
    for k in range(1, STEPS + 1):
        g = gradient(w, k)
        norms.append(np.sqrt((g**2).sum()))
        if clip is not None:
            g = g * min(1.0, clip / norms[-1])
        if kind is AdamW:
            w -= settings[0] * decay * w
        else:
            g = g + decay * w
        step(w, g, k)
        path.append(w.copy())
    assert clip is None or min(norms) < clip < max(norms), "clips some of them"
    return np.array(path)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("kind", RULES)
def test_a_hundred_steps_are_those_of_the_paper(backend, kind, options):
    params = Arrays(SHAPES, asarray(START.copy()))
    optimizer, path = kind(*RULES[kind][1], **options), []
    for k in range(1, STEPS + 1):
        g = gradient(to_numpy(params.flat), k)
        optimizer.update(params, params.like(asarray(g)))
        path.append(to_numpy(params.flat).copy())
    np.testing.assert_allclose(path, by_the_rule(kind, **options), rtol=1e-11, atol=1e-13)


def test_the_usual_settings_are_those_of_the_papers():
    adam, decoupled = Adam(), AdamW()
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.eps) == (0.001, 0.9, 0.999, 1e-8)
    assert (adam.weight_decay, decoupled.weight_decay, decoupled.eps) == (0.0, 0.01, 1e-8)
    assert (Momentum().momentum, Nesterov().momentum, RMSProp().beta) == (0.9, 0.9, 0.9)
    assert RMSProp().learning_rate == 0.001, "with 0.01, deep networks do not train"


def test_the_first_step_of_adam_has_the_length_of_the_rate_in_float32(backend):
    """Even with a beta so close to 1 that 1 - beta has no digits in float32."""
    w = {"w": asarray(np.zeros(3, "float32"))}
    Adam(0.01, beta1=1 - 1e-9, beta2=1 - 1e-9).update(
        w, {"w": asarray(np.array([1.0, -2.0, 0.0], "float32"))}
    )
    np.testing.assert_allclose(to_numpy(w["w"]), [-0.01, 0.01, 0.0], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("kind", RULES)
def test_a_hundred_steps_are_those_of_pytorch(kind, options):
    if find_spec("torch") is None:
        pytest.skip("PyTorch is not installed; it is in the extra `peers`")
    import torch

    rate, *others = RULES[kind][1]
    make = {
        SGD: lambda groups: torch.optim.SGD(groups, rate),
        Momentum: lambda groups: torch.optim.SGD(groups, rate, momentum=others[0]),
        Nesterov: lambda groups: torch.optim.SGD(groups, rate, momentum=others[0], nesterov=True),
        AdaGrad: lambda groups: torch.optim.Adagrad(groups, rate, eps=others[0]),
        RMSProp: lambda groups: torch.optim.RMSprop(groups, rate, alpha=others[0], eps=others[1]),
        Adam: lambda groups: torch.optim.Adam(groups, rate, betas=others[:2], eps=others[2]),
        AdamW: lambda groups: torch.optim.AdamW(groups, rate, betas=others[:2], eps=others[2]),
    }
    decay, everything = options["weight_decay"], options.get("decayed") == "all"
    tensors = [torch.tensor(part) for part in (START[:6].reshape(3, 2), START[6:])]
    theirs = make[kind](
        [
            {"params": [tensors[0]], "weight_decay": decay},
            {"params": [tensors[1]], "weight_decay": decay if everything else 0.0},
        ]
    )
    mine, params = kind(*RULES[kind][1], **options), Arrays(SHAPES, START.copy())
    for k in range(1, STEPS + 1):
        for tensor, part in zip(tensors, params.like(gradient(params.flat, k)).values(), strict=True):
            tensor.grad = torch.tensor(part)
        mine.update(params, params.like(gradient(params.flat, k)))
        if "clip" in options:
            torch.nn.utils.clip_grad_norm_(tensors, options["clip"])  # it adds 1e-6 to the norm
        theirs.step()
        close = {"rtol": 1e-5, "atol": 1e-6} if "clip" in options else {"rtol": 1e-11, "atol": 1e-13}
        for tensor, part in zip(tensors, params.values(), strict=True):
            np.testing.assert_allclose(part, tensor.numpy(), **close)
