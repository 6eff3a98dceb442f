"""Normalizers of rows: by definition, in exact rationals, and for rows that are hard."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn import clone
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from skscale import GroupNormalizer, LayerNormalizer, RMSNormalizer, StandardScaler, errors
from skscale._kernels import _rowwise
from skscale.leakage import audit, freeze
from skscale.model_selection import cross_validate

from .. import truth

KINDS = [LayerNormalizer, GroupNormalizer, RMSNormalizer]
LAYERS = [LayerNormalizer, GroupNormalizer]  # one group is the layer
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(9, 7)) * [1, 3, 0.5, 10, 1, 2, 1] + [0, 1, -3, 10, 0, 5, 2]

every = pytest.mark.parametrize("kind", KINDS)
layers = pytest.mark.parametrize("kind", LAYERS)


def defined(row, kind, epsilon):
    """A row normalized by the definition, to 120 digits; zeros where that is 0 / 0."""
    values = truth.exact(row)
    mean = 0 if kind is RMSNormalizer else truth.mean(values)
    square = truth.mean([(x - mean) ** 2 for x in values])
    square += 0 if epsilon == "auto" else truth.rational(epsilon)
    if square == 0:
        return values - values
    width = truth.root(square)
    with truth.mpmath.workdps(truth.PRECISION):
        return np.array([truth.real(x - mean) / width for x in values], dtype=object)


def digits(image, rows, kind, epsilon):
    """Correct digits, relative to the largest entry of each row."""
    expected = [defined(row, kind, epsilon) for row in rows]
    return min(
        truth.digits(found, row, max(1e-300, *map(abs, row)))  # less has no more digits to give
        for found, row in zip(image, expected, strict=True)
    )


def whole(width):
    """All columns as one part, as the kernels take it."""
    return _rowwise.Parts([np.arange(width)], np.ones(width), np.zeros(width))


# The definition -------------------------------------------------------------------------------

HARD = {
    "ordinary": ROWS,
    "one column": ROWS[:, :1],
    "two columns": ROWS[:, :2],
    "far from zero": ROWS + 1e9,
    "at the end of the digits": 1e15 + np.rint(ROWS),
    "huge": ROWS * 1e200,
    "the largest": ROWS / 20 * 1e308,
    "both ends": np.array([[1.7e308, -1.7e308, 1e308], [1.7e308, 1.7e308, -1.7e308]]),
    "small": ROWS * 1e-8,
    "tiny": ROWS * 1e-200,
    "subnormal": np.array([[1, 2, 5], [0, 0, 7]]) * 5e-324,
    "of all sizes": ROWS * np.logspace(-150, 150, 9)[:, np.newaxis],
    "an outlier in front": np.hstack([np.full((9, 1), 1e12), ROWS]),
    "long": RNG.normal(loc=3, size=(2, 1500)),
}


@every
@pytest.mark.parametrize("epsilon", ["auto", 1e-5, 1e-12, 10.0])
@pytest.mark.parametrize("rows", HARD.values(), ids=HARD)
def test_definition(rows, epsilon, kind):
    image = kind(epsilon=epsilon).fit_transform(rows)
    assert digits(image, rows, kind, epsilon) > 15


@every
@pytest.mark.parametrize("name", HARD)
def test_the_twin_in_numpy_keeps_the_definition(name, kind):
    rows = HARD[name]
    for epsilon in (0.0, 1e-5):
        out, centred = np.empty(rows.shape), kind is not RMSNormalizer
        assert _rowwise.normalize_rows(rows, whole(rows.shape[1]), centred, epsilon, out)
        assert digits(out, rows, kind, epsilon or "auto") > 15


@every
def test_float32_is_computed_in_float64(kind):
    rows = (ROWS + 1e4).astype(np.float32)
    image = kind().fit_transform(rows)
    assert image.dtype == np.float32
    wide = kind().fit_transform(rows.astype(np.float64))
    np.testing.assert_array_equal(image, wide.astype(np.float32))
    half = ROWS.astype(np.float16)
    found = kind().fit_transform(half)
    np.testing.assert_array_equal(found, kind().fit_transform(half.astype(np.float64)))


@layers
def test_integers_that_float64_rounds(kind):
    offsets = [[1, 2, 3, 4], [0, 0, 0, 1], [1, 1, 1, 1], [5, 7, 1, 300], [1, 1001, 5003, 2005]]
    rows = 2**60 + np.array(offsets)
    assert digits(kind(epsilon="auto").fit_transform(rows), rows, kind, "auto") > 15
    big = np.array([[2**64 - 1, 2**64 - 2, 0]], dtype=np.uint64)
    assert digits(kind().fit_transform(big), big, kind, 1e-5) > 15


def test_rms_of_large_integers():
    rows = 2**60 + np.array([[1, 2, 3, 4], [0, -(2**60), 0, 1]])
    assert digits(RMSNormalizer().fit_transform(rows), rows, RMSNormalizer, 1e-5) > 15


def test_rms_is_the_norm_of_scikit_learn_but_for_its_unit():
    found = RMSNormalizer("auto").fit_transform(ROWS) / np.sqrt(ROWS.shape[1])
    np.testing.assert_allclose(found, Normalizer().fit_transform(ROWS), rtol=1e-15)


@layers
@pytest.mark.parametrize("unit", [1e-2, 1e-8])
def test_auto_knows_no_unit(kind, unit):
    """With the published epsilon, rows of a small unit come out smaller than they should."""
    rows = unit * RNG.normal(size=(5, 40))
    spread = kind(epsilon="auto").fit_transform(rows).std(axis=1)
    np.testing.assert_allclose(spread, 1, rtol=1e-14)
    assert (kind().fit_transform(rows).std(axis=1) < 0.99).all()


# Rows without spread ----------------------------------------------------------------------------


@layers
@pytest.mark.parametrize("epsilon", ["auto", 1e-5])
@pytest.mark.parametrize("value", [0.0, 0.1, -7.0, 1e300, 5e-324, 1e15 / 3])
def test_a_constant_row_becomes_beta(kind, epsilon, value):
    """Also if its sum rounds: 0.1 added ten times is not 1."""
    layer = kind(epsilon=epsilon, affine=(3.0, np.arange(10.0)))
    rows = np.vstack([np.full((1, 10), value), np.arange(10.0)[np.newaxis]])
    np.testing.assert_array_equal(layer.fit_transform(rows)[0], np.arange(10.0))


@layers
def test_equal_but_for_rounding(kind):
    """0.1 + 0.2 and 0.3 differ by the spacing of floats: noise is not to become 1."""
    rows = np.array([[0.1 + 0.2, 0.3, 0.3], [1.0, 1.0 + 2**-52, 1.0]])
    np.testing.assert_array_equal(kind(epsilon="auto").fit_transform(rows), np.zeros((2, 3)))
    apart = np.array([[1e15, 1e15 + 1, 1e15 + 2]])
    assert np.ptp(kind(epsilon="auto").fit_transform(apart)) > 2.4


def test_a_row_of_zeros():
    for epsilon in ("auto", 1e-5):
        image = RMSNormalizer(epsilon, affine=(2.0, 3.0)).fit_transform([[0.0, 0.0], [1.0, 1.0]])
        np.testing.assert_array_equal(image[0], [3, 3])
    np.testing.assert_array_equal(RMSNormalizer("auto").fit_transform([[7.0, 7.0]]), [[1, 1]])


# Missing values ---------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("epsilon", ["auto", 1e-5])
@pytest.mark.parametrize("unit", [1.0, 1e200, 1e-200])
def test_missing_cells_are_left_out_and_stay(kind, epsilon, unit):
    rows = ROWS * unit
    holes = np.random.default_rng(5).random(rows.shape) < 0.3
    holes[0], holes[1, 1:], holes[2:, 0], holes[3:, 1] = True, True, True, False
    holes[1, 0] = holes[4] = False
    rows[holes] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = kind(epsilon=epsilon, affine=(2.0, 0.0)).fit_transform(rows)
    np.testing.assert_array_equal(np.isnan(image), holes)
    for row in range(1, len(rows)):
        there = ~holes[row]
        alone = kind(epsilon=epsilon).fit_transform(rows[[row]][:, there])
        np.testing.assert_allclose(image[row, there], 2 * alone[0], rtol=1e-14, atol=1e-15)


@every
def test_nullable_frames(kind):
    frame = pd.DataFrame(ROWS[:, :3], columns=list("abc")).convert_dtypes()
    frame.iloc[2, 1] = pd.NA
    polars = pl.from_pandas(frame)
    plain = kind().fit_transform(frame.to_numpy(float, na_value=np.nan))
    np.testing.assert_array_equal(kind().fit_transform(frame), plain)
    np.testing.assert_array_equal(kind().fit_transform(polars), plain)
    for library, given in (("pandas", frame), ("polars", polars)):
        asked = kind().set_output(transform=library).fit_transform(given)
        assert list(asked.columns) == ["a", "b", "c"]
        np.testing.assert_array_equal(np.asarray(asked, dtype=float), plain)


@every
def test_infinity_is_refused_where_it_is(kind):
    rows = ROWS.copy()
    rows[4, 2] = -np.inf
    for method in ("fit", "fit_transform"):
        with pytest.raises(errors.InfiniteValueError, match="row 4, column 2"):
            getattr(kind(), method)(rows)
    with pytest.raises(errors.InfiniteValueError, match="row 4, column 2"):
        kind().fit(ROWS).transform(rows)


# A row alone ------------------------------------------------------------------------------------


@every
@pytest.mark.parametrize("epsilon", ["auto", 1e-5])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 16, 17, 130, 1031])
def test_the_same_bits_alone_and_in_company(kind, epsilon, dtype, width):
    """Whatever the others are: of another unit, constant, missing; and however they lie."""
    rows = (RNG.normal(size=(23, width)) + 5).astype(dtype)
    rows[3], rows[4], rows[5, 0] = 7, np.nan, np.nan
    rows[6:8] *= dtype(1e30)
    fitted = kind(epsilon=epsilon, affine=(1.5, 0.25)).fit(rows)
    together = fitted.transform(rows)
    for given in (np.asfortranarray(rows), np.repeat(np.repeat(rows, 2, 0), 2, 1)[::2, ::2]):
        np.testing.assert_array_equal(fitted.transform(given), together)
    for row in range(len(rows)):
        np.testing.assert_array_equal(fitted.transform(rows[[row]])[0], together[row])


@every
def test_a_large_integer_does_not_move_other_rows(kind):
    rows = RNG.integers(-1000, 1000, (9, 30))
    alone = kind().fit(rows).transform(rows)
    beside = np.vstack([rows, np.full((1, 30), 2**60)])
    np.testing.assert_array_equal(kind().fit(rows).transform(beside)[:9], alone)


@every
def test_the_numpy_kernel_alone_and_in_company(kind):
    rows = RNG.normal(size=(40, 9)) + 5
    for width in range(1, 10):
        part = rows[:, :width]
        given = whole(width), kind is not RMSNormalizer, 1e-5
        together, alone = np.empty(part.shape), np.empty((1, width))
        _rowwise.normalize_rows(part, *given, together)
        for row in range(40):
            _rowwise.normalize_rows(part[[row]], *given, alone)
            np.testing.assert_array_equal(alone[0], together[row])


# What is learned, and what is not ---------------------------------------------------------------


@every
def test_no_way_back_and_nothing_to_add(kind):
    fitted = kind().fit(ROWS)
    for method in ("inverse_transform", "partial_fit", "fit_statistic"):
        assert not hasattr(kind, method)
        assert not hasattr(fitted, method)
    with pytest.raises(TypeError, match="sample_weight"):
        kind().fit(ROWS, sample_weight=np.ones(len(ROWS)))


@every
def test_transform_needs_to_know_the_columns(kind):
    with pytest.raises(NotFittedError):
        kind().transform(ROWS)
    frame = pd.DataFrame(ROWS[:, :3], columns=["a", "b", "c"])
    fitted = kind().fit(frame)
    with pytest.raises(errors.SchemaError, match="same order"):
        fitted.transform(frame[["b", "a", "c"]])
    with pytest.raises(errors.SchemaError, match="expecting 3"):
        kind().fit(ROWS[:, :3]).transform(ROWS[:, :2])


@every
def test_repr_says_what_is_known(kind):
    assert "<" not in repr(kind())
    assert repr(kind().fit(ROWS)) == f"{kind.__name__}() <for 7 columns, learned from no rows>"
    assert repr(kind().fit(ROWS[:, :1])).endswith("<for 1 column, learned from no rows>")


@every
def test_an_audit_finds_nothing(kind):
    wine = load_wine()
    assert audit(kind(), wine.data).status == "clean"
    model = make_pipeline(StandardScaler(), kind(), LogisticRegression())
    assert audit(model, wine.data, wine.target).status == "clean"
    frozen = freeze(kind().fit(wine.data))
    np.testing.assert_array_equal(
        frozen.transform(wine.data[:5]), kind().fit_transform(wine.data[:5])
    )


@every
def test_in_cross_validation(kind):
    wine = load_wine()
    model = make_pipeline(kind(epsilon="auto"), StandardScaler(), LogisticRegression())
    assert cross_validate(model, wine.data, wine.target)["test_score"].mean() > 0.8


@every
def test_pickles_are_small(kind):
    assert len(pickle.dumps(kind().fit(np.ones((20_000, 5))))) < 1500


# Gamma, beta and epsilon ------------------------------------------------------------------------


@every
def test_gamma_and_beta(kind):
    gamma, beta = np.arange(7.0), [1, 0, -1, 0, 2, 0, 0]
    plain = kind().fit_transform(ROWS)
    layer = kind(affine=(gamma, beta)).fit(ROWS)
    np.testing.assert_allclose(layer.transform(ROWS), gamma * plain + beta, rtol=1e-15)
    gamma[:] = 100  # the fitted ones are its own
    np.testing.assert_array_equal(layer.gamma_, np.arange(7))
    twin = clone(layer)
    assert twin.get_params()["affine"][1] == beta


@every
@pytest.mark.parametrize(
    "affine",
    [(np.ones(6), 0.0), (1.0, np.ones(8)), (np.nan, 0.0), (1.0, np.inf), ("a", 0), (1, [[1], [2]])],
)
def test_wrong_gamma_and_beta(kind, affine):
    message = rf"'affine' parameter of {kind.__name__} must be .* 7 of them, one per column. Got"
    with pytest.raises(errors.InvalidParameterError, match=message):
        kind(affine=affine).fit(ROWS)


@every
@pytest.mark.parametrize("epsilon", [0, 0.0, -1e-5, np.inf, np.nan, "none", None, True])
def test_wrong_epsilon(kind, epsilon):
    message = "'epsilon' parameter of .* must be 'auto' or a positive number. Got"
    with pytest.raises(errors.InvalidParameterError, match=message):
        kind(epsilon=epsilon).fit(ROWS)


# Sparse rows ------------------------------------------------------------------------------------


def sparse_rows(dtype=np.float64):
    rows = np.where(RNG.random((30, 7)) < 0.3, RNG.normal(size=(30, 7)), 0)
    rows[4] = 0
    rows[5:8] *= 10.0 ** np.array([[-30], [-10], [30]])
    rows[9, 2] = np.nan
    return rows.astype(dtype)


@layers
@pytest.mark.parametrize("method", ["fit", "transform", "fit_transform"])
def test_sparse_rows_cannot_be_centred(kind, method):
    with pytest.raises(ValueError, match=r"X\.toarray\(\).*RMSNormalizer"):
        getattr(kind().fit(ROWS), method)(sparse.csr_array(sparse_rows()))


@pytest.mark.parametrize("epsilon", ["auto", 1e-5])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix, sparse.coo_array])
def test_sparse_rows_stay_sparse(make, dtype, epsilon):
    rows = sparse_rows(dtype)
    given = make(rows)
    layer = RMSNormalizer(epsilon, affine=(np.arange(1.0, 8), 0.0)).fit(given)
    found = layer.transform(given)
    assert found.format == "csr"
    assert found.dtype == dtype
    assert found.nnz == given.nnz
    expected = layer.transform(rows)
    np.testing.assert_allclose(found.toarray(), expected, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_array_equal(given.toarray(), rows)


@pytest.mark.parametrize("epsilon", ["auto", 1e-5])
@pytest.mark.parametrize("unit", [1e200, 1e-200, 5e-324])
def test_sparse_rows_of_any_unit(unit, epsilon):
    rows = np.array([[3.0, 0.0, 0.0, 4.0], [0.0, 0.0, 0.0, 0.0]]) * unit
    found = RMSNormalizer(epsilon).fit_transform(sparse.csr_array(rows)).toarray()
    assert digits(found, rows, RMSNormalizer, epsilon) > 15


def test_entries_of_sparse_rows_that_are_there_twice_are_added():
    twice = sparse.csr_array(([1.0, 2.0, 4.0], [0, 0, 3], [0, 3]), shape=(1, 4))
    found = RMSNormalizer("auto").fit_transform(twice).toarray()
    np.testing.assert_allclose(found, [[1.2, 0, 0, 1.6]])
    assert twice.nnz == 3


def test_sparse_rows_cannot_be_shifted():
    rows = sparse.csr_array(sparse_rows())
    layer = RMSNormalizer(affine=(1.0, [0, 0, 0, 0, 0, 0, 1.0]))
    for fit in (layer.fit, layer.fit_transform, layer.fit(rows.toarray()).transform):
        with pytest.raises(ValueError, match=r"beta moves every zero.*affine=\(gamma, 0\)"):
            fit(rows)
    rows.data[3] = np.inf
    with pytest.raises(errors.InfiniteValueError, match="Replace it"):
        RMSNormalizer().fit(rows)


# Groups -----------------------------------------------------------------------------------------

NAMES = ["age", "height", "sodium", "potassium"]
FRAME = pd.DataFrame(ROWS[:, :4], columns=NAMES)
GROUPS = {"body": ["height", "age"], "labs": ["sodium", "potassium"]}


@pytest.mark.parametrize("epsilon", ["auto", 1e-5])
def test_every_group_is_a_layer(epsilon):
    rows = np.hstack([ROWS, ROWS[:, :5] * 1e6])
    found = GroupNormalizer(4, epsilon=epsilon).fit_transform(rows)
    for start in range(0, 12, 3):
        part = slice(start, start + 3)
        alone = LayerNormalizer(epsilon).fit_transform(rows[:, part])
        np.testing.assert_array_equal(found[:, part], alone)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.from_pandas])
def test_groups_by_name_wherever_the_columns_are(make):
    affine = (np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 0.0, 1.0, 0.0]))
    for order in ([0, 1, 2, 3], [2, 0, 3, 1]):
        frame = FRAME[[NAMES[i] for i in order]]
        layer = GroupNormalizer(GROUPS, affine=tuple(part[order] for part in affine))
        found = layer.set_output(transform="pandas").fit_transform(make(frame))
        for names in GROUPS.values():
            places = [NAMES.index(name) for name in names]
            alone = LayerNormalizer(affine=tuple(part[places] for part in affine))
            np.testing.assert_array_equal(
                found[names].to_numpy(), alone.fit_transform(FRAME[names].to_numpy())
            )
    assert [places.tolist() for places in layer.groups_.values()] == [[3, 1], [0, 2]]


def test_groups_by_position():
    by_name = GroupNormalizer(GROUPS).fit_transform(FRAME)
    for groups in ({"a": [1, 0], "b": (2, 3)}, {0: np.array([1, 0]), 1: ["sodium", 3]}):
        np.testing.assert_array_equal(GroupNormalizer(groups).fit_transform(FRAME), by_name)
    missing = FRAME.assign(age=np.nan)
    found = GroupNormalizer(GROUPS).fit_transform(missing)
    np.testing.assert_array_equal(found[:, 2:], by_name[:, 2:])
    assert np.isnan(found[:, 0]).all()


@pytest.mark.parametrize(
    "make",
    [
        tuple,
        np.array,
        pd.Index,
        pd.Series,
        pl.Series,
        lambda columns: np.array(columns, dtype=object),
        lambda columns: pd.DataFrame(columns=columns).columns,
    ],
)
@pytest.mark.parametrize("names", ["abc", (0, 1, 2)])
def test_columns_of_a_group_in_any_container(make, names):
    frame = pd.DataFrame(ROWS[:, :3], columns=list("abc"))
    groups = {"two": make(list(names[:2])), "one": make(list(names[2:]))}
    normalizer = clone(GroupNormalizer(groups, epsilon="auto")).fit(frame)
    assert {name: its.tolist() for name, its in normalizer.groups_.items()} == {
        "two": [0, 1],
        "one": [2],
    }
    assert "two" in repr(normalizer)
    normalizer.transform(frame)


def test_a_group_of_one_column_becomes_beta():
    for epsilon in ("auto", 1e-5):
        layer = GroupNormalizer(4, epsilon=epsilon, affine=(5.0, [1.0, 2.0, 3.0, 4.0]))
        np.testing.assert_array_equal(layer.fit_transform(FRAME), np.tile([1, 2, 3, 4], (9, 1)))


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (3, ["4 columns cannot be cut into 3 groups", "1, 2, 4"]),
        (5, ["4 columns cannot be cut into 5 groups"]),
        ({"a": ["age", "height"], "b": ["height", "sodium"]}, [
            "In more than one group: 'height' (in 'a', 'b')", "in no group: 'potassium'"]),
        ({"a": ["age", "age"], "b": ["height", "sodium", "potassium"]}, ["'age' (in 'a', 'a')"]),
        ({"a": ["age", 0], "b": ["height", "sodium", "potassium"]}, ["'age' (in 'a', 'a')"]),
        ({"a": ["age", "height"], "b": ["sodium"]}, ["In no group: 'potassium'"]),
        ({"a": [0, 1, 2, 3, 4]}, ["Not among the 4 columns: 4"]),
        ({"a": [-1, 0, 1, 2, 3]}, ["Not among the 4 columns: -1"]),
        ({"a": NAMES, "b": ["shoe"]}, ["Not among the 4 columns: 'shoe'"]),
    ],
)  # fmt: skip
def test_groups_that_are_none(groups, words):
    with pytest.raises(errors.InvalidParameterError) as caught:
        GroupNormalizer(groups).fit(FRAME)
    for word in ["The 'groups' parameter of GroupNormalizer must", *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "groups",
    [0, -2, 2.0, True, "labs", {}, {"a": []}, {"a": "age"}, {"a": [1.5]}, [[0, 1], [2, 3]]],
)
def test_what_is_no_grouping_at_all(groups):
    message = "must be an int of at least 1 or a dict of lists of columns. Got"
    with pytest.raises(errors.InvalidParameterError, match=message):
        GroupNormalizer(groups).fit(FRAME)


def test_an_array_has_no_names():
    message = r"no names, as those of an array: pass a frame, or positions from 0 to 3.*'height'"
    with pytest.raises(errors.InvalidParameterError, match=message):
        GroupNormalizer(GROUPS).fit(FRAME.to_numpy())
    layer = GroupNormalizer(GROUPS).fit(FRAME)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        layer.transform(FRAME.to_numpy())


def test_a_failed_fit_changes_nothing():
    layer = GroupNormalizer(GROUPS).fit(FRAME)
    before = layer.transform(FRAME)
    with pytest.raises(errors.InvalidParameterError):
        layer.fit(FRAME.drop(columns="age"))
    np.testing.assert_array_equal(layer.transform(FRAME), before)
