"""`backprop check`: the gradient check as a table, and its verdict as the exit code."""

import json

import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

import backprop
from backprop.layers import ReLU

FAST = ("check", "--mode", "fast")


@pytest.mark.parametrize("method", ["complex", "central"])
def test_the_table_has_a_row_for_every_parameter_and_the_input(call, method):
    ran = call(*FAST, "--method", method)
    assert (ran.code, ran.err) == (0, "")
    title, header, *rows, verdict = ran.lines
    assert title.startswith("TwoLayerNet: backward against ")
    assert header.split()[:2] == ["array", "entries"]
    names_and_sizes = [row.split()[:2] for row in rows]
    assert names_and_sizes == [["W1", "39200"], ["b1", "50"], ["W2", "500"], ["b2", "10"], ["x", "2352"]]
    assert all(row.endswith(" ok") for row in rows)
    assert verdict == "all gradients agree"
    assert max(map(len, ran.lines)) <= 80


def test_every_entry_is_checked_by_the_complex_step_unless_told_otherwise(call, monkeypatch):
    check_gradients, asked = backprop.check_gradients, []

    def fast(*arguments, **options):
        asked.append((options["method"], options["mode"]))
        return check_gradients(*arguments, **options | {"mode": "fast"})

    monkeypatch.setattr(backprop, "check_gradients", fast)
    assert call("check").code == 0
    assert asked == [("complex", "full")]


def test_a_wrong_backward_fails_with_exit_code_1(call, monkeypatch):
    right = ReLU.backward
    monkeypatch.setattr(ReLU, "backward", lambda self, dout: right(self, dout) * 1.001)
    ran = call(*FAST)
    assert ran.code == 1 and ran.err == ""
    verdicts = {row.split()[0]: row.split()[-1] for row in ran.lines[2:7]}
    assert verdicts == {"W1": "WRONG", "b1": "WRONG", "W2": "ok", "b2": "ok", "x": "WRONG"}
    assert "all gradients agree" not in ran.out
    assert "W1 along a random direction: backward " in ran.out
    assert max(map(len, ran.lines)) <= 80


def test_a_nan_in_a_gradient_fails_too(call, monkeypatch, tmp_path):
    right = ReLU.backward
    monkeypatch.setattr(ReLU, "backward", lambda self, dout: right(self, dout) * float("nan"))
    file = tmp_path / "check.json"
    assert call(*FAST, "--json", file).code == 1
    report = json.loads(file.read_text())["report"]
    assert report["ok"] is False and report["arrays"][0]["backward"] is None


def test_the_json_holds_the_report(call, tmp_path):
    file = tmp_path / "check.json"
    assert call(*FAST, "--seed", 7, "--json", file).code == 0
    document = json.loads(file.read_text())
    assert document["command"] == "check" and document["backend"] == "numpy"
    settings = document["settings"]
    assert (settings["method"], settings["mode"], settings["seed"]) == ("complex", "fast", 7)
    report = document["report"]
    assert report["ok"] is True
    assert [array["name"] for array in report["arrays"]] == ["W1", "b1", "W2", "b2", "x"]
    assert all(array["max_difference"] <= array["limit"] for array in report["arrays"])


def test_a_seed_repeats_the_check(call):
    first, second, other = (call(*FAST, "--seed", seed).out for seed in (1, 1, 2))
    assert first == second != other


def test_the_help_tells_the_seed_that_is_used(call, tmp_path):
    file = tmp_path / "check.json"
    call(*FAST, "--json", file)
    seed = json.loads(file.read_text())["settings"]["seed"]
    shown = " ".join(call("check", "--help").out.split())
    assert f"[default: {seed}" in shown or f"seed {seed}" in call(*FAST).out


def test_it_runs_as_a_process(call_outside):
    ran = call_outside(*FAST, "--seed", 0)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[-1] == "all gradients agree"
