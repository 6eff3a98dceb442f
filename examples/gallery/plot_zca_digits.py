"""
Whitening images: ZCA keeps the places of pixels
================================================

Whitening makes the columns of a table uncorrelated, each with variance 1. There are
endlessly many ways to do that, because white data stay white when they are rotated. ZCA
is the one that changes the rows least: each new pixel is still mostly the old one in
its place. Most digits can be made out, more easily with some shrinkage. PCA whitening
rotates as well, and leaves none to be seen.
"""

# %%
# What becomes of a digit
# -----------------------
# Neighbouring pixels of a handwritten digit say much the same. Whitening removes what a
# linear prediction can tell of a pixel from the others, and keeps what it cannot:
# mostly edges.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skscale import Whitener
from skscale.inspection import WhiteningDisplay

digits, labels = load_digits(return_X_y=True)
zca = Whitener(method="zca").fit(digits)
gentle = Whitener(method="zca", shrinkage=0.5).fit(digits)
pca = Whitener(method="pca").fit(digits)

figure, axes = plt.subplots(4, 8, figsize=(8, 3.7), layout="constrained")
for row, name, images, limits in (
    (axes[0], "as they are", digits, (0, 16)),
    (axes[1], "ZCA", zca.transform(digits), (-2, 2)),
    (axes[2], "ZCA, shrinkage=0.5", gentle.transform(digits), (-1.2, 1.2)),
    (axes[3], "PCA whitening", pca.transform(digits), (-2, 2)),
):
    for ax, image in zip(row, images, strict=False):
        ax.imshow(image.reshape(8, 8), "gray_r", clim=limits, interpolation="bicubic")
        ax.set(xticks=[], yticks=[])
    row[0].set_ylabel(name, rotation=0, ha="right", va="center")
plt.show()

# %%
# The eight by eight pixels are drawn smoothly, and each row has limits of its own.
# Middle grey is the mean. After ZCA edges are stronger and areas weaker than they were,
# and not every digit is easy: the 0, the 3 and the 5 are faint, and whoever had not
# seen them above might not know them. With shrinkage, of which more below, strokes are
# darker and easier to follow. After PCA whitening the first "pixel" is the first
# principal component and the last the weakest, and their places in the square mean
# nothing.
#
# How much of a pixel is left in its place, its correlation says: between before and
# after, as a mean over all that vary (of magnitudes, since the sign of a component
# means nothing).

for name, whitener in {
    "ZCA": zca,
    "ZCA, shrinkage=0.5": gentle,
    "PCA whitening": pca,
}.items():
    white = whitener.transform(digits)
    vary = (digits.std(axis=0) > 0) & (white.std(axis=0) > 0)
    both = np.corrcoef(digits[:, vary], white[:, vary], rowvar=False)
    kept = np.abs(both.diagonal(offset=vary.sum()))
    print(f"{name:20} {np.mean(kept):.2f}")

# %%
# ZCA and PCA whitening are equally white: the columns have variance 1, and no two are
# correlated. The display shows that, and the filters of ZCA, by which each new pixel is
# made of the old ones.

WhiteningDisplay.from_estimator(zca, digits, image_shape=(8, 8))
plt.show()

# %%
# Each filter takes one pixel and subtracts part of its neighbours. The diagonal of the
# covariance has gaps, and filters are left out there: these pixels say nothing.
#
# Pixels that never change
# ------------------------
# Three of the 64 pixels are blank in all images. They have no variance, and cannot be
# given any: they stay 0, and the rank says that 61 directions are left.

print(zca.rank_, (digits.std(axis=0) == 0).sum())

# %%
# When not to
# -----------
# Other pixels change in a few images only. Whitening makes the little that they do as
# loud as all else, which is no gain for a model that measures distances. A part of the
# identity matrix mixed into the covariance (``shrinkage``) holds the weak directions
# down:

for name, steps in {
    "as they are": [],
    "ZCA": [Whitener()],
    "ZCA, shrinkage=0.1": [Whitener(shrinkage=0.1)],
    "ZCA, shrinkage=0.5": [Whitener(shrinkage=0.5)],
}.items():
    model = make_pipeline(*steps, KNeighborsClassifier())
    print(f"{name:20} {cross_val_score(model, digits, labels).mean():.3f}")

# %%
# Neighbours are best off with the digits as they are. Take ZCA before methods that look
# for structure beyond correlation, such as independent components or learned filters;
# and PCA whitening where nobody will look at the columns, or few are to be kept.
