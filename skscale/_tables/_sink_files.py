"""Files that appear whole or not at all: of columns (Parquet, Feather), or of one array."""

from __future__ import annotations

import os
import stat
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale._tables._columns import arrow_table
from skscale._tables._sink import Sink, as_array
from skscale._tables._write import import_library
from skscale.errors import InvalidParameterError, SchemaError

GROUP = 2**23
"""Numbers of a row group of a file: 64 MB of float64."""

HEADER = 128
"""Bytes of the header of a .npy file, which has room for any number of rows."""


class FileSink(Sink, ABC):
    """A file that is written beside the place where it belongs, and moved there once it is whole.

    Through a symbolic link, that is the place it points to. A file that was there before hands on
    its permissions, and until then nobody else may read the new one.

    Parameters
    ----------
    target : str or path
    """

    kept = "What was there before is there still"

    def __init__(self, target: Any) -> None:
        super().__init__(target, os.fspath(target))
        self._path = Path(os.path.realpath(target))
        self._mode: int | None = None  # of the file that was there before
        self._part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")

    def _begin(self) -> None:
        """Make the file to write to."""
        with suppress(FileNotFoundError):
            self._mode = stat.S_IMODE(self._path.stat().st_mode)
        mode = 0o666 if self._mode is None else 0o600
        os.close(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode))

    @abstractmethod
    def _close(self) -> None:
        """Write what is not yet written, and close the file."""

    def finish(self) -> None:
        self._close()
        with self._part.open("rb+") as file:
            os.fsync(file.fileno())
        if self._mode is not None:
            self._part.chmod(self._mode)
        self._part.replace(self._path)

    def abandon(self) -> None:
        with suppress(Exception):  # the error that brought us here says more
            self._close()
        self._part.unlink(missing_ok=True)


class ArrowSink(FileSink, ABC):
    """A file of columns, in groups of rows of one size however the blocks are cut."""

    def __init__(self, target: Any) -> None:
        super().__init__(target)
        import_library("pyarrow")
        self._writer: Any = None
        self._held: list[Any] = []

    @abstractmethod
    def _open(self, file: Any, schema: Any) -> Any:
        """A writer of tables with these columns."""

    @abstractmethod
    def _write_group(self, group: Any) -> None:
        """Write a table as one group of rows."""

    def prepare(self, result: Any, like: Any, names: Sequence[str] | None) -> Any:
        return arrow_table(result, like, names)

    def write(self, piece: Any) -> None:
        import pyarrow as arrow

        if self._writer is None:
            self._begin()
            self._file = arrow.OSFile(os.fspath(self._part), "wb")
            self._schema = piece.schema
            self._writer = self._open(self._file, piece.schema)
        elif piece.schema != self._schema:
            raise SchemaError(_difference(piece.schema, self._schema))
        self._held.append(piece)
        step = max(1, GROUP // max(1, piece.num_columns))
        if sum(table.num_rows for table in self._held) >= step:
            rows = arrow.concat_tables(self._held)
            n_written = rows.num_rows // step * step
            for start in range(0, n_written, step):
                self._write_group(rows.slice(start, step))
            self._held = [rows.slice(n_written)] if n_written < rows.num_rows else []

    def _close(self) -> None:
        import pyarrow as arrow

        if self._writer is None:
            return
        try:
            if self._held:
                self._write_group(arrow.concat_tables(self._held))
            self._writer.close()
        finally:
            self._writer, self._held = None, []
            self._file.close()

    def abandon(self) -> None:
        self._held = []
        super().abandon()


class ParquetSink(ArrowSink):
    """A Parquet file."""

    def _open(self, file: Any, schema: Any) -> Any:
        import pyarrow as arrow
        from pyarrow import parquet

        # Measurements hardly repeat: a dictionary of them costs time and saves nothing.
        repeating = [field.name for field in schema if not arrow.types.is_floating(field.type)]
        return parquet.ParquetWriter(file, schema, use_dictionary=repeating or False)

    def _write_group(self, group: Any) -> None:
        self._writer.write_table(group, row_group_size=group.num_rows)


class FeatherSink(ArrowSink):
    """A file of Arrow's own format (Feather), not compressed, so that it can be mapped."""

    def _open(self, file: Any, schema: Any) -> Any:
        import pyarrow as arrow

        return arrow.ipc.new_file(file, schema)

    def _write_group(self, group: Any) -> None:
        self._writer.write_table(group.combine_chunks())


class NpySink(FileSink):
    """A .npy file of one array, whose header is written once the number of rows is known.

    It is not mapped: writing to mapped memory on a full disk ends the process.
    """

    def __init__(self, target: Any) -> None:
        super().__init__(target)
        self._file: Any = None
        self._n_rows = 0

    def prepare(self, result: Any, like: Any, names: Sequence[str] | None) -> Array:
        return np.ascontiguousarray(as_array(result))

    def write(self, piece: Array) -> None:
        if self._file is None:
            if piece.dtype.kind not in "biufc":
                raise InvalidParameterError(
                    f"what becomes of its rows is of dtype {piece.dtype}, and .npy files are for "
                    "numbers. Write to .parquet."
                )
            self._begin()
            self._file = self._part.open("wb")
            self._n_columns, self._dtype = piece.shape[1], piece.dtype
            self._file.write(bytes(HEADER))
        if piece.shape[1] != self._n_columns or not np.can_cast(piece.dtype, self._dtype, "safe"):
            raise SchemaError(
                f"what becomes of its rows has {piece.shape[1]} columns of {piece.dtype}, and what "
                f"became of the first block {self._n_columns} of {self._dtype}. Make all blocks "
                "alike."
            )
        self._file.write(piece.astype(self._dtype, copy=False).data)
        self._n_rows += piece.shape[0]

    def _close(self) -> None:
        if self._file is None:
            return
        try:
            self._file.seek(0)
            self._file.write(npy_header((self._n_rows, self._n_columns), self._dtype))
        finally:
            file, self._file = self._file, None
            file.close()


def npy_header(shape: tuple[int, int], dtype: np.dtype[Any]) -> bytes:
    """Header of a .npy file of version 1.0, of the same length for any number of rows."""
    described = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    magic = np.lib.format.magic(1, 0) + struct.pack("<H", HEADER - 10)
    return magic + repr(described).ljust(HEADER - 11).encode("latin1") + b"\n"


def _difference(given: Any, expected: Any) -> str:
    """What distinguishes the columns of a block from those of the first one."""
    if given.names != expected.names:
        return (
            f"what becomes of its rows has the columns {given.names[:10]}, and what became of the "
            f"first block {expected.names[:10]}. Make all blocks alike."
        )
    name, was, now = next(
        (old.name, old.type, new.type)
        for old, new in zip(expected, given, strict=True)
        if old.type != new.type
    )
    return (
        f"its column {name!r} becomes {now}, and that of the first block became {was}. Make all "
        "blocks of the same types."
    )


FORMATS: dict[str, Callable[[Any], FileSink]] = {
    ".parquet": ParquetSink,
    ".pq": ParquetSink,
    ".feather": FeatherSink,
    ".arrow": FeatherSink,
    ".ipc": FeatherSink,
    ".npy": NpySink,
}
