"""The notebook's cells about the GPU, on an emulated CuPy and, where there is one, on a real GPU.

The one in Japanese has the same code; tests/docs holds that.
"""

import functools
import json
import re
from pathlib import Path

import numpy as np
import pytest

import backprop

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tutorial" / "chapter5.ipynb"
STEPS = 3  # an emulated one takes a while


def cells():
    """The imports, and all cells after the heading of section 7."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    texts = [(cell["cell_type"], "".join(cell["source"])) for cell in notebook]
    (start,) = [i for i, (_, text) in enumerate(texts) if re.search(r"^## 7\.", text, re.MULTILINE)]
    code = [text for kind, text in texts[start:] if kind == "code"]
    return [next(text for kind, text in texts if kind == "code"), *code]


@pytest.mark.slow
def test_the_cells_run_on_a_gpu_and_say_so(cuda, monkeypatch, capsys):
    monkeypatch.setattr(backprop, "train", functools.partial(_few_steps, backprop.train))
    (x, t), _ = backprop.load_mnist_sample()
    names = {"x_train": x[:200], "t_train": t[:200], "x_test": x[:3]}
    imports, *code = cells()
    assert len(code) == 3
    exec(imports, names)
    for text in code:
        exec(text, names)
    assert names["device"] == "cupy" and names["there"].backend is cuda
    first, second = capsys.readouterr().out.splitlines()
    assert "GPU" in first and "CPU" not in first
    assert second.startswith("cupy ") and f" {STEPS} " in second
    assert len(names["on_device"].loss) == STEPS
    np.testing.assert_allclose(names["on_device"].loss, names["on_cpu"].loss, rtol=1e-5)


def _few_steps(train, *arguments, iterations, **options):
    return train(*arguments, iterations=STEPS, **{"batch_size": 10} | options)
