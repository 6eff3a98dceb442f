"""Rows from all over a table, side by side."""

from __future__ import annotations

import numpy as np

from skscale._kernels._exact import Array


def gather(source: Array, rows: Array, out: Array) -> None:
    """Copy rows by number.

    Parameters
    ----------
    source : array of shape (n_rows, n_columns)
        In C order.
    rows : integer array of shape (n_gathered,)
        Row numbers that there are.
    out : array of shape (n_gathered, n_columns)
        In C order, of the dtype of `source`.
    """
    # Clipping numbers that are in range lets numpy write to `out` directly.
    np.take(source, rows, axis=0, out=out, mode="clip")
