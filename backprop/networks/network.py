"""A chain of layers with a loss at its end: the boundary where users' data enters, and the two passes.

Public methods take host data or arrays of the network's backend, check them once, and return arrays that are
never written again. Inside, a Chain (chain.py) computes with checked arrays on the device.
"""

import copy
import inspect
from collections.abc import Mapping, Sequence
from math import prod
from os import PathLike
from threading import RLock
from types import MappingProxyType
from typing import Any, Self

from backends import Array, Backend, backend_of, choose, cut
from backprop.arrays.arrays import Arrays
from backprop.arrays.checks import flag, memory, path_name
from backprop.arrays.copying import copy_as
from backprop.arrays.dtypes import one_dtype
from backprop.arrays.entering import cast
from backprop.arrays.initializers import same_random_numbers
from backprop.layers.layer import has_own_passes
from backprop.networks import answers, measuring, own_passes, weights
from backprop.networks.assembly import OWNERS, Assembly, assemble
from backprop.networks.chain import Chain, links_of
from backprop.networks.counting import counted, states_of
from backprop.networks.data import samples, samples_and_targets
from backprop.networks.known_links import KnownLinks
from backprop.networks.pieces import joined, pieces
from backprop.networks.summary import Summary, summary
from backprop.numerical.gradient import STEP_DTYPES, numerical_gradient, require_method


class Network:
    """Layers in a chain, and a loss.

    Parameters are named by counting along the chain: W1 b1 gamma1 beta1 W2 b2.

    Parameters
    ----------
    layers : dict or list
        Layers, by name or in order, from the input to the output. Each is a `Layer` or any object with
        `forward` and `backward`: see docs/guides/own_layers.md.
    loss : Loss
        Or any object with `forward(x, t)` and `backward(dout=1)`.
    input_size : int or tuple of int
        Values per sample, or the shape of a sample.
    output_size : int, optional
        Values per sample that the last layer returns. If given, it is checked.
    rng : int or numpy.random.Generator, optional
        Seed or generator for layers such as Affine(100), whose arrays the network creates.
    dtype : str or dtype, optional
        float32 or float64. By default that of the layers' arrays; if they have none, BACKPROP_DTYPE, else
        float32.
    backend : str or Backend, optional
        By default that of the layers' arrays; if they have none, the active backend.

    Raises
    ------
    TypeError, ValueError
        If an object is not a layer, sizes do not fit, or a layer already belongs to a network. Nothing has
        changed then.

    Examples
    --------
    >>> from backprop.layers import Affine, BatchNorm, ReLU
    >>> from backprop.losses import SoftmaxCrossEntropy
    >>> from backprop.networks import Network
    >>> net = Network([Affine(5), BatchNorm(), ReLU(), Affine(3)], SoftmaxCrossEntropy(), 4, 3, rng=0)
    >>> list(net.params), list(net.state)
    (['W1', 'b1', 'gamma1', 'beta1', 'W2', 'b2'], ['running_mean1', 'running_var1'])
    """

    _smaller = "make its layers smaller"  # the cure in a MemoryError
    _input = "input_size"  # what the parameter is called

    def __init__(
        self,
        layers: Mapping[str, Any] | Sequence[Any],
        loss: Any,
        input_size: int | tuple[int, ...],
        output_size: int | None = None,
        *,
        rng: Any = None,
        dtype: Any = None,
        backend: str | Backend | None = None,
    ) -> None:
        where = type(self).__name__
        with memory(where, self._smaller):
            sample = self._input, input_size
            made = assemble(where, layers, loss, sample, output_size, rng, dtype, backend)
        self._take(made, loss)

    def _take(self, made: Assembly, loss: Any) -> None:
        """Become the network of these parts."""
        self._layers, self.names, self._params = made.layers, made.names, made.params
        self.loss_layer, self.input_shape, self.output_shapes = loss, made.input_shape, made.output_shapes
        self.output_shape = [*made.output_shapes.values()][-1]
        self.input_size, self.output_size = prod(self.input_shape), prod(self.output_shape)
        self._bind()

    def _bind(self) -> None:
        """Make the layers' parameters views into the network's buffer."""
        for name, layer in self._layers.items():
            OWNERS[id(layer)] = self
            if self.names[name]:
                own_passes.attach(layer, self._params.part(self.names[name]))
        self._backend, self._lock = backend_of(self._params.flat), RLock()
        self._links = KnownLinks()

    # ----------------------------------------------------------------------------------------- properties

    @property
    def layers(self) -> Mapping[str, Any]:
        """The layers by name, from input to output. Read-only, since they share the network's parameters."""
        return MappingProxyType(self._layers)

    @property
    def params(self) -> Arrays:
        """The parameters by name. Assigning to an entry copies into place."""
        return self._params

    @property
    def state(self) -> Mapping[str, Array]:
        """The arrays besides parameters that layers carry from pass to pass, by name: running statistics.

        These are the layers' own arrays, and the next training step changes them.
        `copy.deepcopy(dict(net.state))` is a snapshot, and `net.state[name][...] = values` restores one.
        """
        states = states_of(self._layers)
        names = counted("arrays of state", states)
        return MappingProxyType({outer: states[at][own] for at in names for own, outer in names[at].items()})

    @property
    def backend(self) -> Backend:
        """The backend of the parameters. Fixed; `to` returns a copy on another."""
        return self._backend

    @property
    def dtype(self) -> Any:
        """The element type of the parameters. Fixed; `astype` returns a copy in another."""
        return self._params.flat.dtype

    def summary(self) -> Summary:
        """Return a table of the layers: output shapes, parameters, multiply-adds and bytes.

        Its `rows` are named tuples (layer, output_shape, parameters, multiply_adds, bytes), and `total` is
        their sum. Shapes and multiply-adds are per sample, in a forward pass; only multiplications with
        weights count (see `Layer.multiply_adds`). Bytes are those of the parameters.
        """
        return summary(self)

    def to(self, backend: str | Backend) -> Self:
        """Return a deep copy of this network on another backend."""
        return copy_as(self, backend=choose(backend, f"{type(self).__name__}.to").backend)

    def astype(self, dtype: Any) -> Self:
        """Return a deep copy of this network in float32 or float64."""
        return copy_as(self, dtype=one_dtype(f"{type(self).__name__}.astype", dtype))

    # -------------------------------------------------------------------------------------- weights in files

    def save(self, path: str | PathLike[str]) -> None:
        """Write the parameters and the state into a file in the format safetensors.

        The file also says what the network is made of, so that `Network.load` needs no code for it. A file of
        this name is replaced when the new one is complete.

        Parameters
        ----------
        path : str or os.PathLike

        Raises
        ------
        OSError
            If the file cannot be written. An old one is unchanged then.
        TypeError, ValueError
            If path cannot be that of a file.
        ImportError
            Without the library safetensors.
        """
        weights.save(Network, self, path_name(f"{type(self).__name__}.save", "path", path))

    @classmethod
    def load(cls, path: str | PathLike[str], backend: str | Backend | None = None) -> Self:
        """Return the network of a file that `save` has written. No code from the file is run.

        Parameters
        ----------
        path : str or os.PathLike
        backend : str or Backend, optional
            By default the active backend. The one that wrote the file does not matter.

        Raises
        ------
        OSError
            If the file cannot be read.
        FileError
            A ValueError: if the file is damaged, if it holds another class than this one, or if a class in it
            is not the library's. For those, create the network and call `load_weights`.
        TypeError, ValueError
            If path cannot be that of a file, or the backend is unknown.
        ImportError
            Without the library safetensors.

        Examples
        --------
        >>> import os, tempfile
        >>> from backprop import TwoLayerNet
        >>> from backprop.networks import Network
        >>> net = TwoLayerNet(4, 3, 2, rng=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     net.save(os.path.join(folder, "net.safetensors"))
        ...     again = Network.load(os.path.join(folder, "net.safetensors"))
        ...
        >>> again
        <TwoLayerNet Affine1=Affine(4, 3), ReLU1=ReLU(), Affine2=Affine(3, 2); 23 float32 on numpy>
        >>> again.params == net.params
        True
        """
        where = f"{cls.__name__}.load"
        return weights.load(cls, Network, path_name(where, "path", path), choose(backend, where).backend)

    def load_weights(self, path: str | PathLike[str]) -> None:
        """Read the parameters and the state from a file that `save` has written, into this network.

        The file must have arrays of the same names and shapes. The classes that it names do not matter, nor
        whether it has float32 or float64.

        Parameters
        ----------
        path : str or os.PathLike

        Raises
        ------
        OSError
            If the file cannot be read.
        FileError
            A ValueError: if the file is damaged, or does not fit. Nothing has changed then.
        TypeError, ValueError
            If path cannot be that of a file.
        ImportError
            Without the library safetensors.
        """
        weights.load_into(self, path_name(f"{type(self).__name__}.load_weights", "path", path))

    # --------------------------------------------------------------------- predictions, losses, gradients

    def predict(self, x: Any) -> Array:
        """Return the last layer's output for samples x (N, …): the logits of a classifier, (N, C)."""
        where = f"{type(self).__name__}.predict"
        return self.scores(cast(where, "x", samples(self, where, x), self.dtype, self._backend))

    def predict_proba(self, x: Any) -> Array:
        """Return the probabilities for samples x (N, …) as the loss defines them, in the network's dtype.

        With SoftmaxCrossEntropy: of the classes, (N, C), 1 in sum. With SigmoidBinaryCrossEntropy: of a yes,
        in the shape of the scores. They are computed from the scores of `predict`, also of an overridden one.

        Raises
        ------
        TypeError
            If the loss defines no probabilities (see `Loss.probabilities`), or x does not hold real numbers.
        ValueError
            If the shape of x does not fit, or a value is not finite.

        Examples
        --------
        >>> from backprop import TwoLayerNet
        >>> net = TwoLayerNet(4, 5, 3, rng=0)
        >>> net.predict_proba([[0.0, 0.0, 0.0, 0.0]]).round(2), net.predict_labels([[0.0, 0.0, 0.0, 0.0]])
        (array([[0.33, 0.33, 0.33]], dtype=float32), array([0]))
        """
        return answers.probabilities(self, f"{type(self).__name__}.predict_proba", x)

    def predict_labels(self, x: Any) -> Array:
        """Return the labels for samples x (N, …) as the loss defines them, int64.

        With SoftmaxCrossEntropy: the class of the largest score, (N,). With SigmoidBinaryCrossEntropy: 1
        where a score is above 0, else 0, in the shape of the scores. Raises as `predict_proba`.
        """
        return answers.labels(self, f"{type(self).__name__}.predict_labels", x)

    def loss(self, x: Any, t: Any, training: bool = False) -> Array:
        """Return the mean loss over the samples: 0-d, in the network's dtype, on its device.

        Parameters
        ----------
        x : array (N, …)
            Samples, of input_size values each.
        t : array
            Targets as the network's loss takes them: for SoftmaxCrossEntropy labels (N,) in [0, C), or
            one-hot or soft (N, C). The values of arrays on a GPU are not checked.
        training : bool
            Compute as in training, with all samples in one batch. The layers' state does not change.

        Raises
        ------
        ValueError
            If shapes or targets do not fit, or a value is not finite.
        TypeError
            If data are not numbers, or are on another device.
        """
        where = f"{type(self).__name__}.loss"
        training = flag(where, "training", training)
        x, targets = samples_and_targets(self, where, x, t)
        chain = self.chain(x.dtype)
        run = chain.forward if training else chain.losses
        parts = [(x, targets)] if training else pieces(self, x, targets)
        with chain.lock, own_passes.same_state(chain.stages):
            losses = [run(*part) for part in parts]
        if not has_own_passes(self.loss_layer):
            return self._backend.xp.mean(joined(self._backend, losses))
        shares = [part.shape[0] / x.shape[0] for part, _ in parts]
        total: Array = sum(mean * share for mean, share in zip(losses, shares, strict=True))
        return total

    def accuracy(self, x: Any, t: Any) -> float:
        """Return the fraction of correct samples, in [0, 1]: those whose largest logit is at the label.

        NaN counts as the largest logit.  x, t: as for `loss`.
        Raises TypeError if the loss does not define which samples are correct.
        """
        where = f"{type(self).__name__}.accuracy"
        share = self.share_correct(*samples_and_targets(self, where, x, t))
        if share is None:
            name = type(self.loss_layer).__name__
            raise TypeError(
                f"{where}: {name} does not define which samples are correct, so there is no accuracy"
            )
        return share

    def gradient(self, x: Any, t: Any, *, input_gradient: bool = False) -> dict[str, Array]:
        """Return the gradient of the loss by backpropagation: new arrays by parameter name.

        Running statistics move, as in training.

        Parameters
        ----------
        x, t : array
            Samples and targets as for `loss`.
        input_gradient : bool
            Also return "x", the gradient with respect to the samples, in their shape. It costs about half
            as much again.

        Raises
        ------
        ValueError, TypeError
            As for `loss`.
        """
        where, backend = f"{type(self).__name__}.gradient", self._backend
        input_gradient = flag(where, "input_gradient", input_gradient)
        values, targets = samples_and_targets(self, where, x, t, real=True)
        try:
            grads = self._params.like(backend.empty(self._params.flat.shape, self._params.flat.dtype))
            chain = self.chain(values.dtype, grads=grads, needs_dx=input_gradient)
            with chain.lock, own_passes.same_state(chain.stages) as before:
                chain.forward(values, targets)
                dx = chain.backward()
                before.pop_all()
        except MemoryError as error:
            raise MemoryError(f"{where}: {error}; pass fewer samples at once") from error
        if not input_gradient:
            return grads.views
        return {**grads.views, "x": backend.reshape(dx, getattr(x, "shape", values.shape))}

    def numerical_gradient(self, x: Any, t: Any, method: str = "central") -> dict[str, Array]:
        """Return the gradient of loss(x, t, training=True) by perturbing every parameter entry.

        It works on a copy of the network, in float64 or complex128, and changes no state.

        Parameters
        ----------
        x, t : array
            Samples and targets as for `loss`.
        method : {"central", "complex"}
            Central differences or the complex step.

        Returns
        -------
        dict of array
            Gradients by parameter name, float64.

        Raises
        ------
        ValueError
            If the method is unknown, or as for `loss`.
        TypeError
            As for `loss`.
        """
        where, mean = f"{type(self).__name__}.numerical_gradient", self._backend.xp.mean
        require_method(where, method)
        values, targets = samples_and_targets(self, where, x, t, real=True, dtype="float64")
        copied = copy_as(self, dtype=STEP_DTYPES[method], of=("params",))
        chain = copied.chain(values.dtype)

        def loss(_: Array) -> Any:
            if self.overrides("loss"):
                return copied.loss_in_training(x, t)
            with own_passes.same_state(chain.stages):
                losses = chain.forward(values, targets)
            return mean(losses) if getattr(losses, "shape", ()) else losses

        may_draw = chain.own_passes or self.overrides("loss")
        f = same_random_numbers()(loss) if may_draw else loss
        return self._params.like(numerical_gradient(f, copied.params.flat, method=method)).views

    # -------------------------------------------------- for loops and instruments: data already checked

    def loss_in_training(self, x: Any, t: Any) -> Any:
        """Return the loss in training mode. An overridden `loss` need not take `training`."""
        takes = inspect.signature(self.loss, follow_wrapped=False).parameters
        return self.loss(x, t, **({"training": True} if "training" in takes else {}))

    def prepare(self, where: str, x: Any, t: Any) -> tuple[Array, Array]:
        """Return data for a loop, checked and on the device: samples in the network's dtype, and targets.

        Parameters
        ----------
        where : str
            Name of the caller, for errors.
        x, t : array
            Samples and targets as for `loss`.
        """
        return samples_and_targets(self, where, x, t, real=True, wait=True)

    def chain(self, dtype: Any = None, *, with_loss: bool = True, **options: Any) -> Chain:
        """Return a Chain of the layers.

        Parameters
        ----------
        dtype : dtype, optional
            Of the samples; by default that of the network.
        with_loss : bool
            End the chain with the loss.
        **options
            Of Chain.
        """
        own = self._params.flat.dtype
        links = self._links.of(self, with_loss, own if dtype is None or dtype == own else None)
        dtype = own if dtype is None else dtype
        return Chain(links, self._params, dtype, self._backend, self._lock, **options)

    def chain_of_loss(self, dtype: Any) -> Chain:
        """Return a Chain of the loss alone, for scores of this dtype."""
        links = links_of([], self.loss_layer, {}, self._backend, dtype)
        return Chain(links, self._params, dtype, self._backend, self._lock)

    def scores(self, x: Array) -> Array:
        """Return what `predict` returns, for samples that are already checked."""
        chain = self.chain(x.dtype, with_loss=False)
        with chain.lock:
            return joined(self._backend, [chain.scores(piece) for (piece,) in pieces(self, x)])

    def share_correct(self, x: Array, targets: Array, chain: Chain | None = None) -> float | None:
        """Return the accuracy on checked data; None if the loss does not define one.

        Parameters
        ----------
        x, targets : array
            Data as `prepare` returns it.
        chain : Chain, optional
            A chain without the loss, to use again in a loop.
        """
        return measuring.share_correct(self, x, targets, chain)

    def measured(self, x: Array, targets: Array, chain: Chain | None = None) -> tuple[float, float | None]:
        """Return the mean loss and the accuracy on checked data, in evaluation mode.

        Both come from one pass, unless `loss`, `predict` or `accuracy` is overridden: then from these
        methods. The accuracy is None if the loss does not define one.

        Parameters
        ----------
        x, targets : array
            Data as `prepare` returns it.
        chain : Chain, optional
            A chain without the loss, to use again in a loop.
        """
        return measuring.loss_and_accuracy(self, x, targets, chain)

    def measured_accuracy(self, x: Array, targets: Array, chain: Chain | None = None) -> float | None:
        """Return the accuracy as `measured` does, without the loss."""
        return measuring.accuracy(self, x, targets, chain)

    def overrides(self, *names: str) -> bool:
        """Return whether any of these methods is overridden, in a subclass or on this object."""
        return any(self._function(name) is not METHODS[name] for name in names)

    def _function(self, name: str) -> Any:
        """Return the function behind a method; None for anything else, such as a lambda on this object."""
        return getattr(getattr(self, name), "__func__", None)

    # --------------------------------------------------------------------------------------------- copies

    def __copy__(self) -> Self:
        new = type(self).__new__(type(self))
        vars(new).update(vars(self), _links=KnownLinks())
        return new

    # Aliases of parameters (`net.W1 = net.params["W1"]`) stay aliases in the copy.
    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        flat = self._params.flat
        if id(flat) not in memo:
            memo |= self._params.aliases(self._backend.copy(flat))
        new = memo[id(self)] = type(self).__new__(type(self))
        state = {}
        for name, value in self.__getstate__().items():
            try:
                state[name] = copy.deepcopy(value, memo)
            except TypeError as error:
                rule = f"{type(self).__name__}: {name.lstrip('_')} cannot be copied: {cut(str(error))}"
                cure = "define a __getstate__ that leaves it out"
                raise TypeError(f"{rule}; {cure}") from error
        new.__setstate__(state)
        return new

    def __getstate__(self) -> dict[str, Any]:
        rebuilt = ("_backend", "_lock", "_links")
        return {name: value for name, value in vars(self).items() if name not in rebuilt}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._bind()

    def __repr__(self) -> str:
        chain = ", ".join(f"{name}={layer!r}" for name, layer in self._layers.items())
        size = f"{self._params.flat.shape[0]:,} {self.dtype} on {self._backend.name}"
        return f"<{type(self).__name__} {chain}; {size}>"


# The originals, which `overrides` compares with.
METHODS = {name: vars(Network)[name] for name in ("loss", "gradient", "predict", "accuracy")}
