"""
Ten folds in one pass
=====================

With ten folds a row belongs to nine training sets, and ten fits read it nine times.
:func:`~skscale.model_selection.cross_fit` reads it once: statistics of rows can be
merged, so those of a training set are made from those of its parts. On many rows, ten
folds then cost about as much as one fit. Both ways are timed here, on the machine that
built this page.
"""

# %%
# Rows and a pipeline
# -------------------
# The digits of scikit-learn twenty times over, with a little noise, so that no two rows
# are the same: 36,000 rows of 64 columns, standardized and brought to ten principal
# components.

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

digits = np.tile(load_digits().data, (20, 1))
X = digits + np.random.default_rng(0).normal(scale=0.1, size=digits.shape)

ours = make_pipeline(StandardScaler(), PCA(10))
theirs = make_pipeline(preprocessing.StandardScaler(), decomposition.PCA(10))
cross_fit(ours, X, cv=10)

# %%
# The same numbers
# ----------------
# Ten pipelines of scikit-learn, each fitted on its training rows, against those of
# ``cross_fit``. No test row enters a training statistic: nothing is subtracted.

folds = cross_fit(ours, X, cv=KFold(10))
for transformer, train, test in folds:
    scaler, pca = theirs.fit(X[train])
    assert len(train) + len(test) == len(X)
    np.testing.assert_allclose(
        transformer[0].mean_, scaler.mean_, rtol=1e-10, atol=1e-10
    )
    np.testing.assert_allclose(transformer[0].scale_, scaler.scale_, rtol=1e-10)
    np.testing.assert_allclose(
        transformer[1].explained_variance_, pca.explained_variance_, rtol=1e-10
    )

# %%
# The time
# --------
# Seconds, in medians: fold by fold of three runs, and of fifteen where a run is short.
# One fit is on all rows, without folds.


def one_by_one(pipeline, n_folds):
    """Fit once for every fold."""
    for train, _ in KFold(n_folds).split(X):
        pipeline.fit(X[train])


def seconds_of(work, *arguments):
    """Time one run."""
    start = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - start


def in_one_pass(pipeline, n_folds):
    """Fit for all folds at once."""
    cross_fit(pipeline, X, cv=KFold(n_folds))


ways = {
    "scikit-learn, fold by fold": (one_by_one, theirs, 1),
    "skscale, fold by fold": (one_by_one, ours, 1),
    "skscale, cross_fit": (in_one_pass, ours, 5),
}
runs = []
for _ in range(3):
    runs += [("skscale, one fit", 1, seconds_of(ours.fit, X)) for _ in range(5)]
    for n_folds in (2, 5, 10):
        for way, (work, pipeline, n_runs) in ways.items():
            for _ in range(n_runs):
                runs.append((way, n_folds, seconds_of(work, pipeline, n_folds)))
timed = pd.DataFrame(runs, columns=["way", "folds", "seconds"])
medians = timed.groupby(["way", "folds"])["seconds"].median()
one_fit = medians["skscale, one fit", 1]
print(f"one fit: {one_fit:.3f} seconds")

seconds = medians.unstack("way").loc[2:, list(ways)]
seconds.round(3)

# %%
# The same as multiples of one fit:

(seconds / one_fit).round(1)

# %%
# What more folds cost
# --------------------
# Fold by fold the time grows with the folds, whosever the classes are. With
# ``cross_fit`` the rows are measured once; what is left to do for every fold is with
# matrices of 64 x 64, which does not depend on the number of rows. So the more rows
# there are, the less do folds cost beside them; with few rows they cost several fits,
# of which none takes long.

figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for way, color, marker in zip(
    ways, ["#D55E00", "#E69F00", "#0072B2"], "os^", strict=True
):
    ax.plot(seconds[way], marker=marker, color=color, label=way)
ax.axhline(one_fit, color="#555555", linestyle=":", label="skscale, one fit")
ax.set(xlabel="number of folds", ylabel="seconds", xlim=(0, None), ylim=(0, None))
ax.set_xticks([2, 5, 10])
ax.set_title(
    f"{len(X):,} rows of {X.shape[1]} columns: StandardScaler and PCA for every fold"
)
ax.legend()
plt.show()
