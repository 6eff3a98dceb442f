"""Conditions of BatchNormalizer: shared statistics, gamma and beta of one's own; activations."""

import pickle

import numpy as np
import pytest
import sklearn
from scipy import sparse
from sklearn import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from skscale import BatchNormalizer, StandardScaler
from skscale import _tables as tables
from skscale.errors import (
    ConditionError,
    IncompatibleStatisticError,
    InfiniteValueError,
    InvalidParameterError,
    SchemaError,
)
from skscale.statistics import PooledBatches

ROWS = np.random.default_rng(0).normal(size=(9, 3)) * [1, 10, 0.1] + [0, 100, -5]
GAMMAS = {"a": [1.0, 2.0, 3.0], "b": [5.0, -1.0, 1.0], "c": [0.0, 2.0, 2.0]}
BETAS = {"a": 0.0, "b": 1.0, "c": [-1.0, 2.0, 0.5]}
AFFINE = {key: (np.array(GAMMAS[key]), BETAS[key]) for key in GAMMAS}
TEXT = ["a", "b", None, "c", "a", "other", "b", "c", "a"]


def expected_of(keys, affine, rows=ROWS):
    normal = StandardScaler().fit(ROWS).transform(rows)
    pairs = [tuple(np.broadcast_to(part, 3) for part in pair) for pair in affine.values()]
    mean = tuple(np.mean(parts, axis=0) for parts in zip(*pairs, strict=True))
    known = dict(zip(affine, pairs, strict=True))
    chosen = [known.get(key, mean) for key in keys]
    return np.array([g * z + b for z, (g, b) in zip(normal, chosen, strict=True)])


def containers():
    yield "list", lambda values: list(values)
    yield "tuple", lambda values: tuple(values)
    yield "objects", lambda values: np.array(values, dtype=object)
    yield "Series", lambda values: _pandas().Series(values, index=range(5, 14), dtype=object)
    yield "Categorical", lambda values: _pandas().Series(values, dtype="category")
    yield "string", lambda values: _pandas().Series(values, dtype="string")
    yield "polars", lambda values: pytest.importorskip("polars").Series(values)
    yield "Enum", lambda values: _enum(values)
    yield "NA", lambda values: [_pandas().NA if value is None else value for value in values]
    yield "pyarrow", lambda values: pytest.importorskip("pyarrow").chunked_array([values])
    yield "Array", lambda values: pytest.importorskip("pyarrow").array(values)
    yield (
        "dictionary",
        lambda values: pytest.importorskip("pyarrow").chunked_array([values]).dictionary_encode(),
    )


def _pandas():
    return pytest.importorskip("pandas")


def _enum(values):
    polars = pytest.importorskip("polars")
    return polars.Series(values, dtype=polars.Categorical)


CONTAINERS = list(containers())
ANY = pytest.mark.parametrize("make", [c for _, c in CONTAINERS], ids=[n for n, _ in CONTAINERS])


# An array ------------------------------------------------------------------------------------


@ANY
def test_conditions_in_any_container(make):
    """Shared statistics; one's own gamma and beta; for unseen and missing ones their mean."""
    condition = make(TEXT)
    normalizer = BatchNormalizer(affine=AFFINE).fit(ROWS, condition=condition)
    assert normalizer.conditions_ == ("a", "b", "c")
    np.testing.assert_array_equal(normalizer.gamma_, list(GAMMAS.values()))
    assert normalizer.beta_.shape == (3, 3)
    np.testing.assert_allclose(normalizer.running_mean_, ROWS.mean(axis=0), rtol=1e-14)
    found = normalizer.transform(ROWS, condition=condition)
    np.testing.assert_allclose(found, expected_of(TEXT, AFFINE), rtol=1e-12, atol=1e-12)
    again = clone(normalizer).fit_transform(ROWS, condition=condition)
    np.testing.assert_array_equal(again, found)


@pytest.mark.parametrize(
    ("keys", "condition"),
    [
        ((3, -1), [3, -1, 3, -1, 2, 3, 3, -1, -1]),
        ((3, -1), np.array([3, -1, 3, -1, 2, 3, 3, -1, -1], dtype=np.int8)),
        ((3, -1), [3.0, -1.0, np.nan, -1.0, 2.0, 3.0, 3.0, -1.0, -1.0]),
        ((False, True), [True, False, True, True, False, None, True, True, False]),
        ((False, True), np.array([1, 0, 1, 1, 0, 1, 1, 1, 0], dtype=bool)),
        ((0, 1), np.array([1, 0, 1, 1, 0, 1, 1, 1, 0], dtype=np.float32)),
    ],
)
def test_whole_numbers_and_bools(keys, condition):
    affine = {keys[0]: (2.0, 1.0), keys[1]: (np.array([1.0, 0.5, -1.0]), -3.0)}
    found = BatchNormalizer(affine=affine).fit_transform(ROWS, condition=condition)
    expected = expected_of(list(condition), affine)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_all_missing():
    found = BatchNormalizer(affine=AFFINE).fit_transform(ROWS, condition=[None] * 9)
    np.testing.assert_allclose(found, expected_of([None] * 9, AFFINE), rtol=1e-12, atol=1e-12)


def test_inverse():
    normalizer = BatchNormalizer(affine=AFFINE).fit(ROWS, condition=TEXT)
    image = normalizer.transform(ROWS, condition=TEXT)
    back = normalizer.inverse_transform(image, condition=TEXT)
    expected = ROWS.copy()
    lost = [i for i, key in enumerate(TEXT) if key == "c"]
    expected[lost, 0] = normalizer.running_mean_[0]  # gamma is 0
    np.testing.assert_allclose(back, expected, rtol=1e-12, atol=1e-12)
    with pytest.raises(ConditionError, match="condition is None"):
        normalizer.inverse_transform(image)


def test_inverse_of_some_columns():
    pandas = _pandas()
    frame = pandas.DataFrame(ROWS, columns=["x", "y", "z"])
    normalizer = BatchNormalizer(affine=AFFINE).set_output(transform="pandas")
    image = normalizer.fit_transform(frame, condition=TEXT)
    back = normalizer.inverse_transform(image[["z", "y"]], condition=TEXT)
    pandas.testing.assert_frame_equal(back, frame[["y", "z"]])


def test_many_rows_in_threads_and_out_of_order():
    drawn = np.random.default_rng(1)
    rows, condition = drawn.normal(size=(300_000, 8)), drawn.integers(0, 5, 300_000)
    affine = {i: (float(i + 1), float(-i)) for i in range(4)}
    normalizer = BatchNormalizer(affine=affine).fit(rows, condition=condition)
    gamma = np.array([1, 2, 3, 4, 2.5])[condition][:, np.newaxis]
    beta = np.array([0, -1, -2, -3, -1.5])[condition][:, np.newaxis]
    found = normalizer.transform(rows, condition=condition)
    expected = gamma * (rows - rows.mean(axis=0)) / rows.std(axis=0) + beta
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)
    order = drawn.permutation(len(rows))
    shuffled = normalizer.transform(rows[order], condition=condition[order])
    np.testing.assert_array_equal(shuffled, found[order])
    row = normalizer.transform(rows[[77]], condition=condition[[77]])
    np.testing.assert_array_equal(row, found[[77]])
    back = normalizer.inverse_transform(found, condition=condition)
    np.testing.assert_allclose(back, rows, rtol=0, atol=1e-11)


def test_training_step():
    normalizer = BatchNormalizer(affine=AFFINE, renorm=(2, 0.5)).fit(ROWS, condition=TEXT)
    before = normalizer.running_mean_, np.sqrt(normalizer.running_var_)
    batch, keys = ROWS[:4] * 2, TEXT[:4]
    found = normalizer.normalize_batch(batch, condition=keys)
    r = np.clip(batch.std(axis=0) / before[1], 0.5, 2)
    d = np.clip((batch.mean(axis=0) - before[0]) / before[1], -0.5, 0.5)
    turned = {key: (g * r, g * d + b) for key, (g, b) in AFFINE.items()}
    other = [np.mean([np.broadcast_to(p[i], 3) for p in turned.values()], axis=0) for i in (0, 1)]
    normal = (batch - batch.mean(axis=0)) / batch.std(axis=0)
    expected = [
        turned.get(k, other)[0] * z + turned.get(k, other)[1]
        for k, z in zip(keys, normal, strict=True)
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)


def test_partial_fit_and_pickle():
    normalizer = BatchNormalizer(affine=AFFINE)
    for part in (slice(0, 4), slice(4, 9)):
        normalizer.partial_fit(ROWS[part], condition=TEXT[part])
    found = pickle.loads(pickle.dumps(normalizer)).transform(ROWS, condition=TEXT)
    np.testing.assert_allclose(found, expected_of(TEXT, AFFINE), rtol=1e-12, atol=1e-12)


def test_one_pair_for_all_conditions():
    found = BatchNormalizer(affine=(2.0, 1.0)).fit_transform(ROWS, condition=TEXT)
    np.testing.assert_array_equal(found, BatchNormalizer(affine=(2.0, 1.0)).fit_transform(ROWS))


# A column ------------------------------------------------------------------------------------


def frames(kind):
    data = {"x": ROWS[:, 0], "who": TEXT, "y": ROWS[:, 1], "z": ROWS[:, 2]}
    if kind == "category":
        frame = _pandas().DataFrame(data, index=range(10, 19))
        return frame.astype({"who": "category"})
    if kind == "pandas":
        return _pandas().DataFrame(data, index=range(10, 19))
    if kind == "polars":
        return pytest.importorskip("polars").DataFrame(data)
    return pytest.importorskip("pyarrow").table(data)


@pytest.mark.parametrize("kind", ["pandas", "category", "polars", "pyarrow"])
@pytest.mark.parametrize("column", ["who", 1])
def test_column_of_a_frame(kind, column):
    """Set apart: neither normalized nor in the output."""
    frame = frames(kind)
    normalizer = BatchNormalizer(affine=AFFINE, condition=column).fit(frame)
    found = normalizer.transform(frame)
    np.testing.assert_allclose(found, expected_of(TEXT, AFFINE), rtol=1e-12, atol=1e-12)
    assert normalizer.n_features_in_ == 4
    assert list(normalizer.feature_names_in_) == ["x", "who", "y", "z"]
    assert list(normalizer.get_feature_names_out()) == ["x", "y", "z"]
    assert list(normalizer.get_feature_names_out(["x", "who", "y", "z"])) == ["x", "y", "z"]
    np.testing.assert_array_equal(clone(normalizer).fit_transform(frame), found)
    back = normalizer.inverse_transform(found, condition=TEXT)
    kept = np.array([key != "c" for key in TEXT])
    np.testing.assert_allclose(back[kept], ROWS[kept], rtol=1e-12, atol=1e-12)
    with pytest.raises(ConditionError, match="condition is None"):
        normalizer.inverse_transform(found)
    np.testing.assert_allclose(
        clone(normalizer).normalize_batch(frame), expected_of(TEXT, AFFINE), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_column_and_frames_out(library):
    frame = frames(library)
    normalizer = BatchNormalizer(affine=AFFINE, condition="who").set_output(transform=library)
    image = normalizer.fit_transform(frame)
    assert list(image.columns) == ["x", "y", "z"]
    back = normalizer.inverse_transform(image[["z", "y"]], condition=TEXT)
    assert list(back.columns) == ["y", "z"]
    np.testing.assert_allclose(np.asarray(back), ROWS[:, 1:], rtol=1e-12)
    if library == "pandas":
        assert list(image.index) == list(back.index) == list(range(10, 19))


@pytest.mark.parametrize("position", [0, 1, 3])
@pytest.mark.parametrize("kind", ["float", "object", "list"])
def test_column_of_an_array(position, kind):
    numbers = np.array([0, 1, 2, 0, 1, 1, 5, 2, 0])
    affine = {i: AFFINE[key] for i, key in enumerate("abc")}
    rows = np.insert(ROWS, position, numbers, axis=1)
    given = {"float": rows, "object": rows.astype(object), "list": rows.tolist()}[kind]
    normalizer = BatchNormalizer(affine=affine, condition=position).fit(given)
    found = normalizer.transform(given)
    np.testing.assert_allclose(found, expected_of(numbers, affine), rtol=1e-12, atol=1e-12)
    names = [f"x{i}" for i in range(4) if i != position]
    assert normalizer.get_feature_names_out().tolist() == names
    last = 3 if position < 3 else 2
    bad = rows.copy()
    bad[3, last] = np.inf
    with pytest.raises(InfiniteValueError, match=f"row 3, column {last}"):
        normalizer.fit(bad)
    np.testing.assert_array_equal(normalizer.transform(given), found)


def test_text_in_lists_and_objects():
    rows = [[*numbers[:1], key, *numbers[1:]] for key, numbers in zip(TEXT, ROWS, strict=True)]
    for given in (rows, np.array(rows, dtype=object)):
        found = BatchNormalizer(affine=AFFINE, condition=1).fit_transform(given)
        np.testing.assert_allclose(found, expected_of(TEXT, AFFINE), rtol=1e-12, atol=1e-12)


def test_column_without_affine_is_set_apart_too():
    frame = frames("pandas")
    found = BatchNormalizer(condition="who").fit_transform(frame)
    np.testing.assert_array_equal(found, BatchNormalizer().fit_transform(ROWS))


def test_arrays_after_a_frame():
    """By the position that the name had, with scikit-learn's warning."""
    frame = frames("pandas")
    normalizer = BatchNormalizer(affine=AFFINE, condition="who").fit(frame)
    with pytest.warns(UserWarning, match="valid feature names"):
        found = normalizer.transform(frame.to_numpy())
    np.testing.assert_array_equal(found, normalizer.transform(frame))


def test_empty_column_beside_the_condition():
    rows = np.insert(ROWS, 0, 1.0, axis=1)
    rows[:, 2] = np.nan
    normalizer = BatchNormalizer(affine={1: (2.0, 0.0)}, condition=0)
    with pytest.warns(UserWarning, match=r"without a single value: 2\."):
        normalizer.fit(rows)
    assert np.isnan(normalizer.running_mean_).tolist() == [False, True, False]


def test_a_failed_fit_changes_nothing():
    frame = frames("pandas")
    normalizer = BatchNormalizer(affine=AFFINE, condition="who").fit(frame)
    before = pickle.dumps(normalizer)
    for bad in (frame.assign(x=np.inf), frame.assign(who=1), frame.drop(columns="who"), frame[:0]):
        for method in (normalizer.fit, normalizer.partial_fit, normalizer.normalize_batch):
            with pytest.raises(ValueError, match=r"\w"):
                method(bad)
    assert pickle.dumps(normalizer) == before


# In scikit-learn -----------------------------------------------------------------------------


def test_routing_through_a_pipeline():
    y = np.arange(9.0)
    with sklearn.config_context(enable_metadata_routing=True):
        step = BatchNormalizer(affine=AFFINE)
        step.set_fit_request(condition=True).set_transform_request(condition=True)
        model = make_pipeline(step, Ridge()).fit(ROWS, y, condition=TEXT)
        found = model.predict(ROWS, condition=TEXT)
    expected = Ridge().fit(expected_of(TEXT, AFFINE), y).predict(expected_of(TEXT, AFFINE))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_column_in_a_pipeline_and_a_column_transformer():
    frame, y = frames("pandas"), np.arange(9.0)
    step = BatchNormalizer(affine=AFFINE, condition="who")
    model = make_pipeline(step, Ridge()).fit(frame, y)
    assert list(model[:-1].get_feature_names_out()) == ["x", "y", "z"]
    both = make_column_transformer((step, ["who", "x", "y"]), ("passthrough", ["z"]))
    step.set_params(affine=dict.fromkeys(AFFINE, (2.0, 1.0)))
    found = both.fit_transform(frame)
    assert list(both.get_feature_names_out()) == [
        "batchnormalizer__x",
        "batchnormalizer__y",
        "passthrough__z",
    ]
    assert found.shape == (9, 3)


# Errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (None, ["condition is None", "'a'"]),
        (TEXT[:8], ["condition", r"\(9,\)", r"\(8,\)"]),
        (np.array(TEXT, dtype=object).reshape(-1, 1), [r"\(9,\)", r"\(9, 1\)"]),
        ("who", ["condition", "one per row", "'who'"]),
        (3, ["condition", "one per row", "3"]),
        (["a", 1, *TEXT[2:]], ["strings only, ints only or bools only", "int, str"]),
        ([True, 1, *[2] * 7], ["bools only", "bool, int"]),
        ([object(), *TEXT[1:]], ["object"]),
        ([["a"], *TEXT[1:]], ["list"]),
        (np.array(["2020-01-01"] * 9, dtype="M8[D]"), ["date"]),
        (np.linspace(0, 1, 9) + 0.5, ["name conditions", "0.5"]),
        ([np.inf, *[1.0] * 8], ["name conditions", "inf"]),
        ([1] * 9, ["kind of the keys of 'affine'", "'a'", "1"]),
    ],
)
def test_conditions_that_are_none(condition, words):
    fitted = BatchNormalizer(affine=AFFINE).fit(ROWS, condition=TEXT)
    new = BatchNormalizer(affine=AFFINE)
    for method in (fitted.transform, fitted.inverse_transform, new.fit, new.partial_fit,
                   new.fit_transform, new.normalize_batch):  # fmt: skip
        with pytest.raises(ConditionError) as caught:
            method(ROWS, condition=condition)
        for word in words:
            caught.match(word)
    assert not hasattr(new, "statistic_")


def test_condition_given_twice():
    frame = frames("pandas")
    with pytest.raises(ConditionError, match="both an argument and, by condition='who', a column"):
        BatchNormalizer(affine=AFFINE, condition="who").fit(frame, condition=TEXT)


@pytest.mark.parametrize(
    ("affine", "words"),
    [
        ({}, "dict of such tuples"),
        ({"a": (1, 2), 3: (1, 2)}, "all strings"),
        ({1.5: (1, 2)}, "all strings"),
        ({"a": (1, 2), "b": 3}, "tuple"),
        ({"a": (1, 2), "b": ([1, 2], 0)}, r"under condition 'b'.*3 of them.*\[1, 2\]"),
        ({"a": (1, [1, 2, 3, 4]), "b": (1, 0)}, r"under condition 'a'.*3 of them"),
        ({"a": (1, np.nan)}, "finite"),
    ],
)
def test_affine_that_is_none(affine, words):
    with pytest.raises(InvalidParameterError, match=words):
        BatchNormalizer(affine=affine).fit(ROWS, condition=TEXT)


def test_columns_that_are_not_there():
    frame = frames("pandas")
    for X, column, words in (
        (frame, "whom", "name of a column of X. Got 'whom'.*'who'"),
        (ROWS, "who", "Got 'who' instead: the columns of X have no names"),
        (ROWS, 3, "position below 3. Got 3"),
    ):
        with pytest.raises(InvalidParameterError, match=words):
            BatchNormalizer(affine=AFFINE, condition=column).fit(X)
    normalizer = BatchNormalizer(affine=AFFINE, condition="who").fit(frame)
    with pytest.raises(SchemaError, match="'who'"):
        normalizer.transform(frame.drop(columns="who"))
    with pytest.raises(SchemaError, match="Unknown: 'w'\nMissing: 'x'"):
        normalizer.transform(frame.rename(columns={"x": "w"}))
    with pytest.raises(SchemaError, match=r"3 features.*expecting 4"):
        BatchNormalizer(condition=0).fit(ROWS[:, [0, 0, 1, 2]].round()).transform(ROWS.round())
    with pytest.raises(TypeError, match="who"):
        BatchNormalizer(condition="x").fit(frame.assign(x="a"))


@pytest.mark.parametrize("kind", [np.array, lambda rows: _pandas().DataFrame({0: rows[:, 0]})])
def test_only_a_condition(kind):
    only, rows = kind(np.array([[1.0], [2.0]])), np.eye(2)
    with pytest.raises(InvalidParameterError, match="no column but the one with the conditions, 0"):
        BatchNormalizer(condition=0).fit(only)
    with pytest.raises(SchemaError, match="no column but the one with the conditions, 0"):
        BatchNormalizer(condition=0).fit(rows).transform(only)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint64, np.float32, np.float64])
@pytest.mark.parametrize("make", [np.asarray, lambda values: _pandas().Series(values)])
def test_arrays_of_numbers_are_as_lists(make, dtype):
    affine = {3: (2.0, 0.0), -1: (5.0, 1.0), 2**63 - 1: (1.0, 2.0)}
    values = np.array([3, 100, 3, 7, 0, 3, 3, 1, 2]).astype(dtype)
    keys = values.tolist()
    if values.dtype.kind != "u":
        values[3], keys[3] = -1, -1
    if values.dtype.kind == "f":
        values[4], keys[4] = np.nan, None
    if values.dtype == np.uint64:
        values[5], keys[5] = 2**63, 2**63  # a float64 would be the key before
        values[6], keys[6] = 2**63 - 1, 2**63 - 1
    normalizer = BatchNormalizer(affine=affine).fit(ROWS, condition=make(values))
    found = normalizer.transform(ROWS, condition=make(values))
    np.testing.assert_allclose(found, expected_of(keys, affine), rtol=1e-13, atol=1e-13)


def test_conditions_beside_numbers_are_not_made_objects(monkeypatch):
    """A million of Python's numbers cost more than the rows."""
    affine = {0: (1.0, 0.0), 1: (2.0, 0.0)}
    rows = np.column_stack([np.arange(1000) % 2, np.arange(1000.0)])
    column = BatchNormalizer(affine=affine, condition=0).fit(rows)
    given = BatchNormalizer(affine=affine).fit(rows[:, 1:], condition=rows[:, 0])
    seen, objects_of = [], tables.objects_of
    monkeypatch.setattr(tables, "objects_of", lambda X: seen.append(len(X)) or objects_of(X))
    found = column.transform(rows), given.transform(rows[:, 1:], condition=rows[:, 0])
    np.testing.assert_array_equal(*found)
    assert seen == [2, 2]


def test_sparse_rows_are_refused():
    with pytest.raises(TypeError, match=r"[Ss]parse"):
        BatchNormalizer(condition=0).fit(sparse.csr_array(np.eye(3)))


def test_what_is_set_after_a_fit_waits_for_the_next():
    normalizer = BatchNormalizer(affine=AFFINE, activation="tanh").fit(ROWS, condition=TEXT)
    found = normalizer.transform(ROWS, condition=TEXT)
    normalizer.set_params(affine=None, condition=0, activation="identity")
    np.testing.assert_array_equal(normalizer.transform(ROWS, condition=TEXT), found)
    with pytest.raises(IncompatibleStatisticError, match="condition=0 cannot go on"):
        normalizer.partial_fit(ROWS)


def test_a_statistic_has_no_column():
    statistic = PooledBatches.of(ROWS)
    with pytest.raises(IncompatibleStatisticError, match="condition=0"):
        BatchNormalizer(condition=0).fit_statistic(statistic)
    normalizer = BatchNormalizer(affine=AFFINE).fit_statistic(statistic)
    found = normalizer.transform(ROWS, condition=TEXT)
    np.testing.assert_allclose(found, expected_of(TEXT, AFFINE), rtol=1e-12, atol=1e-12)


def test_not_fitted():
    with pytest.raises(NotFittedError):
        BatchNormalizer(affine=AFFINE).transform(ROWS, condition=TEXT)
    with pytest.raises(NotFittedError):
        BatchNormalizer(affine=AFFINE, condition="who").transform(frames("pandas"))


# Activations ---------------------------------------------------------------------------------

FORWARD = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softclip": lambda x: x / np.sqrt(1 + (x / 3) ** 2),
}


@pytest.mark.parametrize("activation", FORWARD)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_activation_follows_gamma_and_beta(activation, dtype):
    rows = ROWS.astype(dtype)
    normalizer = BatchNormalizer(affine=(2.0, -0.5), activation=activation).fit(rows)
    found = normalizer.transform(rows)
    assert found.dtype == dtype
    expected = FORWARD[activation](2 * StandardScaler().fit_transform(rows.astype(float)) - 0.5)
    eps = np.finfo(dtype).eps
    np.testing.assert_allclose(found, expected, rtol=8 * eps, atol=8 * eps)
    with_gap = rows.copy()
    with_gap[0, 1] = np.nan
    assert np.isnan(normalizer.transform(with_gap)).sum() == 1
    if activation == "relu":
        with pytest.raises(ValueError, match=r"invertible for inverse_transform\. Got 'relu'"):
            normalizer.inverse_transform(found)
    else:
        back = normalizer.inverse_transform(found)
        slack = 0 if dtype == np.float64 else 1e-3
        np.testing.assert_allclose(back, rows, rtol=1e-11 + slack, atol=1e-11 + slack)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "softclip"])
def test_inverse_at_the_ends_and_beyond(activation):
    """Infinite, and NaN: in those rows alone."""
    lower, upper = {"tanh": (-1, 1), "sigmoid": (0, 1), "softclip": (-3, 3)}[activation]
    normalizer = BatchNormalizer(activation=activation).fit([[0.0], [2.0]])
    middle = normalizer.transform([[1.0]])[0, 0]
    values = np.array([[lower], [upper], [upper + 0.01], [lower - 0.01], [np.nan], [middle]], float)
    back = normalizer.inverse_transform(values).ravel().tolist()
    assert back[:2] == [-np.inf, np.inf]
    assert np.isnan(back[2:5]).all()
    assert back[5] == 1
    flat = BatchNormalizer(affine=(0.0, 99.0), activation=activation).fit([[0.0], [2.0]])
    assert flat.inverse_transform(flat.transform([[5.0]])).tolist() == [[1]]


def test_activations_and_conditions_together():
    normalizer = BatchNormalizer(affine=AFFINE, activation="tanh", condition=None)
    found = normalizer.fit_transform(ROWS, condition=TEXT)
    np.testing.assert_allclose(found, np.tanh(expected_of(TEXT, AFFINE)), rtol=1e-12, atol=1e-12)
    trained = BatchNormalizer(affine=AFFINE, activation="tanh")
    trained = trained.normalize_batch(ROWS, condition=TEXT)
    np.testing.assert_allclose(trained, found, rtol=1e-12, atol=1e-12)
