"""Sizes of what is measured: on a GPU, and in a rehearsal on the CPU."""

from dataclasses import dataclass

BUDGET = 500.0  # seconds: nine minutes, less a margin for tables and processes that are slow to end


@dataclass(frozen=True)
class Settings:
    """Settings of a group, passed to its process as JSON.

    device: "cuda", or "cpu" for a rehearsal.  mnist: the directory of its files, or None for random images.
    samples: number of random training images.  rounds, eager_rounds: rounds of the job.
    race_steps: of the race, 0 for those of its recipe.  conv_steps: of the networks with convolutions.
    simple_filters, filters: of SimpleConvNet, and of the first layer of DeepConvNet.
    block: seconds per turn where work is timed in turns.  tests: a folder of tests, or one file.
    limit: seconds for the group, set when it starts.
    """

    device: str = "cuda"
    mnist: str | None = None
    samples: int = 60_000
    iterations: int = 10_000
    hidden: int = 50
    batch_size: int = 100
    rounds: int = 7
    eager_rounds: int = 3
    big_hidden: int = 4096
    big_batch: int = 8192
    big_steps: int = 10
    race_steps: int = 0
    conv_steps: int = 100
    simple_filters: int = 30
    filters: int = 16
    block: float = 0.1
    tests: str = "tests"
    limit: float = 60.0

    @property
    def backend(self) -> str:
        """The name of our backend for that device."""
        return "cupy" if self.device == "cuda" else "numpy"


# The same code on the CPU with small sizes: everything runs and agrees, and the figures mean nothing.
REHEARSAL = Settings(
    device="cpu",
    samples=6000,
    iterations=400,
    rounds=2,
    eager_rounds=2,
    big_hidden=64,
    big_batch=256,
    big_steps=2,
    race_steps=12,
    conv_steps=4,
    simple_filters=3,
    filters=2,
    block=0.002,
    tests="tests/test_scalar.py",
)
