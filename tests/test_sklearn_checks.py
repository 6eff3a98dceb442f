"""scikit-learn's checks of estimators: those it runs by itself, and those it leaves out.

None is expected to fail. They are the floor; `test_transformer_laws.py` asks what numbers come out.
"""

import re

import numpy as np
import pytest
import sklearn
from sklearn import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.utils import estimator_checks, estimator_html_repr, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import skscale
from skscale import (
    PCA,
    BatchNormalizer,
    GroupNormalizer,
    LayerNormalizer,
    MinMaxScaler,
    RMSNormalizer,
    StandardScaler,
    SupervisedBatchNormalizer,
    Whitener,
)
from skscale.errors import InvalidParameterError

# Without copy=False: the checks use a table twice, which that lets `transform` write into.
VARIANTS = {
    StandardScaler: [
        StandardScaler(),
        StandardScaler(with_mean=False),
        StandardScaler(with_std=False),
        StandardScaler(ddof=1),
    ],
    MinMaxScaler: [MinMaxScaler(), MinMaxScaler((-1, 2), clip=True)],
    BatchNormalizer: [
        BatchNormalizer(),
        BatchNormalizer(8, epsilon=1e-5, affine=(2.0, 1.0), ddof=1),
        BatchNormalizer(affine=(2.0, 1.0), activation="softclip", renorm=(3, 5)),
    ],
    LayerNormalizer: [LayerNormalizer(), LayerNormalizer("auto", affine=(2.0, 1.0))],
    GroupNormalizer: [GroupNormalizer(), GroupNormalizer(epsilon="auto")],
    RMSNormalizer: [RMSNormalizer(), RMSNormalizer("auto", affine=(2.0, 1.0))],
    SupervisedBatchNormalizer: [
        SupervisedBatchNormalizer(max_iter=3, random_state=0),
        SupervisedBatchNormalizer("relu", weight_decay=0, max_iter=2, random_state=0),
    ],
    PCA: [
        PCA(),
        PCA(1),
        PCA(0.9),
        PCA(whiten=True),
        PCA(svd_solver="full"),
        PCA(svd_solver="covariance_eigh"),
        PCA(1, svd_solver="arpack", random_state=0),
        PCA(1, svd_solver="randomized", random_state=0),
    ],
    Whitener: [
        Whitener(),
        Whitener("zca-cor"),
        Whitener("pca", ddof=0, epsilon=1e-3),
        Whitener("pca-cor"),
        Whitener("cholesky", shrinkage="oas"),
        Whitener(shrinkage="ledoit_wolf"),
    ],
}
# Not in the list above: running averages depend on the order of rows and on their cuts, by
# definition, and a weighted row is no repetition of it there.
ORDERED = [
    BatchNormalizer(4, momentum=0.5),
    BatchNormalizer(4, momentum="cumulative", activation="relu", ddof=1),
]
OF_ORDERLESS = {
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
}

# Mini-batches are drawn of the rows, so that a weighted row is no repetition of it; and a training
# row is transformed by what was learned without it.
OF_UNSUPERVISED = {
    "check_sample_weight_equivalence_on_dense_data",
    "check_transformer_data_not_an_array",
    "check_transformer_general",
}

CLASSES = [kind for name in skscale.__all__ if isinstance(kind := getattr(skscale, name), type)]
ESTIMATORS = [estimator for kind in CLASSES for estimator in VARIANTS.get(kind, [kind()])]
LEARNERS = [estimator for estimator in ESTIMATORS if hasattr(estimator, "partial_fit")]
"""Those that learn from rows, and so take weights of rows."""

LEFT_OUT = [
    "check_dataframe_column_names_consistency",
    "check_estimators_partial_fit_n_features",
    "check_global_output_transform_pandas",
    "check_global_set_output_transform_polars",
    "check_n_features_in",
    "check_parameters_default_constructible",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_set_output_transform_polars",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]


@parametrize_with_checks(ESTIMATORS)
def test_check(estimator, check):
    name = getattr(check, "func", check).__name__
    dense_only = not get_tags(estimator).input_tags.sparse
    if name == "check_sample_weight_equivalence_on_sparse_data" and dense_only:
        pytest.skip("scikit-learn 1.6 asks this of estimators that take dense rows only, too")
    if name in OF_UNSUPERVISED and get_tags(estimator).target_tags.required:
        pytest.skip("is not true of what learns from y, by definition: see OF_UNSUPERVISED")
    check(estimator)


@pytest.mark.parametrize("estimator", ORDERED, ids=repr)
def test_checks_of_an_ordered_one(estimator):
    for instance, check in estimator_checks.estimator_checks_generator(estimator, mark="skip"):
        name = getattr(check, "func", check).__name__
        if name not in OF_ORDERLESS:
            check(instance)


# Those of frames fit on a frame and transform an array, or the reverse; scikit-learn warns of it.
@pytest.mark.filterwarnings("ignore:X (has|does not have valid) feature names")
@pytest.mark.parametrize("estimator", [*ESTIMATORS, *ORDERED], ids=repr)
@pytest.mark.parametrize("check", LEFT_OUT)
def test_check_that_the_generator_leaves_out(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


class Stranger:
    """Of no type that a parameter may have."""


BAD = [Stranger(), "no such word", -1, -0.5, np.nan, np.inf, 1 + 2j, (), [], {}, b"auto", (1, 2, 3)]


@pytest.mark.parametrize("method", ["fit", "partial_fit", "fit_transform"])
@pytest.mark.parametrize("kind", CLASSES)
def test_every_parameter_is_checked(kind, method):
    if not hasattr(kind, method):
        pytest.skip("learns from no rows, and has nothing to add to")
    rows = np.random.default_rng(0).uniform(size=(20, 5))
    for name in kind().get_params():
        errors = {}
        for number, value in enumerate(BAD):
            estimator = kind().set_params(**{name: value})  # which checks nothing yet
            try:
                getattr(estimator, method)(rows, np.arange(20) % 2)
            except InvalidParameterError as error:
                errors[number] = str(error)
            assert hasattr(estimator, "n_features_in_") != (number in errors), (name, value)
        # A value may be allowed for a parameter, but not many are, and never a stranger.
        assert 0 in errors, name
        assert len(errors) >= 9, (name, errors)
        wording = rf"The '{name}' parameter of {kind.__name__} must be .*\. Got .* instead"
        for message in errors.values():
            assert re.search(wording, message, re.DOTALL), message


@pytest.mark.parametrize(
    "kind",
    [kind for kind in CLASSES if "copy" in kind().get_params()],
    ids=lambda kind: kind.__name__,
)
def test_copy_of_rows_that_cannot_be_written_to(kind):
    estimator_checks.check_inplace_ensure_writeable(kind.__name__, kind())


@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_weights_are_routed_through_a_pipeline(estimator):
    drawn = np.random.default_rng(0)
    rows, weights = drawn.normal([0, 5, 10], size=(60, 3)), drawn.integers(1, 4, 60)
    classes = np.arange(60) % 2
    with sklearn.config_context(enable_metadata_routing=True):
        asked = clone(estimator).set_fit_request(sample_weight=True)
        weighted = make_pipeline(asked, LogisticRegression().set_fit_request(sample_weight=False))
        weighted.fit(rows, classes, sample_weight=weights)
        spared = clone(estimator).set_fit_request(sample_weight=False)
        plain = make_pipeline(spared, LogisticRegression().set_fit_request(sample_weight=True))
        plain.fit(rows, classes, sample_weight=weights)
    for pipeline, given in ((weighted, weights), (plain, None)):
        expected = clone(estimator).fit(rows, classes, sample_weight=given).transform(rows)
        np.testing.assert_array_equal(pipeline[0].transform(rows), expected)
    assert weighted[0].statistic_.total == weights.sum()
    assert plain[0].statistic_.total == len(rows)


@pytest.mark.parametrize("estimator", LEARNERS, ids=repr)
def test_partial_fit_asks_for_weights_too(estimator):
    with sklearn.config_context(enable_metadata_routing=True):
        asked = clone(estimator).set_partial_fit_request(sample_weight=True)
        assert asked.get_metadata_routing().partial_fit.requests["sample_weight"] is True


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_html_repr(estimator):
    unfitted = clone(estimator)
    rows = np.random.default_rng(0).normal(size=(50, 3))
    for estimator in (unfitted, unfitted.fit(rows, np.arange(50) % 2)):
        shown = estimator_html_repr(estimator)
        assert type(estimator).__name__ in shown
        assert estimator._repr_html_()
    assert "fitted" in shown


@pytest.mark.parametrize("kind", [MinMaxScaler, PCA])
def test_weights_that_the_incumbent_does_not_take_need_no_request(kind):
    """A Pipeline that worked with scikit-learn's class is not asked to route weights to ours."""
    X = np.random.default_rng(0).normal(size=(30, 3))
    y, weights = X[:, 0] > 0, np.ones(30)
    with sklearn.config_context(enable_metadata_routing=True):
        model = make_pipeline(kind(), LogisticRegression().set_fit_request(sample_weight=True))
        model.fit(X, y, sample_weight=weights)
        kind().set_fit_request(sample_weight=True)
