"""
Why scale
=========

A nearest neighbour is near in all columns together, so the column with the largest
numbers decides. In the wine data that is proline, by far.
"""

# %%
# Two of thirteen columns
# -----------------------
# 178 wines of three growers. Flavanoids run from 0.3 to 5, proline from 278 to 1680.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skscale import MinMaxScaler, StandardScaler

wine = load_wine(as_frame=True)
pair = wine.data[["flavanoids", "proline"]]
pair.describe().loc[["min", "mean", "std", "max"]].round(1)

# %%
# Three models
# ------------
# Neighbours alone, and behind each scaler. In a pipeline the scaler learns from the
# training rows of every fold only.

models = {
    "unscaled": make_pipeline(KNeighborsClassifier()),
    "MinMaxScaler": make_pipeline(MinMaxScaler(), KNeighborsClassifier()),
    "StandardScaler": make_pipeline(StandardScaler(), KNeighborsClassifier()),
}
scores = pd.DataFrame(
    {
        columns: {
            name: cross_val_score(model, table, wine.target).mean()
            for name, model in models.items()
        }
        for columns, table in {
            "these two columns": pair,
            "all 13 columns": wine.data,
        }.items()
    }
)
scores.round(2)

# %%
# What the models see
# -------------------
# Without a scaler the regions are stripes: flavanoids hardly count. With one, both
# columns do.

colors = ["#0072B2", "#E69F00", "#009E73"]
across, up = np.meshgrid(np.linspace(0, 5.5, 200), np.linspace(200, 1750, 200))
everywhere = pd.DataFrame({"flavanoids": across.ravel(), "proline": up.ravel()})

figure, axes = plt.subplots(
    1, 3, figsize=(10, 3.8), sharex=True, sharey=True, layout="constrained"
)
for ax, (name, model) in zip(axes, models.items(), strict=True):
    predicted = model.fit(pair, wine.target).predict(everywhere)
    ax.contourf(
        across,
        up,
        predicted.reshape(across.shape),
        [-0.5, 0.5, 1.5, 2.5],
        colors=colors,
        alpha=0.3,
    )
    for grower, (color, marker) in enumerate(zip(colors, "os^", strict=True)):
        of_grower = pair[wine.target == grower]
        ax.scatter(
            *of_grower.to_numpy().T,
            s=16,
            c=color,
            marker=marker,
            label=f"grower {grower + 1}",
        )
    ax.set_title(f"{name}: {scores.loc[name, 'these two columns']:.0%} right")
    ax.set_xlabel("flavanoids")
axes[0].set_ylabel("proline")
axes[0].legend(loc="upper left", framealpha=0.9)
plt.show()

# %%
# Which one
# ---------
# :class:`~skscale.StandardScaler` makes standard deviations equal,
# :class:`~skscale.MinMaxScaler` ranges, which a single outlier can stretch. Neighbours,
# support vector machines, penalized linear models and principal components need one or
# the other; trees do not.
