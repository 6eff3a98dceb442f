"""Hashes of rows, and the sketch of the smallest of them."""

import itertools

import numpy as np
import pytest
from scipy import sparse

import skscale
from skscale import _kernels as kernels
from skscale.errors import IncompatibleStatisticError, InfiniteValueError
from skscale.leakage import remember_rows
from skscale.statistics import RowSketch
from skscale.statistics._sketch import low_hashes, sketch_hashes

DRAWN = np.random.default_rng(0)


def hashes(rows, key=3):
    return kernels.row_hashes(rows, kernels.multipliers(key, rows.shape[1]))


# Hashes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [0, 1, 2**127])
@pytest.mark.parametrize(
    "values",
    [
        np.arange(100_000.0),
        2.0**21 + np.arange(100_000.0),
        -np.arange(100_000.0) / 4,
        1e15 + np.arange(100_000.0),
        2.0 ** np.arange(-1000, 1000),
        np.float64(1) + np.arange(100_000) * 2.0**-52,
    ],
)
def test_different_numbers_have_different_hashes(values, key):
    values = np.unique(values).reshape(-1, 1)
    assert len(np.unique(hashes(values, key))) == len(values)


def test_different_rows_of_few_values_have_different_hashes():
    rows = np.array(list(itertools.product([0.0, 1.0, 2.0], repeat=10)))
    assert len(np.unique(hashes(rows))) == 3**10
    bits = np.array(list(itertools.product([0.0, 1.0], repeat=16)))
    assert len(np.unique(hashes(bits))) == 2**16


def test_every_bit_of_a_hash_is_as_often_set_as_not():
    for rows in (DRAWN.normal(size=(20_000, 2)), np.arange(20_000.0).reshape(-1, 1)):
        bits = np.unpackbits(hashes(rows).view(np.uint8).reshape(-1, 8), axis=1)
        assert (np.abs(bits.mean(axis=0) - 0.5) < 0.02).all()


def test_equal_numbers_have_equal_hashes():
    rows = DRAWN.integers(-5, 50, (30, 12)).astype(np.float64)
    rows[0, :2] = -0.0, np.nan
    expected = hashes(np.where(rows == 0, 0.0, rows))
    unsorted = sparse.csr_array(rows)
    for same in (
        np.asfortranarray(rows),
        rows.astype(np.float32),
        sparse.csr_array(rows),
        sparse.csc_array(rows),
        sparse.csr_array((unsorted.data, unsorted.indices, unsorted.indptr), shape=rows.shape),
    ):
        np.testing.assert_array_equal(hashes(same), expected)
    twice = sparse.coo_array(([1.0, 2.0], ([0, 0], [1, 1])), shape=(1, 3)).tocsr()
    np.testing.assert_array_equal(hashes(twice), hashes(np.array([[0.0, 3.0, 0.0]])))


def test_integers_beyond_the_floats():
    odd = 2**60 + np.arange(1000).reshape(-1, 1)
    assert len(np.unique(hashes(kernels.as_rows(odd)))) == 1000
    even = (2**53 + 2 * np.arange(10)).reshape(-1, 1)
    np.testing.assert_array_equal(
        hashes(kernels.as_rows(even + 0)), hashes(even.astype(np.float64))
    )


def test_columns_are_not_interchangeable():
    rows = DRAWN.normal(size=(50, 3))
    assert not np.isin(hashes(rows), hashes(rows[:, ::-1].copy())).any()


# Sketches -----------------------------------------------------------------------------------


def bottom(rows, key, capacity):
    """The rows with the smallest hashes, by a dictionary of all of them."""
    count = {}
    for row in rows:
        value = int(RowSketch.of(row[np.newaxis], key=key, capacity=1).hashes[0])
        count[value] = count.get(value, 0) + 1
    return [(value, count[value]) for value in sorted(count)[:capacity]]


@pytest.mark.parametrize("n_columns", [2, 12])
def test_the_smallest_hashes_and_their_counts(n_columns):
    rows = DRAWN.normal(size=(200, n_columns))[DRAWN.integers(0, 200, 500)]
    sketch = RowSketch.of(rows, key=5, capacity=40)
    found = list(zip(sketch.hashes.tolist(), sketch.counts.tolist(), strict=True))
    assert found == bottom(rows, 5, 40)
    assert sketch.total == 500


def remembered(rows, weights=None, capacity=50):
    with remember_rows(capacity=capacity):
        scaler = skscale.StandardScaler(with_mean=not sparse.issparse(rows))
        return scaler.fit(rows, sample_weight=weights)._row_sketch_


@pytest.mark.parametrize("n_columns", [8, 9])
def test_all_hashes_up_to_a_bound_are_found(n_columns):
    """Also those that agree with the bound in all bits that few columns decide."""
    rows, keys = DRAWN.normal(size=(40, n_columns)), kernels.multipliers(1, n_columns)
    expected = np.sort(sketch_hashes(rows, keys))
    for n_low, bound in enumerate(expected, 1):
        found = np.sort(low_hashes(rows, keys, bound, None))
        np.testing.assert_array_equal(found[:n_low], expected[:n_low])
        assert len(found) < n_low + 5


@pytest.mark.parametrize("n_columns", [3, 12])
@pytest.mark.parametrize(
    "transformer",
    [
        skscale.StandardScaler(),
        skscale.BatchNormalizer(batch_size=7, momentum=0.1),
        skscale.PCA(),
        skscale.Whitener("zca"),
    ],
    ids=lambda transformer: type(transformer).__name__,
)
def test_every_block_of_every_transformer_counts_once(transformer, n_columns):
    """The last column is all but constant: PCA measures the rows twice."""
    rows = DRAWN.normal(size=(3000, n_columns))[DRAWN.integers(0, 2000, 3000)]
    rows[:, -1] *= 1e-9
    with remember_rows(capacity=50):
        sketch = transformer.fit(rows)._row_sketch_
        assert sketch == RowSketch.of(rows, key=sketch.key, capacity=50)
        transformer.partial_fit(rows[:2500])
    twice = np.concatenate([rows, rows[:2500]])
    assert transformer._row_sketch_ == RowSketch.of(twice, key=sketch.key, capacity=50)


@pytest.mark.parametrize("kind", ["different", "same at first", "all the same", "integers"])
def test_reading_few_columns_first_makes_no_difference(kind):
    rows = DRAWN.normal(size=(3000, 12))
    if kind == "same at first":
        rows[:, :4] = 7
    if kind == "all the same":
        rows[:] = 7
    if kind == "integers":
        rows = 2**60 + DRAWN.integers(0, 9, (3000, 12))
    sketch = remembered(rows)
    assert sketch == RowSketch.of(rows, key=sketch.key, capacity=50)
    weights = DRAWN.integers(0, 2, 3000)
    sketch = remembered(rows, weights)
    assert sketch == RowSketch.of(rows[weights > 0], key=sketch.key, capacity=50)


def test_tables_of_other_kinds():
    rows = np.where(DRAWN.random((3000, 12)) < 0.8, DRAWN.normal(size=(3000, 12)), 0)
    sketch = remembered(sparse.csr_array(rows))
    assert sketch == RowSketch.of(rows, key=sketch.key, capacity=50)
    pandas = pytest.importorskip("pandas", reason="a frame is what is tested")
    frame = pandas.DataFrame(rows, columns=list("abcdefghijkl"))
    sketch = remembered(frame.astype({"a": np.float32}))
    rows[:, 0] = rows[:, 0].astype(np.float32)
    assert sketch == RowSketch.of(rows, key=sketch.key, capacity=50)


def test_threads_make_no_difference():
    rows = DRAWN.normal(size=(300_000, 9))
    with remember_rows():
        with skscale.thread_limit(1):
            alone = skscale.MinMaxScaler().fit(rows)._row_sketch_
        with skscale.thread_limit(4):
            together = skscale.MinMaxScaler().fit(rows)._row_sketch_
    assert alone == together


def test_other_keys_are_strangers():
    one, rows = RowSketch.of([[1.0]], key=1), [[1.0], [2.0]]
    for other in (RowSketch.of(rows, key=2), RowSketch.of(rows, key=1, capacity=9)):
        with pytest.raises(IncompatibleStatisticError, match="same key and capacity"):
            one.merge(other)


def test_infinity_is_refused():
    for rows in ([[np.inf]], sparse.csr_array([[-np.inf, 0.0]])):
        with pytest.raises(InfiniteValueError):
            RowSketch.of(rows)
