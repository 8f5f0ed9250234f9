"""`python -m backends`: the table of formulas and their twins."""

import os
import subprocess
import sys

import pytest

import backends.cupy
import backends.numpy  # noqa: F401 - its twins, too
from backends import TWINS
from backends.__main__ import main, markdown, plain, rows

FORMULAS = {formula for _, formula in TWINS}


def test_there_is_a_row_for_each_formula_and_a_column_for_each_backend():
    head, *body = rows()
    assert head == ("formula", "numpy", "cupy")
    assert {formula for formula, *_ in body} == FORMULAS and len(body) == len(FORMULAS)
    cells = {formula: cells for formula, *cells in body}
    assert cells["Affine.compute"] == ["float32, float64: affine", "float32: affine, affine.cu"]
    assert cells["SoftmaxCrossEntropy.correct"][0] == ""


def test_the_plain_list_has_the_twins_below_their_formula(capsys):
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert printed == plain(rows()) + "\n"
    assert max(map(len, printed.splitlines())) <= 100
    (_, *names), *body = rows()
    for formula, *cells in body:
        lines = [f"    {name:5}  {cell}" for name, cell in zip(names, cells, strict=True) if cell]
        assert "\n".join([formula, *lines]) in printed
    assert len(printed.splitlines()) == len(FORMULAS) + len(TWINS)


def test_the_markdown_table_has_the_same_cells(capsys):
    assert main(["--markdown"]) == 0
    printed = capsys.readouterr().out
    assert printed == markdown(rows()) + "\n"
    head, rule, *body = (
        [cell.strip(" `") for cell in line[1:-1].split("|")] for line in printed.splitlines()
    )
    assert set(rule) == {"---"}
    assert [tuple(row) for row in (head, *body)] == rows()


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_help_names_the_option(capsys, option):
    assert main([option]) == 0
    printed, err = capsys.readouterr()
    assert printed.startswith("Usage: python -m backends") and "--markdown" in printed and err == ""


def test_another_argument_is_refused(capsys):
    assert main(["--html"]) == 2
    assert capsys.readouterr().err == "python -m backends: the only option is --markdown, got --html\n"


def test_a_reader_that_has_gone_ends_it_quietly():
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run([sys.executable, "-m", "backends"], stdout=write, stderr=subprocess.PIPE, timeout=60)
    os.close(write)
    assert (ran.returncode, ran.stderr) == (3, b"")


@pytest.mark.parametrize("option", ["", "--markdown"])
def test_it_needs_no_cupy(python, tmp_path, option):
    (tmp_path / "cupy.py").write_text("raise SystemExit('cupy is imported')")
    options = option.split()
    code = f"import runpy, sys; sys.argv[1:] = {options}; runpy.run_module('backends', run_name='__main__')"
    ran = python(code, tmp_path)
    assert ran.returncode == 0 and ran.stderr == ""
    assert all(formula in ran.stdout for formula in FORMULAS)
