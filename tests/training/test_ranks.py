"""K ranks with batches of B / K train as one rank with batches of B; and what happens when one fails."""

import re
import time
from pathlib import Path

import numpy as np
import pytest
from mpi_runs import run_ranks

PROGRAM = Path(__file__).with_name("ranked_training.py")
TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
CASES = [
    *[f"{dtype} {name}" for dtype in TOLERANCE for name in ("sgd", "momentum", "adam")],
    *["float64 epochs momentum", "float64 held", "float64 recompute", "float64 own", "float64 sync norm"],
    "float64 stopped",
]


def trained(folder, count, case, *options, **kwargs):
    """Train on so many ranks; return the arrays of the result."""
    path = folder / f"{case}-{count}.npz"
    ran = run_ranks(PROGRAM, count, path, case, *options, **kwargs)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return dict(np.load(path))


def require_equal(one, other, tolerance):
    """Assert that two results are equal to rounding."""
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert values.shape == other[name].shape, name
        if values.dtype.kind == "f" and name != "seconds":
            assert np.abs(values - other[name]).max(initial=0) <= tolerance, name
        else:
            assert (values == other[name]).all(), name


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Return the results of one rank, each computed once."""
    folder, known = tmp_path_factory.mktemp("alone"), {}

    def of(case):
        if case not in known:
            known[case] = trained(folder, 1, case)
        return known[case]

    return of


@pytest.mark.parametrize("case", CASES)
def test_two_ranks_are_one(case, alone, tmp_path):
    require_equal(alone(case), trained(tmp_path, 2, case), TOLERANCE[case.split()[0]])


@pytest.mark.parametrize("count", [3, 4])
def test_more_ranks_are_one(count, alone, tmp_path):
    """With 3 ranks, 101 test samples are divided unequally."""
    require_equal(alone("float64 adam"), trained(tmp_path, count, "float64 adam"), TOLERANCE["float64"])


def test_each_rank_normalizes_its_own_share_unless_it_is_asked_not_to(alone, tmp_path):
    two = trained(tmp_path, 2, "float64 norm")
    difference = np.abs(two["params"] - alone("float64 norm")["params"]).max()
    assert 1e-6 < difference < 0.5
    assert np.abs(two["loss"] - alone("float64 norm")["loss"]).max() > 1e-6


def test_running_statistics_are_means_over_the_ranks(alone, tmp_path):
    """In the first pass, before the shares differ, the mean of both means is that of the batch."""
    one, two = alone("float64 norm"), trained(tmp_path, 2, "float64 norm")
    names = [name for name in one if "running_mean" in name]
    assert names
    for name in names:
        assert np.abs(two[name] - one[name]).max() < 0.1


def test_ranks_without_a_seed_take_that_of_the_first(tmp_path):
    """The program itself asserts that all ranks end with the same parameters and losses."""
    assert len(trained(tmp_path, 2, "float32 unseeded")["loss"]) == 100


@pytest.mark.parametrize(("first", "then"), [(2, 1), (1, 2), (2, 4)])
def test_a_run_resumes_on_another_number_of_ranks(first, then, alone, tmp_path):
    case, folder = "float64 momentum held", tmp_path / "checkpoints"
    env = {"FAULT": "raise", "RANK_AT_FAULT": "0"}
    ran = run_ranks(PROGRAM, first, tmp_path / "none.npz", case, folder, env=env)
    assert ran.returncode != 0 and "LookupError: planted by the test" in ran.stderr
    assert [path.name for path in sorted(folder.glob("*.safetensors"))][
        -1
    ] == "iteration-0000000040.safetensors"
    resumed = trained(tmp_path, then, f"{case} resume", folder)
    require_equal(alone(case), resumed, TOLERANCE["float64"])


@pytest.mark.parametrize("at", [0, 1])
def test_an_exception_on_one_rank_ends_all_and_names_it(at, tmp_path):
    begun = time.monotonic()
    env = {"FAULT": "raise", "RANK_AT_FAULT": str(at)}
    ran = run_ranks(PROGRAM, 3, tmp_path / "none.npz", "float32", env=env)
    assert ran.returncode != 0 and time.monotonic() - begun < 12
    assert f"RankFailed: rank {at}: LookupError: planted by the test" in ran.stderr
    assert not (tmp_path / "none.npz").exists()


def test_a_killed_rank_ends_all(tmp_path):
    begun = time.monotonic()
    env = {"FAULT": "kill", "RANK_AT_FAULT": "1", "TIMEOUT": "5"}
    ran = run_ranks(PROGRAM, 3, tmp_path / "none.npz", "float32", env=env)
    assert ran.returncode != 0 and time.monotonic() - begun < 12


def test_a_rank_that_hangs_is_named_after_the_timeout(tmp_path):
    begun = time.monotonic()
    env = {"FAULT": "stop", "RANK_AT_FAULT": "1", "TIMEOUT": "1"}
    ran = run_ranks(PROGRAM, 3, tmp_path / "none.npz", "float32", env=env)
    assert ran.returncode != 0 and time.monotonic() - begun < 15
    assert "rank 1: it does not answer, and it has waited 1 s for the others" in ran.stderr


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("other-data", "all ranks must be given the same training data, but rank 1 has other than rank 0"),
        (
            "other-rate",
            "all ranks must be given the same learning_rate, but rank 1 has other than rank 0, 0.2",
        ),
    ],
)
def test_ranks_must_have_the_same_data_and_settings(fault, message, tmp_path):
    env = {"FAULT": fault, "RANK_AT_FAULT": "1"}
    ran = run_ranks(PROGRAM, 2, tmp_path / "none.npz", "float32", env=env)
    assert ran.returncode != 0 and len(re.findall(re.escape(message), ran.stderr)) >= 2


def test_parameters_that_drift_apart_stop_the_run(tmp_path):
    env = {"FAULT": "drift", "RANK_AT_FAULT": "1"}
    ran = run_ranks(PROGRAM, 2, tmp_path / "none.npz", "float32", env=env)
    assert ran.returncode != 0
    assert "rank 1 and rank 0 have different parameters after 60 iterations" in ran.stderr
