"""Tables of Dask: rows in chunks that are there when somebody computes them."""

from __future__ import annotations

import pickle
import re
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from math import isnan
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from skscale._kernels import Array
from skscale._tables._write import import_library
from skscale.errors import InvalidParameterError, MissingDependencyError, SampleWeightError

OLDEST = (2025, 5)
"""Version of Dask; earlier ones hand what is `Delayed` to partitions of frames as it is."""

CHUNKS_UNKNOWN = (
    "X.compute_chunk_sizes() finds them for an array, and for a frame "
    "X.to_dask_array(lengths=True) gives an array that has them."
)


def is_lazy(X: Any) -> bool:
    """Whether `X` is a collection of Dask, of any kind: rows that are not there yet."""
    dask = sys.modules.get("dask.base")
    return dask is not None and type(X) is not np.ndarray and dask.is_dask_collection(X)


def refuse_lazy(X: Any, name: str = "X") -> None:
    """Ask for rows in memory, of an argument of that name.

    Raises
    ------
    TypeError
    """
    if is_lazy(X):
        raise TypeError(
            f"{name} is a Dask {type(X).__name__}, whose rows are not here, and this takes rows in "
            f"memory. Pass {name}.compute(), or one partition after the other."
        )


def sample_of(X: Any) -> Any:
    """What stands for a table where only its columns matter: itself, if its rows are there."""
    return open_lazy(X).sample if is_lazy(X) else X


class LazyTable(NamedTuple):
    """A table in chunks of rows, all of which have all columns.

    Parameters
    ----------
    source : Dask array or DataFrame
        What the caller gave, brought to one chunk of columns.
    sample : array, sparse array or pandas DataFrame
        A row or two of any values, with the columns and dtypes of all rows; none if it is known
        that there are none.
    lengths : tuple of int, or None
        Rows of every chunk, where they are known.
    """

    source: Any
    sample: Any
    lengths: tuple[int, ...] | None

    @property
    def n_rows(self) -> int | None:
        return None if self.lengths is None else sum(self.lengths)

    @property
    def n_chunks(self) -> int:
        return int(self.source.npartitions)


def open_lazy(X: Any) -> LazyTable:
    """Look at the metadata of a Dask array or DataFrame; nothing is computed.

    Raises
    ------
    TypeError
        Another collection, or chunks of another library.
    ValueError
        Not two-dimensional, or of an unknown number of columns.
    MissingDependencyError
        A Dask that is too old.
    """
    _check_version()
    kind = f"{type(X).__module__.partition('.')[0]} {type(X).__name__}"
    arrays, frames = sys.modules.get("dask.array"), sys.modules.get("dask.dataframe")
    if arrays is not None and isinstance(X, arrays.Array):
        return _open_array(X)
    if frames is not None and isinstance(X, frames.DataFrame):
        return _open_frame(X)
    if frames is not None and isinstance(X, frames.Series):
        raise ValueError(
            "Expected 2D array, got 1D array instead: a Dask Series. Pass X.to_frame() if it is "
            "the only column."
        )
    raise TypeError(
        f"X is a {kind}, and Dask arrays and DataFrames are what can be read chunk by chunk. Make "
        "one of it (of an xarray.DataArray: X.data), or pass X.compute()."
    )


def _check_version() -> None:
    given = sys.modules["dask"].__version__
    if tuple(int(part) for part in re.findall(r"\d+", given)[:2]) < OLDEST:
        raise MissingDependencyError(
            f"Dask {given} is installed, and tables of Dask need {OLDEST[0]}.{OLDEST[1]} or later: "
            'pip install "skscale[dask]"'
        )


def _open_array(X: Any) -> LazyTable:
    from dask.array.utils import meta_from_array

    if X.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead: a Dask array of shape {X.shape}. "
            "X.reshape(-1, 1) makes one column of it, X.reshape(1, -1) one row."
        )
    n_rows, n_columns = X.shape
    if isnan(n_columns):
        raise ValueError(
            f"X is a Dask array of shape {X.shape}, and its number of columns must be known. Call "
            "X.compute_chunk_sizes(), which computes it."
        )
    if X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    meta, shape = meta_from_array(X), (int(n_rows != 0), n_columns)
    if sparse.issparse(meta):
        sample = type(meta)(shape, dtype=X.dtype)
    elif isinstance(meta, np.ndarray):
        sample = np.zeros(shape, X.dtype)
    else:
        raise TypeError(
            f"X is a Dask array of {type(meta).__module__}.{type(meta).__name__}, and its chunks "
            "must be of numpy or of scipy.sparse. X.map_blocks converts them."
        )
    return LazyTable(X, sample, None if isnan(n_rows) else X.chunks[0])


def _open_frame(X: Any) -> LazyTable:
    from dask.dataframe.dispatch import make_meta
    from dask.dataframe.utils import meta_nonempty

    return LazyTable(X, meta_nonempty(make_meta(X)), None)


def weights_of_chunks(sample_weight: Any, table: LazyTable) -> Any:
    """Weights that are computed with the rows, in the same chunks.

    Parameters
    ----------
    sample_weight : Dask array or Series
    table : LazyTable

    Raises
    ------
    SampleWeightError
        Not one-dimensional, or in other chunks.
    """
    given = f"sample_weight is {type(sample_weight).__name__}"
    if getattr(sample_weight, "ndim", None) != 1:
        raise SampleWeightError(
            f"{given} of Dask, and must be a Dask array or Series of one dimension, one weight per "
            "row."
        )
    chunks = getattr(sample_weight, "chunks", None)  # a Series has none
    if chunks is not None and table.lengths is not None and not isnan(sum(chunks[0])):
        if sum(chunks[0]) != table.n_rows:
            raise SampleWeightError(
                f"sample_weight must be of shape ({table.n_rows},), one weight per row; got shape "
                f"{sample_weight.shape}."
            )
        return sample_weight.rechunk((table.lengths,))
    theirs, ours = (getattr(part, "divisions", ()) for part in (sample_weight, table.source))
    differ = bool(theirs and ours) and None not in (*theirs, *ours) and theirs != ours
    if sample_weight.npartitions != table.n_chunks or differ:
        raise SampleWeightError(
            f"{given} in {sample_weight.npartitions} chunks, and must have those of X: "
            f"{table.n_chunks}, with the same rows. Make it a column of the frame, X['weight'], or "
            "rechunk it."
        )
    return sample_weight


def cut_weights(weights: Array, table: LazyTable) -> list[Array]:
    """Weights that are here, as the rows are cut."""
    lengths = table.lengths or ()
    edges = np.cumsum([0, *lengths]).tolist()
    return [weights[start:stop] for start, stop in pairwise(edges)]


def kinds_of_chunks(asked: str, table: LazyTable) -> tuple[str, str]:
    """What `set_output` asks for of a lazy table, in the words of `output_kind`, and of its chunks.

    Raises
    ------
    InvalidParameterError
        For frames that Dask does not have.
    """
    if asked not in ("default", "pandas"):
        raise InvalidParameterError(
            f"set_output(transform={asked!r}) was asked for, and Dask DataFrames are made of "
            "pandas ones. Use 'pandas', or 'default', which gives an array for an array and a "
            "frame for a frame."
        )
    is_of_frames = hasattr(table.sample, "columns")
    return ("pandas", "pandas") if is_of_frames else (asked, "default")


def map_chunks(
    table: LazyTable, function: Callable[..., Any], shared: Any, image: Any, names: Any
) -> Any:
    """What becomes of every chunk, as a collection of the same kind.

    Parameters
    ----------
    table : LazyTable
    function : callable
        Takes a chunk and `shared`, and in one of two ways the number of the chunk.
    shared : object
        In the graph once, however many chunks there are.
    image : array, sparse array or pandas DataFrame
        What the function makes of `table.sample`.
    names : sequence of str, or None
        Of the columns of the result, where an array is to become a frame.
    """
    from dask.base import tokenize
    from dask.delayed import delayed

    key = f"{type(shared).__name__.lower()}-{tokenize(pickle.dumps(shared))}"
    once = delayed(shared, name=key, traverse=False)
    if not isinstance(image, np.ndarray) and not sparse.issparse(image):
        return table.source.map_partitions(function, once, meta=image.iloc[:0])
    chunks = (table.source.chunks[0], (image.shape[1],))
    meta = image[:0]
    array = table.source.map_blocks(function, once, dtype=image.dtype, chunks=chunks, meta=meta)
    if names is None:
        return array
    return import_library("dask.dataframe").from_dask_array(array, columns=list(names))


def references(collection: Any) -> list[Any]:
    """What stands for the chunks of a collection in a graph, in order."""
    from dask.task_spec import TaskRef

    keys = collection.__dask_keys__()
    return [TaskRef(key[0] if isinstance(key, list) else key) for key in keys]


def optimized(collections: Sequence[Any]) -> Sequence[Any]:
    """Collections whose graphs do no more than they need.

    Frames are optimized alone or not at all: each by itself reads its columns from the source, so
    that those of another one would be read twice. `dask.optimize` is for arrays: of a frame that is
    derived from another, as by a filter, that of Dask 2026.8 gives the other one.
    """
    from dask import optimize

    if all(hasattr(collection, "chunks") for collection in collections):
        together: Sequence[Any] = optimize(*collections)
        return together
    return [collections[0].optimize()] if len(collections) == 1 else collections
