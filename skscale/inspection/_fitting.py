"""Text of a size, and names of a number, for which a panel has room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from textwrap import wrap
from typing import Any

import numpy as np

FEW = 30
"""Up to this many features each has a place, and a name, of its own."""

POINTS_PER_INCH = 72

LETTER = 0.52
"""Width of a letter of text, as part of its size."""

LINE = 1.6
"""Height of a line of text, as part of its size."""

SMALLEST = 6.5
"""Points of the smallest letters that can be read."""

LONGEST_NAME = 24
"""Characters of a name that are written beside an axis."""


def room(axis: Any) -> tuple[float, float]:
    """Points that a panel and what is around it have, before any layout: its width and height."""
    figure, spec = axis.figure, axis.get_subplotspec()
    inch = POINTS_PER_INCH / figure.dpi
    place, width, height = axis.get_position(), figure.bbox.width * inch, figure.bbox.height * inch
    if spec is not None:
        grid, place = figure.subplotpars, spec.get_position(figure)
        width, height = width / (grid.right - grid.left), height / (grid.top - grid.bottom)
    return width * place.width, height * place.height


def text_scale(axes: Sequence[Any], widths: Sequence[float], height: float) -> float:
    """How much smaller text is where panels are smaller than they like to be; at most 1.

    Parameters
    ----------
    axes : sequence of Axes
        The panels, beside each other.
    widths : sequence of float
        Widths that they like, in inches.
    height : float
        Height that they like, in inches.
    """
    rooms = np.array([room(axis) for axis in axes]) / POINTS_PER_INCH
    share = min(rooms[:, 0].sum() / sum(widths), rooms[:, 1].min() / height)
    return float(min(np.sqrt(share), 1.0))


def fit_text(axes: Sequence[Any], scale: float) -> None:
    """All text as small as panels ask for, and titles in lines that leave the neighbours alone."""
    for axis in axes:
        for text in _texts(axis):
            text.set_size(scaled(text.get_size(), scale))
        for which in "xy":
            axis.tick_params(axis=which, which="both", labelsize=tick_size(which, scale))
        title, width = axis.title, room(axis)[0]
        lines = title.get_text().split("\n")
        letters = max(int(width / (LETTER * title.get_size())), 8)
        title.set_text("\n".join(part for line in lines for part in wrap(line, letters)))


def _texts(axis: Any) -> Iterator[Any]:
    yield from (axis.title, axis.xaxis.label, axis.yaxis.label, *axis.texts)
    if (legend := axis.get_legend()) is not None:
        yield from (*legend.get_texts(), legend.get_title())


def scaled(size: float, scale: float) -> float:
    """Points of smaller text that can still be read."""
    return max(size * scale, min(size, SMALLEST))


def tick_size(which: str, scale: float) -> float:
    """Points of the labels of an axis."""
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    size = rcParams["xtick.labelsize" if which == "x" else "ytick.labelsize"]
    return scaled(float(FontProperties(size=size).get_size_in_points()), scale)


def letter_size(axis: Any, lines: Sequence[str], most: float = 11.0) -> float:
    """Points of letters that put lines over a panel, and not over its neighbours."""
    return min(max(room(axis)[0] / (LETTER * max(map(len, lines))), SMALLEST), most)


def name_rows(axis: Any, names: Sequence[Any], scale: float = 1.0) -> None:
    """Features from top to bottom: a name for each of few, their number for many."""
    axis.set_ylim(len(names) - 0.5, -0.5)
    if len(names) <= FEW:
        write_names(axis, names, scale)


def write_names(axis: Any, names: Sequence[Any], scale: float = 1.0) -> None:
    """Names beside rows; each k-th where all of them are too high for the panel when drawn."""
    from matplotlib.ticker import FixedLocator, FuncFormatter

    size = tick_size("y", scale)

    class Rows(FixedLocator):
        """Places of rows, as many as there is room for names when it is asked."""

        def __call__(self) -> Any:
            low, high = sorted(axis.get_ylim())
            height = axis.bbox.height * POINTS_PER_INCH / axis.figure.dpi
            height *= len(names) / max(high - low, 1)
            self.nbins = max(int(height / size), 1)
            return super().__call__()

    letters = int(0.6 * room(axis)[0] / (LETTER * size))
    texts = shortened(names, min(max(letters, 8), LONGEST_NAME))
    axis.tick_params(axis="y", labelsize=size)
    axis.yaxis.set_major_locator(Rows(range(len(names))))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda place, _: texts[int(place)]))


def shortened(names: Sequence[Any], most: int = LONGEST_NAME) -> list[str]:
    """Names of bounded length that differ, with nothing that matplotlib takes for a formula.

    Long ones keep their start and their end; those that are then equal are numbered.
    """
    texts = [_cut(str(name), most) for name in names]
    number, seen = Counter(texts), Counter[str]()
    for i, (name, text) in enumerate(zip(names, texts, strict=True)):
        if number[text] > 1 and text != str(name):
            seen[text] += 1
            mark = f" {seen[text]}"
            texts[i] = _cut(str(name), most - len(mark)) + mark
    return [text.replace("$", r"\$") for text in texts]


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    tail = (most - 1) // 2
    return f"{text[: most - 1 - tail]}…{text[len(text) - tail :]}"


def room_below(axes: Sequence[Any], n_lines: int, size: float) -> None:
    """Lengthen upright axes, so that a legend of so many lines covers nothing."""
    height = 0.7 * min(room(axis)[1] for axis in axes)  # the rest is titles and labels
    share = min((n_lines + 1) * LINE * size / height, 0.5)
    for axis in axes:
        bottom, top = axis.get_ylim()
        if bottom - top > FEW:  # no names
            axis.set_yticks([tick for tick in axis.get_yticks() if top <= tick <= bottom])
        axis.set_ylim(bottom + (bottom - top) * share / (1 - share), top)
