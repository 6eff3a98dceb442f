"""Error-free arithmetic, and the rows it is done with.

Sums keep their rounding error; integers wider than float64 are two floats each.

References
----------
Dekker, T. J. (1971). A floating-point technique for extending the available precision.
Numerische Mathematik 18, 224-242. Knuth, D. E. (1969). The Art of Computer Programming 2,
section 4.2.2.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

EXACT_INTEGER = 2**53
"""Up to this magnitude float64 holds every integer."""


def two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """Sum of `a` and `b` and its rounding error, exactly: ``a + b == high + low``."""
    high = a + b
    part = high - a
    low = (a - (high - part)) + (b - part)
    return high, low


@dataclass(frozen=True, eq=False)
class WideRows:
    """Rows holding integers that float64 rounds, as the unevaluated sum ``high + low``."""

    high: Array
    low: Array

    @classmethod
    def of_integers(cls, rows: Array) -> WideRows:
        """Split 64-bit integers after bit 32: both halves are exact in float64."""
        high = (rows >> 32).astype(np.float64) * 2.0**32
        low = (rows & rows.dtype.type(0xFFFFFFFF)).astype(np.float64)
        return cls(*two_sum(high, low))

    @property
    def shape(self) -> tuple[int, ...]:
        return self.high.shape

    @property
    def ndim(self) -> int:
        return self.high.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.high.dtype

    def __len__(self) -> int:
        return len(self.high)

    def __getitem__(self, rows: Any) -> WideRows:
        return WideRows(self.high[rows], self.low[rows])


Rows = Array | WideRows


@dataclass(frozen=True, eq=False)
class Elsewhere(ABC):
    """Rows that are not one array, for kernels that can read them where they are.

    To all others they are an array as soon as numpy is asked for one, as `as_rows` does. Rows by a
    number, or by a slice, are those of that array, without the copy of all.

    Parameters
    ----------
    together : callable
        To the array, a copy.
    """

    together: Callable[[], Array]

    @cached_property
    def whole(self) -> Array:
        """The rows as one array."""
        return self.together()

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]: ...

    @property
    def ndim(self) -> int:
        return 2

    def __len__(self) -> int:
        return self.shape[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.whole if dtype is None else self.whole.astype(dtype, copy=False)

    @abstractmethod
    def __getitem__(self, rows: Any) -> Array: ...


@dataclass(frozen=True, eq=False)
class Picked(Elsewhere):
    """Rows from all over an array.

    Parameters
    ----------
    source : array of shape (n_source_rows, n_columns)
        Float32 or float64, in C order.
    numbers : integer array of shape (n_rows,)
        Row numbers that there are.
    """

    source: Array
    numbers: Array

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.numbers), self.source.shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.source.dtype

    def __getitem__(self, rows: Any) -> Array:
        return self.source[self.numbers[rows]]


@dataclass(frozen=True, eq=False)
class Columns(Elsewhere):
    """Rows whose columns lie apart in memory.

    Parameters
    ----------
    pieces : list of lists of arrays of shape (n_rows_of_piece,)
        Some of the rows each, one array for every column. All are float32 or all float64, in
        order and not empty; there is at least one.
    """

    pieces: list[list[Array]]

    @property
    def shape(self) -> tuple[int, int]:
        return sum(len(piece[0]) for piece in self.pieces), len(self.pieces[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.pieces[0][0].dtype

    def column(self, number: int) -> Array:
        """One column, in order; a copy if it is in several pieces."""
        parts = [piece[number] for piece in self.pieces]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def __getitem__(self, rows: Any) -> Array:
        if isinstance(rows, int) and rows >= 0:
            return self[rows : rows + 1][0]
        if not isinstance(rows, slice) or (rows.step or 1) < 0:
            return self.whole[rows]
        start, stop, step = rows.indices(len(self))
        parts, begin = [], 0
        for piece in self.pieces:
            end = begin + len(piece[0])
            first = start + max(0, -(-(begin - start) // step)) * step - begin
            some = slice(first, max(0, min(stop, end) - begin), step)
            parts.append([column[some] for column in piece])
            begin = end
        return np.concatenate([np.array(part) for part in parts], axis=1).T


def as_rows(rows: Any) -> Rows:
    """Real numbers of any dtype as float32, float64 or `WideRows`; floats are not copied."""
    if isinstance(rows, WideRows):
        return rows
    rows = np.asarray(rows)
    if rows.dtype in (np.float64, np.float32) and rows.dtype.isnative:
        return rows
    if is_wide(rows):
        return WideRows.of_integers(rows.astype(rows.dtype.newbyteorder("="), copy=False))
    if rows.dtype.kind not in "iubf":
        raise TypeError(f"rows must be real numbers; got an array of dtype {rows.dtype}")
    with np.errstate(over="ignore"):  # longdouble beyond float64 becomes inf, and is refused
        return rows.astype(np.float64)


def leading(rows: Rows) -> Array:
    """The float part of rows: all of them, or the high part of wide integers."""
    return rows.high if isinstance(rows, WideRows) else rows


def first_row(rows: Rows | Elsewhere) -> tuple[Array, Array | None]:
    """First row in float64, and the low part of wide integers."""
    if isinstance(rows, WideRows):
        return rows.high[0], rows.low[0]
    return rows[0].astype(np.float64), None


def narrow(rows: Rows) -> Array:
    """Rows as one array of floats, integers that float64 cannot hold rounded to it."""
    return rows.high + rows.low if isinstance(rows, WideRows) else rows


def is_wide(values: Array) -> bool:
    """Whether `values` holds integers that float64 cannot hold."""
    return bool(
        values.dtype.kind in "iu"
        and values.dtype.itemsize == 8
        and values.size
        and (values.max() > EXACT_INTEGER or values.min() < -EXACT_INTEGER)
    )


def subtract(
    rows: Rows,
    high: Array,
    low: Array | None = None,
    exponent: Array | None = None,
    out: Array | None = None,
) -> Array:
    """``(rows - (high + low)) * 2**-exponent`` in float64, rounded once where it cancels.

    With `exponent` everything is scaled before it is subtracted, so that differences of
    the largest floats do not overflow.
    """
    if exponent is not None:
        down = -exponent
        high, low = np.ldexp(high, down), None if low is None else np.ldexp(low, down)
        if isinstance(rows, WideRows):
            rows = WideRows(np.ldexp(rows.high, down), np.ldexp(rows.low, down))
        else:
            rows = np.ldexp(rows.astype(np.float64, copy=False), down)
    if isinstance(rows, WideRows):
        difference, error = two_sum(rows.high, -high)
        return difference + (error + (rows.low if low is None else rows.low - low))
    difference = np.subtract(rows, high, out=out, dtype=np.float64)
    if low is not None and low.any():
        difference -= low
    return difference
