"""Softmax with loss: soft targets and label smoothing."""

import copy
import pickle
from contextlib import nullcontext

import numpy as np
import pytest

from backends import asarray, to_numpy
from backprop import check_gradients, train
from backprop.layers import Affine, ReLU
from backprop.losses import MeanSquaredError, SigmoidBinaryCrossEntropy, SoftmaxCrossEntropy
from backprop.networks import Network

RNG = np.random.default_rng(0)
Z = np.array([[0.5, -1.25, 2.0, 0.0], [3.0, 0.25, -0.5, 1.5], [-2.0, 4.0, 0.75, -1.0]])
LABELS = np.array([2, 3, 1])
SOFT = np.array([[0.1, 0.2, 0.6, 0.1], [0.25, 0.25, 0.25, 0.25], [0.0, 1.0, 0.0, 0.0]])
DISTRIBUTIONS = RNG.dirichlet(np.ones(4), 6)
# torch.nn.functional.cross_entropy(Z, targets, label_smoothing=…) of PyTorch 2.13, float64, and its gradient.
PYTORCH = [
    (
        LABELS,
        0.1,
        0.9085579517068594,
        [
            [0.044897850010702754, 0.0009168593108934714, -0.0697677207392052, 0.02395301141760902],
            [0.2447180734966492, 0.007843701880655885, -0.0006918429757312437, -0.25186993240157385],
            [-0.0075449193117701095, 0.009735584158673424, 0.003999536978312579, -0.006190201825215704],
        ],
    ),
    (
        SOFT,
        0.0,
        1.1981412850401927,
        [
            [0.019897850010702746, -0.057416474022439865, 0.03856561259412812, -0.0010469885823909855],
            [0.16971807349664916, -0.06715629811934411, -0.07569184297573124, -0.02686993240157386],
            [0.0007884140215632237, -0.01526441584132665, 0.012332870311645908, 0.0021431315081176286],
        ],
    ),
    (
        SOFT,
        0.1,
        1.3398079517068593,
        [
            [0.014897850010702752, -0.05908314068910653, 0.05023227926079479, -0.006046988582390985],
            [0.16971807349664916, -0.06715629811934411, -0.07569184297573124, -0.02686993240157386],
            [-0.0075449193117701095, 0.009735584158673424, 0.003999536978312579, -0.006190201825215704],
        ],
    ),
]


@pytest.mark.parametrize(("targets", "smoothing", "value", "gradient"), PYTORCH)
def test_values_and_gradients_are_those_of_pytorch(backend, targets, smoothing, value, gradient):
    for dtype, rounding in (("float64", 1e-15), ("float32", 3e-7)):
        loss = SoftmaxCrossEntropy(label_smoothing=smoothing)
        assert float(loss.forward(asarray(Z, dtype), targets)) == pytest.approx(value, rel=4 * rounding)
        np.testing.assert_allclose(to_numpy(loss.backward()), gradient, rtol=0, atol=rounding)


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_gradients_by_the_complex_step(backend, smoothing):
    for by, t in ((1.0, DISTRIBUTIONS), (100.0, DISTRIBUTIONS), (1.0, [3, 1, 0, 2, 2, 1])):
        check_gradients(SoftmaxCrossEntropy(smoothing), asarray(by * RNG.normal(size=(6, 4))), t).assert_ok()


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_rounded_sums_count_as_1_in_central_differences_too(dtype):
    z, t = 10 * RNG.normal(size=(6, 4)), DISTRIBUTIONS.astype(dtype)
    check_gradients(SoftmaxCrossEntropy(), z, t, method="central", mode="full").assert_ok()


def test_one_hot_rows_give_the_bits_of_labels(backend):
    z, labels = asarray(RNG.normal(size=(6, 4)), "float32"), np.array([3, 1, 0, 2, 2, 1])
    one_hot = np.eye(4)[labels]
    for smoothing in (0.0, 0.1):
        bits = set()
        for t in (labels, one_hot, one_hot.astype(bool), one_hot.tolist(), asarray(one_hot, "float32")):
            loss = SoftmaxCrossEntropy(smoothing)
            bits.add((to_numpy(loss.forward(z, t)).tobytes(), to_numpy(loss.backward()).tobytes()))
        assert len(bits) == 1


def test_a_mean_of_labels_is_the_mean_of_their_losses(backend):
    """As in mixup: the loss is linear in the targets."""
    z, one, two = asarray(3 * Z), np.eye(4)[LABELS], np.eye(4)[[0, 0, 3]]
    loss = SoftmaxCrossEntropy()
    mixed, first, second = (float(loss.forward(z, t)) for t in (0.25 * one + 0.75 * two, one, two))
    assert mixed == pytest.approx(0.25 * first + 0.75 * second, rel=1e-14)


@pytest.mark.parametrize(
    ("logits", "label", "smoothing", "value"),
    [
        ([1e38] + [0.0] * 9, 1, 0.03, 0.997e38),  # the sum of the other logits, -9e38, is infinite in float32
        ([0.0] + [-1e36] * 999, 0, 0.03, 0.02997e36),
        ([-np.inf, 0.0, 1.0], 1, 1e-45, np.log1p(np.e)),  # a share of 0 in float32
    ],
)
def test_labels_are_smoothed_for_logits_of_any_size(backend, logits, label, smoothing, value):
    z, one_hot = asarray([logits], "float32"), np.eye(len(logits))[[label]]
    for t in ([label], one_hot, asarray(one_hot, "float32")):
        loss = SoftmaxCrossEntropy(smoothing)
        assert float(loss.forward(z, t)) == pytest.approx(value, rel=1e-5)
        assert np.isfinite(to_numpy(loss.backward())).all()


def test_extreme_logits(backend):
    """Logits of ±1e4 lose nothing; one of -inf counts 0 where the target is 0, as a masked class."""
    z = asarray(np.array([[1e4, -1e4, 0.0, 0.0]]))
    soft, loss = [[0.5, 0.25, 0.25, 0.0]], SoftmaxCrossEntropy()
    assert float(loss.forward(z, soft)) == 0.25 * 2e4 + 0.25 * 1e4
    np.testing.assert_array_equal(to_numpy(loss.backward()), [[0.5, -0.25, -0.25, 0.0]])
    assert float(SoftmaxCrossEntropy(0.5).forward(z, [0])) == 0.125 * (2e4 + 1e4 + 1e4)
    masked = asarray(np.array([[0.0, 0.0, -np.inf, 0.0]]))
    assert float(loss.forward(masked, [[0.5, 0.5, 0.0, 0.0]])) == pytest.approx(np.log(3.0), rel=1e-15)
    np.testing.assert_allclose(to_numpy(loss.backward()), [[-1 / 6, -1 / 6, 0.0, 1 / 3]], rtol=1e-14)


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (SOFT - [[0.0] * 4, [0.5] * 4, [0.0] * 4], r"must be at least 0, got -0.25 at \[1, 0\]; for logits"),
        (SOFT * [[1.0], [0.9], [1.0]], r"must sum to 1, got 0.9 at \[1\]; divide each row by its sum"),
        (
            SOFT * [[1.0], [1.0 + 1e-13], [1.0]],
            r"must sum to 1, got 1.0000000000001 at \[1\]; divide each row",
        ),
        (np.float32(SOFT) * np.float32(1 + 1e-5), r"must sum to 1, got 1.00001\d* at \[0\]; divide each row"),
        (100 * SOFT, r"must sum to 1, got 100 at \[0\]; divide percentages by 100"),
        (
            [[1.0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]],
            r"must sum .*, got 2 at \[0\]; .* SigmoidBinaryCrossEntropy",
        ),
        (np.zeros((3, 4)), r"must sum .*, got 0 at \[0\]; .* or none, use SigmoidBinaryCrossEntropy"),
    ],
)
def test_wrong_soft_targets_are_refused(backend, targets, words):
    """The values of arrays that are on a device are not read; see the next test."""
    for t in (targets, asarray(targets)) if backend.name != "cupy" else (targets,):
        with pytest.raises(
            ValueError, match=f"^SoftmaxCrossEntropy.forward: .*soft targets {words}"
        ) as caught:
            SoftmaxCrossEntropy().forward(asarray(Z), t)
        assert len(str(caught.value)) <= 200


WRONG = [
    (SoftmaxCrossEntropy(), 3 * SOFT),
    (SoftmaxCrossEntropy(), np.array([0, 4, 1])),
    (SoftmaxCrossEntropy(), np.array([0, -1, 1])),
    (SoftmaxCrossEntropy(), np.ones((3, 4), int)),
    (SigmoidBinaryCrossEntropy(), 3 * SOFT),
    (SigmoidBinaryCrossEntropy(), SOFT + np.nan),
    (MeanSquaredError(), SOFT + np.inf),
]


@pytest.mark.parametrize(("loss", "wrong"), WRONG)
def test_values_on_a_device_are_only_read_before_training(backend, loss, wrong):
    """A loss or a gradient would wait for them. Values on the host are always checked."""
    net = Network([Affine(4)], loss, 3, 4, rng=0)
    x, t = asarray(np.ones((3, 3), "float32")), asarray(wrong)
    read = backend.on_host or (backend.host_view(t) is not None and np.isfinite(wrong).all())
    for call in (lambda: loss.forward(net.predict(x), t), lambda: net.gradient(x, t)):
        with pytest.raises(ValueError, match="must") if read else nullcontext():
            call()
        with pytest.raises(ValueError, match="must"):
            net.gradient(x, wrong)
    with pytest.raises(ValueError, match="must"):
        train(net, x, t, iterations=1)


def test_what_is_right(backend):
    xp, loss = backend.xp, SoftmaxCrossEntropy(0.9)
    t = asarray(np.array([[0.2, 0.3, 0.5], [0.6, 0.4, 0.0], [0.5, 0.5, 0.0]]))
    z = asarray(np.array([[0.0, 1.0, 2.0], [0.0, 1.0, 0.0], [3.0, 3.0, 0.0]]))
    assert to_numpy(loss.correct(xp, z, t)).tolist() == [True, False, True]


def net_of(smoothing=0.0, **options):
    layers = [Affine(8, weight_init_std=0.5), ReLU(), Affine(4, weight_init_std=0.5)]
    return Network(layers, SoftmaxCrossEntropy(smoothing), 3, 4, rng=0, **options)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("soft", [False, True])
def test_networks(backend, smoothing, soft):
    x, t = RNG.normal(size=(6, 3)), DISTRIBUTIONS if soft else np.array([3, 1, 0, 2, 2, 1])
    net = net_of(smoothing, dtype="float64")
    check_gradients(net, x, t).assert_ok()
    gradient, numerical = net.gradient(x, t), net.numerical_gradient(x, t, method="complex")
    for name in gradient:
        np.testing.assert_allclose(to_numpy(gradient[name]), to_numpy(numerical[name]), rtol=0, atol=1e-14)
    assert net.accuracy(x, t) == net.accuracy(x, t.argmax(axis=1) if soft else t)
    history = train(net, x, t, x, t, iterations=3, batch_size=4, rng=0)
    assert len(history.test_accuracy) == 4
    assert net.loss_layer.label_smoothing == smoothing


def test_training_with_soft_targets_reaches_their_entropy():
    net, x = net_of(), np.eye(3)
    t = np.array([[0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25], [0.0, 0.0, 0.5, 0.5]])
    train(net, x, t, iterations=300, batch_size=6, learning_rate=0.5, rng=0, evaluate_every=None)
    entropy = -np.sum(t * np.log(np.where(t > 0, t, 1.0))) / 3
    assert entropy < float(net.loss(x, t)) < entropy + 0.01


def test_a_loss_with_its_own_passes_keeps_its_smoothing(backend):
    class Seen(SoftmaxCrossEntropy):
        """Its forward is its own, so a network runs its passes."""

        def forward(self, scores, t, training=True):
            return super().forward(scores, t, training)

    x, layers = RNG.normal(size=(6, 3)), [Affine(4, weight_init_std=0.5)]
    own = Network(layers, Seen(0.1), 3, 4, rng=0)
    usual = Network([Affine(4, weight_init_std=0.5)], SoftmaxCrossEntropy(0.1), 3, 4, rng=0)
    for t in (DISTRIBUTIONS, [3, 1, 0, 2, 2, 1]):
        assert float(own.loss(x, t)) == pytest.approx(float(usual.loss(x, t)), rel=1e-6)
        for name, gradient in usual.gradient(x, t).items():
            mine = to_numpy(own.gradient(x, t)[name])
            np.testing.assert_allclose(mine, to_numpy(gradient), rtol=0, atol=1e-6)


def test_the_setting_is_shown_copied_and_pickled():
    loss = SoftmaxCrossEntropy(label_smoothing=0.1)
    assert repr(loss) == "SoftmaxCrossEntropy(label_smoothing=0.1)" and repr(SoftmaxCrossEntropy()) != repr(
        loss
    )
    for twin in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert twin.label_smoothing == 0.1
    moved = net_of(0.1).astype("float64")
    assert moved.loss_layer.label_smoothing == 0.1
