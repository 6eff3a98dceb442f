"""Collections that are derived from others: what is learned from is what would be computed."""

import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener

TABLE = pd.DataFrame(
    np.random.default_rng(0).normal(5.0, [1.0, 2.0, 3.0], (600, 3)), columns=["a", "b", "c"]
)
FRAME = dd.from_pandas(TABLE, npartitions=6)

DERIVED = {
    "as it is": lambda frame: frame,
    "a product": lambda frame: frame * 2,
    "a function": lambda frame: np.log(frame.abs()),
    "a filter": lambda frame: frame[frame.a > 5],
    "a query": lambda frame: frame.query("a > 5 and b < 6"),
    "labels": lambda frame: frame.loc[:333],
    "partitions": lambda frame: frame.partitions[1:3],
    "columns": lambda frame: frame[["c", "a"]],
    "new names": lambda frame: frame.rename(columns={"a": "d"}),
    "a new column": lambda frame: frame.assign(d=frame.a + frame.b),
    "without a column": lambda frame: frame.drop(columns="b"),
    "mapped": lambda frame: frame.map_partitions(lambda part: part[part.c > 4]),
    "filled": lambda frame: frame.where(frame > 5).fillna(0.0),
    "other partitions": lambda frame: frame.repartition(npartitions=2),
    "joined": lambda frame: dd.concat([frame, frame * 3]),
    "merged": lambda frame: frame.merge(frame, left_index=True, right_index=True),
    "optimized": lambda frame: frame[frame.a > 5].optimize(),
    "persisted": lambda frame: frame[frame.a > 5].persist(scheduler="synchronous"),
    "filtered twice": lambda frame: (frame * 2)[frame.b > 5][["a", "b"]],
}


@pytest.mark.parametrize("how", DERIVED)
@pytest.mark.parametrize(
    "learner", [StandardScaler(), MinMaxScaler(), PCA(2), Whitener(), BatchNormalizer()], ids=str
)
def test_what_is_learned_is_of_the_derived_rows(learner, how):
    derived = DERIVED[how](FRAME)
    expected = derived.compute(scheduler="synchronous")
    learner.fit(derived)
    assert learner.statistic_.total == len(expected)
    assert learner.feature_names_in_.tolist() == list(expected.columns)
    in_memory = learner._draft(keep=False).fit(expected)
    np.testing.assert_allclose(
        learner.transform(expected), in_memory.transform(expected), rtol=1e-9, atol=1e-9
    )
    image = learner.transform(derived).compute(scheduler="synchronous")
    np.testing.assert_array_equal(image, learner.transform(expected))


@pytest.mark.parametrize("how", ["a product", "a filter", "joined", "columns"])
def test_weights_and_arrays_of_derived_rows(how):
    derived = DERIVED[how](FRAME)
    expected = derived.compute(scheduler="synchronous")
    weighted = StandardScaler().fit(
        derived, sample_weight=derived["c" if how == "columns" else "a"].abs()
    )
    mean = np.average(expected, axis=0, weights=expected["c" if how == "columns" else "a"].abs())
    np.testing.assert_allclose(weighted.mean_, mean, rtol=1e-12)
    array = derived.to_dask_array(lengths=True)
    np.testing.assert_allclose(StandardScaler().fit(array).mean_, expected.mean(), rtol=1e-12)


def test_pipelines_and_partial_fits_of_a_filter():
    derived = FRAME[FRAME.a > 5]
    pipeline = make_pipeline(StandardScaler(), PCA(2)).fit(derived)
    expected = derived.compute(scheduler="synchronous")
    np.testing.assert_allclose(pipeline[0].mean_, expected.mean(), rtol=1e-12)
    twice = StandardScaler().fit(FRAME[FRAME.a > 5]).partial_fit(FRAME[FRAME.a <= 5])
    np.testing.assert_allclose(twice.mean_, TABLE.mean(), rtol=1e-12)


def test_a_filter_that_leaves_nothing():
    with pytest.raises(ValueError, match="0 sample"):
        StandardScaler().fit(FRAME[FRAME.a > 1e9])
