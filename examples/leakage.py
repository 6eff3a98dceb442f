"""What a leak does to a score, and which check sees which leak.

The first table cross-validates Pipelines twice on the same splits: with their transformers fitted
on the training rows of each split, and fitted on all rows, as they should not be. The second
audits ways to make features, the third looks at tables that scikit-learn ships.

Run it with ``python examples/leakage.py [--output PICTURE]``.
"""

import argparse
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_wine,
)
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, scale
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from skscale import PCA, MinMaxScaler, StandardScaler, Whitener
from skscale.leakage import audit, check_prescaled
from skscale.model_selection import cross_validate

NEIGHBOURS, SVM = KNeighborsClassifier(), SVC()
LOGISTIC = LogisticRegression(max_iter=10_000)


def tables():
    """Return the tables that are cross-validated, as (rows, labels)."""
    digits, diabetes = load_digits(return_X_y=True), load_diabetes(return_X_y=True, scaled=False)
    products = PolynomialFeatures(2, include_bias=False).fit_transform(diabetes[0])
    noise = np.random.default_rng(0).normal(size=(60, 1000))
    return {
        "wine": load_wine(return_X_y=True),
        "breast cancer": load_breast_cancer(return_X_y=True),
        "digits": digits,
        "diabetes, with products": (products, diabetes[1]),
        "noise": (noise, np.arange(60) % 2),
    }


PIPELINES = {
    "wine": [(MinMaxScaler(), SVM), (StandardScaler(), NEIGHBOURS), (Whitener(), NEIGHBOURS)],
    "breast cancer": [
        (MinMaxScaler(), NEIGHBOURS),
        (StandardScaler(), LOGISTIC),
        (Whitener(), SVM),
        (Whitener(), NEIGHBOURS),
    ],
    "noise": [(SelectKBest(k=10), SVM)],
}
SAMPLES = {
    "digits": (100, 150, 300),
    "diabetes, with products": (120, 200, 400),
}


def named(steps):
    """Return the steps of a Pipeline in words."""
    return " + ".join(type(step).__name__ for step in steps)


def gap_of(steps, rows, labels, **splits):
    """Return the scores of one Pipeline, its transformers fitted after and before the split."""
    is_regression = isinstance(steps[-1], Ridge)
    cv = (RepeatedKFold if is_regression else RepeatedStratifiedKFold)(**splits)
    return cross_validate(make_pipeline(*steps), rows, labels, cv=cv, compare_leaky=True)


def scored(loaded):
    """Return one row per Pipeline: its honest and its leaky score, and the gap between them."""
    found = []
    for name, pipelines in PIPELINES.items():
        rows, labels = loaded[name]
        for steps in pipelines:
            result = gap_of(steps, rows, labels, n_splits=5, n_repeats=4, random_state=0)
            gap = result["leaky_gap_score"]
            found.append(
                {
                    "table": f"{name}, {len(rows)} x {rows.shape[1]}",
                    "Pipeline": named(steps),
                    "honest": result["test_score"].mean(),
                    "leaky": result["leaky_test_score"].mean(),
                    "gap": gap.mean,
                    "low": gap.low,
                    "high": gap.high,
                }
            )
    return pd.DataFrame(found)


def sampled(loaded):
    """Return one row per Pipeline and sample size: the gap in each of ten random samples."""
    found = []
    for name, sizes in SAMPLES.items():
        rows, labels = loaded[name]
        models = [Ridge()] if name.startswith("diabetes") else [NEIGHBOURS, SVM, LOGISTIC]
        pipelines = [(StandardScaler(), models[0]), *((Whitener(), model) for model in models)]
        for steps, size in itertools.product(pipelines, sizes):
            results = []
            for seed in range(10):
                some, _, some_labels, _ = train_test_split(
                    rows,
                    labels,
                    train_size=size,
                    random_state=seed,
                    stratify=None if isinstance(steps[-1], Ridge) else labels,
                )
                results.append(
                    gap_of(steps, some, some_labels, n_splits=5, n_repeats=1, random_state=0)
                )
            gaps = [result["leaky_gap_score"].mean for result in results]
            found.append(
                {
                    "table": f"{name}, {size} x {rows.shape[1]}",
                    "Pipeline": named(steps),
                    "honest": np.mean([result["test_score"] for result in results]),
                    "mean gap": np.mean(gaps),
                    "gaps": sorted(gaps),
                }
            )
    return pd.DataFrame(found)


def filled(frame):
    """Fill what is missing with the mean of the column, of all rows."""
    return frame.fillna(frame.mean())


def encoded(frame, labels):
    """Replace a category by the mean label of all rows that have it."""
    return labels.groupby(frame["kind"]).transform("mean").to_frame()


def chosen(frame, labels):
    """Keep the two columns that follow the labels most closely, over all rows."""
    numbers = frame.drop(columns="kind").fillna(0)
    return numbers[numbers.corrwith(labels).abs().nlargest(2).index]


def audited():
    """Return one row per way to make features: what the audit says, and where it saw it first."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(200, 5)), columns=list("abcde"))
    numbers = frame.copy()
    frame.iloc[::7, 0] = np.nan
    frame["kind"] = rng.choice(["x", "y", "z"], 200)
    labels = pd.Series(rng.normal(size=200))
    chain = make_pipeline(StandardScaler(), PCA(2))
    cases = {
        "StandardScaler, PCA in a Pipeline": audit(chain, numbers),
        "scale(X), then split": audit(scale, numbers),
        "FunctionTransformer(scale) in a Pipeline": audit(
            make_pipeline(FunctionTransformer(scale), Ridge()), numbers, labels
        ),
        "missing values filled with the mean": audit(filled, frame[list("abcde")]),
        "a category replaced by its mean label": audit(encoded, frame, labels),
        "columns chosen by correlation": audit(chosen, frame, labels),
        "tanh(X)": audit(np.tanh, numbers),
        "the mean of the last 7 rows, in time": audit(
            lambda rows: rows.rolling(7).mean(), numbers, order="time"
        ),
        "the mean of 7 rows around, in time": audit(
            lambda rows: rows.rolling(7, center=True).mean(), numbers, order="time"
        ),
    }
    return pd.DataFrame(
        {
            "features": name,
            "audit": report.status,
            "first seen": f"{report.findings[0].probe}: {report.findings[0].where}"
            if report.findings
            else "",
        }
        for name, report in cases.items()
    )


def shipped():
    """Return one row per table of scikit-learn's: how many columns were scaled before the split."""
    loaded = {
        "load_diabetes()": load_diabetes(),
        "load_diabetes(scaled=False)": load_diabetes(scaled=False),
        "load_iris()": load_iris(),
        "load_wine()": load_wine(),
        "load_breast_cancer()": load_breast_cancer(),
        "load_digits()": load_digits(),
        "load_linnerud()": load_linnerud(),
    }
    return pd.DataFrame(
        {
            "table": name,
            "columns": bunch.data.shape[1],
            "scaled before": len(check_prescaled(bunch.data).columns),
        }
        for name, bunch in loaded.items()
    )


def draw(path, scores, samples):
    """Draw the gaps of accuracy: with their intervals, and sample by sample."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise SystemExit("The picture needs matplotlib: python -m pip install matplotlib") from None

    samples = samples[~samples["Pipeline"].str.contains("Ridge")]
    figure = Figure(figsize=(12, 9), layout="constrained")
    figure.suptitle("Leaky minus honest accuracy: transformers fitted before and after the split")
    above, below = figure.subplots(2, sharex=True, height_ratios=[len(scores), len(samples)])
    for height, row in enumerate(scores.itertuples()):
        above.plot([row.low, row.high], [height, height], color="#9ecae1", linewidth=4)
        above.plot(row.gap, height, "o", color="#08519c")
    for height, gaps in enumerate(samples["gaps"]):
        below.plot(gaps, [height] * len(gaps), "o", color="#9ecae1")
        below.plot(np.mean(gaps), height, "|", color="#08519c", markersize=16, markeredgewidth=3)
    for panel, drawn in ((above, scores), (below, samples)):
        panel.axvline(0, color="#969696", linewidth=1)
        panel.set_yticks(range(len(drawn)), drawn["table"] + ": " + drawn["Pipeline"])
        panel.invert_yaxis()
        panel.grid(axis="x", color="#eeeeee")
    above.set_title("whole tables, four times five folds, 95 % intervals", fontsize=11)
    below.set_title("ten random samples of each size, and their mean", fontsize=11)
    below.set_xlabel("leaky minus honest accuracy")
    figure.savefig(path, dpi=110)


def main():
    """Print the tables and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("leakage.png"), metavar="PICTURE")
    output = parser.parse_args().output

    with threadpool_limits(1):  # on tables this small, BLAS threads mostly wait for each other
        loaded = tables()
        scores, samples = scored(loaded), sampled(loaded)
    samples["smallest"], samples["largest"] = samples["gaps"].str[0], samples["gaps"].str[-1]
    columns = ["gap", "low", "high", "mean gap", "smallest", "largest"]
    layout = {
        "index": False,
        "float_format": "{:.3f}".format,
        "formatters": dict.fromkeys(columns, "{:+.3f}".format),
    }
    print("Accuracy in four times five folds, with transformers fitted on the training rows")
    print("(honest) and on all rows (leaky), and the 95 % interval of the gap\n")
    print(scores.to_string(**layout))
    print("\nThe gap in ten random samples: of accuracy, and of R2 for diabetes; five folds each\n")
    print(samples.drop(columns="gaps").to_string(**layout))
    print("\nWhat the audit says of ways to make features\n")
    print(audited().to_string(index=False))
    print("\nTables that scikit-learn ships, and their columns that were scaled before any split\n")
    print(shipped().to_string(index=False))
    draw(output, scores, samples)
    print(f"\nThe gaps: {output.resolve()}")


if __name__ == "__main__":
    main()
