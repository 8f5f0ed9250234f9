"""`backprop info`: what would compute here and why, and what could not and why not."""

import json
import platform
import re
import sys

import numpy as np
import pytest

pytest.importorskip("click")
pytest.importorskip("tqdm")

import backprop


@pytest.fixture
def facts(call, no_cupy):
    """Call `backprop info`; returns its facts by name."""

    def run(*arguments):
        ran = call("info", *arguments)
        assert (ran.code, ran.err) == (0, "")
        told = re.split(r"\n(?! )", ran.out.rstrip())
        return {fact.split()[0]: re.sub(r"\n +", " ", fact[10:]) for fact in told}

    return run


def test_every_fact_is_there(facts, tmp_path):
    told = facts()
    assert list(told) == [
        "backprop",
        "python",
        "active",
        "numpy",
        "cupy",
        "warm-up",
        "BLAS",
        "dtype",
        "data",
        "cache",
        "fashion",
    ]
    assert told["backprop"].startswith(f"{backprop.__version__} at ")
    assert told["python"].startswith(f"{platform.python_version()} on ")
    assert told["active"] == "numpy on cpu, the default"
    assert told["numpy"] == f"usable: numpy {np.__version__} on cpu"
    assert " thread" in told["BLAS"] or "threadpoolctl" in told["BLAS"]
    assert told["dtype"] == "float32"
    assert told["data"] == "BACKPROP_DATA_DIR is not set"
    assert told["cache"].startswith(str(tmp_path))
    assert told["fashion"] == told["cache"].replace(": missing", "/fashion-mnist: missing")


def test_lines_that_can_be_broken_fit_80_columns(call, no_cupy):
    ran = call("info")
    assert all(len(line) <= 80 or " " not in line[10:].strip() for line in ran.lines)
    assert any(line.startswith(" " * 10) for line in ran.lines), "what to do without CuPy takes several"


def test_a_narrow_terminal_has_narrow_lines(call, no_cupy, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    ran = call("info")
    assert all(len(line) <= 50 or " " not in line[10:].strip() for line in ran.lines)
    assert max(map(len, ran.lines)) > 40


def test_a_typo_in_a_variable_is_a_fact_beside_the_others(facts, monkeypatch):
    monkeypatch.setenv("BACKPROP_BACKEND", "nunpy")
    monkeypatch.setenv("BACKPROP_DTYPE", "float16")
    told = facts()
    assert told["active"].startswith("none: the environment variable BACKPROP_BACKEND=nunpy: backend must be")
    assert told["dtype"].startswith("none: the environment variable BACKPROP_DTYPE must be float32 or")
    assert told["numpy"].startswith("usable") and told["cache"]


def test_an_unusable_backend_says_why_and_what_to_do(facts):
    told = facts()["cupy"]
    assert told.startswith("not usable: CuPy is not installed; ")
    assert 'pip install "cupy-cuda12x[ctk]"' in told and told.endswith(", or --backend numpy")


def test_it_tells_what_the_variables_say(facts, monkeypatch, tmp_path):
    monkeypatch.setenv("BACKPROP_BACKEND", "auto")
    monkeypatch.setenv("BACKPROP_DTYPE", "float64")
    monkeypatch.setenv("BACKPROP_DATA_DIR", str(tmp_path))
    told = facts()
    assert told["active"].startswith(
        "numpy on cpu, the environment variable BACKPROP_BACKEND=auto: auto takes"
    )
    assert told["dtype"] == "float64"
    assert told["data"].startswith(f"BACKPROP_DATA_DIR={tmp_path}: ")


@pytest.mark.parametrize("way", ["option", "variable"])
def test_it_still_informs_where_the_backend_asked_for_is_missing(facts, monkeypatch, way):
    if way == "variable":
        monkeypatch.setenv("BACKPROP_BACKEND", "cupy")
    told = facts(*(["--backend", "cupy"] if way == "option" else []))
    assert told["active"].startswith('none: backend "cupy" cannot be used: CuPy is not installed')
    assert told["numpy"].startswith("usable")


def test_the_json_holds_the_same_facts(facts, tmp_path):
    file = tmp_path / "info.json"
    told = facts("--backend", "numpy", "--json", file)
    document = json.loads(file.read_text())
    assert document["command"] == "info" and document["info"] == told
    assert (document["backend"], document["backend_why"]) == ("numpy", "--backend")


def test_what_auto_took_is_told_once(call_outside, monkeypatch):
    monkeypatch.setenv("BACKPROP_BACKEND", "auto")
    ran = call_outside("info")
    assert (ran.code, ran.err) == (0, ""), "the line `active` says it; the logger need not"
    assert " ".join(ran.out.split()).count("auto takes") == 1


def test_it_runs_as_a_process(call_outside):
    ran = call_outside("info")
    assert (ran.code, ran.err) == (0, "")
    assert sys.version.split()[0] in ran.out
