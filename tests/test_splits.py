"""Splits: what scikit-learn's splitters give is kept as it is, and what is no split is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    LeavePGroupsOut,
    LeavePOut,
    PredefinedSplit,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
)

from skscale._splits import TRAINS_ON_THE_REST, read_splits
from skscale._tables import take_rows
from skscale.errors import SplitError

N_ROWS = 24
GROUPS = np.repeat(np.arange(6), 4)[np.random.default_rng(1).permutation(N_ROWS)]
LABELS = np.random.default_rng(2).permutation(np.arange(N_ROWS) % 2)

SPLITTERS = [
    KFold(4),
    KFold(4, shuffle=True, random_state=0),
    StratifiedKFold(3, shuffle=True, random_state=0),
    GroupKFold(3),
    StratifiedGroupKFold(3),
    LeaveOneOut(),
    LeavePOut(2),
    LeaveOneGroupOut(),
    LeavePGroupsOut(2),
    PredefinedSplit(np.arange(N_ROWS) % 4 - 1),
    RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
    RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
    TimeSeriesSplit(4),
    TimeSeriesSplit(4, max_train_size=5, gap=1),
    ShuffleSplit(3, random_state=0),
    StratifiedShuffleSplit(3, random_state=0),
    GroupShuffleSplit(3, random_state=0),
]


@pytest.mark.parametrize("cv", SPLITTERS, ids=lambda cv: type(cv).__name__)
def test_splits_are_those_of_the_splitter(cv):
    groups = GROUPS if "Group" in type(cv).__name__ else None
    expected = list(cv.split(np.zeros((N_ROWS, 1)), LABELS, groups))
    splits = read_splits(cv, N_ROWS, y=LABELS, groups=groups)
    assert len(splits) == len(expected)
    for k, (train, test) in enumerate(expected):
        np.testing.assert_array_equal(splits[k][0], train)
        np.testing.assert_array_equal(splits[k][1], test)
        assert splits.n_train(k) == len(train)


def test_every_known_splitter_is_tried():
    assert {type(cv) for cv in SPLITTERS} >= TRAINS_ON_THE_REST


def test_training_rows_that_are_the_rest_are_not_kept():
    splits = read_splits(LeaveOneGroupOut(), N_ROWS, groups=GROUPS)
    assert all(train is None for train, _ in splits.splits)
    plain = [(np.arange(4, N_ROWS), np.arange(4)), (np.arange(4), np.arange(4, N_ROWS))]
    assert [train for train, _ in read_splits(plain, N_ROWS).splits] == [None, None]


def test_the_order_of_training_rows_is_kept():
    cv = [(np.arange(N_ROWS)[:3:-1], np.arange(4))]
    np.testing.assert_array_equal(read_splits(cv, N_ROWS)[0][0], cv[0][0])


def test_repeated_rows_are_kept():
    train, test = np.array([0, 0, 1]), np.array([5, 5])
    splits = read_splits([(train, test)], 6)
    np.testing.assert_array_equal(splits[0][0], train)
    np.testing.assert_array_equal(splits[0][1], test)
    rest = read_splits([(np.arange(5), test)], 6)
    np.testing.assert_array_equal(rest[0][0], np.arange(5))
    assert rest.n_train(0) == 5


def test_a_number_of_folds_is_stratified_for_a_classifier():
    y = np.repeat([0, 1], N_ROWS // 2)
    splits = read_splits(3, N_ROWS, y=y, estimator=LogisticRegression())
    assert all(set(y[test]) == {0, 1} for _, test in splits)
    assert not all(set(y[test]) == {0, 1} for _, test in read_splits(3, N_ROWS, y=y))


def test_a_random_splitter_is_run_once():
    splits = read_splits(ShuffleSplit(2), N_ROWS)
    assert read_splits(splits, N_ROWS) is splits
    with pytest.raises(SplitError, match="Was cv made for another table"):
        read_splits(splits, 5)
    np.testing.assert_array_equal(splits[0][0], splits[0][0])


def test_masks_are_row_numbers():
    mask = np.arange(N_ROWS) < 5
    train, test = read_splits([(mask, ~mask)], N_ROWS)[0]
    np.testing.assert_array_equal(train, np.arange(5))
    np.testing.assert_array_equal(test, np.arange(5, N_ROWS))
    train, test = read_splits([({4, 2}, {1})], N_ROWS)[0]
    np.testing.assert_array_equal(train, [2, 4])


@pytest.mark.parametrize(
    ("cv", "message"),
    [
        ([([], [1])], "Split 0 has no train rows"),
        ([([0], [1]), ([1], [])], "Split 1 has no test rows"),
        ([([0, 1, 2], [2, 3])], r"1 row\(s\) in both .* row 2"),
        ([([0, 1], [N_ROWS])], "test part of split 0 has row 24, and there are rows 0 to 23"),
        ([([-1, 1], [3])], "train part of split 0 has row -1"),
        ([([0.5, 1], [3])], "dtype float64"),
        ([([[0, 1]], [3])], r"shape \(1, 2\)"),
        ([], "no splits"),
        ([([0], [1], [2])], r"Split 0 must be a pair .* got \(\[0\], \[1\], \[2\]\)"),
        (np.arange(10), "Split 0 must be a pair .* got np.int64|got 0"),
        (KFold, r"cv is the class KFold; .* cv=KFold\(\.\.\.\)"),
        (1, r"n_splits=1\. Given: cv=1 and 24 rows"),
        (True, "cv=True and 24 rows"),
        ("kfold", "cv='kfold' and 24 rows"),
        (25, "n_samples=24"),
    ],
)
def test_what_is_no_split_is_refused(cv, message):
    with pytest.raises(SplitError, match=message):
        read_splits(cv, N_ROWS)


@pytest.mark.parametrize(
    "make",
    [
        np.asarray,
        np.asfortranarray,
        sparse.csr_matrix,
        sparse.coo_array,
        pd.DataFrame,
        lambda rows: pl.DataFrame(rows, schema=["a", "b"], orient="row"),
        lambda rows: pa.table({"a": rows[:, 0], "b": rows[:, 1]}),
    ],
)
def test_rows_are_taken_in_order(make):
    rows = np.arange(10.0).reshape(5, 2)
    taken = take_rows(make(rows), np.array([3, 0]))
    if sparse.issparse(taken):
        taken = taken.toarray()
    elif isinstance(taken, pa.Table):
        taken = np.column_stack([taken["a"], taken["b"]])
    np.testing.assert_array_equal(np.asarray(taken), rows[[3, 0]])


def test_entries_of_columns_are_taken():
    rows = np.array([2, 0])
    assert take_rows(["a", "b", "c"], rows) == ["c", "a"]
    assert take_rows(pd.Series([1, 2, 3], index=[7, 8, 9]), rows).to_dict() == {9: 3, 7: 1}
    assert take_rows(pl.Series([1, 2, 3]), rows).to_list() == [3, 1]


def test_a_mask_is_not_taken_for_row_numbers():
    # As numbers, False and True are rows 0 and 1: all but the test row.
    train, _ = read_splits([(np.array([False, True]), [0])], 2)[0]
    np.testing.assert_array_equal(train, [1])
    with pytest.raises(SplitError, match="dtype bool"):
        read_splits([(np.array([False, True]), [2])], 3)
