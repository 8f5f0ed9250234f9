"""A trial: a float64 copy of a user's layer, run to see what happens to its arrays."""

from copy import deepcopy
from typing import Any

from backends import kind, to_numpy
from backprop.arrays.initializers import generator
from backprop.gradient_check.adapter import Adapter
from backprop.gradient_check.copies import copied_as
from backprop.gradient_check.dependence import depended_on, same
from backprop.gradient_check.host_arrays import dout_like, on_host, random_like
from backprop.gradient_check.parameters import (
    Parameter,
    all_gradients,
    parameters_among,
    sharing_a_gradient,
    with_gradient,
)
from backprop.gradient_check.places import Place, Reached, put
from backprop.gradient_check.randomness import GeneratorStates, NumpyRandom
from backprop.gradient_check.reach import as_floats, reach
from backprop.gradient_check.requirements import require_numbers
from backprop.gradient_check.snapshot import Snapshot


class Trial:
    """A layer and its inputs, to be tried out."""

    def __init__(self, layer: Adapter, inputs: list[Any]) -> None:
        found = reach(layer.layer)
        self.layer = copied_as(layer, "float64", found)
        self.own = self.layer.layer  # the user's own layer inside the adapter
        self.inputs, self.random = inputs, NumpyRandom()
        self.random.is_drawn_from = True  # assumed, so that it is always restored
        self.generators = GeneratorStates(self.own, found.generators)
        self.before = self._contents()
        self.stable: list[Reached] = []

    def _contents(self) -> dict[Place, Any]:
        """Return the array at every place, and True for a random generator."""
        reached = reach(self.own)
        arrays = {place: each.array for each in reached.arrays.values() for place in each.places}
        return arrays | dict.fromkeys(reached.generators, True)

    # -------------------------------------------------------------------------------------------- its passes

    def forward(self) -> Any:
        """Return the output of a new forward with the same random numbers."""
        self.random.restore()
        self.generators.restore()
        out = self.layer.forward(*deepcopy(self.inputs))  # forward may write to its inputs
        require_numbers(self.layer.passes.names[0], out)
        return out

    def out(self) -> Any:
        """Return forward's output on the host."""
        return on_host(self.forward())

    def backward(self, factor: float = 1.0) -> Any:
        """Run forward, then backward with a random dout times a factor; return its result."""
        out = self.forward()
        self.snapshot = Snapshot(self.own)
        return self.layer.backward(dout_like(out, factor * random_like(to_numpy(out), generator(0))))

    def is_built(self) -> bool:
        """Fill `stable`, the arrays that forward keeps; return whether the layer was built before.

        It was not if the first forward created a random generator, or a stable array that it depends on.
        """
        first = self._contents()
        self.forward()
        reached = reach(self.own).arrays.values()
        self.stable = [each for each in reached if any(first.get(at) is each.array for at in each.places)]
        made = {place for place, value in first.items() if self.before.get(place) is not value}
        return not any(first[place] is True for place in made) and not self._depended_on(made)

    def _depended_on(self, places: set[Place]) -> list[Reached]:
        """Return the stable arrays at these places that forward depends on."""
        arrays = [each for each in self.stable if each.places[0] in places]
        if arrays and not same(self.out(), self.out()):
            return []  # forward is not deterministic
        return depended_on(self.own, arrays, self.out)

    # ---------------------------------------------------------------------------------------- its parameters

    def parameters(self) -> list[Parameter]:
        """Return the stable arrays that have a gradient, and those in `params` that forward depends on."""
        found = parameters_among(self.own, self.stable)
        groups = sharing_a_gradient(self.own, found)
        doubtful = {each.place for each in found if not each.gradients}.union(*groups)
        needed = {each.places[0] for each in self._depended_on(doubtful)}
        needed |= {places[0] for places in groups if not needed.intersection(places)}
        return [each for each in found if each.place not in doubtful or each.place in needed]

    def named(self) -> list[Parameter]:
        """Return the parameters that an adapter names, directly or through their gradients."""
        params, grads = self.layer.given.params(self.own), self.layer.grads
        if not params:
            params = {each.name: each.array for each in self.stable if each.name in grads}
        return [
            Parameter(name, each.places[0], all_gradients(self.own, each))
            for each in self.stable
            for name, array in params.items()
            if array is each.array
        ]

    def numbers(self) -> list[Reached]:
        """Return the numbers and integers with a gradient for which float arrays work as well, as arrays."""
        reached = reach(self.own)
        integers = [each for each in reached.others.values() if kind(each.array) in "iuf"]
        found = with_gradient(self.own, [*integers, *reached.numbers])
        return [new for old in found if self._replaces(old, new := as_floats(old))]

    def _replaces(self, old: Reached, new: Reached) -> bool:
        """Return whether an array in place of numbers changes nothing, but forward depends on it."""
        first = self.out()
        try:
            for place in new.places:
                put(self.own, place, new.array)
            if not same(first, self.out()):
                return False
            self.backward()
            return bool(depended_on(self.own, [new], self.out))
        except Exception:  # numbers may serve as an index
            return False
        finally:
            for place in old.places:
                put(self.own, place, old.array)

    # ------------------------------------------------------------------------------------------- its updates

    def updates(self) -> list[Reached]:
        """Return the stable arrays that backward has changed and forward depends on."""
        return self._depended_on({*self.layer.steps} or {*self.snapshot.changed()})

    def is_descent(self) -> bool:
        """Return whether updates are linear in dout; an optimizer that clips or normalizes is not."""
        steps = []
        for factor in (0.0, 1.0, 2.0):
            self.backward(factor)
            steps.append({place: on_host(step) for place, step in self.layer.steps.items()})
        none, once, twice = steps
        return all(
            abs(twice.get(place, 0.0) - 2.0 * step + none.get(place, 0.0)).max() <= 1e-6 * abs(step).max()
            for place, step in once.items()
        )
