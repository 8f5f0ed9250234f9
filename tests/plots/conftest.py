"""Tests of pictures need matplotlib, which finds its fonts before a test hides the home directory."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def matplotlib():
    """Skip without matplotlib, with the reason."""
    pytest.importorskip("matplotlib.font_manager", reason='no matplotlib; pip install -e ".[plot]"')


@pytest.fixture
def texts():
    """Return a function that returns all texts of a figure as one string."""

    def of(figure):
        from matplotlib.text import Text

        return "\n".join(text.get_text() for text in figure.findobj(Text))

    return of
