"""Tables drawn by what is hard about them: offset, spread, length, order; and where to cut them.

Plain strategies of floats hardly ever draw two numbers that are close to each other and far from
zero, which is where digits are lost.
"""

import numpy as np
from hypothesis import strategies as st

LARGEST, SMALLEST = 300, -290  # of the exponents of ten of a spread


@st.composite
def columns(draw, n_rows):
    """One column of numbers ``offset + spread * z``, as float64 rounds them."""
    exponent = draw(st.integers(-300, 300), label="offset 1e")
    ratio = draw(st.integers(-16, 16), label="offset / spread 1e")
    sign = draw(st.sampled_from([-1.0, 1.0]), label="sign")
    spread = 10.0 ** np.clip(exponent - ratio, SMALLEST, LARGEST)
    seed = draw(st.integers(0, 2**16), label="seed")
    order = draw(st.sampled_from(["drawn", "rising", "falling", "alternating"]), label="order")
    column = sign * 10.0**exponent + spread * np.random.default_rng(seed).standard_normal(n_rows)
    if order != "drawn":
        column = np.sort(column)
    if order == "falling":
        column = column[::-1]
    if order == "alternating":  # small, large, small, large: each batch straddles the mean
        column = np.where(np.arange(n_rows) % 2, column[::-1], column)
    return column


@st.composite
def tables(draw, max_columns=3, min_rows=1, max_rows=80):
    """Tables of float64, each column hard in its own way."""
    n_rows = draw(st.integers(min_rows, max_rows), label="rows")
    n_columns = draw(st.integers(1, max_columns), label="columns")
    return np.column_stack([draw(columns(n_rows)) for _ in range(n_columns)])


def cut_positions(n_rows, *, empty=False):
    """Ascending positions to cut rows at; with `empty`, also at the ends and twice."""
    inside = st.integers(0, n_rows) if empty else st.integers(1, max(1, n_rows - 1))
    several = st.lists(inside, max_size=8, unique=not empty).map(sorted)
    if n_rows == 1 and not empty:
        return st.just([])
    return several | st.sampled_from([list(range(1, n_rows)), []])
