"""All tables of the model."""

from backprop.reporting.tables import table
from benchmarks.convolution.report import markdown
from benchmarks.ranks.fitted import fitted, mean_rows, measured, step_rows
from benchmarks.ranks.predicted import bucket_rows, gpu_rows


def show(as_markdown: bool) -> str:
    """Return all tables, as the page embeds them."""
    data, form = measured(), markdown if as_markdown else table
    link, steps = fitted(data)
    lines = [f"between two ranks: {link.bandwidth / 1e9:.1f} GB/s, {link.latency * 1e6:.1f} µs a message"]
    lines += [
        f"hidden {hidden}: {each.fixed * 1e3:.3f} ms a step + {each.per_sample * 1e6:.1f} µs a sample"
        for hidden, each in steps.items()
    ]
    gpu = ("", "GPUs", "compute, µs", "all-reduce, µs", "step, µs", "speed-up")
    parts = (
        (("fitted to this machine", ""), [tuple(each.split(": ")) for each in lines]),
        (("floats", "measured, µs", "model, µs", "off by"), mean_rows(data)),
        (("", "ranks", "measured, ms", "model, ms", "off by", "speed-up", "of the model"), step_rows(data)),
        (gpu, gpu_rows(weak=False)),
        (gpu, gpu_rows(weak=True)),
        (
            ("", "GPUs", "both passes, µs", "all-reduce, µs", "left, µs", "saved, µs", "of the step"),
            bucket_rows(),
        ),
    )
    return "\n\n".join(form(header, rows) for header, rows in parts) + "\n"
