"""Pieces of tables, cut and joined without a look at their values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from skscale._tables._read import column_names, is_frame
from skscale._tables._rows import count_rows


def slice_rows(X: Any, start: int, stop: int) -> Any:
    """Consecutive rows of an array, frame, list or sparse array; where it can be, a view."""
    if hasattr(X, "iloc"):
        return X.iloc[start:stop]
    if type(X).__module__.startswith("pyarrow"):
        return X.slice(start, stop - start)
    return X[start:stop]


def join_rows(pieces: Sequence[Any]) -> Any:
    """Tables of one kind as one, in their order."""
    if len(pieces) == 1:
        return pieces[0]
    first = pieces[0]
    if not is_frame(first):
        return np.concatenate(pieces)
    if type(first).__module__.startswith("pyarrow"):
        import pyarrow as arrow

        return arrow.concat_tables(pieces, promote_options="permissive")
    import narwhals.stable.v1 as narwhals

    frames = [narwhals.from_native(piece, eager_only=True) for piece in pieces]
    return narwhals.concat(frames).to_native()


def recut(pieces: Iterable[Any], step: int) -> Iterator[Any]:
    """Blocks of `step` rows, whatever the pieces; the remainder joins the last one.

    These are the blocks of a table in memory, so that the bits of what is made of them do not
    depend on where, or in what pieces, the rows are stored. Memory: two blocks and a piece.
    """
    held: list[Any] = []
    n_held = 0
    for piece in pieces:
        n_rows = count_rows(piece)
        if n_rows == 0:
            continue
        held.append(piece)
        n_held += n_rows
        if n_held >= 2 * step and len(held) == 2 and count_rows(held[0]) == step:  # no copy
            yield held.pop(0)
            n_held -= step
        if n_held < 2 * step:
            continue
        rows = join_rows(held)
        n_ready = n_held // step - 1
        for start in range(0, n_ready * step, step):
            yield slice_rows(rows, start, start + step)
        held, n_held = [slice_rows(rows, n_ready * step, n_held)], n_held - n_ready * step
    if held:
        yield join_rows(held)


def without_rows(pieces: Iterable[Any], n_rows: int) -> Iterator[Any]:
    """Pieces without the first rows of all."""
    for piece in pieces:
        n_piece = count_rows(piece)
        if n_rows >= n_piece and n_rows > 0:
            n_rows -= n_piece
            continue
        yield slice_rows(piece, n_rows, n_piece) if n_rows else piece
        n_rows = 0


def take_column(X: Any, name: str) -> tuple[Any, Any]:
    """A frame without one of its columns, and the values of that.

    Raises
    ------
    KeyError
        If there is no column of that name.
    """
    import narwhals.stable.v1 as narwhals

    if name not in (column_names(X) or ()):
        raise KeyError(name)
    frame = narwhals.from_native(X, eager_only=True)
    return frame.drop(name).to_native(), frame.get_column(name).to_numpy()


def without_arrow(X: Any) -> Any:
    """An Arrow table as a pandas frame, or an array where there is no pandas; others as they are.

    Types stay, and what is missing is NaN; integers of which some are missing become floats. The
    columns are those of the table, whatever pandas noted in it about an index.
    """
    if not type(X).__module__.startswith("pyarrow"):
        return X
    try:
        import pandas  # noqa: F401
    except ImportError:
        return np.asarray(X)
    return X.to_pandas(ignore_metadata=True, use_threads=False)
