"""The audit finds every leak of a table of them, accuses no clean target, and says what it saw."""

import builtins
import warnings
from math import inf

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    scale,
)

from skscale.errors import (
    InvalidParameterError,
    LeakageError,
    MissingDependencyError,
    MutatedInputError,
    NothingShownWarning,
    SplitError,
    TargetError,
)
from skscale.leakage import assert_train_only, audit

from . import targets
from .targets import AMOUNTS, CITIES, CLASSES, ROWS


def centre(X):
    return X - X.mean(axis=0)


def examine(case, **options):
    return audit(case.target, case.X, case.y, order=case.order, **options)


@pytest.mark.parametrize("name", targets.LEAKY)
def test_leaky_targets_are_found(name):
    report = examine(targets.LEAKY[name])
    assert report.status == "leaky"
    assert not report.ok
    assert not report
    assert all(found.where and found.max_ulp > 0 for found in report.findings)


@pytest.mark.parametrize("name", targets.CLEAN)
def test_clean_targets_are_not_accused(name):
    report = examine(targets.CLEAN[name])
    assert report.status == "clean", report
    assert report
    assert report.findings == []


def test_there_are_enough_of_both():
    assert min(len(targets.LEAKY), len(targets.CLEAN)) >= 14


# What is looked at ------------------------------------------------------------------------


def test_a_leak_is_laid_at_the_door_of_the_step_that_has_it():
    pipeline = make_pipeline(StandardScaler(), FunctionTransformer(scale), PCA(2))
    assert {found.where for found in audit(pipeline, ROWS).findings} == {
        "functiontransformer.transform(X)[:, 0]"
    }
    pipeline = make_pipeline(StandardScaler(), targets.LearnsInTransform())
    assert {found.where for found in audit(pipeline, ROWS).findings} == {"learnsintransform.mean_"}


def test_only_the_column_that_leaks_is_named():
    def features(X):
        return np.column_stack([X[:, 0], centre(X)[:, 1]])

    assert {found.where for found in audit(features, ROWS).findings} == {"features[:, 1]"}


def test_the_number_of_ulp_is_that_of_the_values():
    def features(X):  # a held-out row moves all others by exactly one ulp of 1
        return np.where(X == 1.0, 1.0, 1.0 + 2.0**-52 * (X == 1.0).all())

    report = audit(lambda X: np.full(len(X), features(X)[0, 0]), np.ones((40, 1)))
    assert report.status == "clean"  # the results of both are the same
    report = audit(
        lambda X: np.where((X == 1.0).all(), 1.0, 1.0 + 2.0**-40) + 0 * X, np.ones((40, 1))
    )
    assert report.status == "leaky"
    assert report.findings[0].max_ulp == 2**12


def test_rounding_has_to_show_under_tame_values_too():
    def features(X):  # as a routine might that goes another way for large numbers
        return X[:, 0] * 0 + 1.0 + 2.0**-52 * (np.abs(X) > 1e12).any()

    assert audit(features, ROWS).status == "clean"


@pytest.mark.parametrize(
    "features",
    [
        lambda X: (X / X.max(axis=0) * 10).astype(int),
        lambda X: (X.max() * 0.5 < X).astype("u1"),
        lambda X: np.digitize(X, np.linspace(X.min(), X.max() + 1, 6)),
        lambda X: np.full((len(X), 1), len(np.unique(X))),
        lambda X: np.where(X.max() / 2 < X, "a", "b"),
    ],
)
def test_integers_are_not_rounded(features):
    codes = np.random.default_rng(0).integers(1, 50, (300, 2))
    assert audit(features, codes).status == "leaky"
    assert audit(FunctionTransformer(features), codes).status == "leaky"


WORDS = np.random.default_rng(0).choice(["ams", "ber", "par"], (200, 1))
COUNTS = np.random.default_rng(0).integers(3, 9, (200, 2))
RARE = np.array(["a"] * 120 + ["b"] * 72 + ["c"] * 8)[np.random.default_rng(0).permutation(200)]
DAYS = np.datetime64("2024-01-01") + COUNTS.astype("m8[D]")

SMALLEST = {
    "codes of words": (lambda X: np.unique(X, return_inverse=True)[1].reshape(X.shape), WORDS),
    "ordinal encoding": (lambda X: OrdinalEncoder().fit_transform(X), WORDS),
    "dense ranks": (lambda X: np.unique(X, return_inverse=True)[1].reshape(X.shape), COUNTS),
    "above the smallest": (lambda X: X - X.min(axis=0), COUNTS),
    "log above the smallest": (lambda X: np.log1p(X - X.min(axis=0)), COUNTS.astype(float)),
    "days since the first": (lambda X: (X - X.min(axis=0)).astype(int), DAYS),
    "is the smallest": (lambda X: (X.min(axis=0) == X).astype(int), COUNTS),
    "any negative": (lambda X: X if (X < 0).any() else np.log1p(X), np.abs(ROWS)),
    "any zero": (lambda X: X if (X == 0).any() else np.log(X), np.abs(ROWS)),
    "refuses negatives": (lambda X: X - refuse(X < 0, X).min(axis=0), COUNTS),
    "refuses zeros": (lambda X: X - refuse(X <= 0, X).min(axis=0), np.abs(ROWS).round() + 2),
    "rare words": (lambda X: (count(X) < 0.1 * len(X)).astype(int), RARE),
    "appears twice": (lambda X: (count(X) > 1).astype(int), np.arange(200)),
    "share of flags": (lambda X: X ^ (X.mean(axis=0) > 0.3), COUNTS > 6),
    "median of flags": (lambda X: np.full(X.shape, np.median(X)), COUNTS > 5),
}


def refuse(wrong, X):
    if wrong.any():
        raise ValueError("not for me")
    return X


def count(X):
    _, inverse, counts = np.unique(X, return_inverse=True, return_counts=True)
    return counts[inverse.reshape(X.shape)]


@pytest.mark.parametrize("name", SMALLEST)
@pytest.mark.parametrize("cv", [2, 5])
def test_held_out_rows_are_put_on_either_side(name, cv):
    features, X = SMALLEST[name]
    assert audit(features, X, cv=cv).status == "leaky"


@pytest.mark.parametrize("name", [name for name in SMALLEST if SMALLEST[name][1].ndim == 2])
def test_so_are_halves_of_a_batch(name):
    features, X = SMALLEST[name]
    assert audit(FunctionTransformer(features), X, cv=3).status == "leaky"


def test_results_without_values():
    unknown = OneHotEncoder(handle_unknown="ignore")  # a sparse matrix that stores nothing
    assert audit(unknown, np.arange(30.0).reshape(-1, 1), cv=3).ok


def test_the_first_row_of_a_batch_is_changed_too():
    report = audit(
        FunctionTransformer(lambda X: X - X[0]), ROWS, cv=[(np.arange(60), np.arange(60, 120))]
    )
    assert "half of the batch" in {found.probe for found in report.findings}


def test_time_needs_no_lag_but_no_later_row():
    clean, leaky = targets.CLEAN["lag"], targets.LEAKY["later rows"]
    assert audit(clean.target, clean.X).status == "leaky"
    for cv in (3, TimeSeriesSplit(4, gap=3), KFold(4)):
        assert audit(clean.target, clean.X, order="time", cv=cv).ok
        assert audit(leaky.target, leaky.X, order="time", cv=cv).status == "leaky"


def test_an_estimator_may_look_back_within_a_batch():
    lag = FunctionTransformer(targets.CLEAN["trailing mean"].target)
    assert audit(lag, ROWS, order="time").ok
    assert audit(lag, ROWS).status == "leaky"
    ahead = FunctionTransformer(targets.LEAKY["later rows"].target)
    assert audit(ahead, ROWS, order="time").status == "leaky"


def test_a_type_that_held_out_rows_force_is_no_leak():
    pandas = pytest.importorskip("pandas", reason="maps of names to numbers need a frame")
    frame = pandas.DataFrame({"city": CITIES, "x": ROWS[:, 0]})
    codes = {"Basel": 1, "Chur": 2, "Genf": 3, "Thun": 4}
    assert audit(lambda X: X.assign(city=X["city"].map(codes)), frame).ok
    counted = audit(lambda X: X.assign(city=X["city"].map(X["city"].value_counts())), frame)
    assert counted.findings[0].where == "features['city']"


def test_rows_are_matched_by_their_labels():
    pandas = pytest.importorskip("pandas", reason="labels of rows need a frame")
    frame = pandas.DataFrame(ROWS.round(), index=[f"row {i}" for i in range(len(ROWS))])
    frame.iloc[50:60] = frame.iloc[:10].to_numpy()
    assert audit(lambda X: X.iloc[::-1], frame).ok
    assert audit(lambda X: X[X[0] > 0], frame).ok
    assert audit(lambda X: X.sort_values(0), frame).ok
    assert audit(lambda X: X.sort_values(0).cumsum(), frame).status == "leaky"
    dropped = audit(lambda X: X.drop_duplicates(), frame)
    assert dropped.findings[0].where == "features: which rows there are"
    unmatched = audit(lambda X: X.dropna().iloc[1:].reset_index(drop=True), frame)
    assert unmatched.status == "not run"


@pytest.mark.parametrize(
    "prepare",
    [
        lambda X, y, train, test: X[train] - X[train].mean(axis=0),
        lambda X, y, train, test: (X[train], y[train], X[test], y[test]),
        lambda X, y, train, test: (X[train], X[test], y[train], y[test]),
        lambda X, y, train, test: ((X[train], y[train]), (X[test], y[test])),
        lambda X, y, train, test: {"test": X[test], "fit": X[train], "scale": X[train].std()},
        lambda X, y, train, test: (X - X[train].mean(axis=0), train, test),
    ],
)
@pytest.mark.parametrize("cv", [4, 2])
def test_parts_of_a_split_are_told_apart(prepare, cv):
    assert audit(prepare, ROWS, AMOUNTS, cv=cv).ok


@pytest.mark.parametrize(
    "prepare",
    [
        lambda X, y, train, test: centre(X)[train],
        lambda X, y, train, test: (X[train], y[train] - y.mean(), X[test], y[test]),
        lambda X, y, train, test: (X[train], centre(X[test]), y[train], y[test]),
        lambda X, y, train, test: {"X_test": X[test], "X_train": X[train], "scale": X.std()},
        lambda X, y, train, test: centre(X),
        lambda X, y, train, test: (X[train], np.column_stack([X, y])[test]),
        lambda X, y, train, test: (X[train], StandardScaler().fit(X)),
    ],
)
@pytest.mark.parametrize("cv", [4, 2])
def test_leaks_into_any_part_are_found(prepare, cv):
    assert audit(prepare, ROWS, AMOUNTS, cv=cv).status == "leaky"


def test_only_a_gap_brings_out_an_imputer():
    report = examine(targets.LEAKY["imputation by neighbour"])
    assert {found.probe for found in report.findings} == {"beside gaps"}


def test_statistics_of_a_batch_that_only_gaps_bring_out():
    def prepare(X, y, train, test):
        return targets.fill_columns(X[train]), targets.fill_columns(X[test])

    assert {found.probe for found in audit(prepare, ROWS).findings} == {
        "half of the batch, beside gaps"
    }


def test_labels_are_replaced_where_they_reach():
    by_prior = audit(lambda X, y: X * y.mean(), ROWS, CLASSES)  # a permutation keeps it
    assert {found.probe for found in by_prior.findings} == {"other labels", "low labels"}
    names = np.where(CLASSES, "yes", "no")
    assert audit(lambda X, y: X * (y == "yes").mean(), ROWS, names).status == "leaky"
    assert audit(lambda X, y=None: X * y.mean(), ROWS, AMOUNTS).status == "leaky"
    assert audit(lambda X, y: X / y.max(), ROWS, np.arange(120) % 7 + 1).status == "leaky"
    assert audit(lambda X, y: X * len(np.unique(y)), ROWS, CLASSES).status == "leaky"
    assert audit(lambda X, y: X * np.median(y), ROWS, CLASSES, cv=3).status == "leaky"
    one_split = [(np.arange(60), np.arange(60, 120))]
    assert audit(lambda X, y: X * y.min(), ROWS, AMOUNTS, cv=one_split).status == "leaky"
    both = np.column_stack([AMOUNTS, CLASSES])
    assert audit(lambda X, y: X + y.max(axis=0)[0], ROWS, both).status == "leaky"


def test_earlier_labels_are_known_where_there_is_time():
    lagged, own = targets.CLEAN["earlier labels"], targets.LEAKY["own label"]
    assert examine(lagged).ok
    assert audit(own.target, ROWS, AMOUNTS, order="time").status == "leaky"
    assert audit(lagged.target, ROWS, AMOUNTS).status == "leaky"


# What shows nothing -----------------------------------------------------------------------


def restless(X):
    return X + np.random.default_rng().normal(size=X.shape)


class Restless(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.noise_ = np.random.default_rng().random()
        return self

    def transform(self, X):
        return X


def test_a_target_that_differs_from_itself_is_inconclusive():
    report = audit(restless, ROWS)
    assert report.status == "inconclusive"
    assert report.outcomes[0].where == "features[:, 0]"
    report = audit(make_pipeline(StandardScaler(), Restless()), ROWS)
    assert report.status == "inconclusive"
    assert report.outcomes[0].where == "restless.noise_"
    assert "random_state" in report.message()


def test_a_target_that_turns_restless_is_not_accused():
    calls = []

    def features(X):
        calls.append(1)
        return X + (len(calls) > 4) * len(calls)

    assert audit(features, ROWS).status == "inconclusive"


def test_random_numbers_of_estimators_are_held_still():
    noisy = PCA(2, svd_solver="randomized", random_state=None)
    assert audit(noisy, ROWS).ok
    assert noisy.random_state is None


def test_a_target_that_refuses_everything_is_not_run():
    known = {row.tobytes() for row in ROWS}

    def features(X):
        if not all(row.tobytes() in known for row in X) or len({row.tobytes() for row in X}) < len(
            X
        ):
            raise ValueError("only the rows that I know")
        return X

    report = audit(features, ROWS)
    assert report.status == "not run"
    assert not report.ok
    assert "only the rows that I know" in report.message()


def test_clean_takes_a_probe_in_every_fold():
    def features(X, y):
        if np.isin(X[:20], ROWS[:20]).all():
            return X
        raise ValueError("the first rows are sacred")

    splits = [(np.arange(60), np.arange(60, 120)), (np.arange(20, 120), np.arange(20))]
    assert audit(features, ROWS, AMOUNTS, cv=splits[:1]).ok
    report = audit(features, ROWS, AMOUNTS, cv=splits)
    assert {each.outcome for each in report.outcomes if each.fold == 1} == {"not run", "clean"}
    assert report.status == "not run"  # labels were replaced in both folds, rows in one


def test_without_a_method_there_is_nothing_to_see():
    class Silent(BaseEstimator):
        def fit(self, X, y=None):
            return self

    report = audit(Silent(), ROWS)
    assert report.status == "not run"
    assert "never given held-out rows" in report.message()


def test_other_numbers_of_rows_are_not_matched():
    report = audit(lambda X, y: targets.smote(X, y), ROWS, CLASSES)
    assert report.status == "not run"
    assert "prepare(X, y, train, test)" in report.message()


def test_infinity_is_more_than_can_be_counted():
    report = audit(lambda X: X.astype(int) if (np.abs(X) < 1e6).all() else X.astype(str), ROWS)
    assert report.findings[0].max_ulp == inf
    assert "more than can be counted" in str(report.findings[0])


# Reports ----------------------------------------------------------------------------------


def test_report():
    report = audit(centre, ROWS, cv=3)
    frame = report.to_frame()
    assert list(frame.columns) == ["fold", "probe", "outcome", "where", "ulp"]
    assert len(frame) == len(report.outcomes)
    assert set(frame["outcome"]) == {"leaky", "clean"}
    assert repr(report).startswith("<audit: leaky> centre depends on held-out rows. First: fold 0")
    assert "<table>" in report._repr_html_()
    assert "<lambda>" not in audit(lambda X: X, ROWS)._repr_html_()
    found = report.findings[0]
    assert (found.fold, found.probe, found.where) == (0, "extreme values", "features[:, 0]")
    with pytest.raises(LeakageError, match=r"features\[:, 0\] moved by .* ulp"):
        report.raise_if_leaky()


def test_nothing_is_called_proved():
    report = audit(np.tanh, ROWS)
    assert "no dependence on held-out rows observed under 25 probes of 5 folds" in repr(report)
    assert report.raise_if_leaky() is report


def test_what_showed_nothing_warns():
    with pytest.warns(NothingShownWarning, match="differs from itself"):
        audit(restless, ROWS).raise_if_leaky()


def test_assertion():
    assert_train_only(StandardScaler(), ROWS)
    assert_train_only(targets.CLEAN["lag"].target, ROWS, order="time", max_rows=50, cv=3)
    with pytest.raises(LeakageError, match="put it in a Pipeline"):
        assert_train_only(scale, ROWS)
    with pytest.raises(AssertionError, match="nothing is shown, because it differs"):
        assert_train_only(restless, ROWS)
    with pytest.raises(AssertionError, match="no probe of held-out rows ran in every fold"):
        assert_train_only(lambda X: X[:3], ROWS)


def test_without_pandas(monkeypatch):
    report = audit(centre, ROWS)
    imported = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name.split(".")[0] == "pandas":
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr("importlib.import_module", refuse)
    with pytest.raises(MissingDependencyError, match="pip install pandas"):
        report.to_frame()


# Bad input --------------------------------------------------------------------------------


def write(X):
    X -= X.mean(axis=0)
    return X


@pytest.mark.parametrize(
    ("target", "error", "words"),
    [
        (write, MutatedInputError, r"writes into the table .*\(X = X\.copy\(\)"),
        (StandardScaler(copy=False), MutatedInputError, "copy=True"),
        (lambda X: 1 / 0, TargetError, "fold 0, 96 training rows.*ZeroDivisionError"),
        (Ridge(), TargetError, r"argument: 'y'\. An audit.* and pass y if it needs labels\.$"),
        (SelectKBest(k=2), TargetError, r"[a-z]\. An audit changes rows"),
        (StandardScaler, TargetError, r"Pass an instance: StandardScaler\(\)"),
        (3, TargetError, "target is a int"),
        (lambda a, b, c: a, TargetError, r"function of \(a, b, c\)"),
        (lambda X_train, X_test: X_train, TargetError, r"prepare\(X, y, train, test\)"),
        (lambda *tables: tables, TargetError, "no required parameters"),
        (lambda X, y: X, TargetError, "no y was given"),
    ],
)
def test_targets_that_are_none(target, error, words):
    with pytest.raises(error, match=words):
        audit(target, ROWS)


def test_the_first_error_is_the_cause():
    with pytest.raises(TargetError) as caught:
        audit(lambda X: 1 / 0, ROWS)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"cv": [(np.arange(60), np.arange(50, 70))]}, SplitError, "both its train and its test"),
        ({"cv": [(np.arange(0), np.arange(50, 70))]}, SplitError, "no train rows"),
        ({"cv": [(np.arange(60), np.arange(110, 130))]}, SplitError, "row 129"),
        ({"cv": [(np.arange(60, 120), np.arange(60))], "order": "time"}, SplitError, "TimeSeriesS"),
        ({"order": "space"}, InvalidParameterError, "'order' parameter of audit"),
        ({"max_rows": 1}, InvalidParameterError, "'max_rows' parameter of audit"),
        ({"y": AMOUNTS[:5]}, ValueError, "y has 5 entries and X has 120 rows"),
        ({"groups": AMOUNTS[:5]}, ValueError, "groups has 5 entries"),
        ({"y": 3}, TypeError, "y is a int; it must have one entry for each row"),
        ({"groups": 3}, TypeError, "groups is a int"),
        ({"random_state": "a"}, InvalidParameterError, "'random_state' parameter of audit"),
        ({"cv": 1}, SplitError, "cv is 1; it must be a number of folds, 2 or more"),
        ({"cv": True}, SplitError, "cv is True"),
    ],
)
def test_options_that_are_none(options, error, words):
    with pytest.raises(error, match=words):
        audit(StandardScaler(), ROWS, **options)


def test_tables_that_are_none():
    with pytest.raises(TypeError, match="X is a dict"):
        audit(StandardScaler(), {"a": [1.0]})
    with pytest.raises(TypeError, match=r"Pass np\.asarray\(X\)"):
        audit(StandardScaler(), ROWS.view(np.matrix))
    with pytest.raises(ValueError, match="n_splits=5"):
        audit(StandardScaler(), ROWS[:1])


def global_state():
    return np.random.get_state()[1].copy()  # noqa: NPY002 (old code)


def test_nothing_of_the_callers_is_changed():
    X, y = ROWS.copy(), AMOUNTS.copy()
    X.setflags(write=False)
    model = make_pipeline(StandardScaler(), Ridge()).fit(X, y)
    coefficients, state = model[-1].coef_.copy(), global_state()
    assert audit(model, X, y).ok
    assert audit(centre, X, y).status == "leaky"
    assert (model[-1].coef_ == coefficients).all()
    assert (y == AMOUNTS).all()
    assert (global_state() == state).all()


def test_warnings_of_the_target_are_its_own_business():
    def features(X):
        warnings.warn("large", UserWarning, stylelevel := 2)
        return X * float(stylelevel)

    assert audit(features, ROWS).ok
