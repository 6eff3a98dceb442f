"""A stream: the rows of a source, block by block, with their labels and weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from skscale import _tables as tables
from skscale._admission import check_some_weights
from skscale._kernels import Array
from skscale._parameters import is_real
from skscale._tables import Source
from skscale.decomposition._components import EXACT
from skscale.errors import (
    InfiniteValueError,
    InvalidParameterError,
    SampleWeightError,
    SchemaError,
    SourceError,
)


class Block(NamedTuple):
    """Some rows of a stream.

    Parameters
    ----------
    number : int
        How many blocks there were before.
    first_row : int
        How many rows there were before.
    rows : array or frame of shape (n_rows, n_features)
    y : array of shape (n_rows, ...) or None
    weights : array of shape (n_rows,) or None
    """

    number: int
    first_row: int
    rows: Any
    y: Any
    weights: Array | None

    @property
    def n_rows(self) -> int:
        return tables.count_rows(self.rows)


class Stream:
    """Rows of a source with their labels and weights, once or several times from the start.

    Parameters
    ----------
    source : Source
    y : array-like of shape (n_samples,), str or None
        Labels of the rows, or the column that holds them. None: those of the pairs, if any.
    sample_weight : array-like of shape (n_samples,), float, str or None
        Weights of the rows, or the column that holds them.

    Attributes
    ----------
    y, weights : array of shape (n_samples,), str, float or None
        As they were given; lists as arrays.
    """

    def __init__(self, source: Source, y: Any = None, sample_weight: Any = None) -> None:
        self.source = source
        self.y, self.weights = _of_rows(y, "y"), _of_rows(sample_weight, "sample_weight")
        self._n_rows: int | None = None  # once they have been counted
        self._pieces: Iterator[Any] | None = iter(source.pieces(0))
        self._ahead: list[Any] = []
        self.head = self._look()
        names = tables.column_names(self.head.rows)
        self.names = names
        self.n_features = tables.count_columns(self.head.rows)

    @property
    def name(self) -> str:
        return self.source.name

    def all_weights(self) -> Array | None:
        """Weights of all rows, where they are known before the rows are."""
        is_known = _is_one_for_each(self.weights)
        return np.asarray(self.weights) if is_known else None

    def all_labels(self) -> Any:
        """Labels of all rows, where they are known before the rows are."""
        return self.y if _is_one_for_each(self.y) else None

    # Looking ahead ----------------------------------------------------------------------------

    def _look(self) -> Block:
        """The first piece that has rows."""
        for piece in self._draw(0):
            self._ahead.append(piece)
            block = self._block(piece, len(self._ahead) - 1, 0)
            if block.n_rows:
                return block
        raise SourceError(f"There are no rows in {self.name}, so there is nothing to learn from.")

    @cached_property
    def n_rows_ahead(self) -> int:
        """Number of rows, or if that is not known so many that more make no difference.

        What is measured may depend on whether there are more rows than columns, or ten times more.
        """
        if self.source.n_rows is not None:
            return self.source.n_rows
        if self._n_rows is not None:
            return self._n_rows
        p = self.n_features
        enough = 10 * p if p <= EXACT else p + 1
        n_seen = self.head.first_row + self.head.n_rows
        if n_seen < enough and self._pieces is not None:
            for piece in self._draw(len(self._ahead)):
                self._ahead.append(piece)
                n_seen += self._block(piece, len(self._ahead) - 1, n_seen).n_rows
                if n_seen >= enough:
                    break
        return n_seen

    # Passes -----------------------------------------------------------------------------------

    def blocks(self, step: int, n_blocks: int = 0, n_rows: int = 0) -> Iterator[Block]:
        """One pass over the rows.

        Parameters
        ----------
        step : int
            Rows of a block, where nobody has cut them.
        n_blocks, n_rows : int, default=0
            Blocks, and the rows in them, that need not come.

        Raises
        ------
        SourceError
            What cannot be read, or not once more.
        SchemaError
            A block with other columns than the first.
        """
        pieces = self._begin(n_blocks if self.source.is_cut else n_rows)
        blocks = pieces if self.source.is_cut else tables.recut(pieces, step)
        number, first_row = n_blocks, n_rows
        for rows in self._located(blocks, number):
            block = self._block(rows, number, first_row)
            self._check_columns(block)
            yield block
            number, first_row = number + 1, first_row + block.n_rows
        self._check_length(first_row, number)

    def exhausted(self, n_passes: int = 2) -> SourceError:
        """Error for rows that are needed several times."""
        return SourceError(
            f"The rows of {self.name} can be read once, and the fit takes {n_passes} passes over "
            "them. Pass a callable that opens them anew, as in fit_blocks(pipeline, lambda: "
            "open_rows())."
        )

    def _begin(self, skip: int) -> Iterator[Any]:
        """Pieces of another pass, but for some; the first pass goes on from what was looked at."""
        opened, ahead = self._pieces, self._ahead
        self._pieces, self._ahead = None, []
        if self.source.is_rereadable and (skip or opened is None):
            return iter(self.source.pieces(skip))
        if opened is None:
            raise self.exhausted()
        pieces = chain(ahead, opened)
        return (
            islice(pieces, skip, None) if self.source.is_cut else tables.without_rows(pieces, skip)
        )

    def _draw(self, number: int) -> Iterator[Any]:
        assert self._pieces is not None
        return self._located(self._pieces, number)

    def _located(self, pieces: Iterator[Any], number: int) -> Iterator[Any]:
        """The same, whose errors name the block that was not read."""
        while True:
            try:
                piece = next(pieces)
            except StopIteration:
                return
            except SourceError as error:
                raise SourceError(f"Block {number} was not read: {error}", number) from error
            except Exception as error:
                raise SourceError(
                    f"Block {number} of {self.name} (counted from 0) could not be read: "
                    f"{type(error).__name__}: {error}",
                    number,
                ) from error
            yield piece
            number += 1

    # One block --------------------------------------------------------------------------------

    def _is_pair(self, piece: Any) -> bool:
        return self.source.is_cut and isinstance(piece, tuple) and len(piece) == 2

    def _block(self, piece: Any, number: int, first_row: int) -> Block:
        rows, y = piece if self._is_pair(piece) else (piece, None)
        if not tables.has_rows(rows):
            raise SchemaError(
                f"Block {number} of {self.name} (counted from 0) must be a table, or a pair "
                f"(X, y); got {type(rows).__name__}."
            )
        stop = first_row + tables.count_rows(rows)
        rows, labels = self._beside(rows, self.y, "y", first_row, stop)
        rows, weights = self._beside(rows, self.weights, "sample_weight", first_row, stop)
        if labels is not None and y is not None:
            raise InvalidParameterError(
                f"y is given twice: as a parameter, and in the pairs of {self.name}."
            )
        y = labels if y is None else y
        if y is not None and tables.count_rows(y) != stop - first_row:
            raise InvalidParameterError(
                f"Block {number} of {self.name} has {stop - first_row} rows and "
                f"{tables.count_rows(y)} labels in y."
            )
        try:
            checked = check_some_weights(weights, stop - first_row)
        except SampleWeightError as error:
            raise located(error, self, Block(number, first_row, rows, y, None)) from None
        return Block(number, first_row, rows, y, checked)

    def _beside(
        self, rows: Any, given: Any, parameter: str, first_row: int, stop: int
    ) -> tuple[Any, Any]:
        """A block without the column that a parameter names, and the values of the parameter."""
        if isinstance(given, str):
            try:
                return tables.take_column(rows, given)
            except KeyError:
                raise SchemaError(
                    f"{parameter}={given!r} is no column of {self.name}, which has "
                    f"{tables.column_names(rows) or 'no names'}."
                ) from None
        if not _is_one_for_each(given):
            return rows, given
        if tables.count_rows(given) < stop:
            raise self._wrong_length(parameter, given, f"at least {stop}")
        return rows, tables.slice_rows(given, first_row, stop)

    def _check_columns(self, block: Block) -> None:
        names, width = tables.column_names(block.rows), tables.count_columns(block.rows)
        first = f"the first block of {self.name}"
        tables.check_same_columns(names, self.names, f"Block {block.number}", first)
        if width != self.n_features:
            raise SchemaError(
                f"Block {block.number} (counted from 0) has {width} columns, and {first} has "
                f"{self.n_features}."
            )
        if (block.y is None) != (self.head.y is None):
            has, had = ("none", "some") if block.y is None else ("some", "none")
            raise SchemaError(
                f"Block {block.number} (counted from 0) has {has} labels, and {first} {had}. Give "
                "a pair (X, y) for every block, or for none."
            )

    def _check_length(self, n_rows: int, n_blocks: int) -> None:
        for parameter, given in (("y", self.y), ("sample_weight", self.weights)):
            if _is_one_for_each(given) and tables.count_rows(given) != n_rows:
                raise self._wrong_length(parameter, given, str(n_rows))
        if self._n_rows not in (None, n_rows):
            raise SourceError(
                f"{self.name} ended before block {n_blocks} (counted from 0), with {n_rows} rows; "
                f"an earlier pass over it had {self._n_rows}. All passes must have the same rows.",
                n_blocks,
            )
        self._n_rows = n_rows

    def _wrong_length(self, parameter: str, given: Any, expected: str) -> ValueError:
        kind = SampleWeightError if parameter == "sample_weight" else InvalidParameterError
        return kind(
            f"{parameter} has {tables.count_rows(given)} entries, and {self.name} has {expected} "
            "rows."
        )


def _of_rows(given: Any, parameter: str) -> Any:
    """Labels or weights: the name of a column, one number for all rows, or one for each."""
    if given is None or isinstance(given, str):
        return given
    if parameter == "sample_weight" and is_real(given):
        return float(given)
    of_rows = given if tables.has_rows(given) and not isinstance(given, list) else np.asarray(given)
    if len(of_rows.shape) == 0:
        raise InvalidParameterError(
            f"{parameter} must be one value for every row, or the name of a column; got {given!r}."
        )
    return of_rows


def _is_one_for_each(given: Any) -> bool:
    return given is not None and not isinstance(given, (str, float))


@contextmanager
def locating(stream: Stream, block: Block) -> Iterator[None]:
    """Errors about the rows of a block say which it is."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise located(error, stream, block) from None


def located(error: Exception, stream: Stream, block: Block) -> Exception:
    """The same error, which says in what block it is."""
    last_row = block.first_row + max(block.n_rows, 1) - 1
    where = (
        f"Block {block.number} of {stream.name} (counted from 0; its first row is row "
        f"{block.first_row} of all, its last one row {last_row}): "
    )
    if isinstance(error, InfiniteValueError):
        error.row += block.first_row
    error.args = (f"{where}{error.args[0] if error.args else ''}", *error.args[1:])
    return error
