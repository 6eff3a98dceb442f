"""SupervisedBatchNormalizer: gamma and beta learned from y, and from nothing else."""

import numpy as np
import pytest
import sklearn
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    TimeSeriesSplit,
    cross_val_score,
    cross_validate,
)
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline

import skscale
from skscale import BatchNormalizer, StandardScaler, SupervisedBatchNormalizer
from skscale._blas import single_threaded_blas
from skscale.errors import (
    AllMissingWarning,
    InfiniteValueError,
    InvalidParameterError,
    ResponseError,
    SampleWeightError,
    SplitError,
)
from skscale.leakage import assert_train_only
from skscale.normalization import _supervised
from skscale.normalization._activation import ACTIVATIONS
from skscale.normalization._network import Batch, Descent, Examples, Networks, Schedule, train
from skscale.normalization._response import CLASSES, NUMBERS, kind_of

ROWS = np.random.default_rng(0).normal(size=(120, 4)) * [1, 10, 0.1, 1] + [0, 5, 0, -3]
NUMBERS_TO_FIND = ROWS[:, 0] + ROWS[:, 1] / 10
LABELS = np.where(NUMBERS_TO_FIND > 0.5, "yes", "no")


def learner(activation="identity", **options):
    return SupervisedBatchNormalizer(activation, **{"random_state": 0, "max_iter": 20, **options})


# The network -----------------------------------------------------------------------------------


def some_examples(n_outputs, parts, seed=0, n_rows=12):
    drawn = np.random.default_rng(seed)
    if parts:
        targets = np.zeros((n_rows, n_outputs))
        for part in parts:
            chosen = drawn.integers(part.start, part.stop, n_rows)
            targets[np.arange(n_rows), chosen] = 1
    else:
        targets = drawn.normal(size=(n_rows, n_outputs))
    return Examples(drawn.normal(size=(n_rows, 3)), targets, drawn.uniform(0.5, 2, n_rows))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize(
    ("n_outputs", "parts"), [(2, []), (3, [slice(0, 3)]), (5, [slice(0, 2), slice(2, 5)])]
)
def test_gradients_are_slopes_of_the_losses(activation, n_outputs, parts):
    networks = Networks(ACTIVATIONS[activation], 3, n_outputs, parts, np.array([0.0, 0.3]))
    batch = Batch.of([some_examples(n_outputs, parts)], 2)
    table = np.random.default_rng(1).normal(size=networks.start(np.random.default_rng()).shape)
    _, gradient = networks.gradient(table, batch)
    for column in range(table.shape[1]):
        if activation == "identity" and column in range(
            3, 6
        ):  # beta, which the bias makes needless
            assert (gradient[:, column] == 0).all()
            continue
        step = np.zeros_like(table)
        step[:, column] = 1e-6
        above, below = (networks.gradient(table + s * step, batch)[0] for s in (1, -1))
        np.testing.assert_allclose(gradient[:, column], (above - below) / 2e-6, atol=2e-8)


def test_networks_side_by_side_learn_as_if_alone():
    first, second = some_examples(1, [], 0), some_examples(1, [], 1)
    networks = Networks(ACTIVATIONS["tanh"], 3, 1, [], np.array([0.01, 0.1]))
    both = networks._replace(weight_decay=np.tile(networks.weight_decay, 2))
    schedule = Schedule(0.05, 12, 4)  # all rows in a batch: their order does not matter
    *_, (together, losses) = train(both, [first, second], schedule, 4, seed=3)
    for number, (examples, decay) in enumerate(
        [(first, 0.01), (first, 0.1), (second, 0.01), (second, 0.1)]
    ):
        alone = networks._replace(weight_decay=np.array([decay]))
        *_, (descent, loss) = train(alone, [examples], schedule, 4, seed=3)
        np.testing.assert_allclose(descent.table[0], together.table[number], rtol=1e-10)
        np.testing.assert_allclose(loss[0], losses[number], rtol=1e-12)


def group_lasso(rows, targets, penalty, n_steps=20_000):
    """The products that minimize the loss plus the penalty times their norms, column by column."""
    n_rows = len(rows)
    products, size = (
        np.zeros((rows.shape[1], targets.shape[1])),
        n_rows / np.linalg.norm(rows, 2) ** 2,
    )
    for _ in range(n_steps):
        moved = products - size * rows.T @ (rows @ products - targets) / n_rows
        norms = np.linalg.norm(moved, axis=1, keepdims=True)
        products = moved * np.maximum(0, 1 - size * penalty / np.maximum(norms, 1e-300))
    return products


@pytest.mark.parametrize("penalty", [0.02, 0.1, 0.3])
def test_equal_weight_decay_is_a_group_lasso(penalty):
    drawn = np.random.default_rng(0)
    rows = drawn.normal(size=(200, 5))
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    targets = rows @ [[1.0, 0.5], [0.3, -0.4], [0.05, 0.0], [0, 0], [0, 0]]
    targets += 0.1 * drawn.normal(size=targets.shape)
    targets -= targets.mean(axis=0)
    expected = group_lasso(rows, targets, penalty)
    network = Networks(ACTIVATIONS["identity"], 5, 2, [], np.array([penalty]))
    *_, (descent, _) = train(
        network, [Examples(rows, targets, np.ones(200))], Schedule(0.05, 200, 2000), 2000, 0
    )
    gamma, _, head, _ = (part[0] for part in network.unpack(descent.table))
    np.testing.assert_allclose(gamma[:, np.newaxis] * head, expected, atol=2e-4)
    np.testing.assert_allclose(gamma**2, np.linalg.norm(expected, axis=1), atol=2e-4)
    assert (np.linalg.norm(expected, axis=1) == 0).sum() >= 2  # there is something to leave out


def test_adam_takes_the_steps_of_its_paper():
    """Algorithm 1 of Kingma and Ba, number by number."""
    descent, gradients = Descent.begin(np.array([[1.0]])), [0.5, -2.0, 0.25]
    theta, m, v = 1.0, 0.0, 0.0
    for t, gradient in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        theta -= 0.1 * (m / (1 - 0.9**t)) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8)
        descent = descent.step(np.array([[gradient]]), 0.1)
        np.testing.assert_allclose(descent.table, theta, rtol=1e-14)


# What is learned ---------------------------------------------------------------------------------


@pytest.mark.parametrize("y", [NUMBERS_TO_FIND, LABELS], ids=["numbers", "classes"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_useless_columns_shrink(activation, y):
    gamma = np.abs(learner(activation, max_iter=80, weight_decay=0.03).fit(ROWS, y).gamma_)
    assert gamma[2:].max() < 0.4 * gamma[:2].min()


def test_transform_is_batch_normalization_with_what_was_learned():
    for activation in ACTIVATIONS:
        fitted = learner(activation).fit(ROWS, LABELS)
        given = BatchNormalizer(affine=(fitted.gamma_, fitted.beta_), activation=activation)
        np.testing.assert_array_equal(fitted.transform(ROWS), given.fit(ROWS).transform(ROWS))
    np.testing.assert_array_equal(fitted.running_mean_, StandardScaler().fit(ROWS).mean_)
    assert fitted.statistic_.total == 120


def test_distances_keep_their_size():
    image = learner().fit(ROWS, LABELS).transform(ROWS)
    np.testing.assert_allclose(image.var(axis=0).mean(), 1, rtol=1e-12)
    assert (learner().fit(ROWS, LABELS).gamma_ >= 0).all()


def test_a_seed_gives_bits():
    fits = [learner(random_state=seed).fit(ROWS, LABELS) for seed in (3, 3, 4)]
    with skscale.thread_limit(1):
        fits.append(learner(random_state=3).fit(ROWS, LABELS))
    gammas = [fitted.gamma_.tobytes() for fitted in fits]
    assert gammas[0] == gammas[1] == gammas[3] != gammas[2]
    images = [learner(random_state=3).fit_transform(ROWS, LABELS).tobytes() for _ in range(2)]
    assert images[0] == images[1]


def test_labels_may_have_any_name_and_numbers_any_unit():
    classes = learner().fit(ROWS, LABELS)
    renamed = learner().fit(ROWS, LABELS == "yes")
    np.testing.assert_array_equal(classes.gamma_, renamed.gamma_)
    numbers = learner().fit(ROWS, NUMBERS_TO_FIND)
    scaled = learner().fit(ROWS, 1e6 * NUMBERS_TO_FIND + 1e9)
    np.testing.assert_allclose(numbers.gamma_, scaled.gamma_, rtol=1e-5)
    assert [part.tolist() for part in classes.classes_] == [["no", "yes"]]
    assert not hasattr(numbers, "classes_")


def test_several_outputs():
    both = np.column_stack([NUMBERS_TO_FIND, ROWS[:, 3]])
    gamma = learner(max_iter=100).fit(ROWS, both).gamma_
    assert gamma[2] < 0.4 * gamma[[0, 1, 3]].min()
    labels = both > np.median(both, axis=0)
    fitted = learner(max_iter=100).fit(ROWS, labels)
    assert fitted.gamma_[2] < 0.4 * fitted.gamma_[[0, 1, 3]].min()
    assert len(fitted.classes_) == 2


def test_weights_count():
    weights = np.where(np.arange(120) < 60, 1.0, 0.0)
    half = learner(inner_cv=2).fit(ROWS[:60], LABELS[:60])
    weighted = learner(inner_cv=2).fit(ROWS, LABELS, sample_weight=weights)
    np.testing.assert_allclose(weighted.gamma_, half.gamma_, rtol=1e-9)
    # Rows that weigh much say what is worth something.
    one, other = ROWS[:, 0] > 0, ROWS[:, 3] > -3
    y = np.where(np.arange(120) < 60, one, other)
    heavy = np.where(np.arange(120) < 60, 50.0, 1.0)
    first = learner(max_iter=60).fit(ROWS, y, sample_weight=heavy).gamma_
    last = learner(max_iter=60).fit(ROWS, y, sample_weight=heavy[::-1]).gamma_
    assert first[0] > 2 * first[3]
    assert last[3] > 2 * last[0]


def test_missing_values_are_the_mean_and_stay():
    holes = ROWS.copy()
    holes[::7, 0] = np.nan
    fitted = learner(max_iter=60, weight_decay=0.03).fit(holes, LABELS)
    image = fitted.transform(holes)
    np.testing.assert_array_equal(np.isnan(image), np.isnan(holes))
    assert fitted.gamma_[0] > 2 * fitted.gamma_[2]


@pytest.mark.parametrize(
    "rows", [ROWS.astype(np.float32), ROWS[:, :1], np.ones((120, 2)), ROWS * 1e-8]
)
def test_tables_of_other_kinds(rows):
    image = learner().fit_transform(rows, LABELS)
    assert image.shape == rows.shape
    assert image.dtype == rows.dtype
    assert np.isfinite(image).all()


def test_numbers_and_classes_are_told_apart():
    for y, kind in [
        (np.arange(20.0) / 3, NUMBERS),
        (load_diabetes().target, NUMBERS),  # whole numbers
        (np.arange(200), NUMBERS),
        (load_wine().target, CLASSES),
        (np.repeat(np.arange(30), 10), CLASSES),
        (np.array([0.0, 1.0] * 10), CLASSES),
        (np.array(["a", "b"] * 10), CLASSES),
        (np.array([True, False]), CLASSES),
    ]:
        assert kind_of(y.reshape(len(y), -1), "auto") == kind
    assert not hasattr(learner(target_type="continuous").fit(ROWS, np.arange(120) % 2), "classes_")
    assert (
        len(learner(target_type="classes", cv=2).fit(ROWS, np.arange(120) // 2).classes_[0]) == 60
    )


# Cross-fitting -----------------------------------------------------------------------------------


@pytest.mark.parametrize("y", [NUMBERS_TO_FIND, LABELS], ids=["numbers", "classes"])
def test_a_row_is_transformed_by_what_was_learned_without_it(y):
    normalizer = learner(cv=KFold(4), max_iter=5)
    image = normalizer.fit_transform(ROWS, y)
    for _, test in list(KFold(4).split(ROWS))[:2]:
        other = y.copy()
        other[test] = y[test][::-1]
        moved = learner(cv=KFold(4), max_iter=5).fit_transform(ROWS, other)
        np.testing.assert_array_equal(moved[test], image[test])
        assert (moved != image).any()


def test_fit_transform_leaves_what_fit_does():
    fitted, crossed = learner().fit(ROWS, LABELS), learner()
    image = crossed.fit_transform(ROWS, LABELS)
    np.testing.assert_array_equal(crossed.gamma_, fitted.gamma_)
    assert np.abs(image - fitted.transform(ROWS)).max() > 1e-3


def test_noise_is_not_fitted_by_what_follows():
    """A model behind labels that mean nothing is no better on training rows than on others."""
    drawn = np.random.default_rng(1)
    rows, y = drawn.normal(size=(100, 100)), drawn.integers(0, 2, 100)
    normalizer = learner(weight_decay=0.1, max_iter=60, learning_rate=0.2, inner_cv=2)
    honest, leaky = normalizer.fit_transform(rows, y), normalizer.fit(rows, y).transform(rows)
    scores = [
        cross_val_score(LogisticRegression(max_iter=5000), image, y, cv=KFold(5)).mean()
        for image in (honest, leaky)
    ]
    assert scores[1] > 0.65 > 0.55 > scores[0]


def test_splits_that_do_not_hold_out_every_row_once():
    for cv in (
        TimeSeriesSplit(3),
        [(np.arange(60), np.arange(50, 110)), (np.arange(60, 120), np.arange(60))],
    ):
        normalizer = learner(cv=cv)
        with pytest.raises(SplitError):
            normalizer.fit_transform(ROWS, LABELS)
        assert not hasattr(normalizer, "gamma_")


def test_nothing_leaks_through_a_pipeline():
    assert_train_only(
        make_pipeline(learner(max_iter=2, cv=2, inner_cv=2), KNeighborsClassifier()),
        ROWS,
        LABELS,
        cv=2,
    )


# Streams -----------------------------------------------------------------------------------------


def test_batches():
    stream = learner(learning_rate=0.05, batch_size=10)
    for _ in range(15):
        for start in range(0, 120, 40):
            part = slice(start, start + 40)
            stream.partial_fit(ROWS[part], LABELS[part], classes=["no", "yes", "perhaps"])
    assert stream.n_iter_ == len(stream.loss_curve_) == 45
    assert stream.loss_curve_[-1] < stream.loss_curve_[0]
    assert stream.gamma_[2:].max() < 0.6 * stream.gamma_[:2].min()
    assert stream.statistic_.total == 15 * 120
    np.testing.assert_allclose(stream.running_mean_, ROWS.mean(axis=0), rtol=1e-12)


def test_a_batch_that_is_refused_changes_nothing():
    stream = learner().partial_fit(ROWS[:50], LABELS[:50], classes=["no", "yes"])
    gamma, before = stream.gamma_.tobytes(), vars(stream).copy()
    for rows, y, error in [
        (ROWS[50:], np.where(LABELS[50:] == "no", "no", "who"), ResponseError),
        (np.where(np.arange(4) == 2, np.inf, ROWS[50:]), LABELS[50:], InfiniteValueError),
        (ROWS[50:, :3], LABELS[50:], ValueError),
    ]:
        with pytest.raises(error):
            stream.partial_fit(rows, y)
        assert vars(stream) == before
        assert stream.gamma_.tobytes() == gamma
    assert single_threaded_blas._inside == 0


def test_a_fit_goes_on_with_the_weight_decay_that_was_chosen():
    fitted = learner().fit(ROWS, LABELS)
    gamma = fitted.gamma_
    assert fitted.weight_decay_ != 1e-2  # that of a stream that begins
    goes_on = fitted.partial_fit(ROWS, LABELS)
    assert goes_on.weight_decay_ == fitted.weight_decay_
    assert np.abs(goes_on.gamma_ - gamma).max() < 0.3
    assert learner().partial_fit(ROWS, LABELS).weight_decay_ == 1e-2


def test_numbers_in_batches():
    stream = learner(target_type="continuous", learning_rate=0.05)
    for _ in range(20):
        stream.partial_fit(ROWS, NUMBERS_TO_FIND)
    assert stream.gamma_[2:].max() < 0.6 * stream.gamma_[:2].min()


# Bad input ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (None, "requires y to be passed, but the target y is None"),
        (LABELS[:100], "X has 120 rows and y has 100"),
        (np.zeros((120, 2, 2)), "must be of shape"),
        (np.full(120, "a"), "y has 1 class, 'a'"),
        (np.where(np.arange(120) == 3, np.nan, 1.5), "Input y contains NaN"),
        (np.array([object()] * 120), "Unknown label type"),
    ],
    ids=["none", "short", "cube", "one class", "missing", "objects"],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform", "partial_fit"])
def test_bad_responses(method, y, words):
    normalizer = learner()
    with pytest.raises(ValueError, match=words):
        getattr(normalizer, method)(ROWS, y)
    assert not hasattr(normalizer, "gamma_")


def test_missing_labels_are_named():
    pandas = pytest.importorskip("pandas", reason="a Series is what is tested")
    gone = np.arange(120) == 3
    for y in (
        np.where(gone, None, LABELS),
        np.where(gone, None, LABELS).tolist(),
        pandas.Series(LABELS, dtype="string").mask(gone),
        pandas.Series(LABELS, dtype="category").mask(gone),
        pandas.Series(LABELS == "yes", dtype="boolean").mask(gone),
        [["a", None if missing else "b"] for missing in gone],
    ):
        with pytest.raises(ResponseError, match="missing values, the first in row 3"):
            learner().fit(ROWS, y)


def test_labels_of_several_types():
    for y in (
        [("a" if label == "yes" else 1) for label in LABELS],
        np.full(120, "2020-01-01", dtype="datetime64[D]") + np.arange(120),
        np.column_stack([LABELS.astype(object), NUMBERS_TO_FIND]),
    ):
        with pytest.raises(ResponseError, match="Unknown label type"):
            learner().fit(ROWS, y)
    objects = learner().fit(ROWS, NUMBERS_TO_FIND.astype(object))
    np.testing.assert_array_equal(objects.gamma_, learner().fit(ROWS, NUMBERS_TO_FIND).gamma_)


def test_rows_of_weight_zero_may_have_any_label():
    y = np.where(np.arange(120) == 0, "never seen", LABELS)
    fitted = learner(max_iter=2).fit(ROWS, y, sample_weight=(np.arange(120) > 0) * 1.0)
    assert fitted.classes_[0].tolist() == ["no", "yes"]


@pytest.mark.parametrize("classes", [[], 2, "ab", ["no"], [["no", "yes"], ["no", "yes"]]], ids=str)
def test_bad_classes(classes):
    with pytest.raises(ResponseError, match="classes must be a list of at least two"):
        learner().partial_fit(ROWS, LABELS, classes=classes)


def test_classes_in_any_container():
    pandas = pytest.importorskip("pandas", reason="a Series is what is tested")
    for classes in ({"no", "yes"}, pandas.Series(["no", "yes"], index=[5, 6]), (["no", "yes"],)):
        stream = learner().partial_fit(ROWS, LABELS, classes=classes)
        assert stream.classes_[0].tolist() == ["no", "yes"]
    with pytest.raises(ResponseError, match="leave out one of them"):
        learner(target_type="continuous").partial_fit(ROWS, LABELS == "no", classes=[False, True])


def test_batches_of_other_outputs():
    numbers = learner().partial_fit(ROWS, NUMBERS_TO_FIND)
    classes = learner().partial_fit(ROWS, LABELS)
    for stream, y in [
        (numbers, np.column_stack([NUMBERS_TO_FIND] * 2)),
        (numbers, LABELS),
        (classes, np.column_stack([LABELS] * 2)),
    ]:
        with pytest.raises(ResponseError, match="as in the first call"):
            stream.partial_fit(ROWS, y)


def test_folds_lie_at_the_same_place():
    """Rare classes move the bias of the head, and would move beta."""
    drawn = np.random.default_rng(0)
    rows = drawn.normal(size=(300, 5))
    y = rows[:, 0] + 0.5 * drawn.normal(size=300) > 1.6
    normalizer = SupervisedBatchNormalizer(cv=KFold(3), random_state=0)
    image = normalizer.fit_transform(rows, y)
    assert (normalizer.beta_ == 0).all()
    for _, test in KFold(3).split(rows):
        assert np.abs(image[test].mean(axis=0)).max() < 0.6


def test_words_are_no_numbers():
    with pytest.raises(ResponseError, match="must hold numbers"):
        learner(target_type="continuous").fit(ROWS, LABELS)
    with pytest.raises(ResponseError, match="classes must be 2 such lists"):
        learner().partial_fit(ROWS, np.zeros((120, 2), int), classes=[[0, 1]])


def test_few_rows():
    for n_rows in (2, 3, 9, 11):
        y = np.arange(n_rows) % 2
        assert np.isfinite(learner(max_iter=3).fit(ROWS[:n_rows], y).gamma_).all()
        assert learner(max_iter=3, cv=2).fit_transform(ROWS[:n_rows], y).shape == (n_rows, 4)
    rare = np.where(np.arange(120) == 5, "rare", LABELS)
    assert len(learner(max_iter=3).fit(ROWS, rare).classes_[0]) == 3
    assert learner(max_iter=3).fit_transform(ROWS, rare).shape == ROWS.shape


def test_frames_and_groups():
    pandas = pytest.importorskip("pandas", reason="a frame is what is tested")
    frame = pandas.DataFrame(ROWS, columns=list("abcd"), index=np.arange(120) * 3)
    y = pandas.Series(LABELS, index=frame.index)
    groups = np.arange(120) // 6
    splits = list(GroupKFold(4).split(ROWS, groups=groups))
    normalizer = learner(cv=splits).set_output(transform="pandas")
    image = normalizer.fit_transform(frame, y)
    assert list(image.columns) == list("abcd")
    assert image.index.equals(frame.index)
    of_array = learner(cv=splits).fit_transform(np.asfortranarray(ROWS), LABELS)
    np.testing.assert_allclose(image, of_array, rtol=1e-9)
    assert normalizer.transform(frame).index.equals(frame.index)


def test_groups_are_held_out_together():
    groups = np.random.default_rng(3).integers(0, 12, 120).astype(str)
    y = NUMBERS_TO_FIND
    splitter = GroupKFold(4)
    found = learner(cv=splitter).fit_transform(ROWS, y, groups=groups.tolist())
    for kept, test in splitter.split(ROWS, y, groups):
        part = learner(target_type="continuous").fit(ROWS[kept], y[kept], groups=groups[kept])
        np.testing.assert_allclose(found[test], part.transform(ROWS[test]), rtol=1e-9, atol=1e-12)
    alone = learner(cv=3).fit_transform(ROWS, y, groups=groups)
    assert not np.array_equal(alone, learner(cv=3).fit_transform(ROWS, y))


@pytest.mark.parametrize("weights", [None, np.arange(120) % 2])
def test_no_group_is_on_both_sides(monkeypatch, weights):
    """Neither within `fit_transform` nor where the weight decay is chosen."""
    groups = np.arange(120) // 2 % 30
    rows = np.column_stack([groups, ROWS])
    seen = []

    def chosen(networks, examples, splits, *rest):
        label = examples.rows[:, 0].round(6)
        seen.extend(np.intersect1d(label[train], label[test]).size for train, test in splits)
        return 0, 1

    monkeypatch.setattr(_supervised, "choose", chosen)
    learner(cv=3).fit_transform(rows, NUMBERS_TO_FIND, weights, groups=groups)
    assert seen == [0] * (1 + 3) * 5


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (np.arange(5), r"groups must be of shape \(120,\)"),
        (np.zeros((120, 1)), r"groups must be of shape \(120,\)"),
        ("a", r"groups must be of shape \(120,\)"),
        (np.where(np.arange(120) == 3, np.nan, 1.0), "groups contains NaN"),
        (np.array([1, "a"] * 60, dtype=object), "groups must be of shape"),
        (np.ones(120), "groups has one label only"),
    ],
)
def test_groups_that_are_none(groups, words):
    normalizer = learner()
    with pytest.raises(SplitError, match=words):
        normalizer.fit_transform(ROWS, NUMBERS_TO_FIND, groups=groups)
    assert not hasattr(normalizer, "gamma_")


def test_one_group_is_learned_from_without_holding_out():
    found = learner().fit(ROWS, NUMBERS_TO_FIND, groups=np.ones(120))
    assert (found.n_iter_, found.weight_decay_) == (20, 0.01)


def test_groups_through_a_pipeline():
    groups = np.arange(120) // 6
    with sklearn.config_context(enable_metadata_routing=True):
        normalizer = learner(cv=GroupKFold(3), max_iter=2).set_fit_request(groups=True)
        model = make_pipeline(normalizer, LogisticRegression())
        model.fit(ROWS, LABELS, groups=groups)
        splits = GroupKFold(2)
        scores = cross_validate(model, ROWS, LABELS, cv=splits, params={"groups": groups})
    assert len(scores["test_score"]) == 2
    model = make_pipeline(learner(cv=GroupKFold(3), max_iter=2), LogisticRegression())
    model.fit(ROWS, LABELS, supervisedbatchnormalizer__groups=groups)
    with pytest.raises(SplitError, match="groups"):
        model.fit(ROWS, LABELS)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("value", [3.5, 0.1, 1e200])
def test_constant_numbers_teach_nothing(activation, value):
    """As scikit-learn's regressors, which take them too."""
    y = np.full((120, 2), value)
    normalizer = learner(activation, target_type="continuous")
    found = normalizer.fit_transform(ROWS, y)
    assert (normalizer.gamma_ == 1).all()
    assert (normalizer.beta_ == 0).all()
    assert (normalizer.n_iter_, normalizer.loss_curve_) == (0, [])
    forward = ACTIVATIONS[activation].forward
    expected = forward(StandardScaler().fit_transform(ROWS))
    np.testing.assert_allclose(normalizer.transform(ROWS), expected, rtol=1e-12, atol=1e-12)
    assert np.isfinite(found).all()
    y[5, 0] = 2 * value
    assert normalizer.fit(ROWS, y).n_iter_ > 0
    with pytest.raises(ResponseError, match="target_type='continuous'"):
        learner().fit(ROWS, np.full(120, 3.0))


def test_one_warning_names_the_columns_without_values():
    rows = ROWS.copy()
    rows[:, 1] = np.nan
    rows[30:, 2] = np.nan  # nothing of it is left where the first fold is held out
    cv = [(np.arange(30, 120), np.arange(30)), (np.arange(30), np.arange(30, 120))]
    with pytest.warns(AllMissingWarning) as caught:
        learner(cv=cv).fit_transform(rows, LABELS)
    (warning,) = caught
    assert "without a single value: 1, 2." in str(warning.message)
    assert warning.filename == __file__
    with pytest.warns(AllMissingWarning, match=r"without a single value: 1\.") as caught:
        learner().fit(rows, LABELS)
    assert len(caught) == 1


def test_a_fold_without_weight_is_named():
    weights = np.where(np.arange(120) < 40, 1.0, 0.0)
    cv = [(np.arange(40), np.arange(40, 120)), (np.arange(40, 120), np.arange(40))]
    with pytest.raises(SampleWeightError, match=r"zero in all 80 rows .* while 40 are held out"):
        learner(cv=cv).fit_transform(ROWS, LABELS, weights)


@pytest.mark.parametrize("seed", [2**32, -1, 1.5, "0"])
def test_seeds_that_are_none(seed):
    with pytest.raises(InvalidParameterError, match=r"'random_state' .* below 2\*\*32"):
        learner(random_state=seed).fit(ROWS, LABELS)
    learner(random_state=2**32 - 1, max_iter=1).fit(ROWS, LABELS)


def test_relu_has_no_way_back():
    normalizer = learner("relu").fit(ROWS, LABELS)
    with pytest.raises(InvalidParameterError, match="must be invertible") as caught:
        normalizer.inverse_transform(ROWS)
    assert " BatchNormalizer" not in str(caught.value)


# What it is for ----------------------------------------------------------------------------------


@pytest.mark.parametrize("load", [load_wine, load_diabetes])
def test_neighbours_with_columns_of_noise(load):
    X, y = load(return_X_y=True)
    noise = np.random.default_rng(0).normal(size=(len(X), 3 * X.shape[1]))
    neighbours = (KNeighborsClassifier if load is load_wine else KNeighborsRegressor)(5)
    cv = KFold(3, shuffle=True, random_state=0)
    plain, learned = (
        cross_val_score(make_pipeline(step, neighbours), np.hstack([X, noise]), y, cv=cv).mean()
        for step in (StandardScaler(), learner(cv=3, max_iter=60, learning_rate=0.01, inner_cv=3))
    )
    assert learned > plain + 0.04
    gamma = (
        learner(max_iter=100, weight_decay=0.05, inner_cv=2).fit(np.hstack([X, noise]), y).gamma_
    )
    assert np.median(gamma[X.shape[1] :]) < 0.4 * np.median(gamma[: X.shape[1]])
