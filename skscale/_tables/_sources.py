"""Rows that come piece by piece: from files, queries, arrays on disk, iterables."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from skscale._tables._dask import is_lazy
from skscale._tables._files import File, find_files, open_files, parquet_pieces, piece_rows
from skscale._tables._pieces import slice_rows, without_rows
from skscale._tables._read import is_frame
from skscale._tables._rows import count_rows, is_series
from skscale._tables._write import import_library
from skscale.errors import InvalidParameterError, MissingDependencyError, SourceError

ACCEPTED = (
    "the path of Parquet, CSV or Feather files, or a pattern; a pyarrow Dataset, ParquetFile or "
    "RecordBatchReader; a polars LazyFrame; a table, an array, a memmap or a Zarr array; anything "
    "with __arrow_c_stream__, such as a DuckDB query; an iterable of tables or (X, y) pairs; or a "
    "callable that returns one of these"
)


class Source(NamedTuple):
    """Rows that come piece by piece, in order.

    Parameters
    ----------
    name : str
        What it is, for messages.
    pieces : callable
        From a number of rows that need not come to an iterator of the pieces that follow them.
        Where `is_cut`, it is a number of pieces.
    n_rows : int or None, default=None
        How many rows there are, where that is known before they are read.
    is_rereadable : bool, default=True
        Whether `pieces` may be called again.
    is_cut : bool, default=False
        Whether the pieces are blocks that somebody chose, and not as the rows happen to be stored.
    identity : tuple, default=()
        What another source of the same rows has in common with this one, as far as is known.
    files : tuple of str, default=()
        Paths that the rows are read from, as far as they are known.
    """

    name: str
    pieces: Callable[[int], Iterator[Any]]
    n_rows: int | None = None
    is_rereadable: bool = True
    is_cut: bool = False
    identity: tuple[Any, ...] = ()
    files: tuple[str, ...] = ()


def open_source(given: Any) -> Source:
    """Open anything that has rows.

    Raises
    ------
    InvalidParameterError
        For anything else, with what is accepted.
    FileNotFoundError, SourceError, SchemaError
        Where files are not there, cannot be read, or have different columns.
    """
    kind = type(given)
    library, name = kind.__module__.partition(".")[0], kind.__name__
    if isinstance(given, (str, os.PathLike)):
        return _of_files([given])
    if _is_list_of(given, (str, os.PathLike)):
        return _of_files(given)
    if library == "pyarrow" and name != "Table":
        return _of_arrow(given, name)
    if library == "polars" and name == "LazyFrame":
        return _of_lazy_frame(given)
    if is_lazy(given) and not hasattr(given, "chunks"):
        raise InvalidParameterError(
            f"source is a Dask {name}, which `fit` and `transform` take as it is, with its own "
            f"engine. Call them, or pass one partition after the other; source must be {ACCEPTED}."
        )
    if is_frame(given) or _is_array(given):
        return _of_table(given)
    if hasattr(given, "__arrow_c_stream__"):
        return _of_stream(given, is_rereadable=name == "DuckDBPyRelation")
    if isinstance(given, Iterator):
        pieces = functools.partial(_from, given)
        return Source(f"this {name}", pieces, is_rereadable=False, is_cut=True)
    if isinstance(given, Iterable) and not isinstance(given, (bytes, dict)):
        return Source(f"this {name}", functools.partial(_from, given), is_cut=True)
    if callable(given):
        return _of_callable(given)
    raise InvalidParameterError(f"source must be {ACCEPTED}; got {name}.")


def _is_list_of(given: Any, kinds: tuple[type, ...]) -> bool:
    is_list = isinstance(given, (list, tuple)) and len(given) > 0
    return is_list and all(isinstance(item, kinds) for item in given)


def _is_array(given: Any) -> bool:
    has_shape = hasattr(given, "shape") and hasattr(given, "dtype")
    is_indexed = has_shape and hasattr(given, "__getitem__") and len(given.shape) > 0
    return sparse.issparse(given) or is_indexed


def _of_files(paths: Sequence[Any]) -> Source:
    found = find_files(paths)
    files = open_files(found)
    counts = [file.n_rows for file in files]
    n_rows = None if None in counts else sum(filter(None, counts))
    name = files[0].path if len(files) == 1 else f"{len(files)} files from {files[0].path} on"
    status = [os.stat(path) for path in found]
    identity = tuple(
        (os.path.abspath(path), of.st_size, of.st_mtime_ns)
        for path, of in zip(found, status, strict=True)
    )
    pieces = functools.partial(_pieces_of_files, files)
    return Source(name, pieces, n_rows, identity=identity, files=tuple(found))


def _pieces_of_files(files: Sequence[File], skip: int) -> Iterator[Any]:
    for file in files:
        if file.n_rows is not None and file.n_rows <= skip:
            skip -= file.n_rows
            continue
        try:
            skipped, pieces = file.read(skip)
            skip -= skipped
            for piece in pieces:
                n_rows = count_rows(piece)
                if n_rows > skip:
                    yield slice_rows(piece, skip, n_rows) if skip else piece
                skip = max(0, skip - n_rows)
        except (OSError, ValueError) as error:  # Arrow's own errors are ValueErrors
            raise SourceError(f"{file.path} is damaged: {error}") from error


def _of_table(X: Any) -> Source:
    """A table in memory, or an array that reads its rows when it is asked for them."""
    if sparse.issparse(X):  # is cut by its stored values, once it is measured
        return Source(f"this {type(X).__name__}", functools.partial(_from, [X]), is_cut=True)
    n_columns = X.shape[1] if len(X.shape) == 2 else 1
    step = piece_rows(n_columns)
    chunks = getattr(X, "chunks", None)
    if chunks and isinstance(chunks[0], int):  # of a Zarr array: each is read once
        step = max(1, step // chunks[0]) * chunks[0]
    n_rows = count_rows(X)

    def pieces(skip: int) -> Iterator[Any]:
        for start in range(skip, n_rows, step):
            piece = slice_rows(X, start, min(start + step, n_rows))
            yield piece if is_frame(X) else np.asarray(piece)

    name, file = f"this {type(X).__name__}", getattr(X, "filename", None)  # of a memmap
    files = () if file is None else (os.fspath(file),)
    return Source(name, pieces, n_rows, identity=(n_rows, n_columns), files=files)


def _of_arrow(given: Any, name: str) -> Source:
    import pyarrow as arrow

    if name == "ParquetFile":

        def of_file(skip: int) -> Iterator[Any]:
            skipped, pieces = parquet_pieces(given, skip)
            return without_rows(pieces, skip - skipped)

        n_rows = given.metadata.num_rows
        return Source("this ParquetFile", of_file, n_rows, identity=(n_rows,))
    if isinstance(given, arrow.RecordBatch):
        return _of_table(arrow.Table.from_batches([given]))
    if hasattr(given, "get_fragments"):
        return _of_dataset(given)
    if isinstance(given, arrow.RecordBatchReader):
        batches = functools.partial(without_rows, _tables(given))
        return Source("this RecordBatchReader", batches, is_rereadable=False)
    raise InvalidParameterError(f"source must be {ACCEPTED}; got pyarrow's {name}.")


def _of_dataset(given: Any) -> Source:
    size, name = piece_rows(len(given.schema.names)), "this Dataset"
    files = tuple(getattr(given, "files", ()))
    try:
        fragments = list(given.get_fragments())
    except ValueError:  # of one that is filtered, Arrow shows none

        def of_filtered(skip: int) -> Iterator[Any]:
            batches = given.to_batches(batch_size=size, batch_readahead=2, fragment_readahead=1)
            return without_rows(_tables(batches), skip)

        return Source(name, of_filtered, files=files)

    def pieces(skip: int) -> Iterator[Any]:
        batches = (
            part.to_batches(schema=given.schema, batch_size=size, batch_readahead=2, **options)
            for part, options in _parts_of(fragments)
        )
        return without_rows(_tables(chain.from_iterable(batches)), skip)

    tells = all(hasattr(fragment, "split_by_row_group") for fragment in fragments)
    return Source(name, pieces, given.count_rows() if tells else None, files=files)


def _parts_of(fragments: Sequence[Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Parts of a dataset so small that Arrow may read all of one ahead, and how to scan them."""
    from pyarrow import dataset

    for fragment in fragments:
        if not hasattr(fragment, "split_by_row_group"):
            yield fragment, {}
            continue
        as_needed = dataset.ParquetFragmentScanOptions(use_buffered_stream=True, pre_buffer=False)
        for part in fragment.split_by_row_group():
            yield part, {"fragment_scan_options": as_needed}


def _of_stream(given: Any, is_rereadable: bool) -> Source:
    """Anything that exports a stream of Arrow batches; most can do it once."""
    name = f"this {type(given).__name__}"
    import_library("pyarrow")
    import pyarrow as arrow

    if not hasattr(arrow.RecordBatchReader, "from_stream"):
        raise MissingDependencyError(
            f"pyarrow {arrow.__version__} cannot read {name}, which pyarrow 15 or later can: "
            "pip install -U pyarrow."
        )

    def pieces(skip: int) -> Iterator[Any]:
        reader = arrow.RecordBatchReader.from_stream(given)
        try:
            yield from without_rows(_tables(reader), skip)
        finally:
            reader.close()

    return Source(name, pieces, is_rereadable=is_rereadable)


def _of_lazy_frame(given: Any) -> Source:
    if not hasattr(given, "collect_batches"):
        version = sys.modules["polars"].__version__
        raise MissingDependencyError(
            f"polars {version} has no LazyFrame.collect_batches, which gives the rows of a "
            "LazyFrame batch by batch: pip install -U polars. Or write them with sink_parquet."
        )
    size = piece_rows(len(given.collect_schema()))

    def pieces(skip: int) -> Iterator[Any]:
        batches = given.collect_batches(chunk_size=size, maintain_order=True, engine="streaming")
        return without_rows(batches, skip)

    return Source("this LazyFrame", pieces)


def _of_callable(given: Callable[[], Any]) -> Source:
    """What a callable returns now, and once more for every other pass."""
    opened = [open_source(given())]
    first = opened[0]

    def pieces(skip: int) -> Iterator[Any]:
        source = opened.pop() if opened else open_source(given())
        return source.pieces(skip)

    name = f"what {getattr(given, '__name__', type(given).__name__)} returns"
    return first._replace(name=name, pieces=pieces, is_rereadable=True)


def _from(pieces: Iterable[Any], skip: int) -> Iterator[Any]:
    for number, piece in enumerate(pieces):
        if number >= skip:
            yield (_as_table(piece[0]), piece[1]) if _is_pair(piece) else _as_table(piece)


def _is_pair(piece: Any) -> bool:
    """Whether a piece is rows and their labels, and no table in the form of a list."""
    is_list = isinstance(piece, list) and len(piece) == 2 and np.ndim(piece[0]) == 2
    return is_list or (isinstance(piece, tuple) and len(piece) == 2)


def _as_table(piece: Any) -> Any:
    """A table for a batch of Arrow's, which is none to most libraries; an array for its like."""
    arrow = sys.modules.get("pyarrow")
    if arrow is not None and isinstance(piece, arrow.RecordBatch):
        return arrow.Table.from_batches([piece])
    is_like = _is_array(piece) and not (sparse.issparse(piece) or is_frame(piece))
    return np.asarray(piece) if is_like and not is_series(piece) else piece


def _tables(batches: Iterable[Any]) -> Iterator[Any]:
    import pyarrow as arrow

    return (arrow.Table.from_batches([batch]) for batch in batches)
