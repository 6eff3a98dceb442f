"""Files of columns, read piece by piece: Parquet, CSV, and Arrow's own format (Feather)."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from skscale._tables._write import import_library
from skscale.errors import SchemaError, SourceError

BUFFER = 2**20
"""Bytes of a column of a Parquet file that are read at a time, however long its row groups are."""

PIECE = 2**20
"""Numbers that are read at a time: as many as are measured at a time."""


class File(NamedTuple):
    """A file whose header was read.

    Parameters
    ----------
    path : str
    names : list of str
        Its columns.
    n_rows : int or None
        Its rows, where the header tells.
    pieces : callable
        From a number of rows to skip to an iterator of Arrow tables, of what follows them as far as
        whole parts of the file can be left out, and how many were.
    """

    path: str
    names: list[str]
    n_rows: int | None
    pieces: Callable[[int], tuple[int, Iterator[Any]]]


def find_files(given: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Paths of files, for paths and patterns; those of one pattern, or directory, in sorted order.

    Raises
    ------
    FileNotFoundError
        Where there are none.
    """
    found: list[str] = []
    for path in [os.fspath(one) for one in given]:
        if os.path.isdir(path):
            files = (str(file) for file in sorted(Path(path).rglob("*")))
            matches = [file for file in files if _suffix(file) in READERS]
        else:
            matches = [path] if os.path.exists(path) else sorted(glob.glob(path, recursive=True))
        if not matches:
            raise FileNotFoundError(
                f"No file matches {path!r}. Give the path of a file or a directory, or a pattern "
                f"such as 'data/*.parquet', of {', '.join(READERS)}."
            )
        found += matches
    return found


def open_files(paths: Sequence[str]) -> list[File]:
    """Read the headers of files, which must have the same columns.

    Raises
    ------
    SourceError
        A file that is none of the formats, or damaged.
    SchemaError
        One that has other columns than the first.
    """
    files = [_open_file(path) for path in paths]
    for file in files:
        check_same_columns(file.names, files[0].names, file.path, files[0].path)
    return files


def check_same_columns(
    names: Sequence[str] | None, expected: Sequence[str] | None, where: str, first: str
) -> None:
    """Compare column names with those that came first."""
    if names == expected:
        return
    given, wanted = list(names or ()), list(expected or ())
    unknown = [name for name in given if name not in wanted]
    missing = [name for name in wanted if name not in given]
    order = "" if unknown or missing else f" Expected the order {wanted[:10]}, got {given[:10]}."
    raise SchemaError(
        f"{where} has other columns than {first}."
        + (f" Unknown: {unknown[:10]}." if unknown else "")
        + (f" Missing: {missing[:10]}." if missing else "")
        + order
    )


def _open_file(path: str) -> File:
    suffix = _suffix(path)
    if suffix not in READERS:
        raise SourceError(
            f"{path} is of no format that can be read piece by piece: these are "
            f"{', '.join(READERS)}. Open it yourself, and pass an iterable of tables."
        )
    import_library("pyarrow")
    try:
        return READERS[suffix](path)
    except (OSError, ValueError) as error:  # Arrow's own errors are ValueErrors
        raise SourceError(f"{path} could not be opened: {error}") from error


def _suffix(path: str) -> str:
    """What the name of a file says of its format, compressed or not."""
    return Path(path.removesuffix(".gz")).suffix


def parquet_pieces(file: Any, skip: int) -> tuple[int, Iterator[Any]]:
    """Pieces of a `pyarrow.parquet.ParquetFile`; whole row groups are skipped unread.

    They are asked for one by one: of several, Arrow keeps what it has read until the last.
    """
    import pyarrow as arrow

    groups, skipped = list(range(file.metadata.num_row_groups)), 0
    while groups and skipped + (n_rows := file.metadata.row_group(groups[0]).num_rows) <= skip:
        skipped += n_rows
        groups.pop(0)
    size = piece_rows(len(file.schema_arrow.names))
    batches = (file.iter_batches(batch_size=size, row_groups=[group]) for group in groups)
    return skipped, (arrow.Table.from_batches([batch]) for batch in chain.from_iterable(batches))


def piece_rows(n_columns: int) -> int:
    """Rows of a piece."""
    return max(1, PIECE // max(1, n_columns))


def _parquet(path: str) -> File:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        names, n_rows = file.schema_arrow.names, file.metadata.num_rows

    def pieces(skip: int) -> tuple[int, Iterator[Any]]:
        # What is buffered before it is asked for is a whole row group, whatever `buffer_size` says.
        file = parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)
        return parquet_pieces(file, skip)

    return File(path, names, n_rows, pieces)


def _feather(path: str) -> File:
    import pyarrow as arrow

    def opened() -> Any:
        return arrow.ipc.open_file(arrow.memory_map(path))

    names = opened().schema.names

    def pieces(skip: int) -> tuple[int, Iterator[Any]]:
        file = opened()
        batches = (file.get_batch(i) for i in range(file.num_record_batches))
        return 0, (arrow.Table.from_batches([batch]) for batch in batches)

    return File(path, names, None, pieces)


def _csv(path: str) -> File:
    from pyarrow import csv

    with csv.open_csv(path) as reader:
        schema = reader.schema

    def pieces(skip: int) -> tuple[int, Iterator[Any]]:
        import pyarrow as arrow

        types = {field.name: _type_of_numbers(field.type) for field in schema}
        options = csv.ConvertOptions(column_types=types)
        batches = csv.open_csv(path, convert_options=options)
        return 0, (arrow.Table.from_batches([batch]) for batch in batches)

    return File(path, schema.names, None, pieces)


def _type_of_numbers(found: Any) -> Any:
    """Type of a column of text whose first rows look like `found`: integers may end, or be missing.

    Numbers of any kind become float64; what is none stays, for an error that names it.
    """
    import pyarrow as arrow

    is_number = arrow.types.is_integer(found) or arrow.types.is_null(found)
    return arrow.float64() if is_number else found


READERS: dict[str, Callable[[str], File]] = {
    ".parquet": _parquet,
    ".pq": _parquet,
    ".csv": _csv,
    ".feather": _feather,
    ".arrow": _feather,
    ".ipc": _feather,
}
