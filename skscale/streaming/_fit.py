"""Fitting on rows that come block by block, however many there are."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

from skscale import _tables as tables
from skscale._callbacks import callback_state, streamed_task, with_callbacks
from skscale._chains import is_chain, leading_steps, unfitted
from skscale.errors import InvalidParameterError, SourceError
from skscale.streaming._checkpoint import Checkpoint
from skscale.streaming._identity import identity
from skscale.streaming._progress import Progress
from skscale.streaming._reading import Reading
from skscale.streaming._steps import fit_steps
from skscale.streaming._stream import Stream


def fit_blocks(
    transformer: Any,
    source: Any,
    *,
    sample_weight: Any = None,
    y: Any = None,
    progress: bool = False,
    checkpoint: Any = None,
) -> Any:
    """Fit a transformer, or a pipeline of them, on rows that come block by block.

    Parameters
    ----------
    transformer : estimator
        A transformer, or a Pipeline. Steps that are chains of StandardScaler, MinMaxScaler (without
        clip), PCA and Whitener are solved from one pass over the rows; every other step takes a
        pass of its own, and needs a `partial_fit` or to learn nothing from rows.
    source : path, table, query or iterable
        The path of Parquet, CSV or Feather files, a pattern such as ``"data/*.parquet"``, or a
        list of paths; a pyarrow `Dataset`, `ParquetFile` or `RecordBatchReader`; a polars
        `LazyFrame`; a table or array in memory, a `numpy.memmap`, a Zarr array; anything that
        exports an Arrow stream (``__arrow_c_stream__``), such as a DuckDB query; an iterable of
        tables or of (X, y) pairs, such as ``pandas.read_csv(chunksize=...)``; a callable that
        returns one of these, for a source that is opened anew for every pass.
    sample_weight : array-like of shape (n_samples,), float or str, default=None
        Non-negative. A string is the column that holds the weights, which is then no feature.
    y : array-like of shape (n_samples,) or str, default=None
        For steps that learn from it. A string is the column that holds it, which is then no
        feature.
    progress : bool, default=False
        Whether to write rows, blocks, rate and time left to standard error, if that is a terminal.
    checkpoint : path, default=None
        File in which what was measured, and how far, is kept every half a minute, and when the fit
        is interrupted (Ctrl-C). The same call then goes on from there, and gives the same bits; one
        with other parameters, weights, labels or rows is refused: the first row, and the last
        block that was measured, are compared. What was learned by
        `partial_fit` is not kept. The file is removed once the fit has succeeded.

    Returns
    -------
    transformer : object
        The one that was given, fitted. If `fit_blocks` raises, it is as it was before.

    Raises
    ------
    SourceError
        A block that cannot be read; or rows that are needed once more and can be read once.
    SchemaError
        A block with other columns, or floats of another width, than the first.
    CheckpointError
        A checkpoint that is damaged, or of another fit.
    ValueError, TypeError
        What `fit` raises, with the block in front.

    Notes
    -----
    Rows of files, queries and arrays are measured in the blocks of a table in memory: the bits of
    one transformer are those of ``transformer.fit(table)``, with an Arrow table for files and
    queries, and do not depend on how the rows are stored or sent. A chain that is solved from one
    pass agrees with a fit step by step to rounding, as in `cross_fit`; its bits depend on the rows
    alone, too. Blocks of an iterable are kept as they are cut, one statistic each, so that their
    bits are those of any other engine on the same blocks. A block without rows changes nothing.

    Memory: a window of a block (8 MB of float64) for every thread and one more, and the statistic.
    Cost: reading, and 0.7 to 7 ns for every number; 0.1 to 0.2 ms for every block of an iterable.

    NaN is what it is for `fit`. PCA and Whitener may find, once they have seen all rows, that they
    need a finer statistic: that takes another pass, or where the rows can be read once is measured
    along with the first, at several times the cost.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from skscale import PCA, StandardScaler
    >>> from skscale.streaming import fit_blocks
    >>> rows = np.random.default_rng(0).normal(size=(1000, 3))
    >>> pipeline = fit_blocks(make_pipeline(StandardScaler(), PCA(2)), rows)
    >>> pipeline.transform(rows[:2]).shape
    (2, 2)

    A generator can be read once, which is enough for a chain of such steps:

    >>> halves = (rows[start : start + 500] for start in (0, 500))
    >>> scaler = fit_blocks(StandardScaler(), halves)
    >>> bool(np.allclose(scaler.mean_, rows.mean(axis=0)))
    True

    A callable opens it anew for every pass:

    >>> from sklearn.linear_model import SGDClassifier
    >>> labels = rows[:, 0] > 0
    >>> model = make_pipeline(StandardScaler(), SGDClassifier(random_state=0))
    >>> pairs = lambda: ((rows[i::2], labels[i::2]) for i in range(2))
    >>> fit_blocks(model, pairs).score(rows, labels) > 0.95
    True
    """
    if not hasattr(transformer, "fit") or isinstance(transformer, type):
        raise InvalidParameterError(
            f"transformer must be something that can be fitted; got {transformer!r}. For instance: "
            "fit_blocks(StandardScaler(), 'data/*.parquet')."
        )
    stream = Stream(tables.open_source(source), y, sample_weight)
    return _fit(transformer, stream, progress, checkpoint)


@with_callbacks
def _fit(transformer: Any, stream: Stream, progress: bool, checkpoint: Any) -> Any:
    given = _all_steps(transformer)
    steps = _all_steps(unfitted(transformer))
    kept = Checkpoint(checkpoint, partial(identity, transformer, stream))
    with streamed_task(transformer) as tell:
        reading = Reading(stream, Progress(progress, tell), kept)
        try:
            fit_steps(steps, reading)
        except KeyboardInterrupt as interrupt:
            try:
                kept.write()
            except SourceError as error:
                interrupt.add_note(str(error))
            raise
        for step, fitted in zip(given, steps, strict=True):
            step.__dict__ = fitted.__dict__ | callback_state(step)
    kept.remove()
    return transformer


def _all_steps(transformer: Any) -> list[Any]:
    """The steps of a pipeline, whoever is to be told of its fit."""
    bare = copy.copy(transformer)
    vars(bare).pop("_skl_callbacks", None)
    return list(leading_steps(bare)) if is_chain(bare) else [transformer]
