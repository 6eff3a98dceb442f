"""Folds of Dask arrays: one computation for all of them."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.model_selection import KFold, ShuffleSplit
from sklearn.pipeline import make_pipeline

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener
from skscale.errors import InfiniteValueError, InvalidParameterError
from skscale.model_selection import cross_fit

SPLITTERS = [KFold(4), KFold(3, shuffle=True, random_state=0), ShuffleSplit(3, random_state=0)]
CHUNKS = ((70, 0, 230, 300), 3)


@pytest.mark.parametrize("cv", SPLITTERS, ids=repr)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        StandardScaler,
        MinMaxScaler,
        Whitener,
        lambda: make_pipeline(StandardScaler(), PCA(n_components=2)),
    ],
)
def test_one_computation_fits_every_fold(make, weighted, cv, rows, computations):
    weights = np.random.default_rng(1).integers(0, 3, 600) if weighted else None
    X = da.from_array(rows, chunks=CHUNKS)
    folds = cross_fit(make(), X, cv=cv, sample_weight=weights)
    assert len(computations) == 1
    assert folds.n_ordinary == 0
    expected = cross_fit(make(), rows, cv=cv, sample_weight=weights)
    for (fitted, train, test), other in zip(folds, expected, strict=True):
        np.testing.assert_array_equal(train, other.train)
        images = (part.transform(rows[test]) for part in (fitted, other.transformer))
        np.testing.assert_allclose(*images, rtol=1e-9, atol=1e-9)


def test_held_out_rows_have_no_part_in_a_fold(rows):
    before = cross_fit(StandardScaler(), da.from_array(rows, chunks=CHUNKS), cv=KFold(3))
    changed = rows.copy()
    changed[200:400] *= 1e9
    after = cross_fit(StandardScaler(), da.from_array(changed, chunks=CHUNKS), cv=KFold(3))
    assert before[1].transformer.statistic_ == after[1].transformer.statistic_
    assert before[0].transformer.statistic_ != after[0].transformer.statistic_


def test_statistics_of_atoms_are_merged_in_order(rows):
    (fitted, _, _), *_ = cross_fit(
        StandardScaler(), da.from_array(rows, chunks=((100, 500), 4)), cv=KFold(2)
    )
    assert fitted.statistic_ == StandardScaler().fit(rows[300:]).statistic_
    *_, (fitted, _, _) = cross_fit(
        StandardScaler(), da.from_array(rows, chunks=((100, 500), 4)), cv=KFold(2)
    )
    parts = [StandardScaler().fit(part).statistic_ for part in (rows[:100], rows[100:300])]
    assert fitted.statistic_ == parts[0].merge(parts[1])


def test_sparse_chunks(rows):
    rows = np.where(rows > rows.mean(axis=0), rows, 0)
    X = da.from_array(rows, chunks=200).map_blocks(
        sparse.csr_matrix, meta=sparse.csr_matrix((0, 0))
    )
    folds = cross_fit(StandardScaler(with_mean=False), X, cv=3)
    np.testing.assert_allclose(folds[0].transformer.var_, rows[200:].var(axis=0))


def test_a_step_that_is_not_shared_is_fitted_chunk_by_chunk(rows, computations):
    X = da.from_array(rows, chunks=CHUNKS)
    folds = cross_fit(BatchNormalizer(), X, cv=KFold(3))
    assert folds.n_ordinary == 3
    np.testing.assert_allclose(folds[0].transformer.running_mean_, rows[200:].mean(axis=0))
    assert len(computations) == 3


def test_an_infinity_is_found(rows):
    rows[400, 1] = np.inf
    with pytest.raises(InfiniteValueError, match=r"column 1"):
        cross_fit(StandardScaler(), da.from_array(rows, chunks=CHUNKS), cv=3)


def test_rows_must_be_counted(rows, computations):
    X = da.from_array(rows, chunks=CHUNKS)
    with pytest.raises(InvalidParameterError, match=r"X\.compute_chunk_sizes\(\)"):
        cross_fit(StandardScaler(), X[X[:, 0] > 0], cv=3)
    frame = dd.from_pandas(pd.DataFrame(rows), npartitions=2)
    with pytest.raises(InvalidParameterError, match=r"to_dask_array\(lengths=True\)"):
        cross_fit(StandardScaler(), frame, cv=3)
    with pytest.raises(TypeError, match=r"sample_weight\.compute\(\)"):
        cross_fit(StandardScaler(), X, cv=3, sample_weight=X[:, 0])
    assert computations == []
