"""What learned gamma is worth to neighbours and to an RBF kernel, and where it is worth nothing.

Four real tables, as they are and with three times as many columns of noise added, and two tables
whose signal a linear head cannot see. Everything that is learned is learned inside of the
cross-validation, the weight decay on parts of its training rows. Takes some minutes:

    python examples/normalization.py
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.svm import SVC, SVR

from skscale import StandardScaler, SupervisedBatchNormalizer


class Task(NamedTuple):
    """A table, and what is to be predicted of it."""

    name: str
    X: np.ndarray
    y: np.ndarray

    @property
    def is_regression(self) -> bool:
        """Whether numbers are to be predicted."""
        return self.y.dtype.kind == "f"

    def with_noise(self) -> "Task":
        """The same rows with three times as many columns of noise added."""
        drawn = np.random.default_rng(0)
        noise = drawn.normal(size=(len(self.X), 3 * self.X.shape[1]))
        return self._replace(name=f"{self.name} + noise", X=np.hstack([self.X, noise]))


def real_tasks() -> Iterator[Task]:
    """Yield the tables that scikit-learn brings along."""
    loads = {
        "wine": load_wine,
        "breast cancer": load_breast_cancer,
        "digits": load_digits,
        "diabetes": load_diabetes,
    }
    for name, load in loads.items():
        yield Task(name, *load(return_X_y=True))


def hidden_tasks() -> Iterator[Task]:
    """Yield tables whose columns say nothing one by one, and much together."""
    drawn = np.random.default_rng(0)
    X = drawn.normal(size=(600, 8))
    yield Task("XOR of two of 8", X, (X[:, 0] * X[:, 1] > 0).astype(int))
    centres = drawn.choice([-1.0, 1.0], size=(40, 10))
    cluster = drawn.integers(0, 40, 1200)
    X = np.hstack(
        [centres[cluster] + 0.4 * drawn.normal(size=(1200, 10)), drawn.normal(size=(1200, 30))]
    )
    yield Task("clusters in 10 of 40", X, drawn.integers(0, 2, 40)[cluster])


def scores(task: Task, step: BaseEstimator) -> np.ndarray:
    """Accuracies or R2 of both models behind a step, in percent, over five folds."""
    splitter = KFold if task.is_regression else StratifiedKFold
    models = (
        (KNeighborsRegressor(5), SVR(C=100.0))
        if task.is_regression
        else (KNeighborsClassifier(5), SVC())
    )
    found = []
    for train, test in splitter(5, shuffle=True, random_state=0).split(task.X, task.y):
        learned = clone(step)  # what a Pipeline does, once for both models
        rows = learned.fit_transform(task.X[train], task.y[train])
        held_out = learned.transform(task.X[test])
        found.append(
            [model.fit(rows, task.y[train]).score(held_out, task.y[test]) for model in models]
        )
    return 100 * np.mean(found, axis=0)


def gamma_of_noise(task: Task, n_real: int) -> float:
    """Median gamma of the columns of noise, in medians of the others."""
    gamma = SupervisedBatchNormalizer(random_state=0).fit(task.X, task.y).gamma_
    return float(np.median(gamma[n_real:]) / np.median(gamma[:n_real]))


def row_of(task: Task) -> str:
    """One line of the table: both models, without and with learned gamma."""
    plain = scores(task, StandardScaler())
    learned = scores(task, SupervisedBatchNormalizer(random_state=0))
    pairs = zip(plain, learned, strict=True)
    cells = [f"{before:6.1f} {after:6.1f} {after - before:+6.1f}" for before, after in pairs]
    return f"{task.name:22} {'   '.join(cells)}"


def main() -> None:
    """Print the table."""
    print(f"{'':22} {'5 neighbours':^20}   {'RBF SVM':^20}   noise/other")
    print(f"{'':22} {'plain learned   gain':>20}   {'plain learned   gain':>20}   gamma")
    for task in real_tasks():
        print(row_of(task), flush=True)
        noisy = task.with_noise()
        print(f"{row_of(noisy)}   {gamma_of_noise(noisy, task.X.shape[1]):.2f}", flush=True)
    for task in hidden_tasks():
        print(row_of(task), flush=True)


if __name__ == "__main__":
    main()
