"""The race to 97 % by JAX: one `lax.scan` over all steps, with products in full float32."""

from benchmarks.gpu_report.race import measure_race
from benchmarks.gpu_report.readings import SCAN
from benchmarks.gpu_report.rows import Recorder
from benchmarks.gpu_report.settings import Settings
from benchmarks.gpu_report.with_jax import why_not
from benchmarks.race import with_jax


class Scan(with_jax.Scan):
    name = SCAN

    def build(self) -> None:
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")  # the default on a GPU is TF32
        super().build()


def measure(record: Recorder, settings: Settings) -> None:
    if reason := why_not(settings.device):
        record("missing", "JAX", reason=reason)
        return
    measure_race(record, [Scan], settings)
