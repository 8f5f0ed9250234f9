"""How much is measured: on a GPU, and in a rehearsal on the CPU."""

from dataclasses import dataclass

BUDGET = 500.0  # seconds: nine minutes, less what the tables and processes that are slow to end may take


@dataclass(frozen=True)
class Settings:
    """What a group has to know; it travels to its process as JSON.

    device: "cuda", or "cpu" for a rehearsal.  mnist: the directory of its files; None: random images.
    samples: how many random images there are to train on.  rounds, eager_rounds: of the job.
    block: seconds of a turn of what is timed in turns.  tests: a folder of tests, or one file.
    limit: seconds that the group has, told as it starts.
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
    block: float = 0.1
    tests: str = "tests"
    limit: float = 60.0

    @property
    def backend(self) -> str:
        """The backend of ours that computes there."""
        return "cupy" if self.device == "cuda" else "numpy"


# The same code on the CPU and small sizes: whether all of it runs and agrees, and no figure that counts.
REHEARSAL = Settings(
    device="cpu",
    samples=6000,
    iterations=400,
    rounds=2,
    eager_rounds=2,
    big_hidden=64,
    big_batch=256,
    big_steps=2,
    block=0.002,
    tests="tests/test_scalar.py",
)
