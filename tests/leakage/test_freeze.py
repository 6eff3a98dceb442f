"""A frozen transformer applies what it learned, and learns from no other rows."""

import pickle

import joblib
import numpy as np
import pytest
import sklearn.decomposition
import sklearn.preprocessing
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_wine
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

import skscale
from skscale.errors import FrozenTransformerError, InvalidParameterError
from skscale.leakage import freeze, unfreeze

X, y = load_wine(return_X_y=True)
TRAIN, OTHER = X[::2], X[1::2]

TRANSFORMERS = [
    skscale.StandardScaler(),
    skscale.MinMaxScaler(),
    skscale.PCA(n_components=3),
    skscale.Whitener(),
    skscale.BatchNormalizer(),
    sklearn.preprocessing.StandardScaler(),
    sklearn.preprocessing.QuantileTransformer(n_quantiles=20, random_state=0),
    sklearn.decomposition.PCA(n_components=3),
    SimpleImputer(),
    make_pipeline(skscale.StandardScaler(), sklearn.decomposition.PCA(2)),
    make_column_transformer((skscale.StandardScaler(), [0, 1]), ("passthrough", [2])),
]


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__module__)
def test_its_own_rows_pass_and_others_do_not(transformer):
    fitted = clone(transformer).fit(TRAIN)
    frozen = freeze(fitted)
    expected = fitted.transform(OTHER)
    assert frozen.fit(TRAIN) is frozen
    np.testing.assert_array_equal(
        frozen.fit_transform(TRAIN), clone(transformer).fit_transform(TRAIN)
    )
    for rows in (X, OTHER, TRAIN[:-1], TRAIN * 1.5):
        with pytest.raises(FrozenTransformerError, match="rows given to fit are not those"):
            frozen.fit(rows)
        with pytest.raises(FrozenTransformerError):
            frozen.fit_transform(rows)
    np.testing.assert_array_equal(frozen.transform(OTHER), expected)


def test_one_number_is_other_rows():
    rows = TRAIN.copy()
    frozen = freeze(skscale.StandardScaler().fit(rows))
    rows[3, 2] = np.nextafter(rows[3, 2], np.inf) + 1e-9
    with pytest.raises(FrozenTransformerError):
        frozen.fit(rows)


def test_the_error_shows_the_right_code():
    with pytest.raises(RuntimeError) as caught:
        freeze(skscale.StandardScaler().fit(TRAIN)).fit(X)
    assert "This StandardScaler is frozen" in str(caught.value)
    assert "in another container, order, memory layout or dtype" in str(caught.value)
    assert "would change 'mean_'" in str(caught.value)
    assert "frozen.transform(X)" in str(caught.value)
    assert "unfreeze(estimator).fit(X_train)" in str(caught.value)


@pytest.mark.parametrize(
    ("transformer", "named"),
    [
        (skscale.StandardScaler(), {"'mean_'", "'scale_'", "'statistic_'"}),
        (make_pipeline(skscale.PCA(2)), {"'pca.mean_'", "'pca.components_'"}),
    ],
)
def test_only_public_attributes_are_named(transformer, named):
    with pytest.raises(FrozenTransformerError) as caught:
        freeze(transformer.fit(TRAIN)).fit(TRAIN[:-1])
    changed = str(caught.value).partition("would change ")[2].partition(". ")[0].split(", ")
    assert named <= set(changed)
    assert len(changed) == len(set(changed))
    assert not any("'_" in name or "._" in name for name in changed)


def test_the_same_rows_by_rounding_are_told_what_may_differ():
    rows = np.random.default_rng(0).normal(size=(1000, 5)) + 3
    frozen = freeze(skscale.StandardScaler().fit(rows))
    with pytest.raises(FrozenTransformerError, match="sample_weight"):
        frozen.fit(rows[::-1])


def test_what_learns_in_other_ways_is_refused():
    frozen = freeze(skscale.StandardScaler().fit(TRAIN))
    with pytest.raises(FrozenTransformerError, match="partial_fit would make it learn"):
        frozen.partial_fit(TRAIN)
    with pytest.raises(FrozenTransformerError, match="fit_statistic would"):
        frozen.fit_statistic(skscale.statistics.Moments.of(X))
    assert not hasattr(freeze(SimpleImputer().fit(TRAIN)), "partial_fit")
    assert not hasattr(freeze(LogisticRegression().fit(TRAIN / TRAIN.max(0), y[::2])), "transform")


def test_weights_belong_to_the_rows():
    weights = np.arange(len(TRAIN)) + 1.0
    frozen = freeze(skscale.StandardScaler().fit(TRAIN, sample_weight=weights))
    assert frozen.fit(TRAIN, sample_weight=weights) is frozen
    with pytest.raises(FrozenTransformerError):
        frozen.fit(TRAIN)


def test_labels_belong_to_the_rows():
    encoder = sklearn.preprocessing.TargetEncoder(random_state=0, target_type="continuous", cv=2)
    words = np.array(["a", "b"] * 40).reshape(-1, 1)
    target = np.arange(80.0)
    frozen = freeze(encoder.fit(words, target))
    assert frozen.fit(words, target) is frozen
    with pytest.raises(FrozenTransformerError):
        frozen.fit(words, target**2)


@pytest.mark.parametrize("container", ["array", "sparse", "pandas"])
def test_steps_that_work_in_place_leave_the_rows_alone(container):
    in_place = make_pipeline(
        sklearn.preprocessing.MaxAbsScaler(copy=False),
        sklearn.preprocessing.StandardScaler(with_mean=False, copy=False),
    )
    if container == "pandas":
        rows = pytest.importorskip("pandas", reason="a frame is what is tested").DataFrame(TRAIN)
    else:
        rows = sparse.csr_array(TRAIN) if container == "sparse" else TRAIN.copy()
    frozen = freeze(in_place.fit(rows.copy()))
    expected = frozen.transform(rows.copy())
    given = rows.copy()
    result = frozen.fit(given).fit_transform(given)
    dense = (part.toarray() if container == "sparse" else part for part in (expected, result))
    np.testing.assert_array_equal(*dense)
    moved = given - rows
    assert not np.any(moved.toarray() if container == "sparse" else moved)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=lambda t: type(t).__module__)
@pytest.mark.parametrize("container", ["array", "pandas"])
def test_own_rows_are_known_however_they_lie_in_memory(transformer, container):
    rows = np.random.default_rng(0).normal(size=(3000, 12)) + 5
    if container == "pandas":
        pandas = pytest.importorskip("pandas", reason="a frame is what is tested")
        frame = pandas.DataFrame(rows, columns=list("abcdefghijkl"))
        given = [frame, frame[::2], frame.iloc[:, ::2], frame.assign(m=1), frame[:1000]]
    else:
        given = [rows[::2], rows[:, ::2], rows[::-1, ::-1], np.asfortranarray(rows), rows[:, 3:]]
    for table in given:
        frozen = freeze(clone(transformer).fit(table))
        assert frozen.fit(table) is frozen


@pytest.mark.filterwarnings("ignore:`TargetEncoder:FutureWarning")
def test_encoders_that_cross_fit_keep_doing_so():
    """What `fit_transform` of a TargetEncoder gives knows nothing of the label of its row."""
    encoder = sklearn.preprocessing.TargetEncoder(random_state=0, target_type="continuous", cv=2)
    words = np.array(["a", "b", "c", "d"] * 10).reshape(-1, 1)
    target = np.random.default_rng(0).normal(size=40)
    expected = clone(encoder).fit_transform(words, target)
    frozen = freeze(encoder.fit(words, target))
    np.testing.assert_array_equal(frozen.fit_transform(words, target), expected)
    assert np.any(frozen.transform(words) != expected)
    with pytest.raises(FrozenTransformerError):
        frozen.fit_transform(words, target**2)


def test_transformers_without_fit_transform():
    class Shift(BaseEstimator):
        def fit(self, X, y=None):
            self.mean_ = X.mean()
            return self

        def transform(self, X):
            X -= self.mean_
            return X

    given = TRAIN.copy()
    result = freeze(Shift().fit(TRAIN)).fit_transform(given)
    np.testing.assert_array_equal(given, TRAIN)
    np.testing.assert_array_equal(result, TRAIN - TRAIN.mean())


def test_what_is_learned_is_a_copy():
    scaler = skscale.StandardScaler().fit(TRAIN)
    frozen = freeze(scaler)
    mean = frozen.mean_.copy()
    scaler.fit(X)
    np.testing.assert_array_equal(frozen.mean_, mean)
    assert freeze(frozen) is frozen


def test_methods_and_attributes_are_those_of_the_transformer():
    pandas = pytest.importorskip("pandas", reason="names of columns need a frame")
    frame = pandas.DataFrame(TRAIN[:, :2], columns=["a", "b"])
    frozen = freeze(skscale.StandardScaler().fit(frame))
    assert frozen.get_feature_names_out().tolist() == ["a", "b"]
    assert frozen.n_features_in_ == 2
    assert frozen.set_output(transform="pandas") is frozen
    scaled = frozen.transform(frame)
    assert isinstance(scaled, pandas.DataFrame)
    np.testing.assert_allclose(frozen.inverse_transform(scaled), frame)
    check_is_fitted(frozen)
    assert get_tags(frozen).input_tags.allow_nan
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = frozen.no_such_thing


def test_clones_and_copies_stay_frozen_and_fitted():
    frozen = freeze(skscale.PCA(2).fit(TRAIN))
    for twin in (
        clone(frozen),
        pickle.loads(pickle.dumps(frozen)),
        clone(make_pipeline(frozen))[0],
    ):
        assert twin is not frozen
        np.testing.assert_array_equal(twin.transform(OTHER), frozen.transform(OTHER))
        with pytest.raises(FrozenTransformerError):
            twin.fit(X)
    twin = clone(frozen).set_output(transform="default")
    assert twin.transformer is not frozen.transformer


def test_a_pipeline_is_fitted_on_the_rows_of_its_frozen_step():
    frozen = freeze(skscale.StandardScaler().fit(TRAIN))
    pipeline = make_pipeline(frozen, LogisticRegression())
    assert 0.9 < pipeline.fit(TRAIN, y[::2]).score(OTHER, y[1::2]) <= 1
    with pytest.raises(FrozenTransformerError):
        pipeline.fit(X, y)
    pipeline.set_output(transform="default")
    assert "frozen" in str(pipeline).lower() or "freeze" in str(pipeline)
    assert "<div" in pipeline._repr_html_()


def test_cross_validation_says_that_the_step_is_frozen():
    frozen = freeze(skscale.StandardScaler().fit(X))
    pipeline = make_pipeline(frozen, LogisticRegression())
    with pytest.raises(FrozenTransformerError, match="in every fold of a cross-validation"):
        cross_val_score(pipeline, X, y, error_score="raise")
    scores = cross_val_score(unfreeze(pipeline), X, y)
    plain = make_pipeline(skscale.StandardScaler(), LogisticRegression())
    np.testing.assert_array_equal(scores, cross_val_score(plain, X, y))


def test_unfreeze_reaches_everywhere():
    scaler = skscale.StandardScaler(ddof=1).fit(X)
    nested = Pipeline(
        [
            ("a", make_column_transformer((freeze(scaler), [0, 1]))),
            ("b", freeze(make_pipeline(freeze(scaler)).fit(X))),
        ]
    )
    search = unfreeze(GridSearchCV(nested, {}))
    inner = search.estimator
    assert isinstance(inner.named_steps["a"].transformers[0][1], skscale.StandardScaler)
    assert isinstance(inner.named_steps["b"][0], skscale.StandardScaler)
    assert inner.named_steps["b"][0].ddof == 1
    assert nested.named_steps["b"].transformer is not inner.named_steps["b"]
    with pytest.raises(NotFittedError):
        check_is_fitted(unfreeze(freeze(scaler)))
    check_is_fitted(scaler)


def test_unfreeze_reaches_what_a_search_tries():
    scaler = skscale.StandardScaler(ddof=1).fit(X)
    frozen = freeze(scaler)
    model = make_pipeline(frozen, LogisticRegression())
    grid = [{"frozentransformer": [frozen, "passthrough"]}, {"logisticregression__C": [1.0]}]
    search = unfreeze(GridSearchCV(model, grid))
    tried = search.param_grid[0]["frozentransformer"]
    assert isinstance(tried[0], skscale.StandardScaler)
    assert tried[0].ddof == 1
    assert tried[1] == "passthrough"
    assert search.param_grid[1] == {"logisticregression__C": [1.0]}
    assert grid[0]["frozentransformer"][0] is frozen
    parallel = unfreeze(FeatureUnion([("a", frozen)]))
    assert isinstance(parallel.transformer_list[0][1], skscale.StandardScaler)
    tuples = unfreeze(GridSearchCV(model, {"frozentransformer": (frozen, None)}))
    assert isinstance(tuples.param_grid["frozentransformer"][0], skscale.StandardScaler)


@pytest.mark.parametrize("wrong", [[1], "passthrough", 3, None, skscale.StandardScaler])
def test_only_estimators_are_unfrozen(wrong):
    with pytest.raises(TypeError, match="unfreeze takes an estimator"):
        unfreeze(wrong)


def test_parameters_are_frozen():
    frozen = freeze(skscale.StandardScaler().fit(X))
    assert frozen.set_params() is frozen
    assert frozen.get_params() == {"transformer": frozen.transformer}
    with pytest.raises(InvalidParameterError, match="got with_mean"):
        frozen.set_params(with_mean=False)


def test_unfitted_is_refused():
    with pytest.raises(NotFittedError):
        freeze(skscale.StandardScaler())


def test_sparse_rows_and_missing_values():
    holes = TRAIN.copy()
    holes[::3, 0] = np.nan
    frozen = freeze(skscale.StandardScaler().fit(holes))
    assert frozen.fit(holes.copy()) is frozen
    few = sparse.csr_array(np.where(TRAIN > 10, TRAIN, 0))
    frozen = freeze(skscale.StandardScaler(with_mean=False).fit(few))
    assert frozen.fit(few) is frozen
    with pytest.raises(FrozenTransformerError):
        frozen.fit(few[:-1])


def test_functions_without_a_name():
    step = sklearn.preprocessing.FunctionTransformer(lambda rows: rows + 1).fit(TRAIN)
    frozen = freeze(step)
    np.testing.assert_array_equal(frozen.transform(TRAIN), TRAIN + 1)
    assert frozen.fit(TRAIN) is frozen


def test_processes_take_it_along():
    frozen = freeze(skscale.StandardScaler().fit(TRAIN))
    found = joblib.Parallel(n_jobs=1)(joblib.delayed(frozen.transform)(part) for part in [OTHER])
    np.testing.assert_array_equal(found[0], frozen.transform(OTHER))
