"""Time skscale against scikit-learn: the same array, the same run, turn and turn about.

Prints one table of medians. ``X.sum()`` and ``X.copy()`` are what the machine needs to read the
array once and to read and write it once: no fit or transform can be much faster than those.

Run it with ``python benchmarks/against_sklearn.py [--rows N] [--columns N] [--json PATH]``.
"""

import argparse
import json
import os
import platform
from collections import defaultdict
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import numpy as np
import sklearn
from sklearn import decomposition, preprocessing

import skscale

CONTESTS = {
    "StandardScaler()": (skscale.StandardScaler(), preprocessing.StandardScaler()),
    "MinMaxScaler()": (skscale.MinMaxScaler(), preprocessing.MinMaxScaler()),
    "PCA(n_components=10)": (skscale.PCA(n_components=10), decomposition.PCA(n_components=10)),
    "PCA()": (skscale.PCA(), decomposition.PCA()),
}


def seconds(work, *args):
    """Return how long one call takes.

    Threads of a BLAS go on spinning for some 30 ms after their last product, and would take a core
    from whoever comes next: the pause lets them fall asleep.
    """
    sleep(0.1)
    start = perf_counter()
    work(*args)
    return perf_counter() - start


def measure(X, repeats):
    """Return the seconds of every repeat, by step and side."""
    taken = defaultdict(lambda: defaultdict(list))
    for repeat in range(repeats):
        for limit in ("sum", "copy"):
            taken[f"X.{limit}()"]["machine"].append(seconds(getattr(X, limit)))
        for name, (ours, theirs) in CONTESTS.items():
            sides = [("skscale", ours), ("sklearn", theirs)]
            for step in ("fit", "transform"):
                for side, transformer in sides[:: (-1) ** repeat]:  # neither always goes first
                    spent = seconds(getattr(transformer, step), X)
                    taken[f"{name}.{step}"][side].append(spent)
    return taken


def report(taken):
    """Return the table as text."""
    lines = [f"{'':32}{'skscale':>10}{'sklearn':>10}{'ratio':>8}   (medians, ms)"]
    for step, sides in taken.items():
        middle = {side: 1e3 * median(spent) for side, spent in sides.items()}
        if "machine" in middle:
            lines.append(f"{step:32}{middle['machine']:10.1f}")
        else:
            ours, theirs = middle["skscale"], middle["sklearn"]
            lines.append(f"{step:32}{ours:10.1f}{theirs:10.1f}{ours / theirs:8.2f}")
    return "\n".join([*lines, "", "ratio = skscale / sklearn: below 1, skscale is faster."])


def main():
    """Measure, print the table, and write every single time if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all times there, in s")
    options = parser.parse_args()

    random = np.random.default_rng(0)
    shape = (options.rows, options.columns)
    X = random.normal(loc=random.normal(size=shape[1]), size=shape)
    setting = {
        "shape": shape,
        "dtype": str(X.dtype),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "sklearn": sklearn.__version__,
    }
    print(*(f"{key} {value}" for key, value in setting.items()), sep=", ", end="\n\n")
    taken = measure(X, options.repeats)
    print(report(taken))
    if options.json:
        options.json.write_text(json.dumps({**setting, "seconds": taken}, indent=1) + "\n")


if __name__ == "__main__":
    main()
