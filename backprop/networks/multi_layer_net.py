"""MultiLayerNet, the network of chapter 6: any number of hidden layers, with the book's options."""

from collections.abc import Sequence
from typing import Any

from backends import Array, Backend, shown
from backprop.arrays.checked_number import CheckedNumber
from backprop.arrays.checks import flag, one_of, positive_integer, positive_number
from backprop.arrays.initial_weights import Rule, rule_of
from backprop.layers import GELU, Affine, BatchNorm, Dropout, LeakyReLU, ReLU, Sigmoid, Tanh
from backprop.networks.sequential import Sequential
from backprop.optimizers.decay import members

ACTIVATIONS = {"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh, "leaky_relu": LeakyReLU, "gelu": GELU}


class MultiLayerNet(Sequential):
    """A network of Affine layers with an activation behind each but the last, for classification.

    A hidden layer is Affine, BatchNorm (if used), activation, Dropout (if used). With weight decay the loss,
    over all weights W and without the biases, and its gradient are::

        L = mean loss + ½ λ Σ W²        dL/dW = (that of the mean loss) + λ W

    Parameters
    ----------
    input_size : int
        Values per sample.
    hidden_size_list : list of int
        Units of each hidden layer.
    output_size : int
        Classes.
    activation : {"relu", "sigmoid", "tanh", "leaky_relu", "gelu"}
        Activation behind each hidden layer.
    weight_init_std : float, str or callable
        Standard deviation of the initial weights; or "relu" or "he" for √(2/n), "sigmoid" or "xavier" for
        √(1/n), "zeros", or a function f(shape, rng). Biases start at 0.
    weight_decay_lambda : float
        λ, at least 0.
    use_dropout : bool
        Add Dropout behind each activation.
    dropout_ratio : float in [0, 1)
        Share of the values that Dropout sets to 0. The book spells it dropout_ration.
    use_batchnorm : bool
        Add BatchNorm in front of each activation.
    dtype : str or dtype, optional
        float32 or float64; by default BACKPROP_DTYPE, else float32.
    rng : int or numpy.random.Generator, optional
        Seed or generator of the initial weights and of Dropout.
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
    A λ above 0 costs `train` a second forward pass per step, for the loss. An optimizer with
    `weight_decay=λ` makes the same steps without it, and reports the loss without the penalty.
    A slice is a Sequential, without the weight decay.
    Source: book sections 6.2 to 6.4, MultiLayerNet and MultiLayerNetExtend.

    Examples
    --------
    >>> from backprop.networks import MultiLayerNet
    >>> MultiLayerNet(784, [100, 50], 10, use_batchnorm=True, use_dropout=True, dropout_ratio=0.2, rng=0)
    <MultiLayerNet (784,) to (10,), 84,360 float32 on numpy
      Affine1     Affine(784, 100)
      BatchNorm1  BatchNorm(100)
      ReLU1       ReLU()
      Dropout1    Dropout(0.2)
      Affine2     Affine(100, 50)
      BatchNorm2  BatchNorm(50)
      ReLU2       ReLU()
      Dropout2    Dropout(0.2)
      Affine3     Affine(50, 10)
      loss        SoftmaxCrossEntropy()>
    """

    _smaller, _input = "lower the sizes in hidden_size_list", "input_size"
    weight_decay_lambda = CheckedNumber("λ, the weight decay.", or_zero=True, default=0.0)

    def __init__(
        self,
        input_size: int,
        hidden_size_list: Sequence[int],
        output_size: int,
        activation: str = "relu",
        weight_init_std: Rule = "relu",
        weight_decay_lambda: float = 0.0,
        use_dropout: bool = False,
        dropout_ratio: float = 0.5,
        use_batchnorm: bool = False,
        dtype: Any = None,
        rng: Any = None,
        backend: str | Backend | None = None,
    ) -> None:
        where = "MultiLayerNet"
        n_in = positive_integer(where, "input_size", input_size)
        if not isinstance(hidden_size_list, (list, tuple)):
            raise TypeError(
                f"{where}: hidden_size_list must be a list of integers, got {shown(hidden_size_list)}"
            )
        hidden = [
            positive_integer(where, f"hidden_size_list[{i}]", size) for i, size in enumerate(hidden_size_list)
        ]
        n_out = positive_integer(where, "output_size", output_size)
        activate = ACTIVATIONS[one_of(where, "activation", activation, ACTIVATIONS)]
        rule = rule_of(where, weight_init_std)
        decay = positive_number(where, "weight_decay_lambda", weight_decay_lambda, or_zero=True)
        ratio = positive_number(where, "dropout_ratio", dropout_ratio, or_zero=True, below=1.0)
        norm, drop = flag(where, "use_batchnorm", use_batchnorm), flag(where, "use_dropout", use_dropout)
        layers: list[Any] = []
        for size in hidden:
            layers += [Affine(size, weight_init_std=rule), *[BatchNorm()] * norm, activate()]
            layers += [Dropout(ratio)] * drop
        layers.append(Affine(n_out, weight_init_std=rule))
        super().__init__(layers, n_in, rng=rng, dtype=dtype, backend=backend)
        self.weight_decay_lambda = decay

    def loss(self, x: Any, t: Any, training: bool = False) -> Array:
        """Return the mean loss over the samples plus ½ λ Σ W².  Otherwise as in Network."""
        loss, decay = super().loss(x, t, training), self.weight_decay_lambda
        if not decay:
            return loss
        weights = [self.params[name] for name in self._decayed()]
        total: Array = loss + 0.5 * decay * sum(self.backend.xp.sum(W * W) for W in weights)
        return total

    def gradient(self, x: Any, t: Any, *, input_gradient: bool = False) -> dict[str, Array]:
        """Return the gradient of the loss, with λ W for every weight.  Otherwise as in Network."""
        grads = super().gradient(x, t, input_gradient=input_gradient)
        if self.weight_decay_lambda:
            for name in self._decayed():
                grads[name][...] = grads[name] + self.weight_decay_lambda * self.params[name]
        return grads

    def overrides(self, *names: str) -> bool:
        """Return whether any of these methods is overridden. Without decay, those here do not count."""
        if not self.weight_decay_lambda:
            own = (MultiLayerNet.loss, MultiLayerNet.gradient)
            names = tuple(name for name in names if self._function(name) not in own)
        return super().overrides(*names)

    def _decayed(self) -> list[str]:
        return members(type(self).__name__, "weights", self.params.shapes)
