"""
Ten folds for the price of one
==============================

With ten folds a row belongs to nine training sets, and ten fits read it nine times.
:func:`~skscale.model_selection.cross_fit` reads it once: statistics of rows can be merged, so those
of a training set are put together of those of its parts. Here both ways are timed.
"""

# %%
# Rows and a pipeline
# -------------------
# The digits of scikit-learn fifteen times over, with a little noise, so that no two rows are the
# same: 27,000 rows of 64 columns, standardized and brought to ten principal components.

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn import decomposition, preprocessing
from sklearn.datasets import load_digits
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline

from skscale import PCA, StandardScaler
from skscale.model_selection import cross_fit

digits = np.tile(load_digits().data, (15, 1))
X = digits + np.random.default_rng(0).normal(scale=0.1, size=digits.shape)

ours = make_pipeline(StandardScaler(), PCA(10))
theirs = make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(10, svd_solver="full"))
cross_fit(ours, X, cv=10)

# %%
# The same numbers
# ----------------
# Ten pipelines of scikit-learn, each fitted on its training rows, against those of ``cross_fit``. No
# test row enters a training statistic: nothing is subtracted.

folds = cross_fit(ours, X, cv=KFold(10))
for transformer, train, test in folds:
    scaler, pca = theirs.fit(X[train])
    assert len(train) + len(test) == len(X)
    np.testing.assert_allclose(transformer[0].mean_, scaler.mean_, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(transformer[0].scale_, scaler.scale_, rtol=1e-10)
    np.testing.assert_allclose(
        transformer[1].explained_variance_, pca.explained_variance_, rtol=1e-10
    )

# %%
# The time
# --------
# Medians of three runs of each, in turns, with the solver that each class chooses by itself.

theirs.set_params(pca__svd_solver="auto")


def one_by_one(pipeline, n_folds):
    """Fit once for every fold."""
    for train, _ in KFold(n_folds).split(X):
        pipeline.fit(X[train])


ways = {
    "scikit-learn, fold by fold": lambda n_folds: one_by_one(theirs, n_folds),
    "skscale, fold by fold": lambda n_folds: one_by_one(ours, n_folds),
    "skscale, cross_fit": lambda n_folds: cross_fit(ours, X, cv=KFold(n_folds)),
}
seconds = pd.DataFrame(index=pd.Index([2, 5, 10], name="folds"), columns=list(ways), dtype=float)
for n_folds in seconds.index:
    runs = {way: [] for way in ways}
    for _ in range(3):
        for way, run in ways.items():
            start = time.perf_counter()
            run(n_folds)
            runs[way].append(time.perf_counter() - start)
    seconds.loc[n_folds] = pd.DataFrame(runs).median()
seconds.round(3)

# %%
# What more folds cost
# --------------------
# Fold by fold the time grows with the folds, whosever the classes are. With ``cross_fit`` the rows are
# measured once; what is left to do for every fold is with matrices of 64 x 64.

figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for (way, time_taken), color, marker in zip(
    seconds.items(), ["#D55E00", "#E69F00", "#0072B2"], "os^", strict=True
):
    ax.plot(time_taken, marker=marker, color=color, label=way)
ax.set(xlabel="number of folds", ylabel="seconds", xlim=(0, None), ylim=(0, None))
ax.set_xticks(seconds.index)
ax.set_title(f"{len(X):,} rows of {X.shape[1]} columns: fit StandardScaler and PCA for every fold")
ax.legend()
plt.show()
