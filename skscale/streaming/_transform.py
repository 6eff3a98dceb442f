"""Transforming rows that come block by block, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from sklearn import config_context, get_config
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from skscale import _tables as tables
from skscale._base import TableTransformer
from skscale._blas import single_threaded_blas
from skscale._blocks import applied_rows
from skscale._chains import leading_steps, names_out
from skscale._reduce import in_threads
from skscale._tables import Sink
from skscale._threads import allowed_threads, thread_limit
from skscale.errors import InvalidParameterError, SinkError
from skscale.streaming._reading import transformed
from skscale.streaming._stream import Block, Stream, locating

Transform = Callable[[Any], Any]


def transform_blocks(fitted: Any, source: Any, sink: Any = None) -> Any:
    """Transform rows that come block by block, and write them, or give them, block by block.

    Parameters
    ----------
    fitted : estimator
        A fitted transformer, or a fitted Pipeline of them; ours, scikit-learn's or another's.
    source : path, table, query or iterable
        As of `fit_blocks`. Of pairs (X, y), X is transformed.
    sink : path or array, default=None
        None gives a generator of blocks. The path of a file ending in ``.parquet`` (``.pq``),
        ``.feather`` (``.arrow``, ``.ipc``) or ``.npy`` is written to a file beside it, which takes
        its place once it is whole, with its permissions; a symbolic link stands for what it points
        to. An array of shape (n_samples, n_features_out) that can be written to, such as a
        `numpy.memmap` or a Zarr array, is filled; floats may be rounded to the width of its own.

    Returns
    -------
    result : generator, path or array
        The `sink`, once all rows are written; or a generator of what ``fitted.transform(block)``
        gives, an array or, if `set_output` asks for it, a frame.

    Raises
    ------
    NotFittedError
        Nothing that is fitted.
    InvalidParameterError
        Nothing that transforms; a sink of no known kind or of another shape, or one of the files
        that the rows are read from.
    SourceError
        A block that cannot be read.
    SinkError
        A block that cannot be written, because the disk is full for instance.
    SchemaError
        A block with other columns than the first; or, in files, of another type.
    ValueError, TypeError
        What `transform` raises, with the block in front.

    Notes
    -----
    If `transform_blocks` raises, or is interrupted by Ctrl-C, the file at `sink` is as it was
    before, and none is left beside it; an array keeps the rows before that block. A generator that
    is closed, or forgotten, leaves no thread behind.

    Rows of files, queries and arrays are cut into the blocks of a table in memory, anew for
    every step with matrix products: the bits are those of ``fitted.transform(table)`` for the
    transformers of this package and Pipelines of them, and for those of scikit-learn that work row
    by row. Matrix products of others, and all inside a ColumnTransformer or FeatureUnion, are the
    same to rounding. Blocks of an iterable are transformed as they are cut. A block without rows
    gives nothing. Estimators of others get Arrow tables, which blocks of files and queries are, as
    pandas frames, or as arrays where there is no pandas.

    Parquet and Feather files have the names of `get_feature_names_out`, or x0, x1, ... if neither
    the rows nor the result have any. Columns that keep their names keep their float type and their
    nulls too (NaN stays NaN); from other numbers they become float64. Labels of the rows of a
    pandas frame are not written.

    Memory: a window of blocks (8 MB of float64) for every thread and one more, and 64 MB for a row
    group of a file. Cost: reading, `transform`, and writing; they overlap where there are cores.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skscale import PCA, StandardScaler
    >>> from skscale.streaming import transform_blocks
    >>> rows = np.random.default_rng(0).normal(size=(1000, 3))
    >>> pipeline = make_pipeline(StandardScaler(), PCA(2)).fit(rows)
    >>> halves = (rows[start : start + 500] for start in (0, 500))
    >>> [block.shape for block in transform_blocks(pipeline, halves)]
    [(500, 2), (500, 2)]

    Into an array that is there already:

    >>> result = transform_blocks(pipeline, rows, np.empty((1000, 2)))
    >>> bool((result == pipeline.transform(rows)).all())
    True

    The shape is compared before anything is written:

    >>> transform_blocks(pipeline, rows, np.empty((1000, 3)))
    Traceback (most recent call last):
    ...
    skscale.errors.InvalidParameterError: ... sink has shape (1000, 3), and the result has 1000 rows
    and 2 columns. Pass an array of that shape.

    The last step of a pipeline may be a model, which has no `transform`:

    >>> from sklearn.linear_model import LinearRegression
    >>> model = make_pipeline(StandardScaler(), LinearRegression()).fit(rows, rows[:, 0])
    >>> [block.shape for block in transform_blocks(model[:-1], rows)]
    [(1000, 3)]
    """
    if not hasattr(fitted, "transform"):
        raise InvalidParameterError(
            f"fitted must be something that transforms rows; got {fitted!r}, which has no "
            "transform. Of a pipeline that ends in a model, pass the steps before it: "
            "transform_blocks(pipeline[:-1], source)."
        )
    opened = tables.open_source(source)
    if sink is None:
        stream = Stream(opened)
        _check_fitted(fitted, stream)
        return _results(fitted, stream, allowed_threads())
    into = tables.open_sink(sink, opened.n_rows, opened.files)
    if sink is source or _overlap(sink, source):
        raise InvalidParameterError(
            "sink and source have the same memory. Write to another array, or transform in memory."
        )
    stream = Stream(opened)
    _check_fitted(fitted, stream)
    _write(fitted, stream, into)
    return sink


def _check_fitted(fitted: Any, stream: Stream) -> None:
    """Refuse what is not fitted.

    A step that says nothing of itself, and has learned nothing that could be seen, may yet have
    nothing to learn: it is tried on a row.

    Raises
    ------
    NotFittedError
    """
    steps = tuple(leading_steps(fitted))
    try:
        for step in steps:
            if hasattr(step, "fit"):
                check_is_fitted(step)
    except NotFittedError as error:
        row = tables.slice_rows(stream.head.rows, 0, 1)
        try:
            transformed(row, steps)
        except AttributeError:  # which a NotFittedError is too
            raise error from None
        except Exception:  # will be told with its block
            return


def _overlap(sink: Any, source: Any) -> bool:
    are_arrays = isinstance(sink, np.ndarray) and isinstance(source, np.ndarray)
    return are_arrays and bool(np.may_share_memory(sink, source))


def _results(fitted: Any, stream: Stream, n_threads: int) -> Iterator[Any]:
    with _through(_stages(fitted, stream), stream, n_threads) as results:
        for _, result in results:
            yield result


def _write(fitted: Any, stream: Stream, into: Sink) -> None:
    names = names_out(fitted)
    *stages, (n_rows, transform) = _stages(fitted, stream)
    prepared = Stage(n_rows, lambda rows: into.prepare(transform(rows), rows, names))
    n_written = 0
    try:
        with _through([*stages, prepared], stream, allowed_threads()) as pieces:
            for block, piece in pieces:
                with locating(stream, block):
                    _attempt(partial(into.write, piece), into, block.number)
                n_written = block.number
        _attempt(into.finish, into, n_written)
    except BaseException:
        into.abandon()
        raise


def _attempt(write: Callable[[], None], into: Sink, number: int) -> None:
    try:
        write()
    except OSError as error:
        raise SinkError(
            f"Block {number} (counted from 0) could not be written to {into.name}: {error}. "
            f"{into.kept}.",
            number,
        ) from error


# Stages -------------------------------------------------------------------------------------------


class Stage(NamedTuple):
    """Steps that rows go through in the same blocks.

    Parameters
    ----------
    n_rows : int
        Rows of a block.
    transform : callable
        From the rows of a block to what becomes of them.
    """

    n_rows: int
    transform: Transform


def _stages(fitted: Any, stream: Stream) -> list[Stage]:
    """What the rows go through, cut anew wherever the same step in memory would cut otherwise."""
    n_features = stream.n_features
    steps = list(leading_steps(fitted))
    cuts = [_rows_of_block(step) for step in steps]
    if stream.source.is_cut or len(set(cuts) - {None}) < 2:
        width = len(names_out(fitted) or ())
        n_rows = next(filter(None, cuts), applied_rows(n_features, width))
        return [Stage(n_rows, partial(transformed, through=tuple(steps)))]
    stages: list[tuple[int | None, list[Any]]] = [(None, [])]
    for step, cut in zip(steps, cuts, strict=True):
        current, its = stages[-1]
        if None in (current, cut) or current == cut:
            stages[-1] = current or cut, [*its, step]
        else:
            stages.append((cut, [step]))
    return [
        Stage(n_rows or applied_rows(n_features, 0), partial(transformed, through=tuple(its)))
        for n_rows, its in stages
    ]


def _rows_of_block(step: Any) -> int | None:
    """Rows of the blocks on which the bits of a step depend; None if they depend on no others."""
    if not isinstance(step, TableTransformer) or step._columnwise:
        return None
    n_features = getattr(step, "n_features_in_", None)  # a step that is not fitted will say so
    return None if n_features is None else applied_rows(n_features, step._width_out())


@contextmanager
def _through(
    stages: list[Stage], stream: Stream, n_threads: int
) -> Iterator[Iterator[tuple[Block, Any]]]:
    """What becomes of all blocks with rows, in order, while later ones are read."""
    config = get_config()  # which threads do not inherit

    def run(transform: Transform, block: Block) -> tuple[Block, Any]:
        with (
            config_context(**config),
            thread_limit(1),
            single_threaded_blas,
            locating(stream, block),
        ):
            return block, transform(block.rows)

    with ExitStack() as pools:
        blocks = stream.blocks(stages[0].n_rows)
        results: Any = None
        for n_rows, transform in stages:
            if results is not None:
                blocks = _recut(results, n_rows)
            some = (block for block in blocks if block.n_rows)
            pool = in_threads(partial(run, transform), some, n_threads, n_threads)
            results = pools.enter_context(pool)
        yield results


def _recut(results: Iterator[tuple[Block, Any]], n_rows: int) -> Iterator[Block]:
    """What becomes of blocks, in blocks of so many rows."""
    first_row = 0
    for number, rows in enumerate(tables.recut((result for _, result in results), n_rows)):
        block = Block(number, first_row, rows, None, None)
        yield block
        first_row += block.n_rows
