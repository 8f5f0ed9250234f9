"""backprop itself: what `backprop race` runs."""

from backends import load
from backprop import to_numpy
from backprop.race.runs import Race
from benchmarks.race.course import Weights
from benchmarks.race.racer import Finish, Racer


class Ours(Racer):
    name = "ours"

    def build(self) -> None:
        pixels = self.course.pixels
        data = (pixels.x, pixels.t), (pixels.x_test, pixels.t_test)
        self.race = Race(self.course.recipe, *data, load("cupy" if self.device == "cuda" else "numpy"))
        self.race.warm_up()

    def run(self, seed: int, steps: int | None = None) -> Finish:
        finish = self.race.run(seed, steps)
        return Finish(seed, finish.steps, finish.seconds, finish.accuracy)

    def weights(self) -> Weights:
        return {name: to_numpy(values).copy() for name, values in self.race.trainer.net.params.items()}
