"""AdamW: Adam whose weight decay is decoupled from the gradient."""

from collections.abc import Collection

from backprop.optimizers.adam import Adam


class AdamW(Adam):
    """Adam with decoupled weight decay, which is not divided by √v̂ as a gradient is.

    The update is that of `Adam`, after::

        w ← w - learning_rate · weight_decay · w

    Parameters
    ----------
    learning_rate : float
        Above 0. It may be changed between updates.
    beta1, beta2, eps : float
        As for Adam.
    weight_decay : float
        At least 0, for the parameters in `decayed`.
    decayed, clip : optional
        As for Optimizer.

    Raises
    ------
    ValueError, TypeError
        If a setting is out of range or not a number.

    Notes
    -----
    The decay is multiplied with the learning rate, as in PyTorch. The paper multiplies it with the factor of
    the schedule only. PyTorch lets all parameters decay, which `decayed="all"` does here.

    Source: Loshchilov and Hutter, arXiv 1711.05101, 2019, algorithm 2.

    Examples
    --------
    >>> from backprop import TwoLayerNet
    >>> from backprop.optimizers import AdamW
    >>> net, optimizer = TwoLayerNet(2, 3, 2, rng=0), AdamW(learning_rate=0.01, weight_decay=0.1)
    >>> optimizer.update(net.params, net.gradient([[1.0, 2.0]], [1]))
    """

    decoupled = True

    def __init__(
        self,
        learning_rate: float = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        *,
        weight_decay: float = 0.01,
        decayed: str | Collection[str] = "weights",
        clip: float | None = None,
    ) -> None:
        super().__init__(
            learning_rate, beta1, beta2, eps, weight_decay=weight_decay, decayed=decayed, clip=clip
        )
