"""The links of a network's chains: found once, and again after a pass or the loss has been replaced."""

from typing import Any

from backprop.layers.stage import Link
from backprop.networks.assembly import require_passes
from backprop.networks.chain import links_of

FORMULAS = ("forward", "backward", "compute", "derive", "evaluate")  # a user may replace any of them


class KnownLinks:
    """Links by whether the loss is among them and by dtype, with the functions that they were made from."""

    def __init__(self) -> None:
        self._known: dict[tuple[bool, Any], tuple[list[tuple[Any, ...]], list[Link]]] = {}

    def of(self, net: Any, with_loss: bool, dtype: Any) -> list[Link]:
        """Return the links of a network.

        Parameters
        ----------
        net : Network
        with_loss : bool
            Its loss is the last link.
        dtype : dtype or None
            As for `links_of`.
        """
        known = self._known.get((with_loss, dtype))
        if known is not None and (not with_loss or known[0][-1][0] is net.loss_layer):
            for layer, forward, backward, compute, derive, evaluate in known[0]:
                if layer.forward != forward or layer.backward != backward:
                    break
                if compute is not None and (
                    layer.compute != compute or layer.derive != derive or layer.evaluate != evaluate
                ):
                    break
            else:
                return known[1]
        layers = [(layer, net.names[name]) for name, layer in net.layers.items()]
        loss = net.loss_layer if with_loss else None
        if with_loss:
            require_passes("loss", loss)
        links = links_of(layers, loss, net.params.shapes, net.backend, dtype)
        objects = [layer for layer, _ in layers] + [net.loss_layer] * with_loss
        passes = [(each, *(getattr(each, name, None) for name in FORMULAS)) for each in objects]
        self._known[with_loss, dtype] = passes, links
        return links
