"""The lines that `backprop race` prints, at most 80 columns wide apart from paths."""

from collections.abc import Sequence

from backprop.cli.bench.plan import three_digits
from backprop.cli.race.result import Result
from backprop.cli.wording import counted
from backprop.race.recipes import Recipe
from backprop.race.runs import Finish


def recipe_line(recipe: Recipe) -> str:
    """Return the settings in a line."""
    return (
        f"recipe: 784-{recipe.hidden}-10, {recipe.steps:,} steps of {recipe.batch_size:,} images, "
        f"learning rate up to {recipe.learning_rate:g}"
    )


def heads(seeds: Sequence[int]) -> str:
    """Return the heads of the columns."""
    return f"{'seed':>{_width(seeds)}}  steps  seconds  accuracy"


def row(finish: Finish, seeds: Sequence[int]) -> str:
    """Return the line of a run."""
    accuracy, seconds = f"{100 * finish.accuracy:.2f} %", three_digits(finish.seconds)
    return f"{finish.seed:>{_width(seeds)}}  {finish.steps:>5,}  {seconds:>7}  {accuracy:>8}"


def _width(seeds: Sequence[int]) -> int:
    return max(len("seed"), len(str(seeds[-1])))


def summary(result: Result, threads: int | None) -> str:
    """Return two lines of statistics.  threads: of BLAS; None if they are unknown or have no meaning."""
    deviation = result.deviation
    spread = "" if deviation is None else f", standard deviation {100 * deviation:.2f}"
    on = f" on {counted(threads, 'BLAS thread')}" if threads else ""
    return (
        f"accuracy: mean {result.mean_in_percent}{spread}, least {100 * result.least:.2f} %\n"
        f"seconds: median {three_digits(result.seconds)}{on}; "
        f"the evaluation after it takes {three_digits(result.evaluation_seconds)}"
    )


def verdict(result: Result) -> str:
    """Return the last line: whether the target is reached, and by which runs."""
    done = counted(len(result.finishes), "seed")
    if result.outcome != "done":
        said, done = "no verdict", f"{len(result.finishes):,} of {counted(len(result.seeds), 'seed')}"
    elif result.is_reached is None:
        said = "no verdict without MNIST"
    else:
        said = f"target {result.target} % {'reached' if result.is_reached else 'missed'}"
    seconds = three_digits(result.seconds)
    return f"{said}: mean {result.mean_in_percent} of {done} from {result.seeds[0]}, median {seconds} s"
