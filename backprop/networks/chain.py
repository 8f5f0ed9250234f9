"""A network at work: its layers as stages, each with its memory; two neighbours as one where twins do that.

Every call of a network makes a chain of its own, so that threads may share the network; a loop makes one for
all of its steps, with a Workspace.
"""

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

from backends import Array, Backend, NewArrays
from backprop.arrays.arrays import Arrays
from backprop.layers.layer import has_own_passes
from backprop.layers.stage import Link, Stage, fused_link, link, write
from backprop.networks.own_passes import OwnPasses, require_attached


def links_of(
    layers: Sequence[tuple[Any, dict[str, str]]],
    loss: Any,
    shapes: Mapping[str, tuple[int, ...]],
    backend: Backend,
    dtype: Any,
) -> list[Link]:
    """Return a network's layers, and its loss if there is one, as links.

    layers: each with the network's names of its parameters by its own.  shapes: of all parameters.
    dtype: that of all arrays, or None for a mixture of real and complex ones.
    """
    chain = [*layers] if loss is None else [*layers, (loss, {})]
    links: list[Link] = []
    fused = None  # the layer that is computed with the one before it
    for (layer, names), (follower, _) in zip(chain, [*chain[1:], (None, {})], strict=True):
        if layer is fused:
            continue
        found = Link(layer) if has_own_passes(layer) else None
        if found is None and follower is not None and not has_own_passes(follower):
            found = fused_link(backend, dtype, layer, follower)
            fused = follower if found else None
        found = found or link(backend, dtype, layer)
        found.names, found.is_loss = names, layer is loss
        found.keys = tuple((f"d{own}", shapes[outer]) for own, outer in names.items())
        links.append(found)
    return links


class Chain:
    """Stages in a row; the loss is in the last one, where there is one.

    links: as `links_of` gives them.  params: the network's.  dtype: of the samples to come.
    grads: where the gradients go.  memory: NewArrays for a single call, Workspace for a loop.
    needs_dx: whether backward is to return the gradient of the samples.
    lock: to be held while the chain runs; the network's own where a layer keeps something itself.
    own_passes: which layer has some, in words.
    """

    def __init__(
        self,
        links: Sequence[Link],
        params: Arrays,
        dtype: Any,
        backend: Backend,
        lock: Any,
        *,
        grads: Arrays | None = None,
        memory: type[NewArrays] = NewArrays,
        needs_dx: bool = False,
    ) -> None:
        self.stages: list[Any] = []
        self.with_state: list[Stage] = []
        self.own_passes, self.count = "", 0
        for each in links:
            layer, names = each.layer, each.names.values()
            arrays = tuple(map(params.views.__getitem__, names))
            gradients = () if grads is None else tuple(map(grads.views.__getitem__, names))
            if each.compute is None:
                own = dict(zip(each.names, arrays, strict=True))
                require_attached(layer, own)
                self.stages.append(OwnPasses(layer, backend, dtype, own, gradients, each.is_loss))
                self.own_passes = self.own_passes or f"{type(layer).__name__} has passes of its own"
                continue
            lent = dict(zip(each.keys, gradients, strict=True)) if gradients else {}
            ws = memory(backend, dtype, lent, needs_dx or bool(self.stages))
            state = tuple(layer.state.values()) if layer.state else ()
            stage = Stage(each, ws, arrays, state, gradients)
            self.stages.append(stage)
            if state:
                self.with_state.append(stage)
        self.lock = lock if self.own_passes or self.with_state else Lock()
        *self.body, self.last = self.stages
        self.turned = self.stages[::-1]

    def forward(self, x: Array, targets: Array, out: Array | None = None) -> Array:
        """Return one loss per sample, (N,), or their mean from a loss with passes of its own.

        Keeps what backward needs.  out: where to write the losses.
        """
        self.count = x.shape[0]
        for stage in self.body:
            x = stage.forward(x)
        if out is None:
            return self.last.forward(x, targets)
        if type(self.last) is Stage:
            self.last.ws["losses", out.shape] = out  # where a twin looks for it
        losses = self.last.forward(x, targets)
        if losses is not out:
            out[...] = losses
        return out

    def backward(self) -> Any:
        """Return the gradient of the samples if it is needed; those of the parameters go into `grads`.

        They are the gradients of the mean loss. Layers with state have their new one from then on.
        """
        dout: Any = 1.0 / self.count
        for stage in self.turned:
            dout = stage.backward(dout)
        for stage in self.with_state:
            write(stage.state, stage.new_state)
        return dout

    def losses(self, x: Array, targets: Array) -> Array:
        """Return what `forward` does, outside of training."""
        for stage in self.body:
            x = stage.evaluate(x)
        return self.last.evaluate(x, targets)

    def scores(self, x: Array) -> Array:
        """Return what the last layer gives, outside of training; for a chain without a loss."""
        for stage in self.stages:
            x = stage.evaluate(x)
        return x

    @property
    def state(self) -> list[Array]:
        """The arrays of the layers' state."""
        return [array for stage in self.with_state for array in stage.state]
