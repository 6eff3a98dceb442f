"""Figures that nobody sees, and that leave nothing behind."""

import matplotlib
import pytest

matplotlib.use("Agg")

import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def nothing_is_left():
    before = matplotlib.rcParams.copy()
    yield
    plt.close("all")
    assert matplotlib.rcParams == before


@pytest.fixture
def rendered():
    """Draw the pixels of a display, without the search for a layout, which takes longer."""

    def render(display):
        display.figure_.set_layout_engine("none")
        display.figure_.canvas.draw()

    return render


@pytest.fixture
def ax():
    """Axes of a user's figure, which stays the only one."""
    _, ax = plt.subplots()
    yield ax
    assert plt.get_fignums() == [ax.figure.number]
