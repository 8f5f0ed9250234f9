"""Initial weights by number, name and function; what the network decides; what a function may get wrong."""

import copy
import pickle

import numpy as np
import pytest

from backends import to_numpy
from backprop import TwoLayerNet
from backprop.layers import Affine, BatchNorm, Flatten, Layer, ReLU, Sigmoid
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks import Network, Sequential

NORMAL = np.random.default_rng(0).standard_normal((50, 20))


def weights(rule, **options):
    options = {"rng": 0, "dtype": "float64", **options}
    return to_numpy(Affine.create(50, 20, weight_init_std=rule, **options).params["W"])


@pytest.mark.parametrize(
    ("rule", "std"),
    [(0.3, 0.3), ("he", 0.2), ("relu", 0.2), ("xavier", 50**-0.5), ("sigmoid", 50**-0.5), ("zeros", 0.0)],
)
def test_numbers_and_names_are_standard_deviations(backend, rule, std):
    np.testing.assert_allclose(weights(rule), std * NORMAL, rtol=1e-15)


def test_a_function_gets_the_shape_and_the_generator(backend):
    found = weights(lambda shape, rng: rng.uniform(-1.0, 1.0, shape))
    np.testing.assert_array_equal(found, np.random.default_rng(0).uniform(-1.0, 1.0, (50, 20)))
    given = np.ones((3, 3))
    net = TwoLayerNet(3, 3, 3, weight_init_std=lambda shape, rng: given, dtype="float64")
    net.params["W1"] *= 2.0
    assert (given == 1.0).all() and (to_numpy(net.params["W2"]) == 1.0).all()


def test_a_network_whose_function_cannot_be_pickled_can():
    net = TwoLayerNet(3, 4, 2, weight_init_std=lambda shape, rng: rng.normal(size=shape), rng=0)
    assert pickle.loads(pickle.dumps(net)).params == copy.deepcopy(net).params == net.params
    unbuilt = copy.deepcopy(Affine(2, weight_init_std=np.random.Generator.normal))
    assert unbuilt.weight_init_std is np.random.Generator.normal


def test_the_network_decides_by_the_activation_that_follows():
    layers = [Affine(7), BatchNorm(), ReLU(), Affine(6), Sigmoid(), Affine(5, weight_init_std=0.5), ReLU()]
    net = Network([*layers, Affine(4)], SoftmaxCrossEntropy(), 8, rng=0)
    assert [each.weight_init_std for each in net.layers.values() if isinstance(each, Affine)] == [
        *("he", "xavier", 0.5, "xavier")
    ]
    rng = np.random.default_rng(0)
    for name, std in (("W1", (2 / 8) ** 0.5), ("W2", (1 / 7) ** 0.5), ("W3", 0.5), ("W4", (1 / 5) ** 0.5)):
        shape = net.params[name].shape
        np.testing.assert_allclose(net.params[name], std * rng.standard_normal(shape), rtol=1e-6)


def test_a_rule_of_an_activation_is_checked():
    class Wave(ReLU):
        init_before = "hee"

    first = Affine(3)
    with pytest.raises(ValueError, match=r"^Network: Wave: init_before must be .*'hee'; did you mean he\?"):
        Network([first, Wave()], SoftmaxCrossEntropy(), 5)
    assert first.weight_init_std is None and not first.params


def test_a_refused_network_has_decided_nothing():
    first = Affine(3)
    with pytest.raises(ValueError, match="does not fit after"):
        Network([first, ReLU(), Affine.create(4, 2)], SoftmaxCrossEntropy(), 5)
    assert first.weight_init_std is None and not first.params


def fails(shape, rng):
    return {}["he"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda shape, rng: np.ones(shape[::-1]), r"finite numbers in shape \(5, 2\), got shape \(2, 5\)"),
        (lambda shape, rng: np.full(shape, np.nan), r"must return .* in shape \(5, 2\), got NaN or infinity"),
        (lambda shape, rng: None, r"must return finite numbers in shape \(5, 2\), got None"),
        (lambda shape, rng: np.ones(shape) * 1j, r"must return .*, got an array of complex128"),
        (fails, r"fails, raised KeyError: 'he'"),
        (lambda: 1, r"raised TypeError"),
    ],
)  # fmt: skip
def test_what_a_function_may_get_wrong(rule, words):
    layers = [Affine(5), ReLU(), Affine(2, weight_init_std=rule)]
    with pytest.raises(ValueError, match=rf"^Network: Affine2: Affine: weight_init_std, .*{words}"):
        Network(layers, SoftmaxCrossEntropy(), 3)
    assert not layers[0].params and layers[0].weight_init_std is None


@pytest.mark.parametrize(
    ("rule", "error", "words"),
    [
        ("xaver", ValueError, "must be .*, or he, xavier, .*, got 'xaver'; did you mean xavier"),
        ("0.1", ValueError, "must be a number, a function, or he, .* or sigmoid, got '0.1'$"),
        (-1.0, ValueError, "must be a finite number of at least 0, got -1.0"),
        ([0.1], TypeError, r"must be a number, a function, .*, got \[0.1\]"),
    ],
)  # fmt: skip
def test_wrong_rules(rule, error, words):
    for make in (Affine, lambda n, **options: Affine.create(3, n, **options)):
        with pytest.raises(error, match=rf"^Affine(\.create)?: weight_init_std {words}"):
            make(3, weight_init_std=rule)


class Rows(Layer):
    """A layer of one's own with weights: each row of a picture (H, W) by one matrix."""

    def __init__(self, width, rule=None):
        super().__init__()
        self.width, self.weight_init_std = width, rule

    def initial(self, shape, rng):
        return {"K": self.draw_weights((shape[1], self.width), shape[1], rng)}, {}

    def compute(self, xp, x, K):
        return x @ K, (x, K)

    def derive(self, xp, dout, x, K):
        return dout @ K.T, xp.sum(xp.matrix_transpose(x) @ dout, axis=0)


def test_the_network_decides_for_any_layer_with_weights():
    own = [Rows(300), ReLU(), Rows(200), Sigmoid(), Rows(100, 0.5), Flatten(), Affine(2)]
    net = Sequential(own, (3, 400), rng=0)
    assert [each.weight_init_std for each in own[:5:2]] == ["he", "xavier", 0.5]
    spreads = [float(to_numpy(net.params[name]).std()) for name in ("K1", "K2", "K3")]
    assert spreads == pytest.approx([(2 / 400) ** 0.5, (1 / 300) ** 0.5, 0.5], rel=0.02)


def test_a_copy_of_any_layer_leaves_out_the_function_that_has_drawn_its_weights():
    layer = Rows(2, lambda shape, rng: rng.normal(size=shape))
    assert callable(copy.deepcopy(layer).weight_init_std)
    layer.build((3, 4), rng=0)
    assert pickle.loads(pickle.dumps(layer)).weight_init_std is None
