"""A transformer that was asked to remember its rows can tell which of others were among them."""

import pickle
import threading

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import binomtest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import FeatureUnion, make_pipeline

import skscale
from skscale.errors import InvalidParameterError, NothingRememberedError, SchemaError
from skscale.leakage import freeze, remember_rows, seen_in_fit
from skscale.statistics import Moments

DRAWN = np.random.default_rng(0)
X = DRAWN.normal(size=(3000, 4))
TRAIN, TEST = X[:2000], X[2000:]


def remembering(transformer, rows, **options):
    with remember_rows(**options):
        return transformer.fit(rows, np.arange(rows.shape[0]) % 2)


def numbers(report, *names):
    return [report.numbers[name] for name in names]


def share(fitted, rows):
    return seen_in_fit(fitted, rows).numbers["share"]


def remembers(transformer):
    return "_row_sketch_" in vars(transformer)


CLASSES = [getattr(skscale, name) for name in skscale.__all__ if name[0].isupper()]
ALL = [kind for kind in CLASSES if hasattr(kind, "partial_fit")]  # others learn from no rows


@pytest.mark.parametrize("kind", ALL)
def test_honest_and_leaky_fits(kind):
    honest, leaky = remembering(kind(), TRAIN), remembering(kind(), X)
    report = seen_in_fit(honest, TEST)
    assert report.ok
    assert numbers(report, "share", "above_baseline", "lower", "upper") == [0, 0, 0, 0]
    report = seen_in_fit(leaky, TEST)
    assert not report.ok
    assert numbers(report, "share", "lower", "upper") == [1, 1, 1]
    assert report.findings[0].rows == tuple(range(1000))
    assert f"asked of {kind.__name__}" in repr(report)


@pytest.mark.parametrize("kind", [kind for kind in CLASSES if kind not in ALL])
def test_who_learns_from_no_rows_remembers_none(kind):
    """In a pipeline the next one is asked, about the rows as they come to it."""
    with remember_rows():
        pipeline = make_pipeline(kind(), skscale.StandardScaler()).fit(X)
    assert not remembers(pipeline[0])
    assert seen_in_fit(pipeline, TEST).numbers["share"] == 1
    with pytest.raises(NothingRememberedError):
        seen_in_fit(pipeline[0], TEST)


def test_nothing_is_remembered_unless_asked():
    scaler = skscale.StandardScaler().fit(X)
    assert not remembers(scaler)
    with pytest.raises(NothingRememberedError, match=r"with skscale\.leakage\.remember_rows\(\)"):
        seen_in_fit(scaler, TEST)
    with pytest.raises(NotFittedError):
        seen_in_fit(skscale.StandardScaler(), TEST)


def test_what_drops_it():
    scaler = remembering(skscale.StandardScaler(), TRAIN)
    assert remembers(scaler)
    assert remembers(pickle.loads(pickle.dumps(scaler)))
    assert not remembers(clone(scaler))
    assert not remembers(clone(scaler).fit_statistic(Moments.of(TRAIN)))
    scaler.fit(TRAIN)
    assert not remembers(scaler)


def test_batches_are_remembered_like_all_rows_at_once():
    with remember_rows():
        whole = skscale.StandardScaler().fit(TRAIN)
        parts = skscale.StandardScaler().partial_fit(TRAIN[:1]).partial_fit(TRAIN[1:700])
    parts.partial_fit(TRAIN[700:])  # outside of the context, it goes on
    assert parts._row_sketch_ == whole._row_sketch_


def test_what_was_learned_before_cannot_be_remembered_later():
    scaler = skscale.StandardScaler().fit(TRAIN[:10])
    with remember_rows():
        scaler.partial_fit(TRAIN[10:])
    assert not remembers(scaler)


def test_a_fit_that_fails_changes_nothing():
    scaler = remembering(skscale.StandardScaler(), TRAIN)
    before = scaler._row_sketch_
    with pytest.raises(ValueError, match="inf"):
        scaler.partial_fit([[np.inf] * 4])
    assert scaler._row_sketch_ is before


def test_what_is_learned_is_the_same():
    asked, plain = remembering(skscale.PCA(2), X), skscale.PCA(2).fit(X)
    assert asked.components_.tobytes() == plain.components_.tobytes()


@pytest.mark.parametrize("leaked", [0.0, 0.1, 0.5])
def test_shares_are_estimated_from_a_sample(leaked):
    """95 % intervals hold the true share about as often as they say."""
    drawn, held, flagged = np.random.default_rng(4), 0, 0
    for _ in range(40):
        rows = drawn.normal(size=(9000, 2))
        test = rows[-3000:]
        scaler = remembering(
            skscale.StandardScaler(), rows[: 6000 + int(3000 * leaked)], capacity=600
        )
        report = seen_in_fit(scaler, test)
        low, high = numbers(report, "lower", "upper")
        assert 80 < report.numbers["rows_compared"] < 450
        held += low <= leaked <= high
        flagged += not report.ok
    assert binomtest(held, 40, 0.95, alternative="less").pvalue > 1e-3
    assert flagged == (40 if leaked == 0.5 else 0 if leaked == 0 else flagged)


def test_repeated_rows_are_the_baseline():
    rows = np.repeat(DRAWN.normal(size=(300, 2)), 10, axis=0)
    order = DRAWN.permutation(len(rows))
    report = seen_in_fit(
        remembering(skscale.StandardScaler(), rows[order[:2000]]), rows[order[2000:]]
    )
    assert report.ok
    assert min(numbers(report, "share", "baseline")) > 0.99
    half = np.concatenate([rows[:1000], TRAIN[:1000, :2]])
    report = seen_in_fit(remembering(skscale.StandardScaler(), half), TRAIN[500:1500, :2])
    assert numbers(report, "share", "baseline", "above_baseline") == [0.5, 0.5, 0]


def test_one_row_is_enough_where_no_row_of_the_fit_repeats():
    scaler = remembering(skscale.StandardScaler(), TRAIN)
    report = seen_in_fit(scaler, TRAIN[:1])
    assert not report
    assert report.findings[0].rows == (0,)
    assert "No row of the fit was there twice" in report.findings[0].message
    report = seen_in_fit(scaler, np.concatenate([TEST, TRAIN[7:8]]))
    assert report.findings[0].rows == (1000,)
    assert seen_in_fit(scaler, TEST[:1])


def test_the_report_reads_well():
    scaler = remembering(skscale.StandardScaler(), TRAIN)
    assert repr(seen_in_fit(scaler, TEST)) == (
        "seen_in_fit: nothing found in 1000 rows, asked of StandardScaler\n"
        "  0 of 1000 rows compared were in the fit; of the rows of the fit, 0% were there more "
        "than once; beyond that, 0% of the test rows were in the fit (95 % interval 0% to 0%)"
    )


def test_nothing_compared_is_no_pass():
    rows = np.random.default_rng(0).normal(size=(5000, 2))
    scaler = remembering(skscale.StandardScaler(), rows, capacity=10)
    report = seen_in_fit(scaler, rows[:1])
    assert report.numbers["rows_compared"] == 0
    assert not report
    assert [found.kind for found in report.findings] == ["nothing compared"]
    assert np.isnan(numbers(report, "share", "above_baseline", "lower", "upper", "p_value")).all()
    assert "capacity" in report.findings[0].message


def test_transformers_of_some_columns_are_named():
    of_some = make_column_transformer((skscale.StandardScaler(), [0, 1]), ("drop", [2]))
    both = FeatureUnion([("scaled", skscale.MinMaxScaler())])
    for model, hint in (
        (of_some, r"of columns \[0, 1\] .*named_transformers_\['standardscaler'\]"),
        (make_pipeline(of_some, skscale.MinMaxScaler()), None),
        (make_pipeline(of_some), r"\['standardscaler'\]"),
        (both, r"named_transformers\['scaled'\]"),
    ):
        fitted = remembering(model, TRAIN)
        if hint is None:
            assert not seen_in_fit(fitted, TRAIN)
        else:
            with pytest.raises(NothingRememberedError, match=hint):
                seen_in_fit(fitted, TRAIN)
    with pytest.raises(NothingRememberedError, match=r"with skscale\.leakage\.remember_rows"):
        seen_in_fit(of_some.fit(TRAIN), TRAIN)


def test_weights_are_no_copies():
    weights = np.r_[np.zeros(500), np.full(1500, 3.0)]
    with remember_rows():
        scaler = skscale.StandardScaler().fit(TRAIN, sample_weight=weights)
    report = seen_in_fit(scaler, TRAIN[400:600])
    assert numbers(report, "share", "baseline") == [0.5, 0]


def test_numbers_are_compared_in_the_precision_of_the_fit():
    few = X.astype(np.float32)
    scaler = remembering(skscale.StandardScaler(), few)
    for rows in (X, few, few.astype(np.float64), np.asfortranarray(X)):
        assert share(scaler, rows[:500]) == 1
    scaler = remembering(skscale.StandardScaler(), X)
    report = seen_in_fit(scaler, few[:500])
    assert not report
    assert report.findings[0].kind == "nothing compared"
    assert "float32" in report.findings[0].message
    assert np.isnan(report.numbers["share"])
    assert report.numbers["rows_compared"] == 0
    integers = np.arange(200).reshape(100, 2)
    scaler = remembering(skscale.StandardScaler(), integers)
    assert share(scaler, integers.astype(np.float32)) == 1


def test_missing_values_zeros_and_sparse_rows():
    holes = np.where(DRAWN.random((300, 3)) < 0.5, DRAWN.normal(size=(300, 3)), 0)
    few = sparse.csr_array(holes)
    scaler = remembering(skscale.StandardScaler(with_mean=False), few)
    assert share(scaler, holes) == 1
    assert share(scaler, few.tocsc()) == 1
    assert share(scaler, -holes + 1.0) == 0
    holes[::5, 1], negative = np.nan, np.where(holes == 0, -0.0, holes)
    negative[::5, 1] = -np.nan
    scaler = remembering(skscale.StandardScaler(), holes)
    assert share(scaler, negative) == 1


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames(library):
    frames = pytest.importorskip(library, reason=f"a frame of {library} is what is tested")
    frame = frames.DataFrame({name: X[:, i] for i, name in enumerate("abcd")})
    scaler = remembering(skscale.StandardScaler(), frame)
    assert share(scaler, frame[:50]) == 1
    with pytest.raises(SchemaError):
        seen_in_fit(scaler, frame[["b", "a", "c", "d"]])


def test_pipelines_and_frozen_transformers():
    import sklearn.preprocessing

    first = make_pipeline(skscale.StandardScaler(), skscale.PCA(2))
    assert share(remembering(first, X), TEST) == 1
    late = make_pipeline(
        sklearn.preprocessing.StandardScaler(), "passthrough", skscale.StandardScaler()
    )
    assert share(remembering(late, X), TEST) == 1
    assert share(remembering(late, TRAIN), TEST) == 0
    frozen = freeze(remembering(skscale.StandardScaler(), X))
    assert share(frozen, TEST) == 1
    assert frozen.fit(X) is frozen
    assert share(make_pipeline(frozen), TEST) == 1
    with pytest.raises(NothingRememberedError, match="Pipeline does not remember"):
        seen_in_fit(late.fit(X), TEST)


def test_steps_that_work_in_place_leave_the_rows_alone():
    import sklearn.preprocessing

    before = sklearn.preprocessing.MinMaxScaler(copy=False)
    pipeline = remembering(make_pipeline(before, skscale.StandardScaler()), X.copy())
    given = TEST.copy()
    assert share(pipeline, given) == 1
    np.testing.assert_array_equal(given, TEST)


def test_keys_are_random():
    one, other = (remembering(skscale.StandardScaler(), X)._row_sketch_ for _ in range(2))
    assert one.key != other.key
    assert not np.intersect1d(one.hashes, other.hashes).size


def test_the_context_is_that_of_one_thread_and_ends():
    found = []
    with remember_rows():
        thread = threading.Thread(target=lambda: found.append(skscale.StandardScaler().fit(TRAIN)))
        thread.start()
        thread.join()
    assert not remembers(found[0])
    with pytest.raises(ZeroDivisionError), remember_rows():
        _ = 1 / 0
    assert not remembers(skscale.StandardScaler().fit(TRAIN))


@pytest.mark.parametrize("capacity", [0, -1, 2.5, None])
def test_wrong_capacity(capacity):
    with pytest.raises(InvalidParameterError, match="'capacity'"), remember_rows(capacity=capacity):
        pass
