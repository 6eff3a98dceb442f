"""
Leakage, measured
=================

A transformer that is fitted before the split has seen the test rows. Whether it has can
be tried out: change the held-out rows, hold the training rows still, and look whether
anything moves that must not. What it does to a score can be measured too. Of scaling it
is next to nothing; of whitening few rows it is a lot.
"""

# %%
# An honest pipeline and a leaky function
# ---------------------------------------
# A pipeline scales inside of the cross-validation. The function below scales the whole
# table, as many notebooks do before they split it.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_diabetes, load_digits, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skscale import StandardScaler, Whitener
from skscale.inspection import LeakageDisplay
from skscale.leakage import audit, check_prescaled
from skscale.model_selection import cross_validate

wine = load_wine(as_frame=True)


def scaled_before_the_split(table):
    """Return the table with each column standardized by all of its rows."""
    return (table - table.mean()) / table.std()


honest = make_pipeline(StandardScaler(), LogisticRegression())
LeakageDisplay.from_estimator(honest, wine.data, wine.target)
plt.show()

# %%
# Each row of the picture is a probe, each column a fold. Most probes put something else
# into the held-out rows, and nothing that was learned or made of the others may move:
#
# - *extreme values*, *low values*: numbers far beyond those of their column, or far
#   below;
# - *training rows*: the training row with the rarest values, in the place of every
#   held-out one;
# - *missing values*: nothing is left of them;
# - *beside gaps*: extreme values, while some values of other rows are missing, before
#   and after;
# - *half of the batch*: half of the held-out rows change, and the other half,
#   transformed with them, must stay as it was; once more *beside gaps*;
# - *alone and among all*: nothing changes; held-out rows are given by themselves, and
#   with all others, and the same must come out;
# - *labels* that are permuted, or others: the same with the labels of held-out rows.
#
# Nothing moved. The legend counts, in grey, the probes that say nothing of this
# pipeline: it refuses missing values, and its fits are never given the labels of
# held-out rows. The function is another matter: whatever was changed in held-out rows
# moved its training rows.

LeakageDisplay.from_report(audit(scaled_before_the_split, wine.data))
plt.show()

# %%
# A clean audit is no proof: it says that no dependence was seen under these probes.
#
# What it does to a score
# -----------------------
# Handwritten digits again, in samples of 100 to 400 rows. "Honest" is a pipeline that
# learns from the training rows of each fold; "leaky" is the same pipeline with its
# transformer fitted on all rows, which ``compare_leaky`` adds.

digits, labels = load_digits(return_X_y=True)
pipelines = {
    "StandardScaler, SVC": make_pipeline(StandardScaler(), SVC()),
    "Whitener, SVC": make_pipeline(Whitener(), SVC()),
    "Whitener, neighbours": make_pipeline(
        Whitener(), KNeighborsClassifier(algorithm="kd_tree")
    ),
}
found = []
for name, pipeline in pipelines.items():
    for n_rows in (100, 200, 400):
        for seed in range(5):
            rows, _, targets, _ = train_test_split(
                digits, labels, train_size=n_rows, random_state=seed, stratify=labels
            )
            result = cross_validate(pipeline, rows, targets, compare_leaky=True)
            found.append(
                {
                    "pipeline": name,
                    "rows": n_rows,
                    "honest": result["test_score"].mean(),
                    "leaky": result["leaky_test_score"].mean(),
                }
            )
scores = pd.DataFrame(found).groupby(["pipeline", "rows"]).mean()

# sphinx_gallery_thumbnail_number = 3
figure, axes = plt.subplots(1, 3, figsize=(9, 3.2), sharey=True, layout="constrained")
for ax, name in zip(axes, pipelines, strict=True):
    ax.plot(scores.loc[name, "honest"], "o-", color="#0072B2", label="honest")
    ax.plot(scores.loc[name, "leaky"], "s--", color="#D55E00", label="leaky")
    ax.set(title=name, xlabel="rows", xticks=[100, 200, 400], ylim=(0, 1))
    ax.grid(color="#dddddd")
axes[0].set_ylabel("accuracy, mean of 5 samples")
axes[0].legend(loc="lower left")
plt.show()

# %%
# Means and deviations of the columns hardly depend on a few rows more or less: a leaked
# scaling changes next to nothing. A whitening of 64 columns estimates 2,080 variances
# and covariances, and fits the rows that it has seen. With 100 rows, a leak makes one
# model look far better than it is, and the other far worse. Either way, the number is
# about a model that nobody can ship.

scores.round(2)

# %%
# A table that came scaled
# ------------------------
# Sometimes the leak is older than the notebook. All ten columns of scikit-learn's table
# of diabetes have been scaled by all of its rows:

print(
    len(check_prescaled(load_diabetes().data).columns),
    "of 10 columns were scaled before",
)
print(
    len(check_prescaled(load_diabetes(scaled=False).data).columns),
    "in the table as measured",
)

# %%
# What to do: put every transformer into the pipeline, and audit whatever happens
# outside of one.
