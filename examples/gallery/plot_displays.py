"""
Five pictures of a preprocessing step
=====================================

Before a step goes into a pipeline, look at what it learned and at what it does to rows.
Each question has a display, and each display is one line.
"""

# %%
# Does it fit new rows?
# ---------------------
# Each feature before and after, the rows that were learned from beside new ones. On the
# right is the share of new values outside the training range. The table is sorted by
# grower and was cut without shuffling, and it shows: the hue of half of the new wines
# is beyond all that was seen.

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits, load_wine
from sklearn.pipeline import make_pipeline

from skscale import (
    PCA,
    MinMaxScaler,
    StandardScaler,
    SupervisedBatchNormalizer,
    Whitener,
)
from skscale.inspection import (
    GammaDisplay,
    LeakageDisplay,
    ScalingDisplay,
    SpectrumDisplay,
    WhiteningDisplay,
)

table, grower = load_wine(return_X_y=True, as_frame=True)
train, new = table[:120], table[120:]
ScalingDisplay.from_estimator(MinMaxScaler().fit(train), train, X_new=new)
plt.show()

# %%
# How many components?
# --------------------
# The variance of each principal component of the images of digits, and their cumulative
# share. Ninety per cent take 31 of the 64. The last three have none: three pixels never
# change.

digits = load_digits().data
pipeline = make_pipeline(StandardScaler(), PCA(n_components=0.9)).fit(digits)
SpectrumDisplay.from_estimator(pipeline)
plt.show()

# %%
# Are the columns uncorrelated?
# -----------------------------
# The covariance before and after whitening. Off the diagonal nothing is left.

WhiteningDisplay.from_estimator(Whitener("zca-cor").fit(table), table)
plt.show()

# %%
# Which features count?
# ---------------------
# Scales learned from the grower, the largest first. At 1 a feature is as
# standardization leaves it; nearer to 0 it counts for less in every distance.

GammaDisplay.from_estimator(
    SupervisedBatchNormalizer(random_state=0).fit(table, grower)
)
plt.show()

# %%
# Does anything leak?
# -------------------
# An audit changes the rows that a fold holds out, in several ways, and looks whether
# anything moves that was learned from the others. Here nothing does.

LeakageDisplay.from_estimator(make_pipeline(StandardScaler(), PCA(2)), table)
plt.show()
