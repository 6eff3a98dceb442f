"""What scaling does to real models: four data sets, three models, five transformers.

Every score is a mean over five folds, and every transformer sits inside the Pipeline, so it learns
from the training rows of each fold only. The picture shows the wine table before and after.

Run it with ``python examples/quickstart.py [--output PICTURE]``.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, SVR
from threadpoolctl import threadpool_limits

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener

CLASSIFICATION = {
    "wine": load_wine(as_frame=True),
    "breast cancer": load_breast_cancer(as_frame=True),
    "digits": load_digits(as_frame=True),
}
REGRESSION = {"diabetes": load_diabetes(as_frame=True, scaled=False)}

CLASSIFIERS = {
    "nearest neighbours": KNeighborsClassifier(),
    "RBF SVM": SVC(),
    "linear (logistic)": LogisticRegression(max_iter=10_000),
}
REGRESSORS = {
    "nearest neighbours": KNeighborsRegressor(),
    "RBF SVM": SVR(C=100),  # the target spans hundreds; the default C=1 would hardly fit it
    "linear (ridge)": Ridge(),
}

# PCA and shrinkage compare the variances of the columns, so those must be in one unit first.
PREPROCESSING = {
    "unscaled": make_pipeline("passthrough"),
    "MinMaxScaler": make_pipeline(MinMaxScaler()),
    "StandardScaler": make_pipeline(StandardScaler()),
    "scaled, PCA": make_pipeline(StandardScaler(), PCA(n_components=0.95)),
    "scaled, ZCA": make_pipeline(StandardScaler(), Whitener(shrinkage="ledoit_wolf")),
    "BatchNormalizer": make_pipeline(BatchNormalizer()),
}
TITLES = {
    "scaled, PCA": "StandardScaler,\nPCA (95 %)",
    "scaled, ZCA": "StandardScaler, Whitener\n(ZCA, Ledoit-Wolf shrinkage)",
    "BatchNormalizer": "BatchNormalizer\n(as StandardScaler)",
}


def cross_validated(datasets, models, folds):
    """Return the mean score of every model on every data set, one column per preprocessing."""
    return pd.DataFrame.from_dict(
        {
            (name, label): {
                how: cross_val_score(
                    make_pipeline(steps, model), data.data, data.target, cv=folds
                ).mean()
                for how, steps in PREPROCESSING.items()
            }
            for name, data in datasets.items()
            for label, model in models.items()
        },
        orient="index",
    )


def marked(scores):
    """Return the scores as text, three digits, with a star at the best of each row."""
    text = [
        [f"{score:.3f}{'*' if score == max(row) else ' '}" for score in row]
        for row in scores.round(3).to_numpy()
    ]
    return pd.DataFrame(text, index=scores.index, columns=scores.columns)


def draw_spread(panel, features, _):
    """Draw one box per feature, all on one axis."""
    blue = {"color": "#4292c6"}
    panel.boxplot(
        features.to_numpy(),
        widths=0.7,
        patch_artist=True,
        boxprops={"facecolor": "#c6dbef", "edgecolor": "#4292c6"},
        whiskerprops=blue,
        capprops=blue,
        medianprops={"color": "#08306b", "linewidth": 1.5},
        flierprops={"marker": ".", "markersize": 3, "markeredgecolor": "#969696"},
    )
    panel.set_xticks([])
    panel.grid(axis="y", color="#eeeeee")


def draw_correlation(panel, features, _):
    """Draw the correlation matrix: blue is -1, white 0, red 1."""
    panel.imshow(np.corrcoef(features.T), cmap="RdBu_r", vmin=-1, vmax=1)
    panel.set(xticks=[], yticks=[])


def draw_pair(panel, features, classes):
    """Draw the first and the last feature (of components, the first two) in equal units."""
    pair = features.iloc[:, [0, -1 if features.shape[1] == 13 else 1]]
    for cultivar, colour in enumerate(["#3182bd", "#e6550d", "#31a354"]):
        x, y = pair[classes == cultivar].to_numpy().T
        label = f"cultivar {cultivar + 1}"
        panel.scatter(x, y, s=14, c=colour, marker="os^"[cultivar], alpha=0.8, label=label)
    panel.set(xlabel=pair.columns[0], ylabel=pair.columns[1])
    panel.set_aspect("equal", adjustable="datalim")
    panel.grid(color="#eeeeee")


def draw(path):
    """Draw the wine table after each preprocessing, one column of panels for each."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit("The picture needs matplotlib: python -m pip install matplotlib") from None

    rows = {
        "every feature, on one axis": draw_spread,
        "correlations (red 1, blue -1)": draw_correlation,
        "two features, equal units": draw_pair,
    }
    wine = CLASSIFICATION["wine"]
    figure = Figure(figsize=(18, 9.6), layout="constrained")
    figure.suptitle("The wine table (13 features, 3 cultivars), before and after", fontsize=18)
    panels = figure.subplots(len(rows), len(PREPROCESSING), subplot_kw={"box_aspect": 1})
    for column, (how, steps) in zip(panels.T, PREPROCESSING.items(), strict=True):
        features = steps.set_output(transform="pandas").fit_transform(wine.data)
        for panel, draw_row in zip(column, rows.values(), strict=True):
            panel.set_axisbelow(True)
            draw_row(panel, features, wine.target)
        column[0].set_title(TITLES.get(how, how), fontsize=12.5, pad=10)
    for panel, label in zip(panels[:, 0], rows, strict=True):
        panel.text(
            -0.45, 0.5, label, transform=panel.transAxes, rotation=90, va="center", fontsize=13
        )
    figure.legend(
        *panels[-1, 0].get_legend_handles_labels(),
        loc="outside lower center",
        ncols=3,
        fontsize=13,
        markerscale=2,
        title="in the last row",
    )
    figure.savefig(path, dpi=110)


def main():
    """Print the table and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("quickstart.png"), metavar="PICTURE")
    output = parser.parse_args().output

    folds = {"n_splits": 5, "shuffle": True, "random_state": 0}
    with threadpool_limits(1):  # on tables this small, BLAS threads mostly wait for each other
        accuracy = cross_validated(CLASSIFICATION, CLASSIFIERS, StratifiedKFold(**folds))
        r2 = cross_validated(REGRESSION, REGRESSORS, KFold(**folds))
    print("Mean score over five folds: accuracy, and R2 for diabetes (* best of the row)\n")
    print(marked(pd.concat([accuracy, r2])).to_string())
    print()
    for how in ("scaled, PCA", "scaled, ZCA"):
        print(f"{how:15} ", ", then ".join(str(step) for _, step in PREPROCESSING[how].steps))
    print("BatchNormalizer  the same numbers as StandardScaler, unless it is given an epsilon")
    draw(output)
    print(f"\nThe features before and after: {output.resolve()}")


if __name__ == "__main__":
    main()
