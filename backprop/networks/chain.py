"""A network at work: layers as stages with their memory, neighbours fused where a twin exists.

Every call of a network builds its own chain, so threads may share the network. A loop builds one for all
of its steps, with a Workspace.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import takewhile
from threading import Lock
from typing import Any

from backends import Array, Backend, NewArrays
from backends.communicators import Communicator, WholeBatch
from backprop.arrays.arrays import Arrays
from backprop.layers.layer import Layer, has_own_passes
from backprop.layers.stage import Link, Stage, fused_link, link, write
from backprop.networks.own_passes import OwnPasses, require_attached

MOST_FUSED = 3  # neighbours


def links_of(
    layers: Sequence[tuple[Any, dict[str, str]]],
    loss: Any,
    shapes: Mapping[str, tuple[int, ...]],
    backend: Backend,
    dtype: Any,
) -> list[Link]:
    """Return a network's layers, and its loss if given, as links.

    layers: each with a dict from its parameter names to the network's.  shapes: of all parameters.
    dtype: of all arrays, or None for a mixture of real and complex ones.
    """
    chain = [*layers] if loss is None else [*layers, (loss, {})]
    links: list[Link] = []
    while len(chain) > 0:
        layer, names = chain[0]
        if has_own_passes(layer):
            found, count = Link(layer), 1
        else:
            found, count = _longest_link(backend, dtype, [each for each, _ in chain[:MOST_FUSED]])
        found.names, found.is_loss = names, layer is loss
        found.keys = tuple((f"d{own}", shapes[outer]) for own, outer in names.items())
        links.append(found)
        chain = chain[count:]
    return links


def _longest_link(backend: Backend, dtype: Any, layers: list[Any]) -> tuple[Link, int]:
    """Return a link for as many of these neighbours as a twin computes in one, at least the first."""
    most = 1 + len([*takewhile(_may_be_fused, layers[1:])])
    for count in range(most, 1, -1):
        found = fused_link(backend, dtype, layers[:count])
        if found:
            return found, count
    return link(backend, dtype, layers[0]), 1


def _may_be_fused(follower: Any) -> bool:
    """Return whether a layer runs its formulas and has no rule that a fused twin would skip."""
    return not has_own_passes(follower) and not _may_refuse(follower)


def _may_refuse(layer: Any) -> bool:
    """Return whether a layer has its own `check_training`."""
    return getattr(layer.check_training, "__func__", None) is not Layer.check_training


class Chain:
    """Stages in order, the last of them the loss if the chain has one.

    links: as `links_of` returns them.  params: the network's.  dtype: of the samples.
    grads: where gradients are written.  memory: NewArrays for a single call, Workspace for a loop.
    needs_dx: backward returns the gradient of the samples.
    lock: held while the chain runs. The network's lock if a layer has state or its own passes.
    own_passes: a sentence naming the first layer with its own passes, or "".
    """

    def __init__(
        self,
        links: Sequence[Link],
        params: Arrays,
        dtype: Any,
        backend: Backend,
        lock: AbstractContextManager[Any],
        *,
        grads: Arrays | None = None,
        memory: type[NewArrays] = NewArrays,
        needs_dx: bool = False,
    ) -> None:
        self.stages: list[Stage | OwnPasses] = []
        self.with_state: list[Stage] = []
        self.own_passes, self.count = "", 0
        shared: dict[str, Array] = {}
        for each in links:
            layer, names = each.layer, each.names.values()
            arrays = tuple(map(params.views.__getitem__, names))
            gradients = () if grads is None else tuple(map(grads.views.__getitem__, names))
            if each.compute is None:
                own = dict(zip(each.names, arrays, strict=True))
                require_attached(layer, own)
                self.stages.append(OwnPasses(layer, backend, dtype, own, gradients, each.is_loss))
                self.own_passes = self.own_passes or f"{type(layer).__name__} has its own passes"
                continue
            provided = dict(zip(each.keys, gradients, strict=True)) if gradients else {}
            ws = memory(backend, dtype, provided, needs_dx or bool(self.stages), shared)
            state = tuple(layer.state.values()) if layer.state else ()
            stage = Stage(each, ws, arrays, state, gradients)
            self.stages.append(stage)
            if state:
                self.with_state.append(stage)
        self.lock = lock if self.own_passes or self.with_state else Lock()
        *self.body, self.last = self.stages
        self.reversed = self.stages[::-1]

    def forward(self, x: Array, targets: Array, out: Array | None = None) -> Array:
        """Return one loss per sample, (N,), or their mean from a loss with its own passes.

        Keeps what backward needs.  out: where to write the losses.
        """
        self.count = x.shape[0]
        for stage in self.body:
            x = stage.forward(x)
        if out is None:
            return self.last.forward(x, targets)
        if type(self.last) is Stage:
            self.last.ws["losses", out.shape] = out  # a twin requests it under this key
        losses = self.last.forward(x, targets)
        if losses is not out:
            out[...] = losses
        return out

    def backward(self) -> Any:
        """Return the gradient of the samples if needed, and write those of the parameters into `grads`.

        These are gradients of the mean loss. The new state of layers is written at the end.
        """
        dout: Any = 1.0 / self.count
        for stage in self.reversed:
            dout = stage.backward(dout)
        for stage in self.with_state:
            write(stage.state, stage.new_state)
        return dout

    def check_training(self, shape: tuple[int, ...]) -> None:
        """Raise ValueError if a layer must not be trained on a batch of this shape. Keeps nothing.

        To find the shapes inside, layers are evaluated on zeros. If a layer has its own passes, nothing is
        checked before `forward`, since a user may count on how often they run.
        """
        rules = [stage for stage in self.body if type(stage) is Stage and _may_refuse(stage.link.layer)]
        if rules and not self.own_passes:
            ws = rules[0].ws
            x = ws.backend.zeros(shape, ws.dtype)
            for stage in self.body:
                if stage in rules:
                    stage.link.layer.check_training(x)
                if stage is rules[-1]:
                    return
                x = stage.evaluate(x)

    def synchronize(self, communicator: Communicator) -> None:
        """Average over the batches of all ranks in layers that are `synchronized`, in training."""
        for stage in self.body:
            if type(stage) is Stage and getattr(stage.link.layer, "synchronized", False):
                stage.use_formulas(WholeBatch(stage.ws.backend.xp, communicator))

    def losses(self, x: Array, targets: Array) -> Array:
        """Return the same as `forward`, in evaluation mode."""
        for stage in self.body:
            x = stage.evaluate(x)
        return self.last.evaluate(x, targets)

    def scores(self, x: Array) -> Array:
        """Return the last layer's output in evaluation mode, for a chain without a loss."""
        for stage in self.stages:
            x = stage.evaluate(x)
        return x

    @property
    def state(self) -> list[Array]:
        """The state arrays of all layers."""
        return [array for stage in self.with_state for array in stage.state]
