"""The job by backprop on NumPy: the reference for the losses and accuracy of all others."""

from benchmarks.gpu_report.job import measure_job
from benchmarks.gpu_report.ours import Eager
from benchmarks.gpu_report.problem import job_problem
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings


class OnNumpy(Eager):
    name = "ours on NumPy"


def measure(record: Recorder, settings: Settings) -> None:
    measure_job(record, OnNumpy, job_problem(settings), "cpu", rounds=1)
