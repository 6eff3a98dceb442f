"""One pass gives every fold the transformer that a fit on its training rows gives."""

import operator
import pickle

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.preprocessing import StandardScaler as TheirScaler

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener
from skscale._splits import read_splits
from skscale.errors import MissingValueError, NonNumericColumnError, SampleWeightError
from skscale.leakage import remember_rows, seen_in_fit
from skscale.model_selection import cross_fit
from skscale.model_selection._atoms import find_passes
from skscale.model_selection._merging import unions
from skscale.model_selection._sharing import SharedFits
from skscale.statistics import Moments, Scatter, Triangle

N_ROWS, N_FEATURES = 240, 4
GENERATOR = np.random.default_rng(0)
GROUPS = GENERATOR.permutation(np.arange(N_ROWS) % 6)
LABELS = GENERATOR.permutation(np.arange(N_ROWS) % 3)
WEIGHTS = GENERATOR.integers(0, 4, N_ROWS)
MIX = np.diag([5.0, 3.0, 2.0, 1.0]) + 0.2
ROWS = GENERATOR.normal(size=(N_ROWS, N_FEATURES)) @ MIX + [1e3, 0.0, -5.0, 1e-3]

SPLITTERS = {
    "KFold": KFold(5),
    "shuffled": KFold(5, shuffle=True, random_state=1),
    "StratifiedKFold": StratifiedKFold(4, shuffle=True, random_state=0),
    "GroupKFold": GroupKFold(3),
    "LeaveOneGroupOut": LeaveOneGroupOut(),
    "TimeSeriesSplit": TimeSeriesSplit(5),
    "sliding": TimeSeriesSplit(4, max_train_size=70, gap=3),
    "RepeatedKFold": RepeatedKFold(n_splits=3, n_repeats=4, random_state=0),
    "PredefinedSplit": PredefinedSplit(np.arange(N_ROWS) % 4 - 1),
    "ShuffleSplit": ShuffleSplit(7, random_state=0),
    "bootstrap": [(GENERATOR.integers(0, 200, 200), np.arange(200, N_ROWS)) for _ in range(3)],
}
CHAINS = {
    "StandardScaler": StandardScaler(),
    "MinMaxScaler": MinMaxScaler((-1, 2)),
    "PCA": PCA(),
    "PCA full": PCA(n_components=3, svd_solver="full"),
    "Whitener": Whitener(),
    "Whitener ledoit_wolf": Whitener(shrinkage="ledoit_wolf"),
    "BatchNormalizer": BatchNormalizer(batch_size=32),
    "standardized PCA": make_pipeline(StandardScaler(), PCA(n_components=2)),
    "scaled PCA": make_pipeline(MinMaxScaler(), PCA(whiten=True)),
    "clipped PCA": make_pipeline(MinMaxScaler(clip=True), PCA()),
    "uncentred": make_pipeline(StandardScaler(with_mean=False), Whitener("cholesky")),
    "one after the other": make_pipeline(MinMaxScaler(), StandardScaler(), MinMaxScaler()),
    "PCA, standardized": make_pipeline(PCA(n_components=3), StandardScaler(), Whitener()),
    "PCA full, standardized": make_pipeline(PCA(svd_solver="full"), StandardScaler()),
    "PCA, scaled": make_pipeline(PCA(), MinMaxScaler()),
    "shrunken": make_pipeline(StandardScaler(), Whitener(shrinkage="ledoit_wolf")),
    "nested": make_pipeline(make_pipeline(StandardScaler(), "passthrough"), None, PCA()),
    "foreign in between": make_pipeline(StandardScaler(), FunctionTransformer(np.tanh), PCA()),
    "theirs first": make_pipeline(TheirScaler(), PCA()),
    "model last": make_pipeline(StandardScaler(), PCA(n_components=2), LinearRegression()),
}


ORDINARY = {
    "BatchNormalizer",
    "clipped PCA",
    "PCA, scaled",
    "shrunken",
    "foreign in between",
    "theirs first",
    "model last",
}


def groups_of(cv):
    return GROUPS if "Group" in type(cv).__name__ else None


def learned(estimator):
    """Fitted attributes of an estimator and of its steps, components as what they span."""
    steps = getattr(estimator, "steps", None)
    if steps is not None:
        return {
            f"{i}.{name}": value
            for i, (_, step) in enumerate(steps)
            if hasattr(step, "fit")
            for name, value in learned(step).items()
        }
    public = {k: v for k, v in vars(estimator).items() if k.endswith("_") and k[0] != "_"}
    statistic = public.pop("statistic_", None)
    if statistic is not None:
        public["total"] = statistic.total
    return public


def assert_same_fit(fitted, expected, rtol=1e-10, atol=1e-12):
    found, wanted = learned(fitted), learned(expected)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            # Means of centred columns are zero but for rounding.
            np.testing.assert_allclose(found[name], value, rtol=rtol, atol=atol, err_msg=name)
        elif isinstance(value, np.ndarray):
            np.testing.assert_array_equal(found[name], value)
        elif value is None or isinstance(value, (str, bool)):
            assert found[name] == value, name
        else:
            np.testing.assert_allclose(found[name], value, rtol=rtol, atol=atol, err_msg=name)


def check(transformer, X, cv, y=None, groups=None, sample_weight=None, rtol=1e-10, atol=1e-12):
    folds = cross_fit(transformer, X, y, cv=cv, groups=groups, sample_weight=sample_weight)
    splits = read_splits(cv, N_ROWS, y=y, groups=groups)
    assert len(folds) == len(splits)
    for (fitted, train, test), (expected_train, expected_test) in zip(folds, splits, strict=True):
        np.testing.assert_array_equal(train, expected_train)
        np.testing.assert_array_equal(test, expected_test)
        ordinary, weights = clone(transformer), {}
        if sample_weight is not None:
            steps = [name for name, _ in getattr(transformer, "steps", [])]
            keys = [f"{name}__sample_weight" for name in steps] or ["sample_weight"]
            weights = dict.fromkeys(keys, sample_weight[train])
        part = X.iloc[train] if hasattr(X, "iloc") else X[train]
        ordinary.fit(part, None if y is None else y[train], **weights)
        assert_same_fit(fitted, ordinary, rtol, atol)
    return folds


@pytest.mark.parametrize("cv", SPLITTERS.values(), ids=SPLITTERS)
@pytest.mark.parametrize(
    "chain", ["StandardScaler", "MinMaxScaler", "PCA", "Whitener", "standardized PCA"]
)
def test_any_split(chain, cv):
    check(CHAINS[chain], ROWS, cv, LABELS, groups_of(cv))


@pytest.mark.parametrize(
    "tests",
    [
        [[0, 9, 2], [30, 20, 10]],  # neither is what its ends say
        [range(60), range(20)],
        [range(60), range(40, 80), range(10)],
    ],
    ids=["in any order", "within", "overlapping"],
)
def test_rows_held_out_together(tests):
    cv = [(np.setdiff1d(np.arange(N_ROWS), test), np.array(test)) for test in tests]
    assert check(StandardScaler(), ROWS, cv).n_passes == 1


def test_unions_keep_the_order():
    letters = "abcdefghij"
    members = [np.flatnonzero(GENERATOR.random(10) < 0.7) for _ in range(50)]
    members = [positions for positions in members if len(positions)] + [
        np.arange(10),
        np.array([9]),
    ]
    expected = ["".join(letters[i] for i in positions) for positions in members]
    assert unions(letters, members, operator.add) == expected


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("cv", ["shuffled", "TimeSeriesSplit"])
def test_any_chain(chain, cv):
    folds = check(CHAINS[chain], ROWS, SPLITTERS[cv], LABELS)
    assert folds.n_passes == (chain not in {"BatchNormalizer", "theirs first"})
    assert folds.n_ordinary == (5 if chain in ORDINARY else 0)


@pytest.mark.parametrize("cv", SPLITTERS.values(), ids=SPLITTERS)
@pytest.mark.parametrize("chain", ["StandardScaler", "PCA", "standardized PCA"])
def test_weights(chain, cv):
    check(CHAINS[chain], ROWS, cv, LABELS, groups_of(cv), WEIGHTS)


@pytest.mark.parametrize("cv", SPLITTERS.values(), ids=SPLITTERS)
@pytest.mark.parametrize("chain", ["StandardScaler", "MinMaxScaler", "one after the other"])
def test_missing_values(chain, cv):
    rows = np.where(GENERATOR.random(ROWS.shape) < 0.2, np.nan, ROWS)
    check(CHAINS[chain], rows, cv, LABELS, groups_of(cv))


def constant(rows):
    return rows * [1, 1, 0, 1] + [0, 0, 0.1, 0]


def collinear(rows):
    return rows @ np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1e-3]])


HOSTILE = {
    "far from zero": lambda rows: rows + 1e9,
    "constant column": constant,
    "almost collinear": collinear,
    "tiny units": lambda rows: rows * [1e-9, 1, 1e-3, 1e6],
    "huge": lambda rows: rows * [1e200, 1, 1e-200, 1],
    "integers beyond float64": lambda rows: 2**60 + rows.astype(np.int64),
    "Fortran order": np.asfortranarray,
    "read-only": lambda rows: np.broadcast_to(rows, rows.shape),
    "frame": lambda rows: pd.DataFrame(rows, columns=list("abcd")),
    "nullable frame": lambda rows: pd.DataFrame(rows, columns=list("abcd")).convert_dtypes(),
    "list": lambda rows: rows.tolist(),
}


@pytest.mark.parametrize("chain", ["StandardScaler", "PCA", "standardized PCA", "scaled PCA"])
@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_hostile_rows(chain, make):
    X = make(ROWS)
    cv = KFold(4, shuffle=True, random_state=0)
    if isinstance(X, list):
        folds, same = (cross_fit(CHAINS[chain], rows, cv=cv) for rows in (X, np.array(X)))
        for fold, other in zip(folds, same, strict=True):
            assert_same_fit(fold.transformer, other.transformer, 0)
    else:
        check(CHAINS[chain], X, cv, rtol=1e-10 if make is not HOSTILE["far from zero"] else 1e-6)


def test_float32_rows_differ_by_their_rounding_between_steps_only():
    folds = check(StandardScaler(), ROWS.astype(np.float32), KFold(3))
    assert folds[0].transformer.transform(ROWS[:1].astype(np.float32)).dtype == np.float32
    (fold, *_) = check(
        CHAINS["standardized PCA"], ROWS.astype(np.float32), KFold(3), rtol=1e-6, atol=1e-8
    )
    assert fold.transformer[-1].components_.dtype == np.float32


def test_polars_and_output_containers():
    X = pl.DataFrame(ROWS, schema=list("abcd"), orient="row")
    chain = clone(CHAINS["standardized PCA"]).set_output(transform="polars")
    for fold in cross_fit(chain, X, cv=KFold(3, shuffle=True, random_state=0)):
        scaler, pca = fold.transformer
        assert list(scaler.feature_names_in_) == list(pca.feature_names_in_) == list("abcd")
        assert fold.transformer.transform(X).columns == ["pca0", "pca1"]
    (_, pca), *_ = (fold.transformer for fold in cross_fit(CHAINS["standardized PCA"], X, cv=3))
    assert not hasattr(pca, "feature_names_in_")


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csc_array, sparse.coo_array])
def test_sparse_rows(make):
    X = make(np.where(GENERATOR.random(ROWS.shape) < 0.3, ROWS, 0.0))
    for transformer in (
        StandardScaler(with_mean=False),
        PCA(n_components=2, svd_solver="covariance_eigh"),
        make_pipeline(StandardScaler(with_mean=False), PCA(svd_solver="covariance_eigh")),
    ):
        dense = X.tocsr()
        for fitted, train, _ in cross_fit(transformer, X, cv=KFold(3)):
            assert_same_fit(fitted, clone(transformer).fit(dense[train]))


def test_what_a_step_refuses_of_sparse_rows_it_refuses():
    chain = make_pipeline(StandardScaler(with_mean=False), PCA(svd_solver="full"))
    with pytest.raises(TypeError) as ordinary:
        clone(chain).fit(sparse.csr_matrix(ROWS))
    with pytest.raises(TypeError) as shared:
        cross_fit(chain, sparse.csr_matrix(ROWS), cv=3)
    assert str(shared.value) == str(ordinary.value)


def test_the_configuration_of_the_caller_holds_in_all_threads():
    frame = pd.DataFrame(GENERATOR.normal(size=(400, 70))).add_prefix("column")
    with config_context(transform_output="pandas"):
        folds = cross_fit(make_pipeline(StandardScaler(), PCA(2)), frame, cv=KFold(20))
    for fold in folds:
        assert list(fold.transformer[-1].feature_names_in_) == list(frame.columns)


def test_what_sparse_rows_are_not_asked_is_not_measured():
    X = sparse.csr_matrix(ROWS)
    shared = SharedFits(X, None, read_splits(3, N_ROWS))
    chain = make_pipeline(StandardScaler(with_mean=False), PCA(svd_solver="covariance_eigh"))
    shared.prefetch(chain)
    assert {kind for kind, _ in shared._measured} == {Moments}


def test_wide_rows():
    wide = GENERATOR.normal(size=(30, 50))
    for transformer in (PCA(), make_pipeline(StandardScaler(), PCA(n_components=5))):
        for fitted, train, _ in cross_fit(transformer, wide, cv=KFold(3)):
            ordinary = clone(transformer).fit(wide[train])
            images = [pipe.transform(wide)[:, :5] for pipe in (fitted, ordinary)]
            np.testing.assert_allclose(images[0], images[1], atol=1e-10)


# What is learned, and from what ---------------------------------------------------------------


# Poisoned rows are all that other splits learn from, and these say so.
@pytest.mark.filterwarnings("ignore::skscale.errors.AllMissingWarning")
@pytest.mark.parametrize("cv", SPLITTERS.values(), ids=SPLITTERS)
@pytest.mark.parametrize(
    ("chain", "poison"),
    [
        ("StandardScaler", 1e300),
        ("StandardScaler", np.nan),
        ("MinMaxScaler", np.nan),
        ("Whitener", 1e300),
        ("standardized PCA", 1e300),
    ],
)
def test_held_out_rows_do_not_move_a_bit(chain, poison, cv):
    folds = cross_fit(CHAINS[chain], ROWS, LABELS, cv=cv, groups=groups_of(cv))
    for k, fold in enumerate(folds):
        poisoned = ROWS.copy()
        poisoned[np.setdiff1d(np.arange(N_ROWS), fold.train)] = poison
        again = cross_fit(CHAINS[chain], poisoned, LABELS, cv=cv, groups=groups_of(cv))[k]
        steps = zip(
            *(
                getattr(f.transformer, "named_steps", {"": f.transformer}).values()
                for f in (fold, again)
            ),
            strict=True,
        )
        assert all(step.statistic_ == same.statistic_ for step, same in steps)


SQUARE_MIX = np.array([[1, 0, 0, 1e-9], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: rows * 0 + 1e30,
        lambda rows: rows * [1, 1e9, 1, 1],
        lambda rows: rows @ SQUARE_MIX,
    ],
    ids=["huge", "one column", "almost collinear"],
)
@pytest.mark.parametrize(
    "chain",
    [
        make_pipeline(PCA(), StandardScaler()),
        make_pipeline(StandardScaler(), PCA(), StandardScaler()),
        make_pipeline(Whitener(), StandardScaler(), MinMaxScaler()),
        make_pipeline(StandardScaler(), PCA(svd_solver="full"), PCA()),
    ],
    ids=str,
)
def test_what_other_splits_need_does_not_move_a_bit(chain, spoil):
    spoiled = ROWS.copy()
    spoiled[60:120] = spoil(ROWS[60:120])  # other splits may go on to a finer statistic
    fold, again = (cross_fit(chain, rows, cv=KFold(4))[1] for rows in (ROWS, spoiled))
    for step, same in zip(fold.transformer, again.transformer, strict=True):
        assert joblib.hash(vars(step)) == joblib.hash(vars(same))


def test_integers_of_other_splits_do_not_move_a_bit():
    rows = GENERATOR.integers(-1000, 1000, (500, 4))
    spoiled = rows.copy()
    spoiled[:125] = 2**62
    for chain in (CHAINS["standardized PCA"], CHAINS["StandardScaler"]):
        fold, again = (cross_fit(chain, X, cv=KFold(4))[0].transformer for X in (rows, spoiled))
        if chain is CHAINS["standardized PCA"]:
            fold, again = fold[0], again[0]
        assert joblib.hash(vars(fold)) == joblib.hash(vars(again))
    # Moments of splits that do learn from such integers are measured by themselves.
    chain = make_pipeline(StandardScaler(), PCA(svd_solver="covariance_eigh"))
    assert cross_fit(chain, rows[::-1], cv=KFold(4)).n_passes == 1
    assert cross_fit(chain, spoiled[::-1], cv=KFold(4)).n_passes == 2


def test_infinity_in_rows_that_nobody_learns_from_is_not_looked_at():
    rows = ROWS.copy()
    rows[-1] = np.inf  # in the last test part only
    check(StandardScaler(), rows, TimeSeriesSplit(3))


def test_every_row_is_measured_once(monkeypatch):
    counted, of = [], Scatter.of

    def counting(rows, weights=None):
        counted.append(len(rows))
        return of(rows, weights)

    monkeypatch.setattr(Scatter, "of", counting)
    monkeypatch.setattr(Moments, "of", None)  # follows from the scatter matrix
    for cv in (KFold(5, shuffle=True, random_state=0), LeaveOneGroupOut()):
        counted.clear()
        folds = cross_fit(CHAINS["standardized PCA"], ROWS, cv=cv, groups=groups_of(cv))
        assert sum(counted) == N_ROWS
        assert repr(folds) == f"<{len(folds)} folds of 240 rows, fitted in 1 pass>"
    counted.clear()
    cross_fit(CHAINS["standardized PCA"], ROWS, cv=TimeSeriesSplit(5))
    assert sum(counted) == 200  # nobody learns from the last 40


def test_what_is_not_shared_is_said():
    scaler = TheirScaler()
    assert repr(cross_fit(scaler, ROWS, cv=3)) == (
        "<3 folds of 240 rows, 3 of them fitted the ordinary way>"
    )
    assert repr(cross_fit(make_pipeline(PCA(), scaler), ROWS, cv=3)) == (
        "<3 folds of 240 rows, fitted in 1 pass and 3 of them fitted the ordinary way>"
    )
    folds = cross_fit(PCA(), collinear(ROWS), cv=4)
    assert folds.n_passes == 2
    assert repr(folds[3]).startswith("<fold 3: 180 rows to train, 60 to test: PCA() <learned from")


def test_steps_go_on_with_what_fit_transform_makes():
    chain = make_pipeline(StandardScaler(), Encoding(), PCA(), LinearRegression())
    check(chain, ROWS, KFold(3), LABELS)
    check(make_pipeline(make_pipeline(Encoding()), PCA()), ROWS, KFold(3), LABELS)
    check(make_pipeline(Doubling(), StandardScaler()), ROWS, KFold(3))


class Doubling(BaseEstimator):
    """A step without fit_transform."""

    def fit(self, X, y=None):
        self.scale_ = 2.0
        return self

    def transform(self, X):
        return X * self.scale_


class Encoding(Doubling):
    """A step that keeps labels of training rows from themselves, as TargetEncoder does."""

    def fit_transform(self, X, y):
        return self.fit(X, y).transform(X) + np.roll(y, 1)[:, np.newaxis]


class OnDoubles(Pipeline):
    def fit(self, X, y=None, **params):
        return super().fit(X * 2, y, **params)


class OnTriples(StandardScaler):
    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X * 3, y, sample_weight)


class Reversing(StandardScaler):
    def transform(self, X, copy=None):
        return super().transform(X, copy)[:, ::-1]


@pytest.mark.parametrize(
    "transformer",
    [
        OnDoubles([("scaler", StandardScaler())]),
        make_pipeline(OnDoubles([("scaler", StandardScaler())]), PCA()),
        OnTriples(),
        make_pipeline(OnTriples(), PCA()),
        make_pipeline(Reversing(), StandardScaler(), PCA()),
    ],
    ids=lambda transformer: repr(transformer).replace("\n", ""),
)
def test_classes_derived_from_ours_and_theirs_are_asked_themselves(transformer):
    check(transformer, ROWS, KFold(3))


def test_signs_of_axes_with_equal_entries():
    rows = (
        ROWS[:, :2] - 1e3
    )  # two standardized columns: all entries are 1 / sqrt(2) but for rounding
    for fitted, train, _ in cross_fit(CHAINS["standardized PCA"], rows, cv=KFold(40)):
        ordinary = clone(CHAINS["standardized PCA"]).fit(rows[train])
        np.testing.assert_allclose(fitted[-1].components_, ordinary[-1].components_, rtol=1e-10)


def test_randomized_axes_of_wide_rows():
    wide = GENERATOR.normal(size=(80, 300))
    pca = PCA(5, svd_solver="randomized", random_state=0)
    for fitted, train, _ in cross_fit(pca, wide, cv=KFold(4)):
        assert_same_fit(fitted, clone(pca).fit(wide[train]), rtol=1e-9, atol=1e-10)


def test_a_finer_statistic_takes_a_second_pass_for_all():
    folds = cross_fit(PCA(), collinear(ROWS), cv=4)
    assert all(isinstance(fold.transformer.statistic_, Triangle) for fold in folds)


@pytest.mark.parametrize(
    ("cv", "n_passes"),
    [
        (RepeatedKFold(n_splits=5, n_repeats=6, random_state=0), 6),
        (ShuffleSplit(9, random_state=0), 3),
        (LeaveOneOut(), 18),
    ],
)
def test_splits_with_many_overlaps_take_more_passes(cv, n_passes):
    assert cross_fit(StandardScaler(), ROWS, cv=cv).n_passes == n_passes


def test_random_splits_share_by_threes_however_many_rows_there_are():
    splits = read_splits(ShuffleSplit(9, random_state=0), 5000)
    assert [served.splits for served in find_passes(splits)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_callbacks_are_told_of_a_fit_of_rows():
    callback = pytest.importorskip("sklearn.callback", reason="scikit-learn before 1.9")
    told = []

    class Listener(BaseEstimator):
        max_propagation_depth = 1

        def setup(self, **kwargs): ...

        def teardown(self, **kwargs): ...

        def on_fit_task_begin(self, estimator, context, *, X):
            told.append(len(X))

        def on_fit_task_end(self, *args, **kwargs): ...

    assert callback is not None
    cross_fit(StandardScaler().set_callbacks(Listener()), ROWS, cv=KFold(4))
    assert told == [180] * 4


@pytest.mark.parametrize("make", [np.asarray, pd.DataFrame, lambda rows: rows.astype(object)])
def test_what_was_measured_travels_and_nothing_else(make):
    shared = SharedFits(make(ROWS), None, read_splits(3, N_ROWS))
    shared.prefetch(StandardScaler())
    copied = pickle.loads(pickle.dumps(shared))
    before = dict(copied._measured)
    assert_same_fit(copied.fit(StandardScaler(), 1), shared.fit(StandardScaler(), 1), 0)
    assert_same_fit(copied.fit(PCA(), 1), PCA().fit(ROWS[copied.splits[1][0]]))
    assert copied._measured.keys() == before.keys()


# What goes wrong ------------------------------------------------------------------------------


def test_rows_that_a_fit_refuses_are_refused_in_its_words():
    rows = ROWS.copy()
    rows[0, 2] = np.nan
    message = r"columns 2\. PCA does not accept missing values"
    with pytest.raises(MissingValueError, match=message):
        cross_fit(CHAINS["standardized PCA"], rows, cv=3)
    with pytest.raises(MissingValueError, match=message):
        cross_fit(make_pipeline(PCA()), rows, cv=3)
    with pytest.raises(NonNumericColumnError, match="not numbers"):
        cross_fit(StandardScaler(), pd.DataFrame({"a": list("xyz" * 4)}), cv=3)
    with pytest.raises(ValueError, match="n_components"):
        cross_fit(PCA(n_components=9), ROWS, cv=3)
    with pytest.raises(ValueError, match="n_components"):
        cross_fit(make_pipeline(SimpleImputer(), PCA(n_components=9)), ROWS, cv=3)


def test_one_training_part_that_is_refused_is_enough():
    rows = ROWS.copy()
    rows[-1, 0] = np.inf
    with pytest.raises(ValueError, match="row 159, column 0") as found:  # of its training part
        cross_fit(StandardScaler(), rows, cv=KFold(3))
    assert found.value.__notes__ == [
        "These are the 160 training rows of split 0. Row 159 of them is row 239 of the table."
    ]


def test_weights_of_zero_in_a_training_part():
    weights = (np.arange(N_ROWS) < 80).astype(float)
    with pytest.raises(SampleWeightError, match="zero in every row") as found:
        cross_fit(StandardScaler(), ROWS, cv=KFold(3), sample_weight=weights)
    assert found.value.__notes__ == ["These are the 160 training rows of split 0."]
    with pytest.raises(SampleWeightError, match=r"shape \(240,\)"):
        cross_fit(StandardScaler(), ROWS, cv=KFold(3), sample_weight=weights[1:])


@pytest.mark.parametrize(
    ("transformer", "X", "message"),
    [
        ("passthrough", ROWS, "something that can be fitted; got 'passthrough'"),
        (StandardScaler(), None, "a table of rows and columns; got NoneType"),
        (MinMaxScaler(), sparse.csr_matrix(ROWS), "MinMaxScaler does not support sparse input"),
    ],
)
def test_what_cannot_be_fitted_is_refused(transformer, X, message):
    with pytest.raises(TypeError, match=message):
        cross_fit(transformer, X, cv=3)


def test_parameters_are_not_shared_by_folds():
    state = np.random.RandomState(0)
    pca = PCA(2, svd_solver="randomized", n_oversamples=1, random_state=state)
    before = state.get_state()[2]
    states = [fold.transformer.random_state for fold in cross_fit(pca, ROWS, cv=3)]
    assert len({id(each) for each in (state, *states)}) == 4
    assert state.get_state()[2] == before


def test_a_pipeline_without_steps_says_so():
    with pytest.raises(Exception) as ordinary:  # noqa: PT011 (any)
        Pipeline([]).fit(ROWS)
    with pytest.raises(ordinary.type) as shared:
        cross_fit(Pipeline([]), ROWS, cv=3)
    assert str(shared.value) == str(ordinary.value)


def test_row_numbers_are_copies():
    test = np.arange(5)
    fold = cross_fit(StandardScaler(), ROWS, cv=[(np.arange(100, 5, -1), test)])[0]
    fold.test[:] = 20
    fold.train[:] = 20
    np.testing.assert_array_equal(fold.test, np.arange(5))
    np.testing.assert_array_equal(fold.train, np.arange(100, 5, -1))


class Unfittable(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        raise RuntimeError("never")


def test_nothing_of_the_caller_is_changed():
    rows, transformer = ROWS.copy(), make_pipeline(StandardScaler(copy=False), PCA())
    cross_fit(transformer, rows, cv=3)
    np.testing.assert_array_equal(rows, ROWS)
    assert not hasattr(transformer[0], "mean_")
    with pytest.raises(RuntimeError, match="never"):
        cross_fit(make_pipeline(StandardScaler(copy=False), Unfittable()), rows, cv=3)
    np.testing.assert_array_equal(rows, ROWS)


def test_rows_that_are_to_be_remembered_are_shown():
    with remember_rows():
        folds = cross_fit(StandardScaler(), ROWS, cv=3)
    for fold in folds:
        assert seen_in_fit(fold.transformer, ROWS[fold.test]).ok
        assert not seen_in_fit(fold.transformer, ROWS).ok
