"""The files around the code say what holds: versions, the Pythons that are tested, names in the code."""

import os
import re
import tomllib
from pathlib import Path
from runpy import run_path

import pytest

import backprop

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOW, CHANGELOG, CITATION, CONTRIBUTING, EXAMPLES = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in (
        ".github/workflows/ci.yml",
        "CHANGELOG.md",
        "CITATION.cff",
        "CONTRIBUTING.md",
        "examples/README.md",
    )
)


def test_the_version_is_the_same_everywhere():
    version = PROJECT["project"]["version"]
    released = re.findall(r"^## \[([\d.]+)\] - (\d{4}-\d\d-\d\d)$", CHANGELOG, re.MULTILINE)
    assert backprop.__version__ == version
    assert released[0][0] == version and f"\nversion: {version}\n" in CITATION
    assert f"\ndate-released: {released[0][1]}\n" in CITATION


def test_the_changelog_has_the_form_that_it_names():
    headings = re.findall(r"^## (.*)$", CHANGELOG, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", heading) for heading in headings[1:])
    kinds = re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE)
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_workflow_runs_the_pythons_that_are_promised():
    (matrix,) = re.findall(r"python-version: \[(.*)\]", WORKFLOW)
    minors = [int(minor) for minor in re.findall(r'"3\.(\d+)"', matrix)]
    classifiers = [
        int(name.rpartition(".")[2])
        for name in PROJECT["project"]["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", name)
    ]
    assert minors == classifiers == list(range(minors[0], minors[-1] + 1))
    assert PROJECT["project"]["requires-python"] == f">=3.{minors[0]}"


def test_the_workflow_is_pinned_and_may_only_read():
    used = re.findall(r"uses: (.*)", WORKFLOW)
    assert used and all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action) for action in used)
    assert "\npermissions:\n  contents: read\n\n" in WORKFLOW and WORKFLOW.count("permissions:") == 1
    assert "- run: .ci/run" in WORKFLOW and os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_development_group_is_the_extras():
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*extras["test"], *(name for name in extras["dev"] if not name.startswith("backprop-xp"))]
    assert PROJECT["dependency-groups"]["dev"] == wanted


def test_the_yaml_files_can_be_read():
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    files = [*(ROOT / ".github").rglob("*.yml"), ROOT / ".pre-commit-config.yaml", ROOT / "CITATION.cff"]
    read = {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in files}
    assert all(read.values())
    fields = read["gradient_is_called_wrong.yml"]["body"]
    identifiers = [field["id"] for field in fields if field["type"] != "markdown"]
    assert len(set(identifiers)) == len(identifiers) == len(fields) - 1


def test_the_list_of_examples_has_all_of_them():
    files = {path.name for path in (ROOT / "examples").glob("*.py")}
    assert set(re.findall(r"\]\((\w+\.py)\)", EXAMPLES)) == files


def test_what_contributing_says_of_files_holds():
    for file, name in {
        "backprop/cli/check_cases.py": "CASES",
        "tests/layers/test_contract.py": "MAKE",
        "tests/backends/test_twins.py": "LAYERS",
        "tests/backends/test_cuda_kernels.py": "MUTANTS",
        "benchmarks/bench_twins.py": "CASES",
        "backends/cupy/launch.py": "SOURCES",
        "backends/registry.py": "_CLASSES",
        "backends/testing.py": "BACKENDS",
    }.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        assert re.search(rf"^{name}\b", text, re.MULTILINE), f"{file} has no {name}"
        assert file in CONTRIBUTING, file
        assert name in CONTRIBUTING or name == "CASES", name


def test_the_house_that_contributing_draws_is_the_one_that_is_tested():
    (house,) = re.findall(r"```text\n(floor 6.*?)```", CONTRIBUTING, re.DOTALL)
    lines = {line[:8].strip(): line for line in house.splitlines() if line.startswith("floor")}
    for part, floor in run_path(str(ROOT / "tests" / "test_floors.py"))["FLOORS"].items():
        if floor in range(7) and part != "backprop.start":
            names = re.findall(r"\w+", lines[f"floor {floor}"])
            assert part.rpartition(".")[2] in names, part
