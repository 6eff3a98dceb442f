"""
The latitude and longitude trap
===============================

The addresses of one city are large numbers that differ in their last digits. In
float32, in which many files keep coordinates, they are still right to about a metre.
What is computed from them need not be: scikit-learn's PCA loses the city, and says
nothing.
"""

# %%
# Twenty thousand addresses
# -------------------------
#
# No table that comes with scikit-learn has coordinates, so these are made up: a city
# around 33.9 degrees south and 151.2 degrees east that lies along a coast, four times
# as long as it is wide. Neighbouring float32 numbers near 151 are 1.5e-5 degrees apart,
# which is 1.4 metres there.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn import decomposition

from skscale import PCA

drawn = np.random.default_rng(0)
along, across = drawn.normal(scale=[0.08, 0.02], size=(20_000, 2)).T
addresses = np.column_stack(
    [151.2 + 0.7 * along + 0.7 * across, -33.9 + 0.7 * along - 0.7 * across]
)
addresses = addresses.astype(np.float32)

# %%
# The truth is numpy's covariance matrix of the same numbers in float64.

theirs = decomposition.PCA(whiten=True).fit(addresses)
ours = PCA(whiten=True).fit(addresses)
truth = np.linalg.eigvalsh(np.cov(addresses.astype(np.float64), rowvar=False))[::-1]
pd.DataFrame(
    {
        "truth": truth,
        "skscale": ours.explained_variance_,
        "scikit-learn": theirs.explained_variance_,
    },
    index=["first eigenvalue", "second eigenvalue"],
)

# %%
# The first eigenvalue is several times too large, and the second is gone. Nor do the
# directions point along the coast and across it:

figure, (town, left, right) = plt.subplots(
    1, 3, figsize=(9, 3.6), layout="constrained", width_ratios=[1.3, 1, 1]
)
town.plot(*addresses.T, ",", color="#999999")
for pca, name, colour, style in (
    (theirs, "scikit-learn", "#D55E00", "--"),
    (ours, "skscale", "#0072B2", "-"),
):
    for direction in pca.components_:
        ends = ours.mean_ + 0.25 * np.outer([-1, 1], direction)
        line = town.plot(*ends.T, style, color=colour, linewidth=2)
    line[0].set_label(name)
town.set(title="the addresses", xlabel="longitude", ylabel="latitude", aspect="equal")
figure.legend(loc="outside lower left", ncols=2, title="directions found by")

for ax, pca, name in ((left, theirs, "scikit-learn"), (right, ours, "skscale")):
    ax.plot(*pca.transform(addresses).T, ",", color="#0072B2")
    ax.set(
        title=f"{name}, whitened", xlabel="first component", ylabel="second component"
    )
    ax.ticklabel_format(axis="y", scilimits=(-4, 8))
plt.show()

# %%
# Whitened, each component should have variance 1. Mind the axis in the middle: what was
# divided by nearly nothing is hundreds of thousands of standard deviations wide.

pd.DataFrame(
    {
        "skscale": ours.transform(addresses).var(axis=0, dtype=np.float64),
        "scikit-learn": theirs.transform(addresses).var(axis=0, dtype=np.float64),
    },
    index=["variance of the first", "variance of the second"],
)

# %%
# Why, and what to do
# -------------------
#
# scikit-learn's default solver for tall tables squares the coordinates, sums them, and
# takes the square of the mean away afterwards: two numbers near 23,000 whose difference
# is below 0.01. In float32 that difference is noise. skscale subtracts the mean first
# and sums in float64, and gives float32 back. The same happens to float64 where a mean
# is 1e7 times its spread: seconds since 1970, within a few minutes.
#
# If you stay with scikit-learn, hand it float64, or subtract the mean in float64
# beforehand. ``svd_solver="full"`` alone is not quite enough: it computes the mean in
# float32.

for name, pca, rows in (
    ("float64", decomposition.PCA(), addresses.astype(np.float64)),
    (
        "centred first",
        decomposition.PCA(),
        addresses - addresses.mean(axis=0, dtype=np.float64),
    ),
    ("full solver", decomposition.PCA(svd_solver="full"), addresses),
):
    print(f"{name:14}", pca.fit(rows).explained_variance_)
