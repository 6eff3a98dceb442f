"""Where results go, block by block: files, and arrays that are there already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale._tables._sink import Sink, as_array
from skscale._tables._sink_files import FORMATS
from skscale.errors import InvalidParameterError


def open_sink(given: Any, n_rows: int | None, files: Sequence[str]) -> Sink:
    """Open a place for results.

    Parameters
    ----------
    given : path or array
    n_rows : int or None
        How many rows will come, where that is known.
    files : sequence of str
        Paths that must not be written to: the rows are read from them.

    Raises
    ------
    InvalidParameterError
        For anything else, for a file of no known format, or one of the `files`.
    FileNotFoundError
        If there is no such directory.
    """
    if isinstance(given, (str, os.PathLike)):
        path = Path(given)
        _check_apart(path, files)
        suffix = path.suffix
        if suffix not in FORMATS:
            raise InvalidParameterError(
                f"sink={str(given)!r} is of no format that can be written block by block: these "
                f"are {', '.join(FORMATS)}. Give it one of these endings, or leave sink out and "
                "write the blocks yourself."
            )
        if path.is_dir():
            raise InvalidParameterError(f"sink={str(given)!r} is a directory; give it a file name.")
        parent = Path(os.path.realpath(path)).parent if path.is_symlink() else path.parent
        if not parent.is_dir():
            raise FileNotFoundError(
                f"There is no directory {str(parent)!r} for sink={str(given)!r}. Make one."
            )
        return FORMATS[suffix](given)
    if hasattr(given, "__setitem__") and hasattr(given, "shape") and hasattr(given, "dtype"):
        if (file := getattr(given, "filename", None)) is not None:  # of a memmap
            _check_apart(Path(file), files)
        return ArraySink(given, n_rows)
    raise InvalidParameterError(
        f"sink must be a path that ends in {', '.join(FORMATS)}, an array that can be written to "
        "(such as a numpy.memmap or a Zarr array), or None for a generator of blocks; got "
        f"{type(given).__name__}."
    )


def _check_apart(path: Path, files: Sequence[str]) -> None:
    if path.exists() and any(os.path.exists(file) and path.samefile(file) for file in files):
        raise InvalidParameterError(
            f"sink={str(path)!r} is one of the files that the rows are read from. Write to another "
            "one, and rename it once transform_blocks has returned."
        )


class ArraySink(Sink):
    """Rows of an array that is there already, in memory or on disk."""

    kept = "The rows before it have been written"

    def __init__(self, target: Any, n_rows: int | None) -> None:
        super().__init__(target, f"this {type(target).__name__}")
        if isinstance(target, np.ndarray) and not target.flags.writeable:
            raise InvalidParameterError(
                f"sink is {self.name} that cannot be written to. Open a memmap with mode='r+' or "
                "'w+'."
            )
        self._n_rows, self._n_written = n_rows, 0

    def prepare(self, result: Any, like: Any, names: Sequence[str] | None) -> Array:
        return as_array(result)

    def write(self, piece: Array) -> None:
        start, stop = self._n_written, self._n_written + piece.shape[0]
        expected = self.target.shape[0] if self._n_rows is None else self._n_rows
        is_full = stop > expected
        if self.target.shape != (expected, piece.shape[1]) or is_full:
            rows = f"at least {stop}" if is_full else str(expected)
            raise InvalidParameterError(
                f"sink has shape {self.target.shape}, and the result has {rows} rows and "
                f"{piece.shape[1]} columns. Pass an array of that shape."
            )
        if not np.can_cast(piece.dtype, self.target.dtype, "same_kind"):
            raise InvalidParameterError(
                f"sink is of dtype {self.target.dtype}, which cannot hold the {piece.dtype} of the "
                f"result. Pass an array of {piece.dtype}."
            )
        self.target[start:stop] = piece
        self._n_written = stop

    def finish(self) -> None:
        if self._n_written != self.target.shape[0]:
            raise InvalidParameterError(
                f"sink has {self.target.shape[0]} rows, and only {self._n_written} came."
            )
        if hasattr(self.target, "flush"):
            self.target.flush()

    def abandon(self) -> None:
        """Leave the rows that were written, which nobody could tell from others."""
