"""What bad input gets: an error that says what was given, what was expected and what to do."""

import contextlib
import copy
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener, errors
from skscale.decomposition import _principal
from skscale.statistics import Extrema, Moments

SCALERS = [MinMaxScaler, StandardScaler, BatchNormalizer]
TURNERS = [PCA, Whitener]
EVERY = SCALERS + TURNERS
LEARN = ["fit", "partial_fit", "fit_transform"]
ROWS = np.random.default_rng(0).normal(size=(12, 3))
NAMES = ["age", "height", "weight"]
FRAME = pd.DataFrame(ROWS, columns=NAMES)

every = pytest.mark.parametrize("kind", EVERY)
scalers = pytest.mark.parametrize("kind", SCALERS)
turners = pytest.mark.parametrize("kind", TURNERS)
any_method = pytest.mark.parametrize("method", [*LEARN, "transform"])


def fitted(kind, X=FRAME):
    return kind().fit(X)


def refused(kind, method, X, error, *words, fitted_on=FRAME, **options):
    """The error of `method` on X; every word is in its message, and nothing has changed."""
    transformer = fitted(kind, fitted_on)
    before = state(transformer)
    with pytest.raises(error) as caught:
        getattr(transformer, method)(X, **options)
    assert state(transformer) == before, "a call that failed changed the transformer"
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in: {caught.value}"
    return caught.value


def state(transformer):
    """All fitted attributes as text, bit for bit, and the identity of the statistic."""
    found = {}
    for name, value in vars(transformer).items():
        found[name] = value.tobytes() if isinstance(value, np.ndarray) else repr(value)
    found["statistic_"] = id(transformer.statistic_)
    return found


# Columns that are not numbers ---------------------------------------------------------------


@every
@any_method
@pytest.mark.parametrize("library", [pd.DataFrame, pl.DataFrame, pa.table])
def test_text_column(kind, method, library):
    columns = {"age": [1.0, 2.0], "height": ["tall", "small"], "weight": [3.0, 4.0]}
    refused(
        kind, method, library(columns), errors.NonNumericColumnError,
        "'height' (", "Only numeric columns", "make_column_selector",
    )  # fmt: skip


@every
@any_method
@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (pd.to_datetime(["2020-01-01", "2021-01-01"]), "Datetime"),
        (pd.to_timedelta([1, 2], unit="D"), "Duration"),
        (pd.Categorical(["a", "b"]), "Categorical"),
        (np.array([1.0, "two"], dtype=object), "Object"),
        (pd.array(["a", None], dtype="string"), "String"),
    ],
    ids=["datetime", "timedelta", "category", "mixed objects", "string"],
)
def test_column_of_another_kind(kind, method, values, dtype):
    frame = FRAME[:2].assign(height=values)
    message = str(refused(kind, method, frame, TypeError, "'height' (", "make_column_selector"))
    assert dtype in message or "String" in message
    assert "'age'" not in message


@every
@any_method
def test_text_without_names(kind, method):
    """Also that of numbers; of an array of objects scikit-learn's own error."""
    for X, given in [
        ([["1", "2", "3"], ["3", "5", "4"]], "<U1"),
        ([["one", 2, 3], ["three", 5.0, 4]], "<U32"),
        (np.array([[b"1", b"2", b"3"]] * 3), "|S1"),
    ]:
        words = ("X holds text", given, "np.asarray(X, dtype=float)")
        error = refused(kind, method, X, errors.NonNumericColumnError, *words, fitted_on=ROWS)
        assert isinstance(error, ValueError)  # which is what scikit-learn raises of words
    objects = np.array([["a", 1.0, 2.0]], dtype=object)
    refused(kind, method, objects, (TypeError, ValueError), "could not convert", fitted_on=ROWS)


@every
@any_method
def test_dates_without_names(kind, method):
    X = np.array([["2020-01-01"] * 3, ["2021-01-01"] * 3], dtype="datetime64[D]")
    refused(kind, method, X, TypeError, "datetime64", "numbers", fitted_on=ROWS)


@every
@any_method
def test_complex_numbers(kind, method):
    refused(kind, method, ROWS + 1j, ValueError, "Complex data not supported", fitted_on=ROWS)


# Infinities and missing values -------------------------------------------------------------


@every
@any_method
@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
@pytest.mark.parametrize("container", ["array", "float32", "pandas", "polars", "arrow"])
def test_infinity(kind, method, infinity, container):
    X = ROWS.copy()
    X[7, 1] = X[9, 0] = infinity
    frame = pd.DataFrame(X, columns=NAMES)
    given = {
        "array": X,
        "float32": X.astype(np.float32),
        "pandas": frame,
        "polars": pl.DataFrame(X, schema=NAMES),
        "arrow": pa.table(frame),
    }[container]
    column = "column 1" if container in ("array", "float32") else "column 'height'"
    fitted_on = ROWS if container in ("array", "float32") else FRAME
    error = refused(
        kind, method, given, errors.InfiniteValueError,
        "infinity", "row 7", column, "Replace", fitted_on=fitted_on,
    )  # fmt: skip
    assert (error.row, error.column) == (7, 1)
    assert isinstance(error, ValueError)


@every
def test_infinity_in_a_later_block(kind):
    X = np.zeros((300_000, 3))
    X[::2] = 1
    X[250_001, 2] = np.inf
    for method in ("fit", "transform"):
        refused(kind, method, X, errors.InfiniteValueError, "row 250001, column 2", fitted_on=ROWS)


@pytest.mark.parametrize("method", [*LEARN, "transform"])
@pytest.mark.parametrize("format", ["csr", "csc"])
@pytest.mark.parametrize(
    "make", [lambda: StandardScaler(with_mean=False), PCA], ids=["scaler", "PCA"]
)
def test_infinity_in_sparse_rows(make, method, format):
    X = sparse.lil_array(np.random.default_rng(0).integers(0, 3, (40, 3)).astype(np.float64))
    transformer = make().fit(X.tocsr())
    X[31, 2] = np.inf
    with pytest.raises(errors.InfiniteValueError, match=r"row 31, column 2.*Replace"):
        getattr(transformer, method)(X.asformat(format))


@turners
@any_method
@pytest.mark.parametrize("container", ["pandas", "nullable", "polars"])
def test_missing_value(kind, method, container):
    frame = FRAME.copy()
    frame.loc[3, "height"] = frame.loc[5, "weight"] = np.nan
    if container == "nullable":
        frame = frame.convert_dtypes()
    if container == "polars":
        frame = pl.from_pandas(frame)
    error = refused(
        kind, method, frame, errors.MissingValueError,
        "NaN", "'height', 'weight'", kind.__name__, "SimpleImputer",
    )  # fmt: skip
    assert error.columns == (1, 2)
    assert "'age'" not in str(error)


@turners
@any_method
def test_missing_value_without_names(kind, method):
    X = ROWS.copy()
    X[4, 2] = np.nan
    refused(kind, method, X, errors.MissingValueError, "NaN", "columns 2", fitted_on=ROWS)


@pytest.mark.parametrize("method", [*LEARN, "transform"])
def test_missing_value_in_sparse_rows(method):
    X = sparse.lil_array(np.random.default_rng(0).integers(0, 3, (40, 3)).astype(np.float64))
    pca = PCA(2).fit(X.tocsr())
    X[31, 2] = np.nan
    with pytest.raises(errors.MissingValueError, match=r"NaN, in columns 2.*SimpleImputer"):
        getattr(pca, method)(X.tocsr())


@scalers
@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame])
def test_missing_values_are_kept_by_scalers(kind, container):
    X = ROWS.copy()
    X[2, 0] = np.nan
    kept = X[~np.isnan(X[:, 0])]
    result = np.asarray(kind().fit_transform(container(X)))
    assert np.isnan(result[2, 0])
    np.testing.assert_allclose(
        result[~np.isnan(X[:, 0]), 0], kind().fit_transform(kept)[:, 0], rtol=1e-13
    )
    assert np.isfinite(np.delete(result.ravel(), 6)).all()


@scalers
@pytest.mark.parametrize("method", LEARN)
def test_column_without_a_value(kind, method):
    """One warning, with the name; NaN out; the other columns as if it were not there."""
    frame = FRAME.assign(height=np.nan)
    with pytest.warns(errors.AllMissingWarning, match="'height'") as caught:
        getattr(kind(), method)(frame)
    assert len(caught) == 1
    assert "'age'" not in str(caught[0].message)
    if method != "fit_transform":  # which stands one level higher, in scikit-learn's mixin
        assert caught[0].filename == __file__
    with pytest.warns(errors.AllMissingWarning, match=": 1"):
        result = kind().fit_transform(frame.to_numpy())
    assert np.isnan(result[:, 1]).all()
    np.testing.assert_array_equal(
        result[:, [0, 2]], kind().fit_transform(frame[["age", "weight"]].to_numpy())
    )


@scalers
def test_column_that_gets_values_later(kind):
    transformer = kind()
    with pytest.warns(errors.AllMissingWarning):
        transformer.partial_fit([[np.nan, 1.0], [np.nan, 2.0]])
    transformer.partial_fit([[3.0, 3.0], [5.0, 4.0]])
    assert np.isfinite(transformer.transform([[3.0, 3.0]])).all()


@every
def test_warning_made_an_error_keeps_the_old_fit(kind):
    if kind in TURNERS:
        pytest.skip("refuses missing values with an error, tested above")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        refused(kind, "fit", FRAME.assign(age=np.nan), errors.AllMissingWarning, "'age'")


# Shapes ------------------------------------------------------------------------------------


@every
@any_method
@pytest.mark.parametrize(
    ("X", "words"),
    [
        ([1.0, 2.0, 3.0], ["Expected 2D array, got 1D array instead", "reshape(-1, 1)"]),
        (5.0, ["Expected 2D array, got scalar array instead", "reshape"]),
        (np.zeros((2, 3, 4)), ["dim 3", "<= 2"]),
        (np.zeros((0, 3)), ["0 sample(s) (shape=(0, 3))", "minimum of 1 is required"]),
        (np.zeros((2, 0)), ["0 feature(s) (shape=(2, 0))", "minimum of 1 is required"]),
        (FRAME[:0], ["0 sample(s) (shape=(0, 3))", "at least one row"]),
        (FRAME[[]], ["0 feature(s) (shape=(12, 0))", "at least one column"]),
        (pl.DataFrame(schema=dict.fromkeys(NAMES, pl.Float64)), ["0 sample(s)", "at least one"]),
        (pd.Series([1.0, 2.0, 3.0]), ["Series", "DataFrame"]),
    ],
    ids=["1-D", "0-D", "3-D", "no rows", "no columns", "empty pandas", "no pandas columns",
         "empty polars", "Series"],
)  # fmt: skip
def test_shape(kind, method, X, words):
    refused(kind, method, X, ValueError, *words)


@every
@any_method
def test_lazy_frame_is_not_a_table_yet(kind, method):
    """It looks like one, so the answer must be the line that makes it one."""
    lazy = pl.DataFrame(ROWS, schema=NAMES).lazy()
    refused(kind, method, lazy, (TypeError, ValueError), "LazyFrame", "collect()")


# Names and widths --------------------------------------------------------------------------


@every
@any_method
@pytest.mark.parametrize("library", [pd.DataFrame, pa.table])
def test_duplicate_names(kind, method, library):
    frame = FRAME.set_axis(["age", "age", "weight"], axis=1)
    if library is pa.table:
        frame = pa.Table.from_arrays([pa.array(column) for column in ROWS.T], list(frame.columns))
    error = refused(kind, method, frame, ValueError, "age", "unique", "Rename")
    assert "weight" not in str(error)


@every
@pytest.mark.parametrize("method", [*LEARN, "transform", "inverse_transform"])
def test_names_of_two_types(kind, method):
    """scikit-learn's TypeError; by position it would be anybody's guess."""
    frame = FRAME.set_axis(["age", 1, 2], axis=1)
    refused(kind, method, frame, TypeError, "int", "str", "columns.astype(str)")


WRONG_COLUMNS = {
    "reordered": (lambda f: f[f.columns[::-1]], "must be in the same order"),
    "missing": (lambda f: f.drop(columns="height"), "now missing:\n- height"),
    "unknown": (lambda f: f.assign(shoe=1.0), "unseen at fit time:\n- shoe"),
    "renamed": (lambda f: f.rename(columns={"age": "years"}), "unseen at fit time:\n- years"),
}


@every
@pytest.mark.parametrize("method", ["transform", "partial_fit"])
@pytest.mark.parametrize(("change", "words"), WRONG_COLUMNS.values(), ids=WRONG_COLUMNS)
def test_wrong_columns(kind, method, change, words):
    """scikit-learn's wording first, then the difference."""
    first = "The feature names should match those that were passed during fit."
    error = refused(kind, method, change(FRAME), errors.SchemaError, words)
    assert str(error).startswith(first)
    last = str(error).splitlines()[-1]
    assert any(last.startswith(label) for label in ("Unknown: ", "Missing: ", "Got: "))


@every
def test_wrong_columns_show_the_difference(kind):
    """Both sides of it, by name, and of many names the first ten."""
    frame = FRAME.rename(columns={"age": "years"})
    refused(kind, "transform", frame, ValueError, "Unknown: 'years'", "Missing: 'age'")
    wide = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 30))).add_prefix("c")
    other = wide.add_prefix("not_")
    error = refused(kind, "transform", other, ValueError, "'not_c9' and 20 more", fitted_on=wide)
    assert "not_c10'" not in str(error).partition("Unknown: ")[2].partition("\n")[0]


@every
@pytest.mark.parametrize("method", ["transform", "partial_fit"])
@pytest.mark.parametrize("width", [1, 2, 4])
def test_wrong_width(kind, method, width):
    words = f"X has {width} features, but {kind.__name__} is expecting 3 features as input"
    X = np.zeros((2, width))
    refused(kind, method, X, errors.SchemaError, words, fitted_on=ROWS)


@every
@pytest.mark.parametrize("width", [1, 2, 4])
def test_wrong_width_of_inverse_transform(kind, width):
    words = [f"X has {width} columns", kind.__name__, "expecting 3"]
    refused(kind, "inverse_transform", np.zeros((2, width)), errors.SchemaError, *words)


@every
@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_inverse_transform_puts_columns_in_order(kind, library):
    transformer = fitted(kind).set_output(transform=library)
    white = transformer.transform(FRAME)
    names = list(white.columns)
    back = transformer.inverse_transform(white[names[::-1]])
    assert list(back.columns) == NAMES
    np.testing.assert_allclose(back.to_numpy(), ROWS, atol=1e-13)


@scalers
@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("names", [["weight", "age"], ["height"]])
def test_inverse_transform_of_some_columns(kind, library, names):
    """Some columns are enough where each goes by itself; they come in the order of the fit."""
    transformer = fitted(kind).set_output(transform=library)
    back = transformer.inverse_transform(transformer.transform(FRAME)[names])
    expected = [name for name in NAMES if name in names]
    assert list(back.columns) == expected
    np.testing.assert_allclose(back.to_numpy(), FRAME[expected].to_numpy(), atol=1e-13)


@turners
def test_inverse_transform_needs_every_column(kind):
    transformer = fitted(kind).set_output(transform="pandas")
    white = transformer.transform(FRAME)
    first, *rest = white.columns
    refused(kind, "inverse_transform", white[rest], errors.SchemaError, f"Missing: '{first}'")


@every
def test_inverse_transform_of_unknown_columns(kind):
    white = fitted(kind).set_output(transform="pandas").transform(FRAME)
    first = white.columns[0]
    refused(
        kind, "inverse_transform", white.assign(shoe=1.0), errors.SchemaError,
        kind.__name__, "Unknown: 'shoe'", "to_numpy()",
    )  # fmt: skip
    renamed = white.rename(columns={first: "shoe"})
    refused(
        kind, "inverse_transform", renamed, errors.SchemaError,
        "Unknown: 'shoe'", f"Missing: '{first}'",
    )  # fmt: skip


@every
def test_inverse_transform_of_duplicate_columns(kind):
    """The message tells of the column that is there twice, and not of one that may be absent."""
    white = fitted(kind).set_output(transform="pandas").transform(FRAME)
    first, second, third = white.columns
    twice = white[[first, first, third]]
    error = refused(kind, "inverse_transform", twice, errors.SchemaError, f"'{first}'")
    if kind in SCALERS:
        assert "Missing" not in str(error)
    refused(
        kind, "inverse_transform", white[[first, first, second, third]], ValueError, f"'{first}'"
    )


# Weights -----------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.r_[np.ones(11), -1], ["-1.0 in row 11", "not negative"]),
        (np.zeros(12), ["zero in every row", "at least one non-zero"]),
        (0, ["zero in every row"]),
        (np.r_[np.nan, np.ones(11)], ["nan in row 0", "finite"]),
        (np.r_[np.ones(11), np.inf], ["inf in row 11", "finite"]),
        (np.ones(11), ["(11,)", "(12,)"]),
        (np.ones((12, 1)), ["(12, 1)", "(12,)"]),
        (["heavy"] * 12, ["numbers", "<U5"]),
    ],
    ids=["negative", "all zero", "zero", "NaN", "inf", "short", "2-D", "text"],
)
def test_sample_weight(kind, method, weights, words):
    refused(
        kind, method, FRAME, errors.SampleWeightError, "sample_weight", *words,
        sample_weight=weights,
    )  # fmt: skip


@turners
def test_weights_that_leave_no_degree_of_freedom(kind):
    """They count repetitions, and half a row has no variance."""
    weights = np.full(12, 1 / 24)
    words = ["weight", "0.5", "scale them to sum to the number of rows"]
    refused(kind, "fit", FRAME, errors.SampleWeightError, *words, sample_weight=weights)


# Not fitted --------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("method", ["transform", "inverse_transform", "get_feature_names_out"])
def test_unfitted(kind, method):
    arguments = [] if method == "get_feature_names_out" else [ROWS]
    with pytest.raises(NotFittedError, match=kind.__name__):
        getattr(kind(), method)(*arguments)


@pytest.mark.parametrize("method", ["get_covariance", "get_precision", "score", "score_samples"])
def test_unfitted_model(method):
    with pytest.raises(NotFittedError, match="PCA"):
        getattr(PCA(), method)(*([ROWS] if method.startswith("score") else []))


@every
def test_failed_first_fit_leaves_it_unfitted(kind):
    transformer = kind()
    before = copy.copy(vars(transformer))
    with pytest.raises(ValueError, match="infinity"):
        transformer.fit(np.full((3, 3), np.inf))
    assert vars(transformer) == before
    with pytest.raises(NotFittedError):
        transformer.transform(ROWS)


# Parameters --------------------------------------------------------------------------------

WRONG_PARAMETERS = [
    (MinMaxScaler(feature_range=(1, 0)), ["feature_range", "(1, 0)", "smaller"]),
    (MinMaxScaler(feature_range=(1, 1)), ["feature_range", "(1, 1)", "smaller"]),
    (MinMaxScaler(feature_range=([0, 0, 2], 1)), ["feature_range", "column 2", "smaller"]),
    (MinMaxScaler(feature_range=([0, 0], 1)), ["feature_range", "3 numbers", "[0, 0]"]),
    (MinMaxScaler(feature_range=(0, np.inf)), ["feature_range", "inf", "finite"]),
    (MinMaxScaler(feature_range=(0, np.nan)), ["feature_range", "nan", "finite"]),
    (MinMaxScaler(feature_range=(-1.7e308, 1.7e308)), ["feature_range", "finite"]),
    (MinMaxScaler(feature_range=("low", "high")), ["feature_range", "'low'"]),
    (MinMaxScaler(feature_range=[0, 1]), ["feature_range", "tuple", "[0, 1]"]),
    (MinMaxScaler(feature_range=(0, 1, 2)), ["feature_range", "tuple", "(0, 1, 2)"]),
    (MinMaxScaler(clip="yes"), ["clip", "bool", "'yes'"]),
    (MinMaxScaler(copy=1), ["copy", "bool", "1"]),
    (StandardScaler(with_mean=None), ["with_mean", "bool", "None"]),
    (StandardScaler(ddof=-1), ["ddof", "non-negative", "-1"]),
    (StandardScaler(ddof="1"), ["ddof", "non-negative", "'1'"]),
    (StandardScaler(ddof=np.nan), ["ddof", "nan"]),
    (StandardScaler(ddof=True), ["ddof", "True"]),
    (BatchNormalizer(batch_size=0), ["batch_size", "at least 1", "0"]),
    (BatchNormalizer(batch_size=2.0), ["batch_size", "int", "2.0"]),
    (BatchNormalizer(momentum=0), ["momentum", "(0, 1]", "0"]),
    (BatchNormalizer(momentum=1.5), ["momentum", "(0, 1]", "1.5"]),
    (BatchNormalizer(epsilon=0), ["epsilon", "positive", "0"]),
    (BatchNormalizer(epsilon="small"), ["epsilon", "'auto'", "'small'"]),
    (BatchNormalizer(affine=(1, 2, 3)), ["affine", "(gamma, beta)", "(1, 2, 3)"]),
    (BatchNormalizer(affine=([1, 2], 0)), ["affine", "3 of them", "[1, 2]"]),
    (BatchNormalizer(affine=(np.nan, 0)), ["affine", "finite", "nan"]),
    (PCA(n_components=4), ["n_components", "4", "3"]),
    (PCA(n_components=-1), ["n_components", "-1", "'mle'"]),
    (PCA(n_components=2.0), ["n_components", "2.0", "'mle'"]),
    (PCA(n_components=1.5), ["n_components", "1.5", "(0, 1)"]),
    (PCA(n_components="many"), ["n_components", "'many'", "'mle'"]),
    (PCA(n_components=True), ["n_components", "True"]),
    (PCA(n_components=0, svd_solver="randomized"), ["n_components=0", "between 1", "randomized"]),
    (PCA(n_components=3, svd_solver="arpack"), ["n_components=3", "strictly less", "arpack"]),
    (PCA(n_components="mle", svd_solver="arpack"), ["n_components", "'mle'", "arpack"]),
    (PCA(svd_solver="eigen"), ["svd_solver", "'eigen'", "'covariance_eigh'"]),
    (PCA(tol=-1), ["tol", "-1"]),
    (PCA(iterated_power="no"), ["iterated_power", "'no'", "'auto'"]),
    (PCA(n_oversamples=0), ["n_oversamples", "0"]),
    (PCA(power_iteration_normalizer="qr"), ["power_iteration_normalizer", "'qr'", "'QR'"]),
    (PCA(random_state="seed"), ["random_state", "'seed'"]),
    (PCA(whiten="yes"), ["whiten", "'yes'", "bool"]),
    (Whitener("mahalanobis"), ["method", "'mahalanobis'", "'zca-cor'", "'cholesky'"]),
    (Whitener(epsilon=-1e-3), ["epsilon", "-0.001", "non-negative"]),
    (Whitener(shrinkage=2), ["shrinkage", "2", "[0, 1]", "'oas'"]),
    (Whitener(shrinkage="ridge"), ["shrinkage", "'ridge'", "'ledoit_wolf'"]),
    (Whitener(rank_tol=1), ["rank_tol", "1", "[0, 1)"]),
    (Whitener(ddof=-1), ["ddof", "-1"]),
]  # fmt: skip


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
@pytest.mark.parametrize(
    ("transformer", "words"), WRONG_PARAMETERS, ids=[repr(t)[:60] for t, _ in WRONG_PARAMETERS]
)
def test_parameter(transformer, words, method):
    """The parameter, the value and what it may be; nothing is learned."""
    limits = ("PCA(n_components=3", "PCA(n_components=0")
    if method == "partial_fit" and repr(transformer).startswith(limits):
        words = words[:1]
    with pytest.raises(errors.InvalidParameterError) as caught:
        getattr(transformer, method)(ROWS)
    for word in words:
        assert word in str(caught.value), f"{word!r} is not in: {caught.value}"
    assert type(transformer).__name__ in str(caught.value) or "n_components" in str(caught.value)
    assert not hasattr(transformer, "statistic_")


@every
def test_wrong_parameter_keeps_the_old_fit(kind):
    name, value = next(
        (name, value)
        for name, value in [("batch_size", 0), ("ddof", -1), ("clip", 3), ("tol", -1)]
        if name in kind().get_params()
    )
    transformer = fitted(kind)
    before = transformer.transform(FRAME)
    transformer.set_params(**{name: value})
    with pytest.raises(ValueError, match=name):
        transformer.fit(FRAME + 1)
    np.testing.assert_array_equal(transformer.transform(FRAME), before)


def test_components_more_than_rows():
    with pytest.raises(errors.InvalidParameterError, match=r"n_components=3 .*n_features\)=2"):
        PCA(3).fit(ROWS[:2])
    PCA(3).partial_fit(ROWS[:2]).partial_fit(ROWS[2:])  # more may come


# Width limits ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        Whitener,
        lambda: Whitener(shrinkage="ledoit_wolf"),
        lambda: PCA(svd_solver="covariance_eigh"),
    ],
    ids=["Whitener", "Whitener with shrinkage", "PCA"],
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_too_wide_for_a_square_matrix(monkeypatch, make, method):
    monkeypatch.setattr(_principal, "WIDEST", 10)
    getattr(make(), method)(np.random.default_rng(0).normal(size=(30, 10)))
    with pytest.raises(errors.TooWideError, match=r"11 x 11.*GiB.*limit is 10.*Reduce"):
        getattr(make(), method)(np.zeros((30, 11)))


@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_too_much_for_a_triangle(monkeypatch, method):
    monkeypatch.setattr(_principal, "DENSEST", 100)
    rows = np.random.default_rng(0).normal(size=(5, 20))
    getattr(PCA(2), method)(rows)
    with pytest.raises(errors.TooWideError, match=r"6 x 20.*GiB.*limit.*TruncatedSVD"):
        getattr(PCA(2), method)(np.zeros((6, 20)))


def test_wide_rows_need_no_square_matrix(monkeypatch):
    monkeypatch.setattr(_principal, "WIDEST", 10)
    pca = PCA(2).fit(np.random.default_rng(0).normal(size=(5, 500)))
    with pytest.raises(errors.TooWideError, match="get_covariance"):
        pca.get_covariance()
    with pytest.raises(errors.TooWideError, match="get_precision"):
        pca.get_precision()


# Statistics from elsewhere ------------------------------------------------------------------


def test_statistic_of_another_kind():
    with pytest.raises(
        errors.IncompatibleStatisticError, match=r"StandardScaler.*Moments.*Extrema"
    ):
        StandardScaler().fit_statistic(Extrema.of(ROWS))


def test_statistic_of_no_rows():
    with pytest.raises(errors.IncompatibleStatisticError, match="no rows"):
        StandardScaler().fit_statistic(Moments.of(np.zeros((0, 3))))


@pytest.mark.parametrize("names", [["a", "b"], "abc", ["a", "a", "b"], [0, 1, 2]], ids=repr)
def test_statistic_with_wrong_names(names):
    with pytest.raises(errors.SchemaError, match=r"3 different strings.*got"):
        StandardScaler().fit_statistic(Moments.of(ROWS), feature_names=names)


def test_output_of_an_unknown_library():
    scaler = StandardScaler().set_output(transform="panda")
    with pytest.raises(ValueError, match=r"must be in \['default', .*\], got panda"):
        scaler.fit_transform(ROWS)


@every
def test_weights_without_a_finite_sum(kind):
    refused(kind, "fit", ROWS, errors.SampleWeightError, "finite", sample_weight=1e308)


@pytest.mark.parametrize("kind", [PCA, Whitener])
def test_shares_whose_sum_is_one_but_for_rounding(kind):
    """Twenty times 1/20 is 1.0000000000000002."""
    refused(
        kind, "fit", ROWS[np.arange(20) % 12], errors.SampleWeightError, "repetitions",
        sample_weight=np.full(20, 1 / 20),
    )  # fmt: skip


@every
def test_dates_in_an_array(kind):
    dates = np.array([["2020-01-01", "2020-01-02", "2020-01-03"]] * 3, dtype="datetime64[D]")
    refused(kind, "fit", dates, errors.NonNumericColumnError, "datetime64", "numbers")


@every
def test_change_of_parameters_between_batches(kind):
    """What was measured under other parameters cannot go on under these: an error, or no change."""
    if kind is not BatchNormalizer:
        pytest.skip("its statistic does not depend on a parameter")
    for first, then in [(None, 0.1), (0.1, None), (0.1, 0.2)]:
        normalizer = BatchNormalizer(momentum=first).fit(ROWS)
        statistic = normalizer.statistic_
        normalizer.set_params(momentum=then)
        with pytest.raises(errors.IncompatibleStatisticError):
            normalizer.partial_fit(ROWS)
        assert normalizer.statistic_ is statistic


def test_shrinkage_that_the_statistic_cannot_tell():
    """Ledoit-Wolf needs more than was kept; the message says so."""
    whitener = Whitener().fit(ROWS).set_params(shrinkage="ledoit_wolf")
    with pytest.raises(errors.IncompatibleStatisticError, match=r"(?i)ledoit_wolf.*fit"):
        whitener.partial_fit(ROWS)


# The caller's data -------------------------------------------------------------------------


@every
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.bool_])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_not_written_to(kind, dtype, order):
    X = np.array(np.random.default_rng(0).normal(size=(12, 3)) * 5, dtype=dtype, order=order)
    before = X.copy()
    transformer = kind().fit(X, sample_weight=np.arange(12.0))
    transformer.partial_fit(X).inverse_transform(transformer.transform(X))
    assert np.array_equal(X, before)


@every
def test_missing_and_infinite_arrays_are_not_written_to(kind):
    for bad in (np.nan, np.inf):
        X = ROWS.copy()
        X[0, 0] = bad
        before = X.copy()
        for method in ("fit", "partial_fit", "transform", "inverse_transform"):
            transformer = fitted(kind, ROWS)
            with contextlib.suppress(ValueError):
                getattr(transformer, method)(X)
            np.testing.assert_array_equal(X, before)


@every
def test_weights_are_not_written_to(kind):
    weights = np.arange(12.0)
    kind().fit(ROWS, sample_weight=weights)
    np.testing.assert_array_equal(weights, np.arange(12.0))


@pytest.mark.parametrize("kind", [StandardScaler, MinMaxScaler])
@pytest.mark.parametrize("method", ["transform", "inverse_transform"])
def test_failed_transform_in_place_writes_nothing(kind, method):
    """copy=False allows to write the result, not half of one: who catches the error goes on."""
    X = np.random.default_rng(0).normal(size=(200_000, 3))
    scaler = kind(copy=False).fit(X)
    X[-1, 1] = np.inf
    before = X.copy()
    with pytest.raises(ValueError, match="row 199999"):
        getattr(scaler, method)(X)
    assert np.array_equal(X, before)


@every
def test_integers_beyond_float_in_every_method(kind):
    """A row that float64 cannot hold is a row like any other."""
    X = np.array([[2**60 + 1, 5, -(2**61)]])
    transformer = fitted(kind, ROWS)
    for method in ("transform", "inverse_transform"):
        result = getattr(transformer, method)(X)
        expected = getattr(transformer, method)(X.astype(np.float64))
        np.testing.assert_allclose(result, expected, rtol=1e-12)


def test_words_in_a_column_named_by_a_number():
    frame = pd.DataFrame({0: list("abc"), 1: [1.0, 2.0, 3.0]})
    with pytest.raises(errors.NonNumericColumnError, match=r"not numbers: 0 \(String\)"):
        StandardScaler().fit(frame)


def test_no_frame_is_made_of_sparse_rows():
    rows = sparse.csr_array(np.eye(3))
    scaler = StandardScaler(with_mean=False).set_output(transform="pandas")
    with pytest.raises(ValueError, match=r"outputs a scipy sparse matrix.*disable Pandas output"):
        scaler.fit_transform(rows)
