"""Leaks between train and test rows are found; honest splits are not accused."""

import itertools
import math
import os

import numpy as np
import pytest
from scipy import sparse
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skscale import Whitener
from skscale.errors import SchemaError
from skscale.leakage import check_split
from skscale.leakage._straddle import straddle

from .test_prescaled import CANCER, housing, kinds

SPLITS = 1000 if os.environ.get("SKSCALE_TEST_PROFILE") == "deep" else 100
"""Random splits of each kind of honest table, of which there are ten."""


def mixed(drawn, n_rows):
    """Columns of all kinds that look scaled by chance rather than others."""
    return np.column_stack(
        [
            drawn.standard_normal((n_rows, 2)),
            drawn.uniform(0, 1, n_rows),
            drawn.integers(0, 2, n_rows),
            np.tile([-1.0, 1.0], n_rows)[:n_rows],
            np.tile([-1.5, -0.5, 0.5, 1.5], n_rows)[:n_rows],
            drawn.integers(0, 11, n_rows) / 10,
            np.full(n_rows, 7.0),
            drawn.poisson(3, n_rows),
        ]
    )


def honest(name, drawn):
    """Train and test rows without a leak."""
    n_rows = int(drawn.integers(8, 120))
    rows = mixed(drawn, n_rows)
    n_test = int(drawn.integers(1, max(2, n_rows // 2)))
    stratify = rows[:, 4] if name == "stratified" and n_test > 1 else None
    seed = int(drawn.integers(2**31))
    train, test = train_test_split(rows, test_size=n_test, random_state=seed, stratify=stratify)
    if name in ("raw", "stratified raw"):
        return train, test
    if name == "small":
        return np.rint(train[:, 4:6]), np.rint(test[:, 4:6])
    if name == "float32":
        train, test = train.astype(np.float32), test.astype(np.float32)
    learned = {
        "min-max": MinMaxScaler(),
        "clipped": MinMaxScaler(clip=True),
        "whitened": Whitener(),
        "rotated": PCA(),
    }.get(name, StandardScaler())
    learned.fit(train)
    return learned.transform(train), learned.transform(test)


@pytest.mark.parametrize(
    "name",
    [
        "raw",
        "stratified raw",
        "small",
        "standard",
        "stratified",
        "float32",
        "min-max",
        "clipped",
        "whitened",
        "rotated",
    ],
)
def test_honest_splits_are_not_accused(name):
    """At the stated rates, less than one alarm is expected in 10,000 splits."""
    drawn = np.random.default_rng(7)
    alarms = [report for _ in range(SPLITS) if not (report := check_split(*honest(name, drawn))).ok]
    assert alarms == []


@pytest.mark.parametrize("load", [datasets.load_iris, datasets.load_digits, datasets.load_wine])
def test_honest_splits_of_known_data(load):
    X = load().data
    for seed in range(10):
        train, test = train_test_split(X, random_state=seed)
        scaler = StandardScaler().fit(train)
        assert check_split(train, test).ok
        assert check_split(scaler.transform(train), scaler.transform(test)).ok


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("transformer", "kind"),
    [
        (StandardScaler(), "standardized"),
        (MinMaxScaler(), "min-max scaled"),
        (Whitener(), "whitened"),
        (PCA(), "rotated"),
    ],
)
def test_transformed_before_the_split(transformer, kind, dtype):
    raw = housing()[:, [0, 2, 4]] * [1, 2, 3]
    X = transformer.fit_transform(raw - raw.mean(0)).astype(dtype)
    found = 0
    for seed in range(10):
        train, test = train_test_split(X, test_size=0.3, random_state=seed)
        report = check_split(train, test)
        found += kinds(report) == [kind] and set(report.columns) <= {0, 1, 2}
    # A bound shows if the only row that attains it is a test row: of 6 bounds, at least one.
    assert found == 10 if kind != "min-max scaled" else found >= 6


def test_scaled_beside_raw_columns():
    X = CANCER[:, :5].copy()
    X[:, 2:4] = StandardScaler().fit_transform(X[:, 2:4])
    assert check_split(X[:400], X[400:]).columns == [2, 3]


def test_test_rows_scaled_by_themselves():
    train, test = CANCER[:400, :5], CANCER[400:, :5]
    own = StandardScaler().fit_transform
    for first in (own(train), train):
        report = check_split(first, own(test))
        assert kinds(report) == ["scaled by themselves"]
        assert report.columns == list(range(5))
    assert check_split(own(train), StandardScaler().fit(train).transform(test)).ok


def test_balanced_columns_of_few_values_are_no_sign():
    """Both parts have the statistics of the train part, as after honest scaling."""
    column = np.tile([0.0, 1.0, 3.0], 40).reshape(-1, 1)
    scaler = StandardScaler().fit(column[:60])
    assert check_split(scaler.transform(column[:60]), scaler.transform(column[60:])).ok


def test_a_grid_that_is_split():
    across, up = np.meshgrid(np.linspace(-2, 2, 21), np.linspace(-1, 1, 21))
    grid = np.column_stack([across.ravel(), up.ravel()])
    for seed in range(5):
        train, test = train_test_split(grid, test_size=141, random_state=seed)
        assert check_split(train, test).ok
    few = np.random.default_rng(0).normal(size=(20_000, 20)).astype(np.float16)
    assert check_split(few[:15_000], few[15_000:]).ok


# Duplicates -------------------------------------------------------------------------------


def test_rows_of_both_parts_are_found():
    train, test = CANCER[:400], CANCER[380:]
    report = check_split(train, test)
    assert kinds(report) == ["duplicates"]
    assert report.findings[0].rows == tuple(range(20))
    assert report.numbers["test_rows_in_train"] == 20
    assert report.numbers["share_of_train_rows_repeated_in_train"] == 0
    assert report.columns == []


def test_rows_that_may_be_equal_by_chance_are_no_leak():
    """Iris has the same flower twice; levels repeat, also if they look like measurements later."""
    drawn = np.random.default_rng(1)
    iris = datasets.load_iris().data
    for seed in range(60):
        assert check_split(*train_test_split(iris, random_state=seed)).ok
        levels = drawn.integers(0, 100, (12, 1))
        assert check_split(*train_test_split(np.hstack([levels, 2 * levels]), random_state=seed)).ok
        train, test = train_test_split(np.eye(13)[drawn.integers(0, 13, 12)], random_state=seed)
        whitener = Whitener().fit(train)
        assert check_split(whitener.transform(train), whitener.transform(test)).ok


def test_the_report_reads_well():
    report = check_split(CANCER[:300], CANCER[300:])
    assert repr(report) == (
        "check_split: nothing found in 300 train rows and 269 test rows\n"
        "  no test row is among the train rows"
    )
    report = check_split(CANCER[:300], CANCER[299:])
    told = repr(report).splitlines()[1]
    assert told.startswith("  1 of 270 test rows is among the train rows, which is no finding: ")
    assert "leaves 0.499 on average" in told
    assert "1 of 270" in report._repr_html_()
    report = check_split(CANCER[:300], CANCER[250:])
    assert len(repr(report).splitlines()) == 2
    report = check_split([[1.0], [2.5]], [[3.0]], time=([1, 3], [2]))
    assert "time: 1 test row is earlier than the latest train row (3)" in repr(report)


@pytest.mark.parametrize(("n_train", "n_test", "enough"), [(300, 300, 14), (400, 100, 9)])
def test_how_many_pairs_it_takes(n_train, n_test, enough):
    rows = np.random.default_rng(0).normal(size=(n_train + n_test, 3))
    train, test = rows[:n_train], rows[n_train:].copy()
    for n_pairs in (enough - 1, enough):
        test[:n_pairs] = train[:n_pairs]
        assert check_split(train, test).ok == (n_pairs < enough)


def test_rows_that_repeat_anyway_are_no_leak():
    drawn = np.random.default_rng(0)
    for rows in (
        drawn.integers(0, 2, (500, 3)),
        np.repeat(drawn.normal(size=(50, 3)), 10, axis=0),
        np.zeros((40, 2)),
    ):
        train, test = train_test_split(rows, random_state=0)
        report = check_split(train, test)
        assert report.ok
        assert report.numbers["share_of_test_rows_in_train"] > 0.9


def chance_of_both_sides(n_train, n_test, size):
    """By counting all splits: equal rows, `size` of them, on both sides."""
    splits = list(itertools.combinations(range(n_train + n_test), n_test))
    inside = [sum(i < size for i in chosen) for chosen in splits]
    return sum(0 < count < size for count in inside) / len(splits)


@pytest.mark.parametrize(("n_train", "n_test"), [(5, 3), (6, 2), (3, 5), (7, 1)])
@pytest.mark.parametrize("size", [2, 3, 6])
def test_expected_duplicates_are_those_of_all_splits(n_train, n_test, size):
    hashes = np.arange(n_train + n_test, dtype=np.uint64)
    hashes[:size] = 0
    expected = straddle(hashes[:n_train], hashes[n_train:]).expected
    assert math.isclose(expected, chance_of_both_sides(n_train, n_test, size), abs_tol=1e-12)


def test_the_p_value_bounds_the_share_of_random_splits():
    drawn = np.random.default_rng(5)
    hashes = np.concatenate([np.repeat(np.arange(30), 2), np.repeat(np.arange(30, 40), 3)])
    hashes = np.concatenate([hashes, np.arange(100, 200)]).astype(np.uint64)
    p_values = []
    for _ in range(2000):
        order = drawn.permutation(hashes)
        p_values.append(straddle(order[:140], order[140:]).p_value)
    for level in (0.5, 0.2, 0.05, 0.01):
        assert np.mean(np.array(p_values) <= level) <= level
    assert min(p_values) < 0.05


def test_pairs_that_all_lie_on_both_sides():
    """Ten pairs of 100 rows, split in halves: each by chance in 50 of 99 splits."""
    hashes = np.arange(50, dtype=np.uint64)
    other = np.concatenate([hashes[:10], np.arange(60, 100, dtype=np.uint64)])
    shared = straddle(hashes, other)
    assert shared.found == 10
    assert math.isclose(shared.p_value, (50 / 99) ** 10, rel_tol=1e-6)


def test_equal_numbers_are_equal_in_any_dtype_and_container():
    rows = np.random.default_rng(0).integers(-3, 99, (40, 4)) / 4
    rows[0, 0], rows[1, 1] = 0.0, np.nan
    other = rows.copy()
    other[0, 0] = -0.0
    for container in (
        np.asfortranarray,
        np.float32,
        sparse.csr_array,
        sparse.csc_matrix,
        np.ndarray.tolist,
    ):
        assert check_split(rows, container(other)).numbers["test_rows_in_train"] == 40
    tenth = np.random.default_rng(0).normal(size=(40, 2))
    assert check_split(tenth, tenth.astype(np.float32)).numbers["test_rows_in_train"] == 40


def test_large_integers_differ_by_their_last_digit():
    rows = 2**60 + np.arange(40).reshape(-1, 1)
    assert check_split(rows[:20], rows[20:]).numbers["test_rows_in_train"] == 0
    assert check_split(rows[:20], rows[:20]).numbers["test_rows_in_train"] == 20


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_words_make_rows_different(library):
    frames = pytest.importorskip(library, reason=f"a frame of {library} is what is tested")
    numbers = np.arange(30.0)
    same = frames.DataFrame({"n": numbers, "word": [f"w{i}" for i in range(29)] + [None]})
    other = frames.DataFrame({"n": numbers, "word": [f"v{i}" for i in range(30)]})
    assert check_split(same, same).numbers["test_rows_in_train"] == 30
    assert check_split(same, other).numbers["test_rows_in_train"] == 0
    words = same[["word"]]
    assert check_split(words, words).numbers["test_rows_in_train"] == 30


def test_objects_that_cannot_be_hashed():
    rows = np.empty((12, 1), dtype=object)
    rows[:, 0] = [[i] for i in range(12)]
    assert check_split(rows, rows).numbers["test_rows_in_train"] == 12


# Groups and times -------------------------------------------------------------------------


def test_groups_on_both_sides():
    X = CANCER[:6, :2]
    report = check_split(X[:3], X[3:], groups=(["a", "b", None], ["c", "b", None]))
    assert kinds(report) == ["groups"]
    assert report.findings[0].rows == (1,)
    assert "'b'" in report.findings[0].message
    assert check_split(X[:3], X[3:], groups=(np.array([1, 1, 2]), [3, 4, 4])).ok
    nan = float("nan")
    assert check_split(X[:3], X[3:], groups=([nan, 1, 2], np.array([nan, 3, 4]))).ok


def dates(texts):
    return np.array(texts, dtype="datetime64[ns]")


@pytest.mark.parametrize("name", ["nan", "NaT", "<NA>", "None", ""])
def test_groups_may_be_called_like_missing_values(name):
    X = CANCER[:5, :2]
    for words in (list, np.array):
        report = check_split(X[:3], X[3:], groups=(words([name, "x", "y"]), words([name, "z"])))
        assert kinds(report) == ["groups"]
        assert report.findings[0].rows == (0,)
    assert kinds(check_split(X[:3], X[3:], time=([name, "z", "zz"], [name, "zzz"]))) == ["time"]


def test_missing_groups_are_none():
    from decimal import Decimal

    missing = [None, np.nan, float("nan"), np.float32("nan"), np.datetime64("NaT"), Decimal("nan")]
    for value in missing:
        assert check_split([[1.0]], [[2.0]], groups=([value], [value])).ok
    pandas = pytest.importorskip("pandas", reason="its missing values are what is tested")
    for value in (pandas.NA, pandas.NaT):
        assert check_split([[1.0]], [[2.0]], groups=([value], [value])).ok


def test_a_report_is_true_if_nothing_was_found():
    assert check_split(CANCER[:300], CANCER[300:])
    assert not check_split(CANCER[:300], CANCER[270:])


def test_test_rows_earlier_than_train_rows():
    X = CANCER[:6, :2]
    for train, test in (
        ([1, 2, 5], [5, 3, 9]),
        (["2020", "2021", "2022"], ["2022", "2021", "2023"]),
        (dates(["2020", "NaT", "2022"]), dates(["2022", "2021", "NaT"])),
        ([1.0, np.nan, 5.0], [np.nan, 4.0, 6.0]),
    ):
        report = check_split(X[:3], X[3:], time=(train, test))
        assert kinds(report) == ["time"]
        assert report.findings[0].rows == (1,)
        assert check_split(X[:3], X[3:], time=([train[0]] * 3, test)).ok


def test_times_of_a_frame():
    pandas = pytest.importorskip("pandas", reason="its dates are what is tested")
    X = CANCER[:4, :2]
    for zone in (None, "Europe/Berlin"):
        days = pandas.Series(pandas.date_range("2024-01-01", periods=4, tz=zone))
        assert check_split(X[:2], X[2:], time=(days[:2], days[2:])).ok
        report = check_split(X[:2], X[2:], time=(days[2:], days[:2]))
        assert report.findings[0].rows == (0, 1)
        assert "2024-01-04" in report.findings[0].message


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        ({"groups": [1, 2, 3]}, ValueError, "must be a pair"),
        ({"groups": ([1, 2], [1, 2, 3])}, SchemaError, "one value per row, 3 of the train"),
        ({"groups": (np.ones((3, 2)), [1, 2, 3])}, SchemaError, r"got shapes \(3, 2\)"),
        ({"time": ([1, 2, "a"], [1, 2, 3])}, TypeError, "of one kind"),
    ],
)
def test_wrong_groups_and_times(wrong, error, words):
    with pytest.raises(error, match=words):
        check_split(CANCER[:3], CANCER[3:6], **wrong)


def test_other_columns_are_refused():
    with pytest.raises(SchemaError, match="30 columns and the test rows 29"):
        check_split(CANCER, CANCER[:, 1:])
    pandas = pytest.importorskip("pandas", reason="names of columns need a frame")
    frame = pandas.DataFrame(CANCER[:, :2], columns=["a", "b"])
    with pytest.raises(SchemaError, match=r"X_test\[X_train.columns\]"):
        check_split(frame, frame[["b", "a"]])


def test_nothing_is_changed():
    train, test = CANCER[:300].copy(), CANCER[300:].copy()
    train.flags.writeable = test.flags.writeable = False
    check_split(train, test)
    assert train.tobytes() + test.tobytes() == CANCER.tobytes()


def test_one_row_each():
    assert check_split([[1.0, 2.0]], [[3.0, 4.0]]).ok
    assert check_split([[1.0, 2.0]], [[1.0, 2.0]]).numbers["test_rows_in_train"] == 1
