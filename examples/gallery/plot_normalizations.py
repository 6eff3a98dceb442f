"""
Batch, layer and group normalization, side by side
==================================================

All three subtract a mean and divide by a standard deviation. They differ in the numbers
over which these are taken: a column, a row, or a part of a row. So they undo different
things, and each is right for other tables.
"""

# %%
# Over which numbers?
# -------------------
# Thirty images of handwritten digits, one in each row, 64 pixels in each. The black
# frame encloses numbers that are normalized together.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import Rectangle
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skscale import BatchNormalizer, GroupNormalizer, LayerNormalizer

digits, labels = load_digits(return_X_y=True)
normalizers = {
    "batch: each column": (BatchNormalizer(), (20, 0, 1, 30)),
    "layer: each row": (LayerNormalizer(), (0, 10, 64, 1)),
    "group: each half row": (GroupNormalizer(2), (0, 10, 32, 1)),
}

figure, axes = plt.subplots(
    2, 2, figsize=(8, 5), layout="constrained", sharex=True, sharey=True
)
axes[0, 0].imshow(digits[:30], cmap="gray_r", aspect="auto")
axes[0, 0].set(title="as they are", ylabel="image")
for ax, (name, (normalizer, (x, y, width, height))) in zip(
    axes.flat[1:], normalizers.items(), strict=True
):
    rows = normalizer.fit(digits).transform(digits[:30])
    picture = ax.imshow(rows, cmap="PuOr", aspect="auto", vmin=-3, vmax=3)
    ax.add_patch(
        Rectangle((x - 0.5, y - 0.5), width, height, fill=False, color="black", lw=2)
    )
    ax.set_title(name)
figure.colorbar(picture, ax=axes, label="after normalization", shrink=0.6)
figure.supxlabel("pixel")
plt.show()

# %%
# Batch normalization compares an image with other images, pixel by pixel: what is left
# is where it differs from the average digit. Layer normalization compares a pixel with
# the other pixels of its own image, and the digits stay what they were. Group
# normalization does so for the upper and the lower half by themselves.
#
# What each undoes
# ----------------
# Neighbours, five of them, on the digits as they are, and spoiled in three ways: by a
# camera each pixel of which has a sensitivity of its own; by light that changes from
# image to image; and by light that changes for the upper and the lower half by
# themselves.

drawn = np.random.default_rng(0)
sensitivity = drawn.lognormal(sigma=1.5, size=64)
light = drawn.lognormal(sigma=0.7, size=(len(digits), 2))
tables = {
    "digits": digits,
    "sensitivity per pixel": digits * sensitivity,
    "light per image": digits * light[:, :1],
    "light per half image": digits * light.repeat(32, axis=1),
}
steps = {
    "as it is": "passthrough",
    "batch": BatchNormalizer(),
    "layer": LayerNormalizer(),
    "group": GroupNormalizer(2),
}
scores = pd.DataFrame(
    {
        name: {
            table: cross_val_score(
                make_pipeline(step, KNeighborsClassifier()), X, labels
            ).mean()
            for table, X in tables.items()
        }
        for name, step in steps.items()
    }
)
scores.round(2)

# %%
# Each undoes what it was made for. Batch normalization gives back what the camera
# spoiled, layer normalization the light of an image, and group normalization the light
# of its halves. On digits that nothing has spoiled, batch normalization costs a little:
# pixels at the rim, which hardly ever vary, become as loud as the others.
#
# So look at the table first. Columns in units of their own, which is most tables, take
# statistics of columns: :class:`~skscale.BatchNormalizer`, or
# :class:`~skscale.StandardScaler`, which does the same. Rows with a gain of their own
# take :class:`~skscale.LayerNormalizer`, and where they are made of several such parts,
# :class:`~skscale.GroupNormalizer`. What they divide by is gone: do not normalize rows
# if their size is what you want to know.
