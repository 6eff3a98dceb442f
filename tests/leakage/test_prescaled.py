"""A table that was scaled as a whole is found; a raw one is not accused."""

import numpy as np
import pytest
from scipy import sparse
from sklearn import datasets
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import skscale
from skscale import Whitener
from skscale.errors import InfiniteValueError, SchemaError
from skscale.leakage import _profile, check_prescaled, check_split

RAW = ["load_iris", "load_wine", "load_breast_cancer", "load_digits", "load_linnerud"]
CANCER = datasets.load_breast_cancer().data


def kinds(report):
    return [found.kind for found in report.findings]


def housing(n_rows=2000):
    """Like the California houses: skewed incomes, counts per household, places, a censored age."""
    drawn = np.random.default_rng(3)
    return np.column_stack(
        [
            np.exp(drawn.normal(1.2, 0.5, n_rows)),
            drawn.integers(1, 53, n_rows),
            drawn.gamma(9, 0.6, n_rows),
            drawn.gamma(3, 500, n_rows).round(),
            drawn.uniform(32, 42, n_rows).round(2),
            drawn.uniform(-124, -114, n_rows).round(2),
        ]
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_all_columns_of_the_diabetes_data(dtype):
    report = check_prescaled(datasets.load_diabetes().data.astype(dtype))
    assert not report.ok
    assert report.columns == list(range(10))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", RAW)
def test_no_column_of_raw_data(name, dtype):
    report = check_prescaled(getattr(datasets, name)().data.astype(dtype))
    assert report.ok
    assert report.columns == []


def test_no_column_of_other_raw_data():
    drawn = np.random.default_rng(0)
    hours = 2 * np.pi * np.arange(24 * 50) / 24
    for raw in (
        datasets.load_diabetes(scaled=False).data,
        housing(),
        np.column_stack([f(k * hours) for k in (1, 2) for f in (np.sin, np.cos)]),
        np.array([[-1, 1], [1, 1], [-1, -1], [1, -1]] * 20),
        np.eye(5)[drawn.integers(0, 5, 100)],
        drawn.integers(0, 101, (500, 3)) / 100,
        datasets.load_digits().data / 16,
        drawn.integers(0, 256, (500, 3)) / 255,
        drawn.binomial(4, 0.5, (200, 2)) / drawn.integers(4, 6, (200, 2)),
        np.ones((20, 3)),
        np.zeros((20, 3)),
        np.array([[0.5]]),
        np.array([[-1.0], [1.0]]),
    ):
        assert check_prescaled(raw).ok, check_prescaled(raw)


def cyclic(period, n_rows, drawn):
    turns = 2 * np.pi * drawn.integers(0, period, n_rows) / period
    return np.column_stack([2 * np.sin(turns), np.cos(turns), (1 + np.cos(2 * turns)) / 2])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_designs_units_and_ranks_are_no_sign(dtype):
    drawn = np.random.default_rng(0)
    across, up = np.meshgrid(np.linspace(-2, 2, 21), np.linspace(-1, 1, 21))
    hours = 2 * np.pi * (np.arange(24 * 50) + 0.25) / 24
    doses = np.tile([-1 / 3, -1 / 3, 2 / 3], 30)
    draws = drawn.normal(size=(500, 3)) * [3, 2, 1]
    for honest in (
        np.column_stack([across.ravel(), up.ravel()]),
        np.column_stack([2 * np.sin(hours), np.cos(hours)]),
        *(cyclic(period, n_rows, drawn) for period in (24, 365, 1440) for n_rows in (100, 2000)),
        np.column_stack([np.tile([-0.5, 0.5], 50), np.repeat([-0.25, 0.25], 50)]),
        np.tile([-0.25, 0.25], 8).reshape(-1, 1),  # norm 1
        np.column_stack([2 * doses, np.tile([0.25, -0.25, 0], 30)]),
        np.concatenate([draws, -draws]),
        np.array([[-31.0, 7, -12, 25, 44, -3, -19, 2, -40, 27, 11, -11]]).T / np.sqrt(7),
        *(drawn.integers(0, q + 1, (1000, 1)) / q for q in (3, 6, 7, 9, 12, 365)),
        *(drawn.permutation(100).reshape(-1, 1) / n for n in (99, 99.0)),
        (drawn.permutation(800).reshape(-1, 1) + 1) / 800,
        np.linspace(0, 1, 50).reshape(-1, 1),
        np.linspace(-1, 1, 51).reshape(-1, 1),
        drawn.integers(0, 256, (500, 5)) / 127.5 - 1,
        drawn.uniform(0, 1, (20_000, 2)).round(3),
        drawn.dirichlet(np.full(3, 0.001), 300),
        np.corrcoef(drawn.normal(size=(12, 50))),
    ):
        assert check_prescaled(honest.astype(dtype)).ok, check_prescaled(honest)


def test_what_a_design_explains_is_listed_beside_evidence():
    """A column of two levels, one in five, becomes -1/2 and 2."""
    coded = np.tile([0.0, 0, 0, 0, 1], 40)
    measured = np.random.default_rng(0).gamma(2, size=200)
    alone = StandardScaler().fit_transform(coded.reshape(-1, 1))
    assert check_prescaled(alone).ok
    scaled = StandardScaler().fit_transform(np.column_stack([measured, coded]))
    assert check_prescaled(scaled).columns == [0, 1]
    unknown = StandardScaler().fit_transform(np.tile([0.0, 0, 1, 2, 5, 5], 40).reshape(-1, 1))
    assert check_prescaled(unknown).columns == [0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("raw", [CANCER[:, :9], housing()], ids=["cancer", "housing"])
@pytest.mark.parametrize(
    ("scaler", "kind"),
    [
        (MinMaxScaler((-1, 1)), "min-max scaled"),
        (StandardScaler(with_std=False), "centred"),
        (StandardScaler(with_mean=False), "divided by the deviation"),
        (Whitener(shrinkage="ledoit_wolf"), "centred"),
    ],
)
def test_halves_of_scalings_show(raw, scaler, kind, dtype):
    report = check_prescaled(scaler.fit_transform(raw).astype(dtype))
    assert kinds(report) == [kind]
    assert len(report.columns) >= raw.shape[1] - 1
    parts = [train_test_split(scaler.fit_transform(raw), random_state=seed) for seed in range(5)]
    assert [kind] in [kinds(check_split(train, test)) for train, test in parts]
    own = scaler.fit(raw[:400])
    assert check_split(own.transform(raw[:400]), own.transform(raw[400:])).ok


def test_few_digits_need_many_columns():
    """In float16 one of two raw columns looks standardized by chance, but not ten of ten."""
    drawn = np.random.default_rng(1)
    noise = drawn.normal(size=(20_000, 20)).astype(np.float16)
    assert _profile.Profile.of(noise).standardized(3e-3).any()
    assert check_prescaled(noise).ok
    for n_rows, found in ((400, 10), (6000, 10), (10**5, 0)):
        scaled = StandardScaler().fit_transform(drawn.gamma(2, size=(n_rows, 10)))
        assert len(check_prescaled(scaled.astype(np.float16)).columns) == found
        beside = np.column_stack([scaled[:, 0], drawn.gamma(2, size=(n_rows, 9))])
        assert check_prescaled(beside.astype(np.float32)).ok == (n_rows > 1800)
        assert len(check_prescaled(scaled.astype(np.float32)).columns) == 10
    shares = drawn.integers(0, 8, (200, 6)) / 7
    assert check_prescaled(shares.astype(np.float16)).ok


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("scale", "kind"),
    [
        (lambda X: StandardScaler().fit_transform(X), "standardized"),
        (lambda X: (X - X.mean(0)) / X.std(0, ddof=1), "standardized"),
        (lambda X: (X - X.mean(0)) / np.linalg.norm(X - X.mean(0), axis=0), "standardized"),
        (lambda X: MinMaxScaler().fit_transform(X), "min-max scaled"),
    ],
)
def test_every_scaling_shows(scale, kind, dtype):
    raw = CANCER[:, :12].astype(dtype)
    report = check_prescaled(scale(raw))
    assert kinds(report) == [kind]
    assert report.columns == list(range(12))


@pytest.mark.parametrize(
    ("rotate", "kind"),
    [
        (Whitener(), "whitened"),
        (Whitener(method="cholesky"), "whitened"),
        (PCA(whiten=True), "whitened"),
        (PCA(n_components=5), "rotated"),
    ],
)
def test_rotations_show(rotate, kind):
    raw = StandardScaler().fit_transform(CANCER[:, :8]) @ np.triu(np.ones((8, 8))) + 3
    assert kinds(check_prescaled(rotate.fit_transform(raw))) == [kind]


def test_scaled_beside_raw_columns():
    raw = CANCER[:, :4].copy()
    raw[:, [1, 3]] = StandardScaler().fit_transform(raw[:, [1, 3]])
    assert check_prescaled(raw).columns == [1, 3]


def test_rounded_to_five_decimals():
    assert not check_prescaled(StandardScaler().fit_transform(housing()).round(5)).ok


def test_missing_values_and_sparse_rows():
    raw = CANCER[:, :3].copy()
    raw[::7, 0] = np.nan
    raw[:, 2] = np.nan
    with pytest.warns(UserWarning, match="without a single value"):
        scaled = skscale.StandardScaler().fit_transform(raw)
    assert check_prescaled(scaled).columns == [0, 1]
    assert check_prescaled(raw).ok
    few = StandardScaler().fit_transform(sparse.csc_array(CANCER[:, :3]).toarray())
    for container in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
        assert check_prescaled(container(few)).columns == [0, 1, 2]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_with_words_and_dates(library):
    frames = pytest.importorskip(library, reason=f"a frame of {library} is what is tested")
    scaled = StandardScaler().fit_transform(CANCER[:20, :2])
    day = np.datetime64("2024-01-01", "us")
    frame = frames.DataFrame(
        {
            "word": ["a", "b"] * 10,
            "size": scaled[:, 0],
            "day": [(day + np.timedelta64(i, "D")).astype(object) for i in range(20)],
            "raw": CANCER[:20, 5],
            "width": scaled[:, 1].astype(np.float32),
        }
    )
    before = frame.copy() if library == "pandas" else frame.clone()
    assert check_prescaled(frame).columns == ["size", "width"]
    assert frame.equals(before)
    alone = check_prescaled(frame[["word", "day"]])
    assert alone.ok
    assert repr(alone) == "check_prescaled: nothing found in 20 rows without numbers"


def test_lists_and_objects():
    scaled = StandardScaler().fit_transform(CANCER[:20, :1]).ravel().tolist()
    rows = [[word, number] for word, number in zip("ab" * 10, scaled, strict=True)]
    assert check_prescaled(rows).columns == [1]
    assert check_prescaled(np.array(rows, dtype=object)).columns == [1]


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        ([1.0, 2.0], ValueError, "Expected 2D array"),
        (np.zeros((0, 3)), ValueError, "minimum of 1 is required"),
        ([[1j]], ValueError, "Complex data"),
        ([[np.inf], [1.0]], InfiniteValueError, "row 0, column 0"),
    ],
)
def test_bad_tables(bad, error, words):
    with pytest.raises(error, match=words):
        check_prescaled(bad)


def test_the_report_reads_well():
    report = check_prescaled(datasets.load_diabetes().data)
    assert repr(report).splitlines()[0] == "check_prescaled: 1 finding in 442 rows x 10 columns"
    assert "0, 1, 2, 3, 4, 5, 6, 7 and 2 more" in repr(report)
    assert "<table>" in report._repr_html_()
    assert report.findings[0].numbers == {"n_columns": 10}


def test_html_is_escaped_and_frames_have_a_row_per_finding():
    pandas = pytest.importorskip("pandas", reason="to_frame makes a frame of pandas")
    scaled = pandas.DataFrame(StandardScaler().fit_transform(CANCER[:, :1]), columns=["<b>"])
    report = check_prescaled(scaled)
    assert "<b>" not in report._repr_html_().split("<table>")[1]
    frame = report.to_frame()
    assert frame.columns.tolist() == ["kind", "columns", "n_rows", "message"]
    assert frame["columns"].tolist() == [["<b>"]]
    assert len(check_prescaled(CANCER).to_frame()) == 0


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-6), (np.float32, 3e-5)])
def test_the_stated_rate_of_false_alarms(dtype, tolerance):
    """With tolerances so wide that alarms can be counted, they are as rare as stated."""
    n_rows, wide, drawn = 400, 2e-2, np.random.default_rng(1)
    columns = _profile.Profile.of(drawn.standard_normal((n_rows, 20_000)))
    rate = columns.standardized(wide).mean()
    assert 0 < rate <= 3 * n_rows * wide**2
    assert _profile.TOLERANCES[np.dtype(dtype)].moment == tolerance


@pytest.mark.parametrize(
    "labels",
    [range(4), [(0, "a"), (0, "b"), (1, "a"), (1, "b")], np.arange(4.0)],
    ids=["numbers", "levels", "floats"],
)
def test_frames_whose_names_are_no_words(labels):
    pandas = pytest.importorskip("pandas", reason="its own names")
    rows = StandardScaler().fit_transform(np.random.default_rng(0).gamma(2, size=(90, 4)))
    labels = list(labels)
    names = pandas.MultiIndex.from_tuples(labels) if isinstance(labels[0], tuple) else labels
    frame = pandas.DataFrame(rows, columns=names)
    assert check_prescaled(frame).columns == labels
    assert check_split(frame.iloc[:60], frame.iloc[60:]).columns == labels
    frame[labels[0]] = list("xyz") * 30
    assert check_prescaled(frame).columns == labels[1:]


def test_names_given_twice_are_refused_as_a_fit_refuses_them():
    pandas = pytest.importorskip("pandas", reason="names given twice")
    frame = pandas.DataFrame(np.ones((9, 2)), columns=["a", "a"])
    with pytest.raises(SchemaError, match="given more than once: a"):
        check_prescaled(frame)
