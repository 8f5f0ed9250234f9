"""TwoLayerNet, the network of chapter 5: Affine, ReLU, Affine, and softmax with loss."""

from typing import Any

from backends import Backend
from backprop.arrays.checks import positive_integer
from backprop.arrays.initial_weights import Rule, rule_of
from backprop.layers import Affine, ReLU
from backprop.losses import SoftmaxCrossEntropy
from backprop.networks.network import Network


class TwoLayerNet(Network):
    """A network with one hidden layer: logits = ReLU(x W1 + b1) W2 + b2.

    Parameters
    ----------
    input_size : int
        Values per sample.
    hidden_size : int
        Hidden units.
    output_size : int
        Classes.
    weight_init_std : float, str or callable
        Standard deviation of the initial weights; or "he", "xavier", "zeros" or a function f(shape, rng).
        Biases start at 0.
    dtype : str or dtype, optional
        float32 or float64; by default BACKPROP_DTYPE, else float32.
    rng : int or numpy.random.Generator, optional
        Seed or generator of the initial weights, which are the same on every backend.
    backend : str or Backend, optional
        By default the active backend.

    Raises
    ------
    TypeError, ValueError
        If a size, a setting or the dtype is wrong.
    BackendUnavailable
        If the backend cannot be used here.

    Notes
    -----
    Source: book section 5.7.2.

    Examples
    --------
    >>> from backprop import TwoLayerNet
    >>> net = TwoLayerNet(input_size=4, hidden_size=3, output_size=2, rng=0)
    >>> net
    <TwoLayerNet Affine1=Affine(4, 3), ReLU1=ReLU(), Affine2=Affine(3, 2); 23 float32 on numpy>
    >>> x, t = [[1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 1.0]], [0, 1]
    >>> gradient = net.gradient(x, t)
    >>> print({name: values.shape for name, values in gradient.items()})
    {'W1': (4, 3), 'b1': (3,), 'W2': (3, 2), 'b2': (2,)}
    >>> before = net.loss(x, t)
    >>> for name in net.params:
    ...     net.params[name] -= 0.1 * gradient[name]
    ...
    >>> bool(net.loss(x, t) < before)
    True
    """

    _smaller = "lower hidden_size"

    def __init__(
        self,
        input_size: int = 784,
        hidden_size: int = 50,
        output_size: int = 10,
        weight_init_std: Rule = 0.01,
        dtype: Any = None,
        rng: Any = None,
        backend: str | Backend | None = None,
    ) -> None:
        sizes = {"input_size": input_size, "hidden_size": hidden_size, "output_size": output_size}
        n_in, n_hidden, n_out = (positive_integer("TwoLayerNet", name, n) for name, n in sizes.items())
        rule = rule_of("TwoLayerNet", weight_init_std)
        first, second = Affine(n_hidden, weight_init_std=rule), Affine(n_out, weight_init_std=rule)
        chain, loss = [first, ReLU(), second], SoftmaxCrossEntropy()
        super().__init__(chain, loss, n_in, n_out, rng=rng, dtype=dtype, backend=backend)
