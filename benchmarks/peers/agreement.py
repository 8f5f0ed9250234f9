"""Peers are timed only once they have computed the same: losses and parameters of the first steps."""

from typing import NamedTuple

import numpy as np

from benchmarks.peers.peer import Peer

# Seen: 1.3e-6, most of it the book's, whose logarithm has 1e-7 added: 1e-7 / p at a probability of p.
LOSS_TOLERANCE = 2e-5
# Seen: 2e-8 but for kinks. Where an input of a ReLU is so near 0 that two libraries round it to either side,
# one sample's share of a gradient comes or goes: 2e-3 / batch size in a weight. This allows for five of them.
KINKS = 1e-2


class Trajectory(NamedTuple):
    """The losses of the first half of some batches, by step_loss, and the parameters after the others."""

    losses: list[float]
    parameters: dict[str, np.ndarray]


def follow(peer: Peer, batches: np.ndarray) -> Trajectory:
    """Let a new peer train on the batches, and see what came."""
    half = len(batches) // 2
    losses = peer.step_loss(batches[:half])
    peer.step(batches[half:])
    return Trajectory(losses, peer.parameters())


def require_same(name: str, got: Trajectory, expected: Trajectory, batch_size: int) -> None:
    """Raise AssertionError, and say what differs, where a peer did not compute what was expected."""
    assert len(got.losses) == len(expected.losses) > 0, f"{name}: {len(got.losses)} losses"
    np.testing.assert_allclose(
        got.losses, expected.losses, rtol=0, atol=LOSS_TOLERANCE, err_msg=f"{name}: losses"
    )
    assert got.parameters.keys() == expected.parameters.keys(), f"{name}: {list(got.parameters)}"
    for parameter, values in expected.parameters.items():
        np.testing.assert_allclose(
            got.parameters[parameter],
            values,
            rtol=0,
            atol=KINKS / batch_size,
            err_msg=f"{name}: {parameter}",
        )
