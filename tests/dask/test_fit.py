"""Learning from Dask collections: one computation, and the bits of the same blocks in memory."""

import warnings
from itertools import pairwise

import dask
import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skscale import (
    PCA,
    BatchNormalizer,
    GroupNormalizer,
    LayerNormalizer,
    MinMaxScaler,
    RMSNormalizer,
    StandardScaler,
    SupervisedBatchNormalizer,
    Whitener,
)
from skscale.errors import (
    ConditionError,
    InfiniteValueError,
    InvalidParameterError,
    MissingDependencyError,
    MissingValueError,
    NonNumericColumnError,
    SampleWeightError,
    SchemaError,
    TooWideError,
)
from skscale.leakage import remember_rows, seen_in_fit
from skscale.statistics import Scatter, Triangle

LEARNERS = [
    StandardScaler(),
    MinMaxScaler(),
    PCA(),
    PCA(n_components=2, svd_solver="full", whiten=True),
    Whitener(),
    Whitener(shrinkage="ledoit_wolf"),
    BatchNormalizer(),
    BatchNormalizer(momentum=0.1, batch_size=32),
]
ROWWISE = [LayerNormalizer(), GroupNormalizer(2), RMSNormalizer()]
CHUNKS = (130, 200, 0, 150, 120)
NAMES = list("abcd")

each_learner = pytest.mark.parametrize("learner", LEARNERS, ids=repr)


def merged(parts):
    """Four parts and an empty one, as a balanced tree merges five: ((a b) (0 c)) d."""
    one, two, three, four = parts
    return one.merge(two).merge(three).merge(four)


def pieces(rows, chunks=CHUNKS):
    return [part for part in np.split(rows, np.cumsum(chunks)[:-1]) if len(part)]


def of_pieces(learner, rows, weights=None, kind="array"):
    """The statistic of every chunk measured alone in memory, merged by hand."""
    of_rows = [None] * 4 if weights is None else pieces(weights)
    return merged(
        [
            clone(learner).fit(in_memory(part, kind), sample_weight=weight).statistic_
            for part, weight in zip(pieces(rows), of_rows, strict=True)
        ]
    )


def in_memory(rows, kind):
    """Rows as a chunk of a frame, whose columns lie one behind the other, or of an array."""
    return pd.DataFrame(np.asfortranarray(rows), columns=NAMES) if kind == "frame" else rows


def array_of(rows, chunks=CHUNKS, columns=-1):
    return da.from_array(rows, chunks=(chunks, columns))


def unknown(rows, chunks=CHUNKS):
    """The same chunks, whose number of rows Dask does not know."""
    parts = [dask.delayed(part) for part in np.split(rows, np.cumsum(chunks)[:-1])]
    shape = (np.nan, rows.shape[1])
    return da.concatenate([da.from_delayed(part, shape, rows.dtype) for part in parts])


def frame_of(rows, chunks=CHUNKS):
    frame = pd.DataFrame(np.asfortranarray(rows), columns=NAMES[: rows.shape[1]])
    edges = np.cumsum([0, *chunks])
    parts = [frame.iloc[a:b] for a, b in pairwise(edges)]
    return dd.from_map(lambda part: part, parts, meta=frame.iloc[:0])


KINDS = {
    "array": array_of,
    "array in columns": lambda rows: array_of(rows, columns=3),
    "unknown": unknown,
    "frame": frame_of,
}


@each_learner
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_one_computation_and_the_bits_of_the_blocks(learner, kind, dtype, rows, computations):
    rows = rows.astype(dtype)
    if learner.__sklearn_tags__().input_tags.allow_nan:
        rows[::7, 1::2] = np.nan
    fitted = clone(learner).fit(KINDS[kind](rows))
    assert len(computations) == 1
    assert fitted.statistic_ == of_pieces(learner, rows, kind=kind)
    assert list(getattr(fitted, "feature_names_in_", NAMES)) == NAMES
    if getattr(learner, "momentum", None) is None:  # batches do not end where chunks do
        given, scale = in_memory(rows, kind), 1e-4 if dtype == np.float32 else 1e-9
        image, expected = fitted.transform(given), clone(learner).fit(given).transform(given)
        np.testing.assert_allclose(image, expected, rtol=10 * scale, atol=scale)


@each_learner
@pytest.mark.parametrize("kind", KINDS)
def test_weights(learner, kind, rows, computations):
    weights = np.random.default_rng(1).integers(0, 3, len(rows)).astype(float)
    given = {
        "unknown": lambda: unknown(weights[:, np.newaxis])[:, 0],
        "frame": lambda: frame_of(weights[:, np.newaxis])["a"],
    }.get(kind, lambda: da.from_array(weights, chunks=50))()
    fitted = clone(learner).fit(KINDS[kind](rows), sample_weight=given)
    assert len(computations) == 1
    assert fitted.statistic_ == of_pieces(learner, rows, weights, kind)
    assert fitted.statistic_.total == weights.sum()


@each_learner
def test_weights_in_memory_and_one_for_all(learner, rows, computations):
    weights = np.random.default_rng(1).integers(0, 3, len(rows))
    expected = of_pieces(learner, rows, weights)
    assert clone(learner).fit(array_of(rows), sample_weight=weights).statistic_ == expected
    assert clone(learner).fit(array_of(rows), sample_weight=weights.tolist()).statistic_ == expected
    expected = of_pieces(learner, rows, np.full(len(rows), 2.0))
    for X in (array_of(rows), unknown(rows)):
        assert clone(learner).fit(X, sample_weight=2).statistic_ == expected
    assert len(computations) == 4


def test_a_column_of_the_frame_may_be_the_weights(rows, computations):
    read = []

    def load(part):
        read.append(part)
        return pd.DataFrame(rows[part * 200 : part * 200 + 200], columns=NAMES)

    X = dd.from_map(load, range(3), meta=pd.DataFrame(rows[:0], columns=NAMES))
    fitted = StandardScaler().fit(X, sample_weight=X["b"] ** 2)
    assert sorted(read) == [0, 1, 2]
    assert len(computations) == 1
    np.testing.assert_allclose(
        fitted.mean_, np.average(rows, axis=0, weights=rows[:, 1] ** 2), rtol=1e-12
    )


@each_learner
@pytest.mark.parametrize("kind", ["array", "unknown", "frame"])
def test_partial_fit_goes_on(learner, kind, rows, computations):
    first, then = rows[:200], rows[200:]
    chunks = (100, 0, 300)
    one = clone(learner).partial_fit(in_memory(first, kind))
    begun = len(computations)
    one.partial_fit(KINDS[kind](then, chunks))
    assert len(computations) == begun + 1
    zero, first, second = (
        clone(learner).partial_fit(in_memory(part, kind)).statistic_
        for part in np.split(rows, [200, 300])
    )
    assert one.statistic_ == zero.merge(first.merge(second))


@pytest.mark.parametrize("kind", ["array", "unknown", "frame"])
def test_few_rows_of_an_unknown_number_are_computed_once_more(kind, computations):
    rows = np.random.default_rng(0).normal(size=(9, 4))
    fitted = PCA().fit(KINDS[kind](rows, (4, 5)))
    assert type(fitted.statistic_) is Triangle
    assert len(computations) == (1 if kind == "array" else 2)
    parts = [PCA().fit(in_memory(part, kind)).statistic_ for part in (rows[:4], rows[4:])]
    expected = parts[0].merge(parts[1])
    assert fitted.statistic_ == expected
    assert fitted.n_samples_ == 9


def test_few_rows_with_large_weights_are_many(computations):
    rows = np.random.default_rng(0).normal(size=(9, 4))
    weights = da.full(9, 10.0, chunks=((4, 5),))
    fitted = PCA().fit(array_of(rows, (4, 5)), sample_weight=weights)
    assert type(fitted.statistic_) is Scatter
    assert len(computations) == 1


def test_a_weak_direction_takes_a_second_computation(rows, computations):
    rows = rows @ np.diag([1, 1, 1, 1e-12])
    fitted = PCA().fit(array_of(rows))
    assert type(fitted.statistic_) is Triangle
    assert len(computations) == 2


@pytest.mark.parametrize("transformer", ROWWISE, ids=repr)
@pytest.mark.parametrize("kind", KINDS)
def test_what_learns_nothing_computes_nothing(transformer, kind, rows, computations):
    fitted = clone(transformer).fit(KINDS[kind](rows))
    assert computations == []
    assert fitted.n_features_in_ == 4
    assert fitted.transform(rows if kind != "frame" else pd.DataFrame(rows, columns=NAMES)).any()


def test_integers_that_floats_cannot_hold():
    big = 2**53 + np.arange(12).reshape(6, 2)
    fitted = StandardScaler().fit(array_of(big, (3, 3)))
    assert fitted.statistic_ == StandardScaler().fit(big[:3]).statistic_.merge(
        StandardScaler().fit(big[3:]).statistic_
    )
    image = fitted.transform(array_of(big, (3, 3))).compute()
    np.testing.assert_allclose(image[:, 0], np.linspace(-1.4638501094, 1.4638501094, 6))


def test_sparse_chunks(rows, computations):
    rows = np.where(rows > rows.mean(axis=0), rows, 0)
    X = array_of(rows).map_blocks(sparse.csr_matrix, meta=sparse.csr_matrix((0, 0)))
    scaler = StandardScaler(with_mean=False).fit(X)
    assert len(computations) == 1
    expected = merged(
        [
            StandardScaler(with_mean=False).fit(sparse.csr_matrix(part)).statistic_
            for part in pieces(rows)
        ]
    )
    assert scaler.statistic_ == expected
    image = scaler.transform(X[:130])
    assert len(computations) == 1
    assert sparse.issparse(image.compute())
    np.testing.assert_allclose(image.compute().toarray(), scaler.transform(rows[:130]))


def test_many_chunks_of_few_rows(rows):
    fitted = StandardScaler().fit(da.from_array(rows, chunks=(1, -1)))
    np.testing.assert_allclose(fitted.var_, rows.var(axis=0), rtol=1e-13)
    assert fitted.n_samples_seen_ == 600


def test_a_pipeline_takes_one_computation_per_step(rows, computations):
    X, pipeline = array_of(rows), make_pipeline(StandardScaler(), PCA(n_components=2))
    image = pipeline.fit(X).transform(X)
    assert len(computations) == 2
    in_memory = make_pipeline(StandardScaler(), PCA(n_components=2)).fit(rows)
    np.testing.assert_allclose(image.compute(), in_memory.transform(rows), atol=1e-11)


def test_rows_are_remembered(rows):
    with remember_rows(capacity=1000):
        lazily, at_once = StandardScaler().fit(array_of(rows)), StandardScaler().fit(rows)
        lazily.partial_fit(array_of(rows[:100] + 1, (60, 40)))
        at_once.partial_fit(rows[:100] + 1)
    assert lazily._row_sketch_ == at_once._row_sketch_
    assert lazily._row_sketch_.total == 700
    assert seen_in_fit(lazily, rows[10:20]).numbers["share"] == 1
    assert not hasattr(StandardScaler().fit(array_of(rows)), "_row_sketch_")


# Bad input --------------------------------------------------------------------------------------


def refused(error, match, learner, X, computations, **more):
    """An error that leaves a fit as it was, and comes before anything is computed."""
    fitted = learner.fit(np.arange(20.0).reshape(5, 4) ** 2)
    before, begun = dict(vars(fitted)), len(computations)
    with pytest.raises(error, match=match):
        fitted.fit(X, **more)
    assert vars(fitted) == before
    return len(computations) - begun


def test_text_is_refused_before_anything_runs(rows, computations):
    frame = frame_of(rows).assign(city="Bonn")
    message = "Columns that are not numbers: 'city'"
    assert refused(NonNumericColumnError, message, StandardScaler(), frame, computations) == 0
    with pytest.raises(NonNumericColumnError, match=message):
        LayerNormalizer().fit(frame)


def test_dates_are_refused_before_anything_runs(rows, computations):
    dates = array_of(rows).astype("datetime64[s]")
    assert refused(NonNumericColumnError, "not numbers", StandardScaler(), dates, computations) == 0


def test_a_name_twice_is_refused(rows, computations):
    frame = dd.concat([frame_of(rows), frame_of(rows)[["b"]]], axis=1)
    assert refused(SchemaError, "more than once: b", StandardScaler(), frame, computations) == 0


@pytest.mark.parametrize("method", ["transform", "partial_fit"])
def test_other_names_are_refused_in_the_words_for_tables_in_memory(method, rows, computations):
    fitted = StandardScaler().fit(frame_of(rows))
    begun = len(computations)
    wrong = frame_of(rows).rename(columns={"b": "e"})
    with pytest.raises(SchemaError) as lazily:
        getattr(fitted, method)(wrong)
    assert len(computations) == begun
    with pytest.raises(SchemaError) as in_memory:
        getattr(fitted, method)(wrong.compute())
    assert str(lazily.value) == str(in_memory.value)
    assert "Unknown: 'e'" in str(lazily.value)


def test_another_width_is_refused(rows, computations):
    fitted = StandardScaler().fit(array_of(rows))
    for method in (fitted.transform, fitted.partial_fit, fitted.inverse_transform):
        with pytest.raises(SchemaError, match=r"X has 3"):
            method(array_of(rows[:, :3]))
    assert len(computations) == 1


def test_a_partition_with_other_columns_is_named(rows):
    parts = [pd.DataFrame(rows[:5], columns=NAMES), pd.DataFrame(rows[:5], columns=list("abxd"))]
    frame = dd.from_map(lambda part: part, parts, meta=parts[0].iloc[:0])
    with pytest.raises(SchemaError, match=r"In partition 1: (.|\n)*Unknown: 'x'"):
        StandardScaler().fit(frame)


@pytest.mark.parametrize(
    ("bad", "learner", "error", "match"),
    [
        (np.inf, StandardScaler(), InfiniteValueError, "inf in row 7, column"),
        (-np.inf, Whitener(), InfiniteValueError, "-inf in row 7, column"),
        (np.nan, PCA(), MissingValueError, "contains NaN, in columns"),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_value_that_cannot_be_measured_is_placed(
    kind, bad, learner, error, match, rows, computations
):
    rows[130 + 200 + 7, 2] = bad
    place = match + (" 'c'" if kind == "frame" else " 2")
    message = f"In partition 3: .*{place}"
    assert refused(error, message, learner, KINDS[kind](rows), computations) == 1


def test_an_infinity_has_its_position_as_attributes(rows):
    rows[137, 2] = np.inf
    with pytest.raises(InfiniteValueError) as caught:
        StandardScaler().fit(array_of(rows))
    assert (caught.value.row, caught.value.column) == (7, 2)


def test_no_rows_at_all(rows, computations):
    message = r"0 sample\(s\) \(shape=\(0, 4\)\)"
    assert refused(ValueError, message, PCA(), array_of(rows[:0], (0,)), computations) == 0
    for X in (unknown(rows[:0], (0, 0)), frame_of(rows[:0], (0, 0))):
        assert refused(ValueError, message, PCA(), X, computations) == 1


def test_no_columns(computations):
    X = array_of(np.empty((6, 0)), (3, 3))
    assert refused(ValueError, r"0 feature\(s\)", StandardScaler(), X, computations) == 0


def test_one_dimension(rows, computations):
    X = array_of(rows)[:, 0]
    match = r"Expected 2D array, got 1D array instead"
    assert refused(ValueError, match, StandardScaler(), X, computations) == 0
    series = frame_of(rows)["a"]
    assert refused(ValueError, match, StandardScaler(), series, computations) == 0


def test_an_unknown_number_of_columns(rows, computations):
    X = array_of(rows, (300, 300))
    X = X[:, X.sum(axis=0) > 0]
    assert refused(ValueError, "compute_chunk_sizes", StandardScaler(), X, computations) == 0


def test_other_collections(rows, computations):
    X = dask.delayed(rows)
    assert refused(TypeError, r"X\.compute\(\)", StandardScaler(), X, computations) == 0


@pytest.mark.parametrize(
    ("weights", "match", "n_computations"),
    [
        (lambda: np.ones(599), r"shape \(600,\)", 0),
        (lambda: da.ones(599, chunks=100), r"shape \(600,\)", 0),
        (lambda: da.ones((600, 2), chunks=100), "one dimension", 0),
        (
            lambda: da.from_array(np.where(np.arange(600) == 333, -1, 1), 10),
            "partition 3: .*row 3",
            1,
        ),
        (lambda: da.from_array(np.where(np.arange(600) == 1, np.nan, 1), 10), "nan in row 1", 1),
        (lambda: da.zeros(600, chunks=100), "zero in every row", 1),
        (lambda: np.zeros(600), "zero in every row", 0),
        (lambda: 0.0, "zero in every row", 0),
        (lambda: -1, "not negative", 0),
        (lambda: da.full(600, 1e308, chunks=100), "sums to inf", 1),
        (lambda: frame_of(np.ones((600, 1)), (300, 300))["a"], "chunks", 0),
        (lambda: da.from_array(np.array(["x"] * 600), 600), "numbers", 1),
    ],
)
def test_bad_weights(weights, match, n_computations, rows, computations):
    found = refused(
        SampleWeightError, match, PCA(), array_of(rows), computations, sample_weight=weights()
    )
    assert found == n_computations


def test_weights_of_chunks_of_an_unknown_length(rows, computations):
    weights = np.ones(600)
    for X in (unknown(rows), frame_of(rows)):
        found = refused(
            SampleWeightError, "compute_chunk_sizes", PCA(), X, computations, sample_weight=weights
        )
        assert found == 0
    with pytest.raises(SampleWeightError, match=r"In partition \d: .*shape"):
        PCA().fit(unknown(rows), sample_weight=unknown(np.ones((600, 1)), (100,) * 5)[:, 0])


def test_too_wide_for_any_number_of_rows():
    X = unknown(np.zeros((2, 20_000)), (1, 1))
    with pytest.raises(TooWideError, match=r"for an unknown number of rows"):
        Whitener().fit(X)


def test_a_parameter_that_the_true_number_of_rows_refuses(computations):
    X = unknown(np.random.default_rng(0).normal(size=(3, 5)), (2, 1))
    with pytest.raises(InvalidParameterError, match=r"n_components=4"):
        PCA(n_components=4).fit(X)


def test_what_takes_rows_in_memory_says_so(rows, computations):
    X, y = array_of(rows), rows[:, 0]
    with pytest.raises(TypeError, match=r"in memory.*X\.compute\(\)"):
        SupervisedBatchNormalizer().fit(X, y)
    with pytest.raises(TypeError, match=r"X\.compute\(\)"):
        PCA().fit(rows).score(X)
    with pytest.raises(TypeError, match=r"X\.compute\(\)"):
        BatchNormalizer().normalize_batch(X)
    conditional = BatchNormalizer(affine={"a": (1, 0), "b": (2, 0)})
    with pytest.raises(ConditionError, match=r"not known before it is computed"):
        conditional.fit(X, condition=["a"] * 600)
    with pytest.raises(NotFittedError):
        StandardScaler().transform(X)
    assert computations == []


def test_a_column_without_values_is_warned_of_once(rows):
    rows[:, 1] = np.nan
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        StandardScaler().fit(array_of(rows))
    assert [str(one.message).split(".")[0] for one in caught] == [
        "Columns without a single value: 1"
    ]


def test_a_dask_that_is_too_old_is_refused(rows, monkeypatch, computations):
    X = array_of(rows)
    for version, is_too_old in [("2025.4.1", True), ("2024.12.0", True), ("2026.1.0", False)]:
        monkeypatch.setattr(dask, "__version__", version)
        if is_too_old:
            with pytest.raises(
                MissingDependencyError, match=rf"Dask {version} .* 2025\.5 or later"
            ):
                StandardScaler().fit(X)
            assert computations == []
        else:
            assert StandardScaler().fit(X).n_samples_seen_ == len(rows)
