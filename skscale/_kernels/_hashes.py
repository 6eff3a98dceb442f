"""Hashes of rows: equal for equal numbers, in any dtype, container and order in memory.

A row is the sum, modulo 2**64, of its mixed bit patterns times random odd multipliers, one for
each column (Dietzfelbinger 1996), and a last scramble. Zero adds nothing, so sparse rows hash by
what they store.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from skscale._kernels._columns import chunks
from skscale._kernels._exact import Array, Rows, WideRows, leading

MISSING = np.float64(np.nan).view(np.uint64) & np.uint64(0x7FFFFFFFFFFFFFFF)
"""The bits that every NaN is given."""


def multipliers(key: int, n_columns: int) -> Array:
    """Random odd numbers, shape (2, n_columns): for numbers, and for what float64 rounds off them.

    Those of a column do not depend on how many columns there are.
    """
    drawn = np.random.PCG64(key).random_raw(2 * n_columns).astype(np.uint64)
    return np.ascontiguousarray(drawn.reshape(n_columns, 2).T) | np.uint64(1)


def row_hashes(rows: Rows, keys: Array) -> Array:
    """One unsigned 64-bit number for every row.

    Parameters
    ----------
    rows : array of shape (n_rows, n_columns), WideRows or sparse
        Numbers. ``-0.0`` is ``0.0``, and every NaN is the same.
    keys : array of shape (2, n_columns), uint64
        From `multipliers`.

    Notes
    -----
    Over random keys, two different rows are taken for equal with a probability of at most 2**-48,
    and of 2**-60 or so if the numbers are not mostly round.
    """
    if sparse.issparse(rows):
        return scramble(_sparse_sums(rows, keys[0]))
    sums = _sums(leading(rows), keys[0])
    if isinstance(rows, WideRows):
        sums += _sums(rows.low, keys[1])
    return scramble(sums)


def low_hashes(rows: Rows, keys: Array, bound: np.uint64) -> tuple[Array, Array]:
    """Numbers of the rows with a hash up to a bound, ascending, and these hashes."""
    hashes = row_hashes(rows, keys)
    numbers = np.flatnonzero(hashes <= bound)
    return numbers, hashes[numbers]


def scramble(hashes: Array) -> Array:
    """A bijection of 64-bit numbers whose every output bit depends on every input bit.

    The finalizer of MurmurHash3 (Appleby 2011).
    """
    hashes = hashes ^ (hashes >> np.uint64(33))
    hashes *= np.uint64(0xFF51AFD7ED558CCD)
    hashes ^= hashes >> np.uint64(33)
    hashes *= np.uint64(0xC4CEB9FE1A85EC53)
    hashes ^= hashes >> np.uint64(33)
    return hashes


def _sums(rows: Array, keys: Array) -> Array:
    n_rows, n_columns = rows.shape
    sums = np.zeros(n_rows, dtype=np.uint64)
    if n_rows == 0:
        return sums
    for part, memory in chunks(n_rows, n_columns):
        values = np.add(rows[part], 0.0, out=memory, dtype=np.float64)  # -0.0 becomes 0.0
        sums[part] = _mixed(values) @ keys
    return sums


def _mixed(values: Array) -> Array:
    """Bit patterns whose differences are not all in the high bits, made in place.

    Small integers have zeros in nearly all low bits, which a product modulo 2**64 keeps.
    """
    bits = values.view(np.uint64)
    np.copyto(bits, MISSING, where=np.isnan(values))
    bits ^= bits >> np.uint64(32)
    bits ^= bits >> np.uint64(16)
    return bits


def _sparse_sums(rows: Any, keys: Array) -> Array:
    rows = rows.tocsr()
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    bits = _mixed(np.add(rows.data, 0.0, dtype=np.float64))
    return sparse.csr_array((bits, rows.indices, rows.indptr), shape=rows.shape) @ keys
