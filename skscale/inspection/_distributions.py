"""Quantiles of features as boxes, of many features as bands."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from skscale._kernels import Array
from skscale.inspection._drawing import BLUE, ORANGE, VERMILLION

GROUPS = 100
"""Bands have at most so many steps: what is finer than a pixel shows nothing but its extremes."""

CROWDED = 100
"""Where values reach so many times farther than narrow features do, the axis is logarithmic."""


MOST = 1e15
"""How much farther than its linear middle a logarithmic axis reaches, at most."""


class Look(NamedTuple):
    """How boxes of some rows look."""

    label: str
    colour: str
    edge: str
    hatch: str
    marker: str


TRAIN = Look("training rows", BLUE, BLUE, "", "o")
NEW = Look("new rows", ORANGE, "white", "////", "s")


class Boxes(NamedTuple):
    """Artists of a row of boxes."""

    boxes: Any
    medians: Any


def draw_boxes(axis: Any, places: Array, values: Array, look: Look, height: float) -> Boxes:
    """Middle halves, medians, whiskers and ends; one box for each column of quantiles."""
    low, start, first, median, third, stop, high = values
    axis.use_sticky_edges = False  # the start of a box would take the margin that its marks need
    boxes = axis.barh(
        places,
        third - first,
        left=first,
        height=height,
        facecolor=look.colour,
        edgecolor=look.edge,
        hatch=look.hatch,
        label=look.label,
        zorder=2,
    )
    axis.hlines(places, start, stop, color=look.colour, zorder=1)
    ends = np.concatenate([low, high]), np.concatenate([places, places])
    axis.plot(*ends, linestyle="none", marker=look.marker, color=look.colour, markersize=3)
    sides = places - height / 2, places + height / 2
    medians = axis.vlines(median, *sides, color="black", linewidth=2, zorder=3)
    return Boxes(boxes, medians)


def draw_bands(axis: Any, values: Array) -> tuple[list[Any], Any]:
    """Bands of training rows, one within the other, and their median."""
    places, (low, start, first, median, third, stop, high) = grouped(values)
    bands = [
        axis.fill_betweenx(places, left, right, color=BLUE, alpha=alpha, linewidth=0, label=label)
        for left, right, alpha, label in (
            (low, high, 0.15, "minimum to maximum"),
            (start, stop, 0.35, "5 % to 95 %"),
            (first, third, 0.7, "25 % to 75 %"),
        )
    ]
    (line,) = axis.plot(median, places, color="black", linewidth=1.2, label="median")
    return bands, line


def draw_lines(axis: Any, values: Array) -> Any:
    """The median of new rows, and what 90 % of them are between."""
    places, (_, start, _, median, _, stop, _) = grouped(values)
    for edge, label in ((start, "new: 5 % to 95 %"), (stop, None)):
        axis.plot(edge, places, color=ORANGE, linewidth=1.2, linestyle="--", label=label)
    (line,) = axis.plot(
        median, places, color=VERMILLION, linewidth=1.5, linestyle=":", label="new: median"
    )
    return line


def grouped(values: Array) -> tuple[Array, Array]:
    """Quantiles of groups of neighbours, and where these are; without groups, if there are few.

    Parameters
    ----------
    values : array of shape (7, n_features)

    Returns
    -------
    places : array of shape (n_groups,)
    quantiles : array of shape (7, n_groups)
        Medians of the quantiles, the smallest minimum and the largest maximum; NaN of nothing.
    """
    n_features = values.shape[1]
    if n_features <= GROUPS:
        return np.arange(n_features), values
    places, quantiles = [], []
    for group in groups(n_features):
        part = values[:, group]
        part = part[:, ~np.isnan(part).any(axis=0)]
        found = np.full(len(values), np.nan)
        if part.shape[1]:
            found = np.median(part, axis=1)
            found[0], found[-1] = part[0].min(), part[-1].max()
        places.append(group.mean())
        quantiles.append(found)
    return np.array(places), np.array(quantiles).T


def groups(n_features: int) -> list[Array]:
    """Positions of neighbours, in groups of about one size."""
    return np.array_split(np.arange(n_features), min(GROUPS, n_features))


def set_scale(axis: Any, xscale: str, values: Array) -> None:
    """A linear axis, or one that is logarithmic on both sides of a linear middle."""
    axis.set_xlabel("value")
    narrow = _narrow(values)
    ends = np.abs(values[[1, 5]])
    reach = ends[np.isfinite(ends)].max(initial=0.0)
    narrow = max(narrow, reach / MOST)
    if xscale == "symlog" or (xscale == "auto" and reach > CROWDED * narrow):
        axis.set_xscale("symlog", linthresh=10.0 ** np.ceil(np.log10(narrow)))
        axis.xaxis.get_major_locator().set_params(numticks=6)
        axis.set_xlabel("value (symmetric logarithm)")


def _narrow(values: Array) -> float:
    """The spread of a narrow feature, narrower than nine of ten; 1 if none has any."""
    spread = values[5] - values[1]
    spread = spread[np.isfinite(spread) & (spread > 0)]
    return float(np.quantile(spread, 0.1)) if len(spread) else 1.0
