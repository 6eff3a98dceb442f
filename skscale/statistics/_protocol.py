"""The law every statistic keeps, and the parts all statistics share.

    of(a ++ b) == of(a).merge(of(b))        up to rounding, wherever the rows are cut
    of(no rows) is the identity             on both sides

Merging is associative and keeps the order of the rows; nothing may rely on swapping them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Protocol, Self, TypeVar, dataclass_transform, runtime_checkable

import numpy as np
from scipy import sparse

from skscale._kernels import Array, Elsewhere, as_rows
from skscale.errors import IncompatibleStatisticError, SampleWeightError
from skscale.statistics import _bytes


@runtime_checkable
class Statistic(Protocol):
    """What rows leave behind: small, immutable, mergeable.

    Attributes
    ----------
    total : float
        Sum of the weights of the rows: their number where no weights were given.
    n_features : int
        Number of columns.
    """

    @property
    def total(self) -> float: ...

    @property
    def n_features(self) -> int: ...

    @classmethod
    def of(cls, rows: Any, weights: Any = None) -> Self:
        """Measure rows of shape (n_rows, n_features)."""
        ...

    def merge(self, later: Self) -> Self:
        """Statistic of these rows followed by the `later` ones."""
        ...


Record = TypeVar("Record")


@dataclass_transform(frozen_default=True)
def frozen(cls: type[Record]) -> type[Record]:
    """Make a class of arrays and numbers a statistic's record.

    A frozen dataclass whose arrays are read-only, also after unpickling; compared by value,
    bit for bit; whose `merge` takes its own kind and width only; which travels as bytes.

    A method ``_faults()`` yields what does not hold of a record, in words; bytes that say so are
    refused. It may rely on the types of the fields, and on what it has yielded before.
    """
    record: Any = cls
    merge = record.merge

    @functools.wraps(merge)
    def guarded(self: Any, later: Any) -> Any:
        if type(later) is not record:
            raise IncompatibleStatisticError(
                f"{cls.__name__} merges with {cls.__name__} only; got {type(later).__name__}."
            )
        if later.n_features != self.n_features:
            raise IncompatibleStatisticError(
                f"{cls.__name__} of {self.n_features} features cannot be merged with one "
                f"of {later.n_features} features."
            )
        return merge(self, later)

    record.merge = guarded
    record.__post_init__ = _seal
    record.__reduce__ = _reduce
    record.__eq__ = _equal
    record.__hash__ = None
    record.__repr__ = _represent
    record.to_bytes, record.from_bytes = to_bytes, classmethod(from_bytes)
    record._faults = getattr(record, "_faults", _no_faults)
    _bytes.KINDS[cls.__name__] = record
    return dataclass(frozen=True, eq=False, repr=False)(cls)


def to_bytes(self: Any) -> bytes:
    """Write the statistic as bytes, to be sent or stored.

    Returns
    -------
    data : bytes
        The same for the same numbers, on any machine. They begin with a version and a checksum,
        and hold a few hundred bytes besides the numbers.

    Raises
    ------
    StatisticBytesError
        For numbers that no rows leave behind, and weights that sum up to more than 1e60 or less
        than 1e-60.

    Notes
    -----
    The bytes say what the statistic says: see the guide to sharing for what that discloses. The
    checksum tells damage. It does not tell who wrote them: sign them where that matters.
    """
    return _bytes.write(self)


def from_bytes(cls: Any, data: bytes | bytearray | memoryview) -> Any:
    """Read the statistic that `to_bytes` wrote, bit for bit.

    Parameters
    ----------
    data : bytes, bytearray or memoryview
        From anywhere: nothing is run, and no more memory taken than a few times their size.

    Returns
    -------
    statistic : object
        Of this kind.

    Raises
    ------
    StatisticBytesError
        For bytes that were cut off or damaged, or are of another version; and for numbers that
        no rows leave behind, whatever their checksum.
    IncompatibleStatisticError
        For the bytes of another kind of statistic.
    """
    return _bytes.read(data, cls)


def _no_faults(self: Any) -> Iterator[str]:
    return iter(())


def _seal(self: Any) -> None:
    record = vars(self)  # frozen to others
    for name, value in record.items():
        if isinstance(value, np.ndarray) and (value.flags.writeable or not value.flags.owndata):
            record[name] = read_only(np.array(value))


def read_only(array: Array) -> Array:
    """The array itself, which a record then keeps without a copy: for one that nobody else has."""
    array.setflags(write=False)
    return array


def _values(self: Any) -> tuple[Any, ...]:
    return tuple(getattr(self, field.name) for field in fields(self))


def _reduce(self: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    return type(self), _values(self)


def _equal(self: Any, other: Any) -> bool:
    if type(other) is not type(self):
        return NotImplemented
    return all(
        np.array_equal(mine, theirs, equal_nan=True)
        if isinstance(mine, np.ndarray)
        else mine == theirs
        for mine, theirs in zip(_values(self), _values(other), strict=True)
    )


def _represent(self: Any) -> str:
    return f"{type(self).__name__}(total={self.total:g}, n_features={self.n_features})"


def arrange(rows: Any, weights: Any, elsewhere: bool = False) -> tuple[Any, Array | None]:
    """Rows and weights as the kernels take them, the values not looked at.

    Parameters
    ----------
    rows : array of shape (n_rows, n_features), dense or CSR/CSC
        Real numbers.
    weights : array of shape (n_rows,), or None
        Non-negative. Rows of weight zero are left out: they are rows that are not there.
    elsewhere : bool, default=False
        Whether the kernel takes rows that are `Elsewhere` than in one array.

    Returns
    -------
    rows : array of shape (n_weighted_rows, n_features), WideRows, Elsewhere, or sparse
    weights : array of shape (n_weighted_rows,) or None

    Raises
    ------
    SampleWeightError, ValueError
    """
    if not sparse.issparse(rows):
        if not (elsewhere and isinstance(rows, Elsewhere)):
            rows = as_rows(rows)
        if rows.ndim != 2:
            raise ValueError(
                f"rows must be of shape (n_rows, n_features); got {rows.ndim} dimension(s)"
            )
    if weights is not None:
        weights = np.asarray(weights, dtype=np.float64)
        if weights.shape != (rows.shape[0],):
            raise SampleWeightError(
                f"weights must be of shape ({rows.shape[0]},), one per row; got {weights.shape}"
            )
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise SampleWeightError("weights must be finite and not negative")
        if not weights.all():
            rows, weights = rows[weights > 0], weights[weights > 0]
    return rows, weights


def arrange_dense(rows: Any, weights: Any, elsewhere: bool = False) -> tuple[Any, Array | None]:
    """As `arrange`; sparse rows become dense.

    For statistics whose kernels see for themselves that a value is missing, and refuse it.
    """
    return arrange(rows.toarray() if sparse.issparse(rows) else rows, weights, elsewhere)
