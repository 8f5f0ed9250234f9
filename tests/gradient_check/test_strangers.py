"""Right and wrong layers in the styles of public repositories, checked as they are, completely."""

from importlib import import_module
from pathlib import Path

import pytest

import backprop

STYLES = sorted(file.stem for file in (Path(__file__).parent / "styles").glob("*.py"))


def cases(kind):
    """Return every case in the lists of that name, with its style and position as the id."""
    return [
        pytest.param(*case, id=f"{style}-{i}")
        for style in STYLES
        for i, case in enumerate(getattr(import_module(f"styles.{style}"), kind, ()))
    ]


def checked(subject, inputs, mode):
    """Return the report on an object from a factory, or on a pair of functions."""
    if isinstance(subject, tuple):
        return backprop.check_function(*subject, *inputs, mode=mode)
    return backprop.check_gradients(subject(), *inputs, mode=mode)


def test_there_are_many_styles_and_each_has_right_and_wrong_layers():
    modules = [import_module(f"styles.{style}") for style in STYLES]
    assert len(modules) >= 14 and all(module.RIGHT and module.WRONG for module in modules)


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize(("subject", "inputs", "names"), cases("RIGHT"))
def test_a_right_one_is_checked_completely_without_an_adapter(subject, inputs, names, mode):
    report = checked(subject, inputs, mode)
    assert report.ok, str(report)
    assert sorted(array.name for array in report.arrays) == sorted(names), str(report)


@pytest.mark.parametrize("mode", ["fast", "full"])
@pytest.mark.parametrize(("subject", "inputs", "names"), cases("WRONG"))
def test_of_a_wrong_one_the_arrays_at_fault_are_named_and_no_others(subject, inputs, names, mode):
    report = checked(subject, inputs, mode)
    wrong = [array for array in report.arrays if not array.ok]
    assert not report.ok
    assert sorted(array.name for array in wrong) == sorted(names), str(report)
    assert all(array.limit == array.limit for array in wrong), f"it was not compared:\n{report}"


@pytest.mark.parametrize(("subject", "inputs", "names", "wrong"), cases("ADAPTED"))
def test_an_adapter_says_what_cannot_be_guessed(subject, inputs, names, wrong):
    report = checked(subject, inputs, "full")
    assert sorted(array.name for array in report.arrays) == sorted(names), str(report)
    assert sorted(array.name for array in report.arrays if not array.ok) == sorted(wrong), str(report)


@pytest.mark.parametrize(("subject", "inputs", "verdict"), cases("TOLD"))
def test_what_cannot_be_compared_does_not_pass_and_is_told(subject, inputs, verdict):
    report = checked(subject, inputs, "fast")
    told = {array.verdict for array in report.arrays} | {fault.kind for fault in report.faults}
    assert not report.ok and verdict in told, str(report)
