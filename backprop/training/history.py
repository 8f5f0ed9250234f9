"""What a training run recorded."""

from dataclasses import dataclass, field


@dataclass(repr=False)
class History:
    """What a training run recorded: lists of Python numbers, and how it ran.

    loss: the mean loss of each iteration's batch, in nats.
    iterations: after how many updates the accuracies were measured.
    train_accuracy, test_accuracy: in [0, 1], one for each entry of `iterations`; none without test data.
    seconds: what the run took, evaluations included, the warm-up not.
    warmup_seconds: what it took before to compile kernels and load libraries; next to nothing but for the
    first time.
    loop: "captured", its steps as a CUDA graph, or "eager: " and why they ran one by one.
    precision: "ieee", or "tf32" where that was allowed and there is such a thing.
    """

    loss: list[float] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    seconds: float = 0.0
    warmup_seconds: float = 0.0
    loop: str = ""
    precision: str = "ieee"

    def __repr__(self) -> str:
        accuracies = {"train": self.train_accuracy, "test": self.test_accuracy}
        last = ", ".join(f"{name} accuracy {values[-1]:.4f}" for name, values in accuracies.items() if values)
        return f"<History of {len(self.loss)} iterations in {self.seconds:.1f} s: {last}>"
