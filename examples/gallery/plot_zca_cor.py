"""
Five ways to whiten a table in mixed units
==========================================

Alcohol in percent, magnesium in milligrams, colour in a unit of its own: in a table
such as this one, whitened columns are of use only if one can still say which is which.
All five methods of :class:`~skscale.Whitener` give uncorrelated columns of variance 1.
They differ in how much each new column is still the old one.
"""

# %%
# How much of each column is left?
# --------------------------------
# The correlation of a whitened column with the column that stood in its place says it:
# 1 is the same up to unit and origin, 0 has nothing to do with it.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_wine

from skscale import Whitener

wine = load_wine(as_frame=True).data
kept = pd.DataFrame(index=wine.columns)
for method in ("zca-cor", "zca", "cholesky", "pca-cor", "pca"):
    white = Whitener(method=method).fit_transform(wine)
    kept[method] = np.corrcoef(wine, white, rowvar=False)[:13, 13:].diagonal()

figure, ax = plt.subplots(figsize=(8, 4.6), layout="constrained")
picture = ax.imshow(kept.abs(), cmap="viridis", vmin=0, vmax=1, aspect="auto")
for (row, column), value in np.ndenumerate(kept.abs()):
    ax.text(
        column,
        row,
        f"{value:.2f}",
        ha="center",
        va="center",
        color="w" if value < 0.6 else "k",
    )
ax.set_xticks(range(5), kept.columns)
ax.set_yticks(range(13), kept.index)
ax.xaxis.tick_top()
figure.colorbar(picture, label="correlation with the original column (magnitude)")
plt.show()

# %%
# ZCA-cor keeps most, as it was made to: it maximizes the sum of these correlations. Its
# columns can keep their names. The two PCA methods make new columns, of which the first
# says most about the whole table; that their entries here are small is their purpose,
# not a fault.

kept.abs().mean().round(2)

# %%
# ZCA is close behind. But it stays close to the columns in their units, and the answer
# changes with the units. Give proline in grams instead of milligrams:

in_grams = wine.assign(proline=wine["proline"] / 1000)
for method in ("zca", "zca-cor"):
    before, after = (
        Whitener(method=method).fit_transform(table) for table in (wine, in_grams)
    )
    print(f"{method:8} largest change of any number: {abs(after - before).max():.0e}")

# %%
# Which one to take
# -----------------
# ``"zca-cor"`` for columns with units. ``"zca"`` where all share one, as pixels do.
# ``"cholesky"`` if the columns have an order: the last one is only scaled, and each
# other one is what those after it cannot explain. ``"pca-cor"`` or ``"pca"`` if few
# columns are to be kept. None of them for trees, and none of them without ``shrinkage``
# if there are few rows for each column.
