"""All peers by name, and the reasons why some cannot run here."""

from importlib.util import find_spec
from typing import Any, TypeVar

from benchmarks.peers.book_loop import Book
from benchmarks.peers.ours import Ours, OursByDefault
from benchmarks.peers.peer import Peer
from benchmarks.peers.pytorch import ByHand, Eager, EagerAhead, EagerByDefault
from benchmarks.peers.regularized import EagerRegularized, OursRegularized
from benchmarks.peers.scikit_learn import Classifier
from benchmarks.peers.with_jax import Jit, Scan

PEERS: dict[str, type[Peer]] = {
    peer.name: peer for peer in (Ours, Book, Eager, EagerAhead, ByHand, Jit, Scan, Classifier)
}
# Their step is that of the peers above; only the losses of the job differ.
BY_DEFAULT: dict[str, type[Peer]] = {peer.name: peer for peer in (OursByDefault, EagerByDefault)}
# Another network, with BatchNorm and Dropout.
REGULARIZED: dict[str, type[Peer]] = {peer.name: peer for peer in (OursRegularized, EagerRegularized)}


Kind = TypeVar("Kind", bound=type)


def why_missing(peer: Any) -> str | None:
    """Return the reason why a peer, whose class names its library, cannot run here, or None."""
    if find_spec(peer.library) is not None:
        return None
    return f'{peer.name}: {peer.library} is not installed; pip install -e ".[peers]"'


def installed(peers: dict[str, Kind]) -> dict[str, Kind]:
    """Return the peers that can run here."""
    return {name: peer for name, peer in peers.items() if why_missing(peer) is None}
