"""Three hospitals learn one scaler and one PCA, and no row leaves any of them.

Each reads its own file and sends one message: the statistic of its rows, as bytes. Whoever has the
three messages merges them and learns what a fit on all rows would have learned; the merged
statistic goes back the same way, so that each hospital can transform its own rows.

Run it with ``python examples/three_sites.py``. What the messages disclose is written in
docs/guide/sharing.md.
"""

import functools
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.pipeline import make_pipeline

from skscale import PCA, StandardScaler
from skscale.statistics import Triangle

SITES = {"north": 350, "island": 19, "south": 200}
"""Rows of each hospital."""

COLUMNS = list(load_breast_cancer().feature_names)
"""What they have agreed on before: these columns, in this order."""


def write_files(folder: Path) -> dict[str, Path]:
    """Give each hospital a file of its own, with some rows of a table that scikit-learn ships."""
    table = load_breast_cancer(as_frame=True).data
    parts = np.split(np.arange(len(table)), np.cumsum(list(SITES.values()))[:-1])
    paths = {}
    for site, rows in zip(SITES, parts, strict=True):
        paths[site] = folder / f"{site}.csv"
        table.iloc[rows].to_csv(paths[site], index=False)
    return paths


def measure(path: Path) -> bytes:
    """At a hospital: what is sent of its rows."""
    rows = pd.read_csv(path)[COLUMNS]
    return Triangle.of(rows.to_numpy()).to_bytes()


def merge(messages: list[bytes]) -> bytes:
    """At the centre: the statistic of all rows, which nobody has in one place."""
    statistics = [Triangle.from_bytes(message) for message in messages]
    return functools.reduce(Triangle.merge, statistics).to_bytes()


def learn(message: bytes) -> tuple[StandardScaler, PCA]:
    """Anywhere: a scaler, and a PCA of scaled rows, from the statistic of the rows themselves."""
    rows = Triangle.from_bytes(message)
    scaler = StandardScaler().fit_statistic(rows.moments(), feature_names=COLUMNS)
    scaled = rows.affine(1 / scaler.scale_, centre=scaler.mean_)
    return scaler, PCA(n_components=5).fit_statistic(scaled, feature_names=COLUMNS)


def largest_difference(found: np.ndarray, expected: np.ndarray) -> float:
    """Largest difference, relative to the number itself; in a matrix, to the largest number."""
    unit = np.abs(expected) if np.ndim(expected) == 1 else np.abs(expected).max()
    return float((np.abs(found - expected) / unit).max())


def main() -> None:
    """Print what is sent, and how far the result is from a fit on all rows."""
    with tempfile.TemporaryDirectory() as name:
        paths = write_files(Path(name))
        messages = {site: measure(path) for site, path in paths.items()}
        print(f"{'':8}{'rows':>6}{'file, bytes':>14}{'sent, bytes':>14}")
        for site, path in paths.items():
            print(f"{site:8}{SITES[site]:6}{path.stat().st_size:14,}{len(messages[site]):14,}")
        shared = merge(list(messages.values()))
        print(f"{'merged':8}{sum(SITES.values()):6}{'':14}{len(shared):14,}\n")

        scaler, pca = learn(shared)
        all_rows = pd.concat([pd.read_csv(path) for path in paths.values()])
        together = make_pipeline(StandardScaler(), PCA(n_components=5)).fit(all_rows)
        print("largest difference from a fit on all rows in one place, relative")
        for fitted, expected, attribute in (
            (scaler, together[0], "mean_"),
            (scaler, together[0], "scale_"),
            (pca, together[1], "explained_variance_"),
            (pca, together[1], "components_"),
        ):
            apart = largest_difference(getattr(fitted, attribute), getattr(expected, attribute))
            print(f"  {type(fitted).__name__ + '.' + attribute:25}{apart:.0e}")
        scores = pca.transform(scaler.set_output(transform="pandas").transform(all_rows))
        apart = largest_difference(scores, together.transform(all_rows))
        print(f"  {'transformed rows':25}{apart:.0e}")


if __name__ == "__main__":
    main()
