"""
Min-max or z-score, when there is an outlier
============================================

Ages and salaries are the textbook table for scaling: two columns in units that have
nothing to do with each other. Here a millionaire is among them. The table of people is
made up, as it always is; the tumours that follow are real.
"""

# %%
# Ten people and a millionaire
# ----------------------------
# :class:`~skscale.MinMaxScaler` maps the smallest value of a column to 0 and the
# largest to 1. :class:`~skscale.StandardScaler` makes z-scores: it subtracts the mean
# and divides by the standard deviation. Both shift and stretch a column, and do nothing
# else to it.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_breast_cancer

from skscale import MinMaxScaler, StandardScaler
from skscale.inspection import ScalingDisplay

people = pd.DataFrame(
    {
        "age": [22, 25, 29, 31, 36, 41, 44, 47, 52, 60, 45],
        "salary": [24, 28, 33, 31, 42, 39, 55, 48, 61, 52, 1000],  # in thousands
    }
)
min_max = MinMaxScaler().set_output(transform="pandas")
z_score = StandardScaler().set_output(transform="pandas")

tables = {
    "as they are": people,
    "min-max: from 0 to 1": min_max.fit_transform(people),
    "z-score: mean 0, deviation 1": z_score.fit_transform(people),
}
figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), sharey=True, layout="constrained")
for ax, (title, table) in zip(axes, tables.items(), strict=True):
    for height, column in enumerate(["salary", "age"]):
        ax.plot(table[column][:10], [height] * 10, "o", color="#0072B2", alpha=0.5)
        ax.plot(table[column][10:], [height], "D", color="#D55E00")
    ax.set(title=title, yticks=[0, 1], yticklabels=["salary", "age"], ylim=(-0.6, 1.6))
    ax.grid(axis="x", color="#dddddd")
axes[0].annotate("the millionaire", (1000, 0), (950, 0.3), ha="right", color="#D55E00")
plt.show()

# %%
# On the left, a model that measures distances sees salaries and no ages. In the middle,
# ages are spread out, but ten salaries share the first 4 % of the axis: between these
# ten people salary hardly counts. The z-score does no better, since in a table of
# eleven rows the millionaire makes nearly all of the standard deviation.
#
# Neither scaler takes an outlier away, nor brings it nearer to the others. Both keep
# it, and what is left for the others is small.
#
# An outlier among many
# ---------------------
# With more rows they part. A maximum stays what it is however many rows come; in a
# standard deviation each row counts less and less. Of 569 tumours, the column "area
# error" has a few large values, and "worst texture" has none. How wide is the middle
# half of each column once it is scaled?

tumours = load_breast_cancer(as_frame=True).data[["area error", "worst texture"]]
widths = pd.DataFrame()
for name, scaler in {"min-max": min_max, "z-score": z_score}.items():
    quartiles = scaler.fit_transform(tumours).quantile([0.25, 0.75])
    widths[name] = quartiles.loc[0.75] - quartiles.loc[0.25]
widths.loc["worst texture / area error"] = (
    widths.loc["worst texture"] / widths.loc["area error"]
)
widths.round(2)

# %%
# The last row says how many times as large a typical difference in texture is as one in
# area error, and that is what a nearest neighbour goes by. Z-scores bring the two
# columns about twice as close to each other.
#
# Rows that come later
# --------------------
# Learned from 100 tumours, the range is not the range of all. The display shows
# training rows and new rows, before and after, and says how many of the new ones lie
# outside of what was learned.

train, new = tumours[:100], tumours[100:]
ScalingDisplay.from_estimator(MinMaxScaler().fit(train), train, X_new=new)
plt.show()

# %%
# A new value outside of the range goes beyond 0 or 1 and keeps its distance. With
# ``clip=True`` it becomes 0 or 1, as some models demand; then all values beyond look
# the same.

largest = new.nlargest(3, "area error")
for clip in (False, True):
    print(
        f"clip={clip}:",
        MinMaxScaler(clip=clip).fit(train).transform(largest)[:, 0].round(2),
    )

# %%
# Which one to take
# -----------------
# Z-scores, unless the ends of the range mean something: pixels from 0 to 255, shares,
# marks. If outliers are mistakes, mend them first. If they are real and many, take
# logarithms of the column, or scikit-learn's ``RobustScaler`` or
# ``QuantileTransformer``.
