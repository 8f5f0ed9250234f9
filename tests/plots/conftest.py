"""Pictures are drawn where matplotlib is; its fonts are looked for before a test hides the home directory."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def matplotlib():
    """matplotlib, or a skip with the reason."""
    pytest.importorskip("matplotlib.font_manager", reason='no matplotlib; pip install -e ".[plot]"')


@pytest.fixture
def texts():
    """A function that returns everything that a figure says, as one string."""

    def of(figure):
        from matplotlib.text import Text

        return "\n".join(text.get_text() for text in figure.findobj(Text))

    return of
