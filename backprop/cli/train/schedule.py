"""Schedules as they are typed: a name, then a colon and numbers separated by commas."""

from typing import Any

import click

from backprop.arrays.near import hint
from backprop.cli.values import option_of, typed
from backprop.optimizers import Constant, Cosine, OneCycle, Schedule, StepDecay, WarmUp

FORMS = {
    "constant": "constant, without numbers",
    "step": "step:EVERY or step:EVERY,BY, a count and a factor below 1, as in step:1000,0.5",
    "cosine": "cosine or cosine:FLOOR, a factor from 0 to below 1, as in cosine:0.1",
    "one-cycle": "one-cycle or one-cycle:RISE,START,END, shares below 1, as in one-cycle:0.3,0.1,0",
    "warm-up": "warm-up:STEPS or warm-up:STEPS,SCHEDULE, a count, as in warm-up:100,cosine",
}
SUMMARY = (
    "constant",
    "step:EVERY[,BY]            times BY each time",
    "cosine[:FLOOR]             falls to FLOOR",
    "one-cycle[:RISE,START,END] rises, then falls",
    "warm-up:STEPS[,SCHEDULE]   rises, then follows",
)


def make_schedule(text: str) -> Schedule:
    """Return the schedule of a text. Raises ValueError if it has no such form.

    >>> make_schedule("warm-up:100,step:1000,0.5")
    <WarmUp, steps 100, then <StepDecay, every 1000, by 0.5>>
    """
    name, _, rest = text.partition(":")
    numbers = rest.split(",") if rest else []
    match name, numbers:
        case "warm-up", [steps, *then] if not (then and then[0].startswith("warm-up")):
            return WarmUp(int(steps), make_schedule(",".join(then)) if then else None)
        case "constant", []:
            return Constant()
        case "step", [every, *by] if len(by) <= 1:
            return StepDecay(int(every), *map(float, by))
        case "cosine", floor if len(floor) <= 1:
            return Cosine(*map(float, floor))
        case "one-cycle", []:
            return OneCycle()
        case "one-cycle", [rise]:
            return OneCycle(float(rise))
        case "one-cycle", [rise, start]:
            return OneCycle(float(rise), float(start))
        case "one-cycle", [rise, start, end]:
            return OneCycle(float(rise), float(start), float(end))
    raise ValueError(f"make_schedule: not a schedule: {text}")


class ScheduleName(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """A schedule as it is typed. It stays text, for the JSON."""

    name = "NAME[:NUMBERS]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text; raise click.UsageError if it is not that of a schedule."""
        text = str(value)
        name = text.partition(":")[0]
        if name not in FORMS:
            known = ", ".join(FORMS)
            rule = f"{option_of(param)} must be one of {known}"
            raise click.UsageError(f"{rule}, got {typed(text)}{hint(name, FORMS)}", ctx)
        try:
            make_schedule(text)
        except (ValueError, TypeError, OverflowError):
            raise click.UsageError(
                f"{option_of(param)} must be {FORMS[name]}, got {typed(text)}", ctx
            ) from None
        return text
