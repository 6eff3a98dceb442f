"""
One table, five ways
====================

The same 178 wines, by two of their measurements, before and after each transformer. In
every panel a unit is as long across as it is up, so that distances are as a nearest
neighbour, a kernel or a penalty sees them.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_wine

from skscale import PCA, MinMaxScaler, StandardScaler, Whitener

wine = load_wine(as_frame=True)
table = wine.data[["alcohol", "proline"]]
ways = {
    "as measured": None,
    "MinMaxScaler()": MinMaxScaler(),
    "StandardScaler()": StandardScaler(),
    "PCA(whiten=True)": PCA(whiten=True),
    'Whitener("zca-cor")': Whitener("zca-cor"),
}

# %%
# As measured, the wines lie on a line: proline is in hundreds, alcohol in units, and
# only proline counts. A scaler gives both columns the same say, and keeps the tilt of
# the cloud: wines rich in one are rich in the other. Whitening makes the cloud round.
# PCA turns it to its longest axis first, so that no column has its old meaning; ZCA-cor
# turns it as little as it can, and the columns keep their names.

angles = np.linspace(0, 2 * np.pi, 100)
circle = np.vstack([np.cos(angles), np.sin(angles)])
colours, markers = ("#0072B2", "#E69F00", "#009E73"), "os^"

figure, axes = plt.subplots(1, 5, figsize=(12, 3.5), layout="constrained")
for ax, (name, transformer) in zip(axes, ways.items(), strict=True):
    rows = table.to_numpy() if transformer is None else transformer.fit_transform(table)
    for kind in range(3):
        ax.scatter(
            *rows[wine.target == kind].T,
            s=9,
            c=colours[kind],
            marker=markers[kind],
            linewidths=0,
            alpha=0.8,
            label=f"grower {kind + 1}",
        )
    ellipse = rows.mean(axis=0) + 2 * (np.linalg.cholesky(np.cov(rows.T)) @ circle).T
    ax.plot(
        *ellipse.T,
        color="0.35",
        linewidth=1,
        label="two standard deviations of the cloud",
    )
    ax.set_title(name, fontsize=11)
    ax.set_aspect("equal", adjustable="datalim")
    ax.tick_params(labelsize=8)
    ax.set(xlabel="alcohol", ylabel="proline")
axes[0].set(xlabel="alcohol, %", ylabel="proline, mg/l")
axes[0].annotate(
    "same unit\non both axes",
    (0.04, 0.96),
    xycoords="axes fraction",
    va="top",
    fontsize=8,
)
axes[3].set(xlabel="first component", ylabel="second component")
figure.legend(
    *axes[0].get_legend_handles_labels(),
    loc="outside lower center",
    ncols=4,
    frameon=False,
    markerscale=2,
)
plt.show()

# %%
# Which of them a model wants: see :doc:`/guide/scaling` and
# :doc:`/guide/pca-and-whitening`. Trees want none of them.
