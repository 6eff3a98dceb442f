"""No estimator of scikit-learn's is accused of learning from held-out rows."""

import os
import warnings

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.utils import all_estimators, get_tags

from skscale.errors import TargetError
from skscale.leakage import audit

DEPENDS_ON_ITS_BATCH = {"MiniBatchNMF", "NMF"}
"""Joint convergence: results for a row depend on the others. An audit may say so."""

DEEP = os.environ.get("SKSCALE_TEST_PROFILE") == "deep"
SLOW = """
AdaBoost Additive Affinity Bagging Binarizer Birch Boosting Calibrated Chain Covariance CV
Dictionary Elliptic ExtraTrees Factor FastICA Forest Gamma Gaussian Graphical HDBSCAN Huber
Incremental Isolation Isomap Iterative Kernel Label Lars Lasso Latent Linear LocallyL Logistic
MeanShift MinCov Mini MLP Multi NeighborsC NeighborsR NMF NuSV OneVs OPTICS Outlier OutputCode
Passive Perceptron Poisson Power Quantile RANSAC Ridge Search Self Sequential SGD Sparse Spectral
Stacking Theil Transformed Tree TSNE Tuned Voting
""".split()  # noqa: SIM905 (reads better)
"""What is left to the deep profile: parts of names."""


def is_slow(name):
    return any(part in name for part in SLOW)


def data_for(model, n_rows=60):
    tags, random = get_tags(model), np.random.default_rng(0)
    X, y = make_blobs(n_rows, centers=3, random_state=0, cluster_std=2.0, n_features=4)
    if tags.input_tags.positive_only:
        X = X - X.min()
    if type(model).__name__ in ("CategoricalNB", "OrdinalEncoder", "SkewedChi2Sampler"):
        X = np.abs(X).round() % 3
    if type(model).__name__ == "IsotonicRegression":
        X = X[:, :1]
    if tags.input_tags.string and not tags.input_tags.two_d_array:
        X = ["red blue", "blue green", "green red"] * (n_rows // 3)
    if tags.input_tags.dict:
        X = [{"a": float(row[0]), "b": float(row[1])} for row in X]
    if tags.estimator_type == "regressor":
        y = y + random.normal(size=n_rows)
    if tags.classifier_tags is not None and not tags.classifier_tags.multi_class:
        y = (y == 0).astype(int)
    if tags.target_tags.positive_only:
        y = np.abs(y) + 1
    if tags.target_tags.multi_output and not tags.target_tags.single_output:
        y = np.column_stack([y, y[::-1]])
    return X, y


@pytest.mark.parametrize(
    ("name", "kind"), [each for each in all_estimators() if DEEP or not is_slow(each[0])]
)
def test_no_estimator_of_scikit_learns_is_accused(name, kind):
    generator = pytest.importorskip(
        "sklearn.utils._test_common.instance_generator", reason="how estimators are made"
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = next(iter(generator._construct_instances(kind)))
    except BaseException as error:
        if type(error).__name__ not in ("SkipTest", "Skipped"):
            raise
        pytest.skip(f"scikit-learn itself makes none: {error}")
    if name in FITS_OTHER_DATA:
        with pytest.raises(TargetError, match="as it was given"):
            audit(model, *data_for(model), cv=3)
        return
    report = audit(model, *data_for(model), cv=3)
    allowed = (
        {"clean", "not run", "leaky"} if name in DEPENDS_ON_ITS_BATCH else {"clean", "not run"}
    )
    assert report.status in allowed, report
    assert report.ok or name in NEVER_GIVEN_MORE or name in DEPENDS_ON_ITS_BATCH, report


FITS_OTHER_DATA = {
    "ClassifierChain",
    "KernelCenterer",
    "LabelBinarizer",
    "LabelEncoder",
    "MultiLabelBinarizer",
    "PatchExtractor",
    "RadiusNeighborsClassifier",
    "SparseCoder",
}
"""Labels alone, kernels, images, or rows nearer to each other."""

NEVER_GIVEN_MORE = {
    "AgglomerativeClustering",
    "ClassicalMDS",
    "DBSCAN",
    "HDBSCAN",
    "LocalOutlierFactor",
    "MDS",
    "NearestNeighbors",
    "OPTICS",
    "SpectralBiclustering",
    "SpectralClustering",
    "SpectralCoclustering",
    "SpectralEmbedding",
    "TSNE",
}
"""What is fitted and has no method for other rows that an audit calls."""
