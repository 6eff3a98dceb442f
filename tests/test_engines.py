"""Engines: order, blocks, bits and errors, whatever the number of threads."""

import gc
import threading
import time
import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone

import skscale
from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener
from skscale import _reduce as engines
from skscale.errors import InfiniteValueError, MissingValueError
from skscale.statistics import Statistic

COUNTS = (1, 2, 3, 8)

TRANSFORMERS = [
    MinMaxScaler(),
    StandardScaler(),
    BatchNormalizer(),
    BatchNormalizer(momentum=0.1, batch_size=1000),
    PCA(),
    PCA(n_components=3, svd_solver="full", whiten=True),
    Whitener(shrinkage="ledoit_wolf"),
]


@pytest.fixture
def small_blocks(monkeypatch):
    """Small tables are cut and worked on as large ones are."""
    monkeypatch.setattr(engines, "BLOCK", 2**12)
    monkeypatch.setattr(engines, "PAYS", 2**13)
    monkeypatch.setattr(engines, "GRAIN", 2**12)


def rows_of(dtype, order, n_rows=5000, n_columns=8):
    rng = np.random.default_rng(n_columns)
    rows = rng.normal(size=(n_rows, n_columns)) @ np.tri(n_columns) + 10 ** np.arange(n_columns)
    return np.asarray(rows, dtype, order)


def learned(fitted):
    """Arrays and numbers of a fit, and of the statistic behind it, as bytes."""
    parts = [value for name, value in sorted(vars(fitted).items()) if name.endswith("_")]
    found, stack = [], parts
    while stack:
        part = stack.pop()
        if isinstance(part, type):
            found.append(part.__name__)
        elif isinstance(part, Statistic):
            stack += [getattr(part, name) for name in part.__dataclass_fields__]
        elif isinstance(part, tuple):
            stack += part
        else:
            values = np.asarray(part)
            found.append(repr(part) if values.dtype == object else values.tobytes())
    return found


def outcomes(transformer, rows):
    """All that a transformer makes of rows, with every number of threads."""
    for n_threads in COUNTS:
        with skscale.thread_limit(n_threads):
            fitted = clone(transformer).fit(rows)
            image = fitted.transform(rows)
            back = fitted.inverse_transform(image)
        yield [*learned(fitted), image.tobytes(), back.tobytes()]


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
@pytest.mark.parametrize("order", "CF")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.usefixtures("small_blocks")
def test_same_bits_for_any_number_of_threads(transformer, dtype, order):
    rows = rows_of(dtype, order)
    if transformer.__sklearn_tags__().input_tags.allow_nan:
        rows[::7, 1::2] = np.nan
    first, *others = outcomes(transformer, rows)
    assert len(first) > 8
    assert all(other == first for other in others)


@pytest.mark.parametrize("transformer", [StandardScaler(), PCA()], ids=repr)
def test_same_bits_in_blocks_of_the_usual_size(transformer, monkeypatch):
    started = []
    pool = engines.ThreadPoolExecutor
    monkeypatch.setattr(
        engines, "ThreadPoolExecutor", lambda n, *more: started.append(n) or pool(n, *more)
    )
    rows = rows_of(np.float64, "C", n_rows=2**19 + 1)
    assert rows.size > engines.PAYS
    first, *others = outcomes(transformer, rows)
    assert all(other == first for other in others)
    # To fit, transform and invert, with as many threads as are allowed and there are blocks.
    assert started == [n for n in (2, 3, 4) for _ in range(3)]


def test_small_tables_start_no_thread(monkeypatch):
    monkeypatch.setattr(engines, "ThreadPoolExecutor", None)
    rows = np.ones((engines.PAYS // 8 - 1, 8))
    with skscale.thread_limit(8):
        assert StandardScaler().fit_transform(rows).shape == rows.shape


def test_small_batches_start_no_thread(monkeypatch):
    monkeypatch.setattr(engines, "ThreadPoolExecutor", None)
    rows = np.ones((engines.PAYS // 8, 8))
    with skscale.thread_limit(8):
        BatchNormalizer(momentum=0.1).fit(rows)


def test_a_wide_result_of_narrow_rows_is_worth_threads(monkeypatch):
    widths = []
    pool = engines.ThreadPoolExecutor
    monkeypatch.setattr(
        engines, "ThreadPoolExecutor", lambda n, *more: widths.append(n) or pool(n, *more)
    )
    pca = PCA(n_components=1).fit(np.random.default_rng(0).normal(size=(1000, 128)))
    with skscale.thread_limit(2):
        pca.inverse_transform(np.ones((engines.PAYS // 128, 1)))
    assert widths == [2]


# Errors and warnings ----------------------------------------------------------------------------


@pytest.mark.parametrize("n_threads", COUNTS)
@pytest.mark.usefixtures("small_blocks")
class TestErrors:
    def test_the_first_infinity_is_named(self, n_threads):
        rows = rows_of(np.float64, "C")
        rows[[4200, 2200, 3200], [1, 2, 3]] = np.inf
        fitted = StandardScaler().fit(rows[:2000])
        for work in (StandardScaler().fit, fitted.transform, PCA().fit):
            with skscale.thread_limit(n_threads), pytest.raises(InfiniteValueError) as caught:
                work(rows)
            assert (caught.value.row, caught.value.column) == (2200, 2)

    def test_the_first_block_decides_between_two_errors(self, n_threads):
        rows = rows_of(np.float64, "C")
        rows[600, 2], rows[3000, 1] = np.nan, np.inf
        with skscale.thread_limit(n_threads), pytest.raises(MissingValueError):
            PCA().fit(rows)
        rows[[600, 3000]] = rows[[3000, 600]]
        with skscale.thread_limit(n_threads), pytest.raises(InfiniteValueError):
            PCA().fit(rows)

    def test_the_first_error_is_raised_although_another_came_earlier(self, n_threads):
        def work(rows):
            if rows.start == 0:
                time.sleep(0.05)
            raise ValueError(f"block {rows.start}")

        blocks = engines.cut(100, 10)
        with (
            skscale.thread_limit(n_threads),
            pytest.raises(ValueError, match=r"^block 0$"),
            engines.mapped_blocks(work, blocks, 10**9) as parts,
        ):
            list(parts)

    def test_an_error_stops_the_rest(self, n_threads):
        done = []

        def work(rows):
            done.append(rows)
            if rows.start == 50:
                raise ValueError("block 5")

        with (
            skscale.thread_limit(n_threads),
            pytest.raises(ValueError, match="block 5"),
            engines.mapped_blocks(work, engines.cut(10_000, 10), 10**9) as parts,
        ):
            list(parts)
        assert len(done) < 100

    def test_an_error_waits_for_no_more_than_has_begun(self, n_threads):
        done = []

        def work(rows):
            done.append(rows)
            if rows.start == 0:
                raise ValueError("block 0")
            time.sleep(0.2)

        with (
            skscale.thread_limit(n_threads),
            pytest.raises(ValueError, match="block 0"),
            engines.mapped_blocks(work, engines.cut(1000, 10), 10**9) as parts,
        ):
            list(parts)
        assert len(done) <= 1 + n_threads

    def test_rules_for_floating_point_errors_are_the_callers(self, n_threads):
        def divide(rows):
            return np.array([float(rows.start)]) / 0.0

        with skscale.thread_limit(n_threads):
            heard = []
            with np.errstate(all="ignore", divide="call", call=lambda *what: heard.append(what)):
                with engines.mapped_blocks(divide, engines.cut(30, 10), 10**9) as parts:
                    assert np.isinf(list(parts)[1:]).all()
                assert len(heard) == 2
            with (
                np.errstate(all="raise"),
                pytest.raises(FloatingPointError, match="invalid"),
                engines.mapped_blocks(divide, engines.cut(30, 10), 10**9) as parts,
            ):
                list(parts)

    def test_squares_that_vanish_are_no_error(self, n_threads):
        rows = np.random.default_rng(0).normal(size=(20_000, 2)) * 1e-170
        rows[5] = 1, 2
        with skscale.thread_limit(n_threads), np.errstate(all="raise"):
            for transformer in (StandardScaler(), PCA(), BatchNormalizer(), Whitener()):
                transformer.fit(rows)


# What is left behind ------------------------------------------------------------------------------


def count_threads():
    return sum(thread.name.startswith("skscale") for thread in threading.enumerate())


@pytest.mark.usefixtures("small_blocks")
def test_threads_end_with_the_work_even_if_the_error_is_kept():
    rows = rows_of(np.float64, "C")
    rows[4000] = np.nan
    with skscale.thread_limit(3):
        StandardScaler().fit(rows)
        assert count_threads() == 0
        with pytest.raises(MissingValueError) as kept:
            PCA().fit(rows)
    assert count_threads() == 0
    assert kept.value.__traceback__ is not None


def test_threads_end_if_nobody_takes_the_results():
    with (
        skscale.thread_limit(2),
        engines.mapped_blocks(lambda rows: rows.start, engines.cut(1000, 10), 10**9) as results,
    ):
        assert next(results) == 0
        assert count_threads() == 2
    assert count_threads() == 0


def test_results_wait_for_whoever_takes_them():
    """Blocks are measured a few ahead of the merge, and not all at once."""
    done = []
    blocks = engines.cut(1000, 10)
    with (
        skscale.thread_limit(2),
        engines.mapped_blocks(lambda rows: done.append(rows) or rows.start, blocks, 10**9) as parts,
    ):
        assert next(parts) == 0
        time.sleep(0.05)
        assert len(done) <= 5
        assert list(parts) == [block.start for block in blocks[1:]]


@pytest.mark.parametrize("n_threads", COUNTS)
def test_extra_memory_is_a_few_blocks_per_thread(n_threads):
    rows = np.random.default_rng(0).normal(size=(2**19, 16))  # 64 MiB
    tracemalloc.start()
    try:
        with skscale.thread_limit(n_threads):
            fitted = StandardScaler().fit(rows)
            gc.collect()
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            StandardScaler().fit(rows)
            peak_of_fit = tracemalloc.get_traced_memory()[1] - before
            tracemalloc.reset_peak()
            image = fitted.transform(rows)
            peak_of_transform = tracemalloc.get_traced_memory()[1] - before - image.nbytes
    finally:
        tracemalloc.stop()
    block = 8 * engines.BLOCK
    assert peak_of_fit < 2 * n_threads * block
    assert peak_of_transform < 2 * n_threads * block


# Blocks -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_rows", "step"), [(1, 1), (1, 5), (10, 3), (9, 3), (10, 10), (5, 100)])
def test_cuts_hold_every_row_once_and_the_remainder_joins_the_last(n_rows, step):
    rows = [list(range(n_rows))[block] for block in engines.cut(n_rows, step)]
    assert [row for block in rows for row in block] == list(range(n_rows))
    assert all(len(block) == step for block in rows[:-1])
    assert len(rows[-1]) < 2 * step
