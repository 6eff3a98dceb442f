"""`cross_validate` gives what scikit-learn's gives, from fits that share."""

import pickle
import re

import joblib
import numpy as np
import pytest
import sklearn.model_selection
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.datasets import load_diabetes
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GroupKFold, KFold, ShuffleSplit, TimeSeriesSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, scale
from sklearn.svm import SVC

from skscale import PCA, StandardScaler
from skscale._splits import read_splits
from skscale.errors import InvalidParameterError, SplitError
from skscale.model_selection import ScoreGap, cross_validate
from skscale.model_selection._sharing import SharedFits
from skscale.statistics import Scatter

from .cases import (
    ORDINARY,
    SHARED,
    Listener,
    PropagatedListener,
    classifier,
    diabetes,
    independent_columns,
    weights,
    wine,
)

TIMES = {"fit_time", "score_time"}


def assert_same(ours, theirs, tolerance=1e-9):
    """Two results of `cross_validate` agree in all but times and estimators."""
    assert list(ours) == list(theirs)
    for key in ours.keys() - TIMES - {"estimator"}:
        if key == "indices":
            for part in ("train", "test"):
                for a, b in zip(ours[key][part], theirs[key][part], strict=True):
                    np.testing.assert_array_equal(a, b)
        else:
            assert ours[key].dtype == theirs[key].dtype
            np.testing.assert_allclose(ours[key], theirs[key], rtol=tolerance, atol=tolerance)


@pytest.fixture
def shared(monkeypatch):
    """The splits for which fits were shared."""
    splits = []
    fit = SharedFits.fit

    def noting(self, transformer, split):
        splits.append(split)
        return fit(self, transformer, split)

    monkeypatch.setattr(SharedFits, "fit", noting)
    return splits


@pytest.mark.parametrize("case", [*SHARED, *ORDINARY])
def test_result_is_that_of_scikit_learn(case):
    make = SHARED.get(case) or ORDINARY[case]
    estimator, X, y, arguments = make()
    ours = cross_validate(estimator, X, y, **arguments)
    estimator, X, y, arguments = make()
    theirs = sklearn.model_selection.cross_validate(estimator, X, y, **arguments)
    # Between their steps, ordinary fits round to float32.
    assert_same(ours, theirs, 1e-6 if case == "float32" else 1e-9)


@pytest.mark.parametrize("case", [*SHARED, *ORDINARY])
def test_what_shares_is_fitted_once_for_every_split(case, shared):
    estimator, X, y, arguments = (SHARED.get(case) or ORDINARY[case])()
    arguments["n_jobs"] = None
    result = cross_validate(estimator, X, y, **arguments)
    n_splits = len(result["fit_time"])
    assert sorted(shared) == (list(range(n_splits)) if case in SHARED else [])


# What is fitted ---------------------------------------------------------------------------


def test_estimators_are_plain_pipelines():
    X, y = wine()
    given = {"cv": KFold(3), "return_estimator": True}
    model = make_pipeline(StandardScaler(), PCA(3), SVC(), memory=None)
    ours = cross_validate(model, X, y, **given)["estimator"]
    theirs = sklearn.model_selection.cross_validate(model, X, y, **given)["estimator"]
    for a, b in zip(ours, theirs, strict=True):
        assert type(a) is Pipeline
        assert vars(a).keys() == vars(b).keys()
        assert [(name, type(step)) for name, step in a.steps] == [
            (name, type(step)) for name, step in b.steps
        ]
        np.testing.assert_allclose(a[0].mean_, b[0].mean_, rtol=1e-12)
        np.testing.assert_allclose(a[0].scale_, b[0].scale_, rtol=1e-12)
        np.testing.assert_allclose(a[1].components_, b[1].components_, atol=1e-10)
        np.testing.assert_array_equal(a.predict(X), b.predict(X))
        assert len(pickle.dumps(a)) < 1.1 * len(pickle.dumps(b))
        refitted = clone(a).fit(X, y)
        np.testing.assert_array_equal(refitted[0].mean_, StandardScaler().fit(X).mean_)
    assert not hasattr(model[0], "mean_")


def test_scorers_meet_a_plain_pipeline():
    seen = []

    def scorer(estimator, X, y):
        seen.append(type(estimator))
        return 0.0

    cross_validate(classifier(), *wine(), scoring=scorer, compare_leaky=True)
    assert seen == [Pipeline] * 10


def test_held_out_rows_leave_no_trace():
    X, y = diabetes()
    splits = list(KFold(4, shuffle=True, random_state=0).split(X))
    model = make_pipeline(StandardScaler(), PCA(3, svd_solver="covariance_eigh"), Ridge())

    def fitted(X, k):
        given = {"cv": splits, "return_estimator": True, "error_score": "raise"}
        return cross_validate(model, X, y, scoring=lambda *_: 0.0, **given)["estimator"][k]

    for k, (_, test) in enumerate(splits):
        poisoned = X.copy()
        poisoned[test] = 1e100
        clean, other = fitted(X, k), fitted(poisoned, k)
        np.testing.assert_array_equal(clean[0].mean_, other[0].mean_)
        np.testing.assert_array_equal(clean[0].scale_, other[0].scale_)
        np.testing.assert_array_equal(clean[1].components_, other[1].components_)
        np.testing.assert_array_equal(clean[2].coef_, other[2].coef_)


def test_rows_and_labels_are_not_changed():
    X, y = wine()
    X, y = np.array(X), np.array(y)
    before = X.copy(), y.copy()
    model = classifier(StandardScaler(copy=False), PCA(3, copy=False))
    cross_validate(model, X, y, compare_leaky=True)
    np.testing.assert_array_equal(X, before[0])
    np.testing.assert_array_equal(y, before[1])
    assert not any(hasattr(step, "n_features_in_") for step in model)


def test_rows_are_measured_once(measured):
    X, y = independent_columns()
    model = make_pipeline(StandardScaler(), PCA(3), Ridge())
    cross_validate(model, X, y, cv=10)
    assert measured == {Scatter: 300}


def test_the_same_training_rows_twice(shared):
    X, y = wine()
    train, test = np.arange(0, 178, 2), np.arange(1, 178, 2)
    splits = [(train, test), (train, test[:40]), (train[::-1], test)]
    ours = cross_validate(classifier(), X, y, cv=splits)
    assert_same(ours, sklearn.model_selection.cross_validate(classifier(), X, y, cv=splits))
    assert sorted(shared) == [0, 0, 2]


def test_steps_with_other_weights_are_fitted_the_ordinary_way(monkeypatch):
    X, y = wine()
    shared = []
    fit = SharedFits.fit

    def noting(self, transformer, split):
        shared.append([name for name, _ in transformer.steps])
        return fit(self, transformer, split)

    monkeypatch.setattr(SharedFits, "fit", noting)
    one, other = weights(178), weights(178)
    for given, expected in [
        ({}, ["standardscaler", "pca"]),
        ({"standardscaler__sample_weight": one}, ["standardscaler"]),
        ({"standardscaler__sample_weight": None}, ["standardscaler", "pca"]),
        ({"pca__sample_weight": one}, ["standardscaler"]),
        ({"standardscaler__sample_weight": one, "pca__sample_weight": other}, ["standardscaler"]),
        (
            {"standardscaler__sample_weight": one, "pca__sample_weight": one},
            ["standardscaler", "pca"],
        ),
        ({"standardscaler__sample_weight": 2.0}, None),
    ]:
        shared.clear()
        cross_validate(classifier(), X, y, params=given, cv=2)
        assert shared == [expected] * 2 if expected else not shared, given


# Around the fits --------------------------------------------------------------------------


class CountingSplitter(ShuffleSplit):
    runs = 0

    def split(self, X, y=None, groups=None):
        self.runs += 1
        return super().split(X, y, groups)


def test_a_splitter_is_run_once():
    splitter = CountingSplitter(3, random_state=np.random.RandomState(0))
    result = cross_validate(
        classifier(), *wine(), cv=splitter, compare_leaky=True, return_indices=True
    )
    assert splitter.runs == 1
    expected = ShuffleSplit(3, random_state=np.random.RandomState(0)).split(wine()[0])
    for train, (other, _) in zip(result["indices"]["train"], expected, strict=True):
        np.testing.assert_array_equal(train, other)


def test_threads():
    with joblib.parallel_config("threading", n_jobs=2):
        ours = cross_validate(classifier(), *wine())
    assert_same(ours, sklearn.model_selection.cross_validate(classifier(), *wine()))


def test_pipeline_with_memory(tmp_path):
    model = classifier().set_params(memory=str(tmp_path))
    theirs = sklearn.model_selection.cross_validate(classifier(), *wine())
    for _ in range(2):
        assert_same(cross_validate(model, *wine()), theirs)


def test_pipeline_says_what_it_does(capsys):
    model = make_pipeline(StandardScaler(), SVC(), verbose=True)

    def told(run):
        run(model, *wine(), cv=2, verbose=2)
        return re.sub(r"\.*, total.*|total time.*|\.+", "", capsys.readouterr().out)

    assert told(cross_validate) == told(sklearn.model_selection.cross_validate) != ""


def test_metadata_routing():
    X, y = wine()
    given = {"groups": np.arange(178) % 7, "sample_weight": weights(178)}
    with config_context(enable_metadata_routing=True):
        model = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=True),
            SVC().set_fit_request(sample_weight=False),
        )
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=False)
        call = {"cv": GroupKFold(3), "params": given, "scoring": scorer}
        theirs = sklearn.model_selection.cross_validate(model, X, y, **call)
        assert_same(cross_validate(model, X, y, **call), theirs)
        for asked in ("compare_leaky", "return_leakage"):
            with pytest.raises(InvalidParameterError, match=f"{asked}=True.*got groups, sample_w"):
                cross_validate(model, X, y, **call, **{asked: True})
        with pytest.raises(ValueError, match="`groups` can only be passed if"):
            cross_validate(model, X, y, groups=[])
        ours = cross_validate(classifier(), X, y, compare_leaky=True)
    assert "leaky_test_score" in ours


@pytest.mark.skipif(
    not hasattr(Pipeline, "set_callbacks"), reason="scikit-learn has callbacks from 1.9 on"
)
def test_callbacks_are_told_of_every_fit(shared):
    listener = Listener()
    scaler = StandardScaler().set_callbacks(listener)
    cross_validate(make_pipeline(scaler, SVC()), *wine(), cv=3)
    assert listener.told == ["StandardScaler"] * 3
    model = make_pipeline(StandardScaler(), PCA(2)).set_callbacks(PropagatedListener())
    cross_validate(model, *wine(), cv=3)
    assert shared == []


# Bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cv", "words"),
    [
        ([(np.arange(100), np.arange(99, 178))], "Split 0 has 1 row.* both its train and its test"),
        ([(np.arange(9), [20]), ([], [1])], "Split 1 has no train rows"),
        ([(np.arange(9), [178])], "has row 178, and there are rows 0 to 177"),
        ([], "cv gives no splits"),
    ],
)
@pytest.mark.parametrize("model", [classifier(), LogisticRegression()], ids=["shared", "ordinary"])
def test_splits_that_are_none(model, cv, words):
    with pytest.raises(SplitError, match=words):
        cross_validate(model, *wine(), cv=cv)


class NoFit:
    pass


@pytest.mark.parametrize(
    "change",
    [
        {"estimator": NoFit()},
        {"estimator": Pipeline([StandardScaler()])},
        {"estimator": Pipeline([("a", StandardScaler()), ("a", SVC())])},
        {"estimator": Pipeline([("a__b", StandardScaler()), ("c", SVC())])},
        {"estimator": make_pipeline(StandardScaler(), None, NoFit, SVC())},
        {"y": [1, 2, 3]},
        {"cv": 500},
        {"scoring": "beauty"},
        {"error_score": "loud"},
        {"n_jobs": "many"},
        {"params": {"nobody__sample_weight": [1.0]}},
        {"params": {"sample_weight": np.ones(178)}},
        {"groups": [1, 2], "cv": GroupKFold(2)},
        {"verbose": "very"},
    ],
    ids=lambda change: "-".join(change),
)
def test_errors_are_those_of_scikit_learn(change):
    X, y = wine()
    given = {"estimator": classifier(), "X": X, "y": y, "error_score": "raise"} | change
    with pytest.raises(Exception) as theirs:  # noqa: PT011 (any)
        sklearn.model_selection.cross_validate(**given)
    with pytest.raises(theirs.type) as ours:
        cross_validate(**given)
    assert str(ours.value).startswith(str(theirs.value))


def half_missing():
    """PCA refuses NaN, which only the first of two splits learns from."""
    X, y = diabetes()
    X = X.copy()
    X[300, 2] = np.nan
    rows = np.arange(442)
    return X, y, [(rows[200:], rows[:200]), (rows[:200], rows[200:280])]


@pytest.mark.parametrize("error_score", [np.nan, -1.0])
def test_some_fits_fail(error_score):
    X, y, splits = half_missing()
    model = make_pipeline(StandardScaler(), PCA(2), Ridge())
    given = {"cv": splits, "error_score": error_score, "return_train_score": True}
    given["return_estimator"] = True
    with pytest.warns(FitFailedWarning, match="1 fits failed out of a total of 2") as told:
        ours = cross_validate(model, X, y, **given)
    assert "MissingValueError" in str(told[0].message)
    with pytest.warns(FitFailedWarning):
        theirs = sklearn.model_selection.cross_validate(model, X, y, **given)
    assert_same(ours, theirs)
    assert [type(estimator) for estimator in ours["estimator"]] == [Pipeline] * 2


def test_weights_that_are_wrong_in_some_splits():
    X, y = wine()
    given = {"standardscaler__sample_weight": np.where(np.arange(178) == 0, -1.0, 1.0)}
    results = []
    for run in (cross_validate, sklearn.model_selection.cross_validate):
        with pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 3"):
            results.append(run(classifier(), X, y, params=given, cv=KFold(3)))
    assert_same(*results)


def test_failed_fits_raise_where_asked():
    X, y, splits = half_missing()
    model = make_pipeline(StandardScaler(), PCA(2), Ridge())
    with pytest.raises(ValueError, match="NaN"):
        cross_validate(model, X, y, cv=splits, error_score="raise")
    with pytest.raises(ValueError, match=r"All the 1 fits failed(.|\n)*NaN"):
        cross_validate(model, X, y, cv=splits[:1])


# The leak, on purpose ---------------------------------------------------------------------


def noise(n_rows=60, n_columns=400):
    """Columns that know nothing of the labels: selection on all rows finds some that seem to."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(n_rows, n_columns)), np.repeat([0, 1], n_rows // 2)


def test_leaky_scores_are_those_of_transformers_fitted_before_the_split():
    X, y = noise()
    model = make_pipeline(StandardScaler(), SelectKBest(k=10), LogisticRegression())
    cv = KFold(6, shuffle=True, random_state=0)
    result = cross_validate(model, X, y, cv=cv, compare_leaky=True, scoring=["accuracy", "roc_auc"])
    Z = SelectKBest(k=10).fit_transform(StandardScaler().fit_transform(X), y)
    expected = [
        LogisticRegression().fit(Z[train], y[train]).score(Z[test], y[test])
        for train, test in cv.split(X)
    ]
    np.testing.assert_allclose(result["leaky_test_accuracy"], expected)
    assert {"leaky_test_roc_auc", "leaky_gap_accuracy", "leaky_gap_roc_auc"} <= result.keys()
    gap = result["leaky_gap_accuracy"]
    np.testing.assert_array_equal(gap.differences, np.array(expected) - result["test_accuracy"])
    assert gap.mean > 0.2
    honest = sklearn.model_selection.cross_validate(
        model, X, y, cv=cv, scoring=["accuracy", "roc_auc"]
    )
    np.testing.assert_allclose(result["test_accuracy"], honest["test_accuracy"])


def test_a_gap_of_nothing_is_shown():
    result = cross_validate(make_pipeline(LinearRegression()), *diabetes(), compare_leaky=True)
    np.testing.assert_array_equal(result["leaky_test_score"], result["test_score"])
    gap = result["leaky_gap_score"]
    assert (gap.mean, gap.low, gap.high) == (0.0, 0.0, 0.0)
    said = "ScoreGap: leaky minus honest score 0, 95 % interval 0 to 0, over 5 splits"
    assert repr(gap).endswith(said)
    assert said in gap._repr_html_()


class Nosy(TransformerMixin, BaseEstimator):
    """Notes the weights and the number of rows that it is given."""

    def fit(self, X, y=None, sample_weight=None):
        self.seen_ = len(X), None if sample_weight is None else np.sum(sample_weight)
        return self

    def transform(self, X):
        return X


def test_the_leak_has_the_weights_of_all_rows():
    X, y = wine()
    given = {f"{step}__sample_weight": weights(178) for step in ("nosy", "svc")}
    seen = []

    def scorer(estimator, X, y):
        seen.append(estimator[0].seen_)
        return estimator.score(X, y)

    cross_validate(
        make_pipeline(Nosy(), SVC()), X, y, params=given, compare_leaky=True, scoring=scorer, cv=2
    )
    assert seen[2:] == [(178, weights(178).sum())] * 2
    assert seen[0][0] == 89


def test_corrected_interval():
    """By hand: 1, 2, 3, 6 have mean 3 and variance 14 / 3; t(0.975, 3) = 3.18244630528."""
    splits = read_splits(KFold(4), 40)
    gap = ScoreGap.of(np.array([1.0, 2.0, 3.0, 6.0]), np.zeros(4), splits)
    reach = 3.182446305284263 * (14 / 3 * (1 / 4 + 1 / 3)) ** 0.5
    assert gap.mean == 3
    np.testing.assert_allclose([gap.low, gap.high], [3 - reach, 3 + reach], rtol=1e-12)


def test_one_split_has_no_interval():
    split = [(np.arange(100), np.arange(100, 178))]
    X, y = wine()
    order = np.random.default_rng(0).permutation(178)
    result = cross_validate(classifier(), X[order], y[order], cv=split, compare_leaky=True)
    gap = result["leaky_gap_score"]
    assert gap.mean == result["leaky_test_score"][0] - result["test_score"][0]
    assert np.isnan([gap.low, gap.high]).all()
    assert repr(gap).endswith("in 1 split, too few for an interval")


def test_a_gap_reads_well():
    splits = read_splits(KFold(3), 6)
    gap = ScoreGap.of(np.array([0.9, 0.8, 0.7]), np.array([0.9, 0.79, 0.69]), splits)
    # By hand: t(0.975, 2) = 4.302653, variance 1e-4 / 3.
    said = "leaky minus honest score 0.00667, 95 % interval -0.016 to 0.0293, over 3 splits"
    assert repr(gap).endswith(said)
    failed = ScoreGap.of(np.array([0.9, np.nan, 0.7]), np.zeros(3), splits)
    assert repr(failed) == ("ScoreGap: leaky minus honest score nan, since 1 of 3 scored NaN")


def test_result_becomes_a_frame():
    pandas = pytest.importorskip("pandas", reason="a frame is asked for")
    result = cross_validate(classifier(), *wine(), compare_leaky=True)
    table = pandas.DataFrame(result)
    assert table.shape == (5, 5)
    assert table["leaky_test_score"].dtype == float


@pytest.mark.parametrize("estimator", [SVC(), PCA(2)])
def test_comparison_needs_a_pipeline(estimator):
    with pytest.raises(InvalidParameterError, match=r"needs a Pipeline.*make_pipeline"):
        cross_validate(estimator, *wine(), compare_leaky=True)


# What the checks of leakage find ----------------------------------------------------------


def test_nothing_is_found_where_nothing_leaks():
    X, y = wine()
    given = {"cv": GroupKFold(3), "groups": np.arange(178) % 7}
    result = cross_validate(classifier(), X, y, return_leakage=True, **given)
    report = result["leakage"]
    assert report.ok
    assert report
    assert report.findings == ()
    assert report.audit.status == "clean"
    assert len(report.splits) == 3
    said = "nothing found in the estimator, the table and 3 splits"
    assert repr(report) == f"LeakageReport: {said}"
    assert said in report._repr_html_()
    assert_same(
        {key: result[key] for key in list(result)[:3]}, cross_validate(classifier(), X, y, **given)
    )


def test_what_is_scaled_beforehand_is_found():
    X, y = load_diabetes(return_X_y=True)
    model = make_pipeline(FunctionTransformer(scale), Ridge())
    report = cross_validate(model, X, y, cv=4, return_leakage=True)["leakage"]
    assert not report.ok
    assert not report
    assert report.audit.status == "leaky"
    assert report.prescaled.columns == list(range(10))
    assert [check.columns for check in report.splits] == [list(range(10))] * 4
    parts = [report.audit, report.prescaled, *report.splits]
    assert len(report.findings) == sum(len(part.findings) for part in parts)
    told = repr(report)
    lines = told.splitlines()
    assert lines[0] == "LeakageReport: look at estimator, table, 4 of 4 splits"
    assert [line.split(":")[0] for line in lines[1:]] == [
        "  estimator",
        "  table",
        "  all 4 splits (told of split 0)",
    ]
    assert "functiontransformer" in lines[1]
    assert "<th>table</th>" in report._repr_html_()
    halves = np.where(np.arange(442) < 64, np.arange(442) + 1, 0)
    cv = list(KFold(7).split(X))
    many = cross_validate(Ridge(), X, y, cv=cv, groups=halves, return_leakage=True)["leakage"]
    assert "splits 1, 2, 3, 4 and 2 more (told of split 1): groups: 1 group " in repr(many)


@pytest.mark.parametrize("container", ["list", "array", "pandas", "dicts"])
def test_documents_are_compared_as_they_are(container):
    rng = np.random.default_rng(0)
    documents = [f"w{a} w{b} n{i}" for i, (a, b) in enumerate(rng.integers(0, 9, (60, 2)))]
    y = np.arange(60) % 2
    first = DictVectorizer() if container == "dicts" else CountVectorizer()

    def given(documents):
        if container == "dicts":
            return [dict.fromkeys(words.split(), 1) for words in documents]
        if container == "pandas":
            return pytest.importorskip("pandas", reason="a series is tested").Series(documents)
        return np.array(documents) if container == "array" else documents

    model = make_pipeline(first, LogisticRegression())
    report = cross_validate(model, given(documents), y, cv=3, return_leakage=True)["leakage"]
    assert report.prescaled is None
    assert report.left_out == {"table": "it has no columns of numbers"}
    assert report.ok == report.audit.ok
    assert "table, not looked at: it has no columns of numbers" in repr(report)
    documents[40:] = documents[:20]
    report = cross_validate(model, given(documents), y, cv=3, return_leakage=True)["leakage"]
    assert [found.kind for found in report.splits[0].findings] == ["duplicates"]


def test_tables_that_cannot_be_checked_are_left_out():
    images = np.random.default_rng(0).normal(size=(40, 3, 2))
    model = make_pipeline(FunctionTransformer(lambda X: np.asarray(X).reshape(len(X), -1)), SVC())
    y = np.arange(40) % 2
    report = cross_validate(model, images, y, cv=2, return_leakage=True)["leakage"]
    assert report.splits == ()
    assert set(report.left_out) == {"table", "splits"}
    assert "table, not looked at: " in repr(report)
    assert not report.ok
    assert repr(report).startswith("LeakageReport: nothing found in the estimator, and not all")


def test_groups_on_both_sides_are_found():
    X, y = wine()
    groups = np.arange(178) % 7
    model = classifier()
    cv = list(KFold(2).split(X))
    report = cross_validate(model, X, y, cv=cv, groups=groups, return_leakage=True)["leakage"]
    assert [found.kind for found in report.findings] == ["groups"] * 2
    assert not report.ok
    assert not any(hasattr(step, "n_features_in_") for step in model)


def test_an_audit_that_shows_nothing_is_not_ok():
    X, y = wine()
    rng = np.random.default_rng(0)
    noisy = FunctionTransformer(lambda X: X + rng.normal(size=X.shape))
    report = cross_validate(make_pipeline(noisy, SVC()), X, y, cv=2, return_leakage=True)["leakage"]
    assert report.audit.status == "inconclusive"
    assert not report.ok
    assert report.findings == ()
    assert "nothing is shown" in repr(report)


def test_splits_that_were_used_are_audited():
    X, y = wine()
    splitter = CountingSplitter(3, random_state=np.random.RandomState(0))
    report = cross_validate(classifier(), X, y, cv=splitter, return_leakage=True)["leakage"]
    assert splitter.runs == 1
    assert {each.fold for each in report.audit.outcomes} == {0, 1, 2}


def test_an_estimator_without_steps_is_refused_by_its_name():
    X, y = wine()
    with pytest.raises((TypeError, ValueError)) as found:
        cross_validate(Pipeline([]), X, y, cv=3)
    assert "StandIn" not in str(found.value)


class OnTriples(StandardScaler):
    def fit(self, X, y=None, sample_weight=None):
        super().fit(X * 3, y, sample_weight)
        self.told_ = True
        return self


def test_classes_derived_from_ours_are_fitted_by_themselves():
    X, y = wine()
    pipeline = make_pipeline(OnTriples(), PCA(2), LogisticRegression())
    fitted = cross_validate(pipeline, X, y, cv=3, return_estimator=True)["estimator"]
    assert all(model[0].told_ for model in fitted)


def test_an_estimator_that_cannot_be_fitted_on_a_split_is_told():
    X, y = wine()
    model = make_pipeline(StandardScaler(), SVC())
    with pytest.warns(FitFailedWarning):
        result = cross_validate(
            model, X, y, cv=TimeSeriesSplit(4), error_score=0, return_leakage=True
        )
    report = result["leakage"]
    assert report.audit is None
    assert not report.ok
    assert not report
    assert "nothing found in the table and 4 splits, and not all could be looked at" in repr(report)
    assert "estimator, not looked at: The target cannot be run" in repr(report)


def test_repeated_rows_are_told():
    X, y = wine()
    cv = KFold(5, shuffle=True, random_state=0)
    twice = cross_validate(
        LogisticRegression(max_iter=10_000),
        *(np.repeat(part, 2, axis=0) for part in (scale(X), y)),
        cv=cv,
        return_leakage=True,
    )["leakage"]
    assert "test rows are among the train rows, as repeated rows are" in repr(twice)
