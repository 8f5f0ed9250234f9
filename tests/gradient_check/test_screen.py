"""The text of a gradient report: one screen of 24 lines and 80 columns, whatever the object."""

import numpy as np
import pytest

from backprop import check_gradients
from backprop.gradient_check.report import ArrayCheck, GradientReport, Verdict

X = np.random.default_rng(0).normal(size=(5, 3))
LONG = "encoder_block_with_multi_head_attention_and_output_projection_weights_{}"


class Product:
    """The input times every w in turn; a factor makes their gradients wrong."""

    def __init__(self, names, factor=1.0):
        self.params = {name: np.linspace(0.9, 1.1, 3) for name in names}
        self.grads, self.factor = {}, factor

    def forward(self, x):
        self.x = x
        return x * np.prod([*self.params.values()], axis=0)

    def backward(self, dout):
        whole = np.prod([*self.params.values()], axis=0)
        self.grads = {
            name: self.factor * (dout * self.x * whole / w).sum(axis=0) for name, w in self.params.items()
        }
        return dout * whole


def fits(report):
    lines = str(report).splitlines()
    return len(lines) <= 24 and max(map(len, lines)) <= 80


@pytest.mark.parametrize("factor", [1.0, 7.0])
@pytest.mark.parametrize("count", [1, 25])
@pytest.mark.parametrize("pattern", ["w{}", LONG])
def test_it_fits_a_screen_whatever_the_names_and_however_many_arrays(pattern, count, factor):
    report = check_gradients(Product(map(pattern.format, range(count)), factor), X)
    assert fits(report) and report.ok == (factor == 1.0)


def test_a_net_of_8_arrays_has_a_row_for_each():
    report = check_gradients(Product(map("w{}".format, range(7)), factor=7.0), X)
    rows = [line.split()[0] for line in str(report).splitlines()[2:10]]
    assert rows == [*map("w{}".format, range(7)), "x"] and fits(report)


def test_a_long_name_is_shortened_in_the_table_and_whole_in_the_note():
    report = check_gradients(Product([LONG], factor=7.0), X)
    row = str(report).splitlines()[2]
    assert row.startswith("encoder_block") and "…" in row and "weights_{}  " in row
    assert LONG in "".join(str(report).split())


def report_of(count, wrong=(), why="{}"):
    """Return a report on w0, w1, …, some of them wrong."""
    numbers = 3, 1.0, 0.0, 0.0, 1e-12, [0], 7.0, 1.0
    rows = [ArrayCheck(f"w{i}", *numbers, "ok") for i in range(count)]
    for i in wrong:
        rows[i].verdict, rows[i].why = "wrong", why.format(i)
    return GradientReport("Layer", "complex", "fast", rows)


def test_what_is_the_same_of_several_arrays_is_said_once():
    class Steep(Product):
        def backward(self, dout):
            return self.factor * super().backward(dout)

    said = " ".join(str(check_gradients(Steep("abc", factor=7.0), X)).split())
    assert said.count("7 times the derivative") == 1 and said.endswith("the derivative; the same for b, c, x")
    report = report_of(3, wrong=range(3), why="seen in 'w{}'")
    assert str(report).endswith("wrong: seen in 'w0'; the same for w1, w2")
    assert str(report_of(2, wrong=range(2), why="reason {}")).count("; wrong: reason") == 2


def test_arrays_that_are_wrong_are_shown_before_those_that_are_right():
    report = report_of(30, wrong=[5, 29])
    lines = str(report).splitlines()
    assert [line.split()[0] for line in lines if line.endswith("WRONG")] == ["w5", "w29"]
    shown = sum(line.startswith("w") and line.endswith(("ok", "WRONG")) for line in lines)
    assert f"… and {30 - shown} more, all ok" in lines and len(lines) == 24


def test_what_is_left_out_is_counted():
    lines = str(report_of(30, wrong=range(30), why="reason {}")).splitlines()
    rows = sum(line.endswith("WRONG") for line in lines)
    assert f"… and {30 - rows} more, {30 - rows} of them not ok" in lines
    notes = sum(line.startswith("w") and ": backward" in line for line in lines)
    assert notes > 2 and lines[-1] == f"… and {30 - notes} more notes"


def test_the_verdict_is_shown_whatever_is_left_out():
    report = report_of(20)
    for i, array in enumerate(report.arrays):
        array.verdict, array.why = "kink", f"at [{i}] the slope is {i} to the left"
    lines = str(report).splitlines()
    assert "more notes" in lines[-2] and lines[-1] == "all gradients agree" and fits(report)


def test_no_row_is_left_out_for_a_line_that_says_so():
    for count in range(1, 40):
        lines = str(report_of(count)).splitlines()
        assert "… and 1 more, all ok" not in lines and len(lines) == min(count + 3, 24)


def test_a_long_note_and_a_long_name_of_a_class_are_cut():
    row = ArrayCheck("x", 15, 1.0, 0.0, 0.0, 1e-12, None, 1.0, 1.0, "ok")
    faults = [Verdict("hidden state", 400 * "word ")]
    report = GradientReport("A" * 200, "complex", "fast", [row], faults, note=400 * "word ")
    assert fits(report) and str(report).count(" …\n") == 1 and str(report).endswith(" …")


class Encoding:
    """Rows of the identity, by number: there is nothing to differentiate."""

    def forward(self, ids):
        return np.eye(6)[ids]

    def backward(self, dout):
        return None


def test_where_there_is_nothing_to_compare_it_says_so():
    report = check_gradients(Encoding(), np.array([1, 2, 5]))
    assert not report.ok and str(report).splitlines()[1:] == [
        "nothing to compare: no input and no parameter is an array of floats"
    ]
