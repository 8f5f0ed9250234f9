"""The agreement that peers must reach before they are timed: losses and parameters of the first steps."""

from typing import NamedTuple

import numpy as np

from benchmarks.peers.peer import Peer

# Observed: 1.3e-6, mostly from the book's 1e-7 in the logarithm, which adds 1e-7 / p at a probability of p.
LOSS_TOLERANCE = 2e-5
# Observed: 2e-8 except at kinks. If two libraries round an input of a ReLU to different sides of 0, the share
# of one sample in a gradient appears in only one of them: 2e-3 / batch size in a weight. Five are allowed.
KINKS = 1e-2


class Trajectory(NamedTuple):
    """The losses of the first half of some batches, by step_loss, and the parameters after the other half."""

    losses: list[float]
    parameters: dict[str, np.ndarray]


def follow(peer: Peer, batches: np.ndarray) -> Trajectory:
    """Train a new peer on the batches and return its trajectory."""
    half = len(batches) // 2
    losses = peer.step_loss(batches[:half])
    peer.step(batches[half:])
    return Trajectory(losses, peer.parameters())


def require_same(name: str, got: Trajectory, expected: Trajectory, batch_size: int) -> None:
    """Raise AssertionError with the difference if a peer did not compute what was expected."""
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
