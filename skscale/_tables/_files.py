"""Files of columns, read piece by piece: Parquet, CSV, and Arrow's own format (Feather)."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from skscale._kernels import EXACT_INTEGER
from skscale._tables._write import import_library
from skscale.errors import SchemaError, SourceError

BUFFER = 2**18
"""Bytes of a column of a Parquet file that are read at a time, however long its row groups are."""

PIECE = 2**22
"""Numbers that are read at a time: more than are measured, for every piece has its price."""


class File(NamedTuple):
    """A file whose header was read.

    Parameters
    ----------
    path : str
    schema : pyarrow.Schema
        Its columns.
    n_rows : int or None
        Its rows, where the header tells.
    pieces : callable
        From a number of rows to skip, and `types`, to how many were left out, and an iterator of
        Arrow tables of what follows those.
    types : dict, default={}
        From names of columns to the types that they get instead of their own, for they have
        others in other files.
    """

    path: str
    schema: Any
    n_rows: int | None
    pieces: Callable[[int, Mapping[str, Any]], tuple[int, Iterator[Any]]]
    types: Mapping[str, Any] = MappingProxyType({})

    def read(self, skip: int) -> tuple[int, Iterator[Any]]:
        """Rows of the file, as Arrow tables.

        Parameters
        ----------
        skip : int
            Rows that need not come.

        Returns
        -------
        n_skipped : int
            How many do not, as whole parts of the file could be left out.
        tables : iterator
        """
        skipped, pieces = self.pieces(skip, self.types)
        return skipped, (_cast(piece, self.types) for piece in pieces)


def find_files(given: Sequence[str | os.PathLike[str]]) -> list[str]:
    """Paths of files, for paths and patterns; those of one pattern, or directory, in sorted order.

    Raises
    ------
    FileNotFoundError
        Where there are none.
    SourceError
        Where the names of folders hold values of a column.
    """
    found: list[str] = []
    for path in [os.fspath(one) for one in given]:
        path = path if os.path.exists(path) else os.path.expanduser(path)
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
        for match in matches:
            _check_folders(match, path)
        found += matches
    return found


def _check_folders(file: str, given: str) -> None:
    """Refuse folders named key=value, which hold a column, unless that name was given."""
    unnamed = [part for part in Path(file).parent.parts if part not in Path(given).parts]
    if partitions := [part for part in unnamed if "=" in part]:
        raise SourceError(
            f"{given} is partitioned: the folder {partitions[0]!r} of {file} is named for values "
            "of a column that is not in the files themselves, and would be lost. Pass "
            'pyarrow.dataset.dataset(path, partitioning="hive") as the source, which has that '
            "column, or a list of the files to do without it."
        )


def open_files(paths: Sequence[str]) -> list[File]:
    """Read the headers of files, which must have the same columns.

    Numbers that have different types in different files become float64 in all of them, so that
    nothing depends on how many rows which file has. Integers beyond 2**53 are rounded then.

    Raises
    ------
    SourceError
        A file that is none of the formats, or damaged.
    SchemaError
        One that has other columns than the first; a column that is numbers in one file, and none
        in another.
    """
    files = [_open_file(path) for path in paths]
    for file in files:
        check_same_columns(file.schema.names, files[0].schema.names, file.path, files[0].path)
    types = [file.schema.types for file in files]
    if all(own == types[0] for own in types):
        return files
    common = [
        _common_type(name, of_column, paths)
        for name, of_column in zip(files[0].schema.names, zip(*types, strict=True), strict=True)
    ]
    return [
        file._replace(
            types={
                name: wanted
                for name, wanted, own in zip(file.schema.names, common, of_file, strict=True)
                if wanted not in (None, own)
            }
        )
        for file, of_file in zip(files, types, strict=True)
    ]


def _common_type(name: str, types: Sequence[Any], paths: Sequence[str]) -> Any:
    """Type of a column that has these in several files; None where each keeps its own.

    A column that has no values in one file, and so no type, is as it is in the others.
    """
    import pyarrow as arrow

    first: dict[Any, str] = {}
    for kind, path in zip(types, paths, strict=True):
        if kind != arrow.null():
            first.setdefault(kind, path)
    numbers = [kind for kind in first if _is_number(kind)]
    others = [kind for kind in first if not _is_number(kind)]
    if numbers and others:
        raise SchemaError(
            f"Column {name!r} is numbers ({numbers[0]}) in {first[numbers[0]]}, and none "
            f"({others[0]}) in {first[others[0]]}. It must be one of them in all files: convert "
            "or drop it where it is not."
        )
    if len(first) == 1:
        return next(iter(first))
    return arrow.float64() if numbers else None


def _is_number(kind: Any) -> bool:
    from pyarrow import types

    is_some = (types.is_integer, types.is_floating, types.is_boolean, types.is_decimal)
    return any(is_kind(kind) for is_kind in is_some)


def _cast(table: Any, types: Mapping[str, Any]) -> Any:
    """A table whose columns of these names have these types; numbers are rounded to them."""
    for i, name in enumerate(table.column_names if types else ()):
        if name in types and table.field(i).type != types[name]:
            table = table.set_column(i, name, table.column(i).cast(types[name], safe=False))
    return table


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
    if suffix not in READERS or (_is_gzip(path) and suffix != ".csv"):
        raise SourceError(
            f"{path} is of no format that can be read piece by piece: these are "
            f"{', '.join(READERS)}, and .csv.gz. Open it yourself, and pass an iterable of tables."
        )
    import_library("pyarrow")
    try:
        return READERS[suffix](path)
    except (OSError, ValueError) as error:  # Arrow's own errors are ValueErrors
        raise SourceError(f"{path} could not be opened: {error}") from error


def _suffix(path: str) -> str:
    """What the name of a file says of its format, compressed or not."""
    return Path(path.lower().removesuffix(".gz")).suffix


def _is_gzip(path: str) -> bool:
    return path.lower().endswith(".gz")


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
        schema, n_rows = file.schema_arrow, file.metadata.num_rows

    def pieces(skip: int, types: Mapping[str, Any]) -> tuple[int, Iterator[Any]]:
        # What is buffered before it is asked for is a whole row group, whatever `buffer_size` says.
        file = parquet.ParquetFile(path, buffer_size=BUFFER, pre_buffer=False)
        return parquet_pieces(file, skip)

    return File(path, schema, n_rows, pieces)


def _feather(path: str) -> File:
    import pyarrow as arrow

    def opened() -> Any:
        return arrow.ipc.open_file(arrow.memory_map(path))

    schema = opened().schema

    def pieces(skip: int, types: Mapping[str, Any]) -> tuple[int, Iterator[Any]]:
        file = opened()
        batches = (file.get_batch(i) for i in range(file.num_record_batches))
        return 0, (arrow.Table.from_batches([batch]) for batch in batches)

    return File(path, schema, None, pieces)


def _csv(path: str) -> File:
    """A CSV file, whose columns have the types of its first rows.

    Numbers are float64, whatever the first look like: later ones may have fractions. Only integers
    that float64 cannot hold, and that are among the first, make a column of integers, each exact.
    Where they first come later, they are rounded.
    """
    import pyarrow as arrow
    from pyarrow import csv

    def opened(types: Mapping[str, Any] | None = None) -> Any:
        file = arrow.input_stream(path, compression="gzip" if _is_gzip(path) else None)
        return csv.open_csv(file, convert_options=csv.ConvertOptions(column_types=types))

    with opened() as reader:
        first = next(iter(reader), None)  # has been read to find the types
        names, types = reader.schema.names, reader.schema.types
    if first is not None:
        types = [_type_of_column(column) for column in first.columns]
    schema = arrow.schema(list(zip(names, types, strict=True)))

    def pieces(skip: int, types: Mapping[str, Any]) -> tuple[int, Iterator[Any]]:
        as_read = {
            field.name: field.type
            if arrow.types.is_boolean(field.type)  # whose words are no other type
            else types.get(field.name, field.type)
            for field in schema
        }
        return 0, _named_errors(opened(as_read), path)

    return File(path, schema, None, pieces)


def _named_errors(batches: Any, path: str) -> Iterator[Any]:
    """Tables of a CSV file; a value that is not of the type of its column is no damage."""
    import pyarrow as arrow

    names = batches.schema.names
    try:
        for batch in batches:
            yield arrow.Table.from_batches([batch])
    except arrow.ArrowInvalid as error:
        if (found := NO_VALUE.search(str(error))) is None:
            raise
        number, kind, value = found.groups()
        raise SourceError(
            f"{path} has {value} in column {names[int(number)]!r}, which is not of its type, "
            f"{kind}. The type of a column of a CSV file is taken from its first rows. Clean the "
            "column, or pass pandas.read_csv(path, chunksize=...) as the source."
        ) from error


def _type_of_column(first: Any) -> Any:
    """Type of a column of text whose first values are these: integers may end, or be missing.

    Numbers become float64, but for integers that it cannot hold; what is none stays, for an error
    that names it.
    """
    import pyarrow as arrow
    from pyarrow import compute

    if arrow.types.is_null(first.type):
        return arrow.float64()
    if not arrow.types.is_integer(first.type):
        return first.type
    least, most = compute.min_max(first).as_py().values()
    return first.type if max(-least, most) > EXACT_INTEGER else arrow.float64()


NO_VALUE = re.compile(r"In CSV column #(\d+): .*?error to (.+?): invalid value (.*)", re.DOTALL)
"""What Arrow says of a value that is not of the type of its column."""

READERS: dict[str, Callable[[str], File]] = {
    ".parquet": _parquet,
    ".pq": _parquet,
    ".csv": _csv,
    ".feather": _feather,
    ".arrow": _feather,
    ".ipc": _feather,
}
