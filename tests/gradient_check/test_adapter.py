"""An adapter makes any object checkable; a refusal shows the adapter to write."""

import copy

import numpy as np
import pytest

from backprop import check_gradients
from backprop.gradient_check import Adapter, check_function
from backprop.layers import ReLU

X = np.random.default_rng(0).normal(size=(5, 4))


class Foreign:
    """x W under unguessable names, with its gradient under one as well."""

    def __init__(self, factor=1.0):
        self.matrix, self.factor = np.random.default_rng(1).normal(size=(4, 3)), factor

    def run(self, data):
        self.data = data
        return data @ self.matrix

    def run_back(self, upstream):
        self.change = self.factor * self.data.T @ upstream
        return upstream @ self.matrix.T


def rows_of(report):
    return [(array.name, array.verdict) for array in report.arrays]


ADAPTERS = {
    "names": {"forward": "run", "backward": "run_back", "params": ["matrix"], "grads": ["change"]},
    "one name": {"forward": "run", "backward": "run_back", "params": "matrix", "grads": "change"},
    "functions": {
        "forward": lambda layer, data: layer.run(data),
        "backward": lambda layer, dout: layer.run_back(dout),
        "params": lambda layer: {"matrix": layer.matrix},
        "grads": lambda layer: {"matrix": layer.change},
    },
    "the gradients alone": {
        "forward": "run",
        "backward": "run_back",
        "grads": lambda layer: {"matrix": layer.change},
    },
}


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("how", ADAPTERS)
def test_an_adapter_by_names_or_functions(how, method, mode):
    layer = Foreign()
    report = check_gradients(Adapter(layer, **ADAPTERS[how]), X, method=method, mode=mode)
    assert rows_of(report) == [("matrix", "ok"), ("x", "ok")] and report.ok
    assert report.subject == "Foreign" and set(vars(layer)) == {"matrix", "factor"}
    wrong = check_gradients(Adapter(Foreign(2.0), **ADAPTERS[how]), X, method=method, mode=mode)
    assert rows_of(wrong) == [("matrix", "constant factor"), ("x", "ok")]


def test_an_adapter_that_leaves_out_an_array_is_told_so():
    report = check_gradients(Adapter(Foreign(), forward="run", backward="run_back"), X)
    assert not report.ok and rows_of(report) == [("x", "ok"), ("matrix", "not compared")]


def test_what_an_adapter_is_not_given_is_recognized():
    class Half(Foreign):
        def run_back(self, upstream):
            dx = super().run_back(upstream)
            self.d_matrix = self.change
            return dx

    for kind in (Half, lambda: Half(2.0)):
        report = check_gradients(Adapter(kind(), forward="run", backward="run_back"), X)
        assert [array.name for array in report.arrays] == ["matrix", "x"]
        assert report.ok == (kind is Half)
    report = check_gradients(Adapter(Half(), "run", "run_back", params=["matrix"]), X)
    assert rows_of(report) == [("matrix", "ok"), ("x", "ok")]


def test_gradients_by_name_need_no_order():
    class Two(Foreign):
        def __init__(self):
            super().__init__()
            self.shift, self.found = np.ones(3), {}

        def run(self, data):
            return super().run(data) + self.shift

        def run_back(self, upstream):
            dx = super().run_back(upstream)
            self.found = {"shift": upstream.sum(axis=0), "matrix": self.change}
            return dx

    for grads in ("found", lambda layer: layer.found):
        adapter = Adapter(Two(), "run", "run_back", params=["matrix", "shift"], grads=grads)
        check_gradients(adapter, X).assert_ok()


def test_an_activation_that_a_layer_holds_is_not_taken_for_its_forward():
    class Layer(Foreign):
        def __init__(self):
            super().__init__()
            self.activation = np.tanh

        backward = Foreign.run_back

    with pytest.raises(TypeError, match="Layer has no forward under a known name"):
        check_gradients(Layer(), X)


def test_a_copy_of_an_adapter_has_a_layer_of_its_own():
    adapter = Adapter(Foreign(), **ADAPTERS["functions"])
    copied = copy.deepcopy(adapter)
    copied.layer.matrix[...] = 0.0
    assert not copied.forward(X).any() and adapter.forward(X).any()
    assert copied.params["matrix"] is copied.layer.matrix


def test_an_adapter_s_own_arrays_are_not_touched():
    adapter = Adapter(Foreign(), **ADAPTERS["names"])
    before = dict(vars(adapter)), adapter.layer.matrix.copy()
    check_gradients(adapter, X)
    assert vars(adapter) == before[0] and (adapter.layer.matrix == before[1]).all()


def test_an_adapter_of_a_library_layer():
    check_gradients(Adapter(ReLU()), X).assert_ok()
    doubled = Adapter(ReLU(), backward=lambda layer, dout: 2.0 * layer.backward(dout))
    assert rows_of(check_gradients(doubled, X)) == [("x", "constant factor")]


def test_gradients_of_several_inputs():
    class Product:
        def combine(self, a, b):
            self.kept = a, b
            return a * b

    def gradients(layer, dout):
        a, b = layer.kept
        return dout * b, 3.0 * dout * a

    report = check_gradients(Adapter(Product(), "combine", gradients), X, X[::-1].copy())
    assert rows_of(report) == [("x", "ok"), ("b", "constant factor")]


def test_arrays_of_a_function_without_names_are_called_params():
    layer = Adapter(Foreign(), "run", "run_back", lambda layer: [layer.matrix], lambda layer: [layer.change])
    assert rows_of(check_gradients(layer, X)) == [("params[0]", "ok"), ("x", "ok")]


@pytest.mark.parametrize("dtype", ["f4,f4", "U1", "M8[s]"])
@pytest.mark.parametrize("name", ["x", "matrix"])
def test_gradients_that_are_no_numbers_are_told_of(name, dtype):
    class Odd(Foreign):
        def run_back(self, upstream):
            dx = super().run_back(upstream)
            if name == "x":
                return np.zeros(dx.shape, dtype)
            self.change = np.zeros(self.change.shape, dtype)
            return dx

    report = check_gradients(Adapter(Odd(), **ADAPTERS["names"]), X)
    verdicts = {each: "missing gradient" if each == name else "ok" for each in ("matrix", "x")}
    assert dict(rows_of(report)) == verdicts


def test_a_function_and_a_network_that_give_no_numbers_are_told_of():
    report = check_function(lambda x: 2.0 * x, lambda dout: np.full(dout.shape, "a"), X)
    assert rows_of(report) == [("x", "missing gradient")]

    class Net:
        def __init__(self):
            self.params = {"w": np.ones(4)}

        def loss(self, x, t):
            return np.array("a")

        def gradient(self, x, t):
            return self.params

    with pytest.raises(TypeError, match=r"^check_gradients: Net.loss must return numbers, got an array of"):
        check_gradients(Net(), X, X)


def test_arrays_may_be_counted():
    layer = Adapter(Foreign(), "run", "run_back", lambda own: {1: own.matrix}, lambda own: {1: own.change})
    assert str(check_gradients(layer, X)).splitlines()[2].startswith("1 ")


def test_a_layer_may_hold_an_array_of_one_object():
    class Holding(Foreign):
        def __init__(self, held):
            super().__init__()
            self.held = np.array(held, object)

    for held in (None, Foreign()):
        check_gradients(Adapter(Holding(held), **ADAPTERS["names"]), X).assert_ok()


# --------------------------------------------------------------------------------------------------- refusals


class Undone:
    def forward(self, x):
        return x


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: Foreign(),
            "Foreign has no forward and no backward under a known name (it has run, run_back); "
            'pass Adapter(layer, forward="run", backward="run_back") instead',
        ),
        (
            lambda: Undone(),
            "Undone has no backward under a known name (it has forward); "
            'pass Adapter(layer, forward="forward", backward=lambda layer, dout: ...) instead',
        ),
        (
            lambda: Adapter(Foreign(), forward="walk", backward="run_back"),
            "Foreign has no walk (it has run, run_back); "
            'pass Adapter(layer, forward="run", backward="run_back") instead',
        ),
    ],
)
def test_a_refusal_is_one_line_with_the_adapter_to_write(make, words):
    with pytest.raises(TypeError) as failed:
        check_gradients(make(), X)
    assert str(failed.value) == f"check_gradients: {words}"


class Wanting(Undone):
    """A backward with unknown arguments, or a forward that fails."""

    def __init__(self, error=None):
        self.error = error

    def forward(self, x):
        if self.error:
            raise self.error
        return x

    def backward(self, dout, optimizer, schedule):
        return dout


@pytest.mark.parametrize(
    ("layer", "error", "words"),
    [
        (
            Wanting(),
            TypeError,
            r"Wanting.backward takes optimizer and schedule, which the check cannot fill in; put a value",
        ),
        (
            Wanting(IndexError("must be of integer type")),
            IndexError,
            r"must be of integer type\n.*Wanting.forward\(numpy.ndarray of shape \(5, 4\)\) failed on a copy",
        ),
    ],
)
def test_an_error_inside_a_layer_says_what_was_called_and_what_to_do(layer, error, words):
    with pytest.raises(error, match=words) as failed:
        check_gradients(layer, X)
    assert type(failed.value) is error


def test_a_function_may_return_its_gradients_as_a_list_or_leave_them():
    class Both(Foreign):
        def combine(self, a, b):
            self.kept = a, b
            return a * b

        def as_list(self, dout):
            a, b = self.kept
            return [dout * b, dout * a]

        def left(self, dout):
            self.dx = self.as_list(dout)[0]

    listed = Adapter(Both(), lambda layer, a, b: layer.combine(a, b), lambda layer, dout: layer.as_list(dout))
    report = check_gradients(listed, X, X[::-1].copy(), constants=["matrix"])
    assert rows_of(report) == [("x", "ok"), ("b", "ok")]
    kept = Adapter(Both(), lambda layer, a, b: layer.combine(a, b), lambda layer, dout: layer.left(dout))
    assert rows_of(check_gradients(kept, X, X[::-1].copy())) == [("x", "ok")]
