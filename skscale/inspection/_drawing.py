"""What all displays share: matplotlib on request, panels and colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skscale._words import counted
from skscale.errors import InfiniteValueError, InvalidParameterError, MissingDependencyError
from skscale.inspection._fitting import room

BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, YELLOW, GREY = "#56B4E9", "#F0E442", "#D9D9D9"
"""Colours that the colour-blind tell apart (Okabe and Ito 2008)."""


def require_matplotlib(display: str) -> Any:
    """The module `matplotlib.pyplot`.

    Raises
    ------
    MissingDependencyError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingDependencyError(
            f'{display} draws with matplotlib, which is not installed: pip install "skscale[plots]"'
        ) from error
    return plt


def panels(
    display: Any, ax: Any, widths: Sequence[float], height: float, gap: float = 14.0
) -> list[Any]:
    """Axes beside each other; `figure_`, `axes_` and `ax_` of the display are set.

    Parameters
    ----------
    display : object
        What is drawn.
    ax : Axes, array-like of Axes or None
        Axes to divide, or to draw in as they are; None makes a figure.
    widths : sequence of float
        Widths of the panels, in inches for a figure that is made.
    height : float
        Of the figure, in inches.
    gap : float, default=14.0
        Points between panels, where the figure has no layout engine to find out.

    Raises
    ------
    InvalidParameterError
        For another number of Axes, and for Axes that cannot be divided.
    """
    name = type(display).__name__
    plt = require_matplotlib(name)
    display.bounding_ax_ = None
    if ax is None:
        figure = plt.figure(figsize=(sum(widths), height), layout="constrained")
        grid = figure.add_gridspec(1, len(widths), width_ratios=widths)
    elif isinstance(ax, plt.Axes) and len(widths) > 1:
        figure, spec = ax.figure, ax.get_subplotspec()
        if spec is None or not ax.axison:
            raise InvalidParameterError(
                f"{name} draws {len(widths)} panels, and ax "
                + ("is in use by another display" if spec is not None else "is of no subplot grid")
                + f". Pass axes of plt.subplots(), or {len(widths)} of them."
            )
        ax.set_axis_off()
        display.bounding_ax_ = ax
        grid = spec.subgridspec(1, len(widths), width_ratios=widths, wspace=_space(ax, widths, gap))
    else:
        given = np.asarray(ax, dtype=object).ravel()
        if len(given) != len(widths) or not all(isinstance(each, plt.Axes) for each in given):
            raise InvalidParameterError(
                f"ax must be one matplotlib Axes, {len(widths)} of them or None for {name}. "
                f"Got {ax!r} instead."
            )
        display.figure_, display.axes_, display.ax_ = given[0].figure, given, given[0]
        return list(given)
    axes = [figure.add_subplot(cell) for cell in grid]
    display.figure_, display.axes_, display.ax_ = figure, np.array(axes, dtype=object), axes[0]
    return axes


def _space(ax: Any, widths: Sequence[float], gap: float) -> float:
    """Space between panels, as part of their width.

    A constrained layout takes it for a part of the figure, and adds it to what labels take: there
    it is next to nothing.
    """
    engine = ax.figure.get_layout_engine()
    if engine is not None and not engine.adjust_compatible:
        return 0.02
    mean = max(room(ax)[0] / len(widths) - gap, gap)
    return gap / mean


def check_finite(display: str, numbers: Any) -> None:
    """Refuse squares that float64 cannot hold, which no axis can either.

    Raises
    ------
    InfiniteValueError
    """
    if not np.isfinite(numbers).all():
        raise InfiniteValueError(
            f"{display} cannot draw variances beyond the range of float64, 1.8e308, and there are "
            "some. Measure the columns in larger units, such as by StandardScaler, first."
        )


def percent(share: float) -> str:
    """A share in words that does not round something to nothing."""
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.{0 if share in (0, 1) else 1}f} %"


def plural(number: int, noun: str) -> str:
    """A number with its noun, and a comma between thousands."""
    return counted(number, noun, ",")
