"""A layer of a network is named as the cause only if a right layer in its place corrects the gradients."""

import numpy as np
import pytest
from right_layers import RIGHT, BatchNorm, Linear, Logistic, Rectifier, SoftmaxLoss

from backprop import check_gradients
from backprop.gradient_check.stand_in import stand_in

X = np.random.default_rng(0).normal(size=(4, 3))
T = np.array([0, 1, 2, 1])


def words_of(text):
    """Return a wrapped text on one line."""
    return " ".join(str(text).split())


class InPlace(Rectifier):
    """A layer that masks dout in place."""

    def backward(self, dout):
        dout[~self.mask] = 0.0
        return dout


class Twice(Rectifier):
    """A layer that passes twice the gradient on."""

    def backward(self, dout):
        return 2.0 * super().backward(dout)


class Epsilon(SoftmaxLoss):
    """The book's loss."""

    def forward(self, z, labels):
        super().forward(z, labels)
        return -np.log(self.y[np.arange(len(z)), self.labels] + 1e-7).mean()


class Deep:
    """The book's MultiLayerNet: weight decay in loss and gradient, and a loss layer under any name."""

    def __init__(self, relus, loss, last="last_layer", held="dict", decay=0.1):
        sizes = [3, *(len(relus) * [4]), 3]
        linear = [Linear(*pair) for pair in zip(sizes, sizes[1:], strict=False)]
        chain = [layer for pair in zip(linear, [*relus, None], strict=True) for layer in pair][:-1]
        self.decay, self.last, self.held, self.layers = decay, last, held, chain
        named = {f"L{i}": layer for i, layer in enumerate(chain)}
        if held == "dict":
            self.layers = named
        if held == "attributes":
            self.layers = None
            vars(self).update(named)
        setattr(self, last, loss)
        self.params = {f"{own}{i}": a for i, each in enumerate(linear, 1) for own, a in each.params.items()}

    @property
    def chain(self):
        """The layers in order."""
        if self.held == "attributes":
            return [layer for name, layer in vars(self).items() if name[0] == "L"]
        return list(self.layers.values() if self.held == "dict" else self.layers)

    @property
    def linear(self):
        """The layers that have parameters."""
        return [layer for layer in self.chain if layer.params]

    def loss(self, x, t):
        for layer in self.chain:
            x = layer.forward(x)
        decayed = sum((layer.params["W"] ** 2).sum() for layer in self.linear)
        return self.__dict__[self.last].forward(x, t) + 0.5 * self.decay * decayed

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.__dict__[self.last].backward()
        for layer in self.chain[::-1]:
            dout = layer.backward(dout)
        gradients = {}
        for i, layer in enumerate(self.linear, 1):
            gradients[f"W{i}"] = layer.grads["W"] + self.decay * layer.params["W"]
            gradients[f"b{i}"] = layer.grads["b"]
        return gradients


def verdicts(report):
    return {array.name: (array.verdict, array.why) for array in report.arrays if not array.ok}


LAST = ["last_layer", "lastLayer", "loss_layer", "criterion", "loss_function", "loss_fn", "cost", "anything"]


@pytest.mark.parametrize("last", LAST)
def test_an_epsilon_is_read_from_the_loss_layer_whatever_its_name(last):
    report = check_gradients(Deep([InPlace(), InPlace()], Epsilon(), last), X, T)
    every = {"W1", "b1", "W2", "b2", "W3", "b3"}
    assert verdicts(report) == dict.fromkeys(every, ("epsilon in the loss", "see Epsilon"))
    (fault,) = report.faults
    assert fault.why.startswith("the fault is in Epsilon: ") and "an epsilon of 1e-07 in its" in fault.why


@pytest.mark.parametrize("held", ["dict", "list", "attributes"])
def test_layers_are_found_wherever_a_network_holds_them(held):
    check_gradients(Deep([InPlace(), Rectifier()], SoftmaxLoss(), held=held), X, T).assert_ok()
    report = check_gradients(Deep([Rectifier(), Twice()], SoftmaxLoss(), held=held), X, T)
    name = "L3" if held == "dict" else "Twice"
    assert verdicts(report) == dict.fromkeys(["W1", "b1", "W2", "b2"], ("constant factor", f"see {name}"))
    (fault,) = report.faults
    assert f"the fault is in {name}: x[" in fault.why and "2 times the derivative" in fault.why


@pytest.mark.parametrize("mode", ["fast", "full"])
def test_of_two_wrong_layers_each_is_named_for_the_arrays_that_it_makes_wrong(mode):
    report = check_gradients(Deep([Twice(), Twice()], Epsilon()), X, T, mode=mode)
    assert {name: why for name, (_, why) in verdicts(report).items()} == {
        **dict.fromkeys(["W3", "b3"], "see Epsilon"),
        **dict.fromkeys(["W2", "b2"], "see L3"),
        **dict.fromkeys(["W1", "b1"], "see L1"),
    }
    assert [fault.kind for fault in report.faults] == ["epsilon in the loss", "constant factor"]
    assert "also in L1" in report.faults[1].why


def test_a_layer_with_a_wrong_gradient_of_its_own_parameter_is_named():
    class Half(Linear):
        def dW(self, dout):
            return 0.5 * super().dW(dout)

    net = Deep([Rectifier()], SoftmaxLoss())
    net.linear[0].__class__ = Half
    assert verdicts(check_gradients(net, X, T)) == {"W1": ("constant factor", "see L0")}


def test_a_fault_in_the_network_s_own_gradient_is_not_laid_on_a_layer():
    class Without(Deep):
        def gradient(self, x, t):
            gradients = super().gradient(x, t)
            return gradients | {"b1": 3.0 * gradients["b1"]}

    report = check_gradients(Without([InPlace(), Twice()], SoftmaxLoss()), X, T)
    found = verdicts(report)
    assert found["b1"] == ("constant factor", "backward is 6 times the derivative")
    assert {found[name] for name in ("W1", "W2", "b2")} == {("constant factor", "see L3")}
    assert [fault.kind for fault in report.faults] == ["constant factor", "writes into dout"]
    assert report.faults[1].why.startswith("L1 is also wrong by itself: backward modifies dout")


class Residual:
    """A network whose x goes through a rectifier and around it; backward reads dout after the rectifier's."""

    def __init__(self, rectifier):
        self.first, self.rectifier, self.last = Linear(3, 3), rectifier, SoftmaxLoss()
        self.params = self.first.params

    def loss(self, x, t):
        h = self.first.forward(x)
        return self.last.forward(h + self.rectifier.forward(h), t)

    def gradient(self, x, t):
        self.loss(x, t)
        dout = self.last.backward()
        through = self.rectifier.backward(dout)
        self.first.backward(through + dout)
        return self.first.grads


def test_writing_into_dout_is_named_where_it_is_the_cause():
    check_gradients(Residual(Rectifier()), X, T).assert_ok()
    report = check_gradients(Residual(InPlace()), X, T)
    assert verdicts(report) == dict.fromkeys(["W", "b"], ("writes into dout", "see InPlace"))
    (fault,) = report.faults
    assert fault.why.startswith("the fault is in InPlace: backward modifies dout")


def test_the_network_stays_what_it_is():
    net = Deep([Twice(), InPlace()], Epsilon())
    kinds = [type(layer) for layer in net.chain]
    before = {name: array.tobytes() for name, array in net.params.items()}
    assert not check_gradients(net, X, T).ok
    assert [type(layer) for layer in net.chain] == kinds and type(net.last_layer) is Epsilon
    assert {name: array.tobytes() for name, array in net.params.items()} == before
    assert not hasattr(net.chain[0], "x")


@pytest.mark.parametrize("make", [Linear, Logistic, BatchNorm, Twice, InPlace])
@pytest.mark.parametrize("method", ["complex", "central"])
def test_a_stand_in_has_the_output_of_its_layer_and_a_right_gradient(make, method):
    layer = make()
    out = layer.forward(X.copy())
    layer.backward(np.ones_like(out))
    layer.__class__ = stand_in(layer, (X,), np.random.default_rng(0))
    assert (layer.forward(X) == out).all()
    report = check_gradients(layer, X, method=method)
    report.assert_ok()
    assert [array.name for array in report.arrays] == [*layer.params, "x"]


def test_a_stand_in_for_a_loss_is_right():
    loss, (x, t) = Epsilon(), RIGHT["softmax loss"]()[1:]
    loss.forward(x, t)
    loss.__class__ = stand_in(loss, (x, t), np.random.default_rng(0))
    check_gradients(loss, x, t).assert_ok()
