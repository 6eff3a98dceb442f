"""What is measured, on what, against whom, and what it is meant to reach.

Targets are bounds on ratios of medians: so many times faster than a library, or at most so many
times a limit. A target "at most" bounds the number itself, in seconds or bytes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from sklearn import decomposition, preprocessing
from sklearn import model_selection as sklearn_selection
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, LeaveOneGroupOut
from sklearn.pipeline import make_pipeline

import skscale
from benchmarks import activations, sides, streams
from benchmarks.data import Data
from benchmarks.measuring import in_a_process
from benchmarks.sides import Make, Side
from skscale import model_selection as skscale_selection

try:
    from sklearnex.basic_statistics import BasicStatistics
    from sklearnex.decomposition import PCA as IntelPCA
except ImportError:
    BasicStatistics = IntelPCA = None

READ, COPY, OUR_PCA, TORCH, FILE = LIMITS = (
    "X.sum()",
    "X.copy()",
    "our PCA",
    "PyTorch",
    "reading the file",
)
AT_MOST = "at most"
SIDES = ("skscale", "sklearn")

SCALERS = ("StandardScaler", "MinMaxScaler")
STATISTICS = {"StandardScaler": ["mean", "variance"], "MinMaxScaler": ["min", "max"]}
STEPS = {
    "fit": sides.fitting,
    "transform": sides.transforming,
    "inverse_transform": sides.inverting,
}
NUMPY = {
    ("StandardScaler", "fit"): sides.of_columns(np.mean, np.std),
    ("StandardScaler", "fit with NaN"): sides.of_columns(np.nanmean, np.nanstd),
    ("MinMaxScaler", "fit"): sides.of_columns(np.min, np.max),
    ("MinMaxScaler", "fit with NaN"): sides.of_columns(np.nanmin, np.nanmax),
    **dict.fromkeys(product(SCALERS, ["transform"]), sides.scaling),
    **dict.fromkeys(product(SCALERS, ["inverse_transform"]), sides.unscaling),
}

TALL, LONG, BROAD = Data(2_000_000, 50), Data(20_000_000, 5), Data(100_000, 1000)
MIDDLING = Data(10_000, 20)
FOLDS, SCORED = Data(1_000_000, 50), Data(200_000, 50)
PCA_TALL, PCA_BROAD, PCA_WIDE = Data(1_000_000, 100), Data(50_000, 1000), Data(500, 20_000)
NETWORK = Data(100_000, 100)
STREAM = Data(4_000_000, 25)
SMALL, ONE = Data(100, 10), Data(1, 20)

IMPORT = """
import sklearn.decomposition, sklearn.preprocessing
from time import perf_counter
start = perf_counter()
import skscale
print(perf_counter() - start)
"""


@dataclass(frozen=True)
class Row:
    """One line of the table: sides, of which ours is "skscale", and what is asked of them.

    A side that is None is one whose library is not installed.
    """

    group: str
    work: str
    data: Data | None
    sides: Mapping[str, Side | None]
    targets: Mapping[str, float] = field(default_factory=dict)
    unit: str = "s"
    timed: bool = True
    """Whether the calls are timed; if not, they return the numbers themselves."""

    def __str__(self) -> str:
        """All that a pattern can choose it by."""
        return ", ".join(map(str, filter(None, (self.group, self.work, self.data))))


def every_row(*, quick: bool = False) -> Iterator[Row]:
    """Yield all rows; `quick` makes large tables small, of which nothing is expected."""
    tables = (*scalers(), *components(), *normalizations(), *folds(), *streamed(), *small())
    for row in (*tables, *memory(), *importing()):
        yield replace(row, targets={}, data=row.data and smaller(row.data)) if quick else row


def smaller(data: Data) -> Data:
    """Return a table of a hundredth of the rows, or of the columns if there are more of those."""
    if data.rows < data.columns:
        return replace(data, columns=max(data.columns // 100, min(data.columns, 20)))
    return replace(data, rows=max(data.rows // 100, min(data.rows, 500)))


def both(name: str) -> tuple[Make, Make]:
    """Return our class and scikit-learn's of the same name."""
    return getattr(skscale, name), getattr(decomposition, name, getattr(preprocessing, name, None))


def intel(
    side: Callable[[Make], Side], kind: Make | None, *given: Any, **named: Any
) -> Side | None:
    """Return the side of a class of scikit-learn-intelex, if it is there."""
    return kind and side(partial(kind, *given, **named))


# Scalers ----------------------------------------------------------------------------------


def scalers() -> Iterator[Row]:
    """Yield rows on large and middling tables, by table."""
    fit = {
        "StandardScaler": {"sklearn": 12, READ: 1.7},
        "MinMaxScaler": {"sklearn": 5, READ: 1.5},
    }
    for name in SCALERS:
        yield scaler(name, "fit", TALL, fit[name])
        yield scaler(name, "transform", TALL, {"sklearn": 3.5, COPY: 0.75})
        yield scaler(name, "inverse_transform", TALL, {"sklearn": 3.5, COPY: 0.75})
    yield weighted("StandardScaler", TALL)
    for layout in ("Fortran", "pandas"):
        data = replace(TALL, layout=layout)
        yield scaler("StandardScaler", "fit", data, {"sklearn": 8, READ: 2})
        yield scaler("MinMaxScaler", "fit", data)
        yield from (scaler(name, "transform", data) for name in SCALERS)
    for layout in ("pandas by column", "pandas mixed", "polars"):
        for step in ("fit", "transform"):
            yield scaler("StandardScaler", step, replace(TALL, layout=layout))
    with_nan = replace(TALL, missing=0.01)
    yield scaler("StandardScaler", "fit", with_nan, {"sklearn": 6})
    yield scaler("MinMaxScaler", "fit", with_nan)
    yield scaler("StandardScaler", "fit", LONG, {"sklearn": 40, READ: 1.7})
    yield scaler("MinMaxScaler", "fit", LONG)
    yield scaler("StandardScaler", "transform", LONG)
    others = (
        replace(TALL, dtype="float32"),
        BROAD,
        MIDDLING,
        replace(MIDDLING, dtype="float32"),
        replace(MIDDLING, layout="pandas"),
    )
    for data, name, step in product(others, SCALERS, ("fit", "transform")):
        yield scaler(name, step, data)


def scaler(name: str, step: str, data: Data, targets: Mapping[str, float] = {}) -> Row:
    """Return the row of one step of one scaler."""
    ours, theirs = both(name)
    against: dict[str, Side | None] = {"skscale": STEPS[step](ours), "sklearn": STEPS[step](theirs)}
    is_array = data.layout in ("C", "Fortran")
    if step == "fit" and not data.missing and data.layout != "polars":
        against["sklearnex"] = intel(sides.fitting, BasicStatistics, STATISTICS[name])
    if is_array:
        against["numpy"] = NUMPY[name, f"{step} with NaN" if data.missing else step]
    if is_array or data.layout == "pandas":
        against |= {READ: sides.reading} if step == "fit" else {COPY: sides.copying}
    return Row(name, step, data, against, targets)


def weighted(name: str, data: Data) -> Row:
    """Return the row of a fit with weights."""
    ours, theirs = map(sides.fitting_weighted, both(name))
    against = {"skscale": ours, "sklearn": theirs, "numpy": sides.weighted_moments}
    return Row(name, "fit, weighted", data, {**against, READ: sides.reading})


# PCA and Whitener -------------------------------------------------------------------------


def components() -> Iterator[Row]:
    """Yield rows of PCA and Whitener, by table."""
    eigen = {"svd_solver": "covariance_eigh"}
    numpy = {"numpy": sides.eigen}
    yield pca("fit, covariance_eigh", PCA_TALL, eigen, numpy, {"sklearn": 2.2, "sklearnex": 2})
    yield pca("fit, full", PCA_TALL, {"svd_solver": "full"}, {}, {"sklearn": 10})
    yield pca("fit, auto", PCA_TALL, {}, numpy)
    ours, theirs = map(sides.transforming, both("PCA"))
    against = {"skscale": ours, "sklearn": theirs, "numpy": sides.projecting}
    against["sklearnex"] = intel(sides.transforming, IntelPCA, svd_solver="covariance_eigh")
    yield Row("PCA", "transform", PCA_TALL, against, {"sklearn": 2.5})
    for step in ("fit", "transform"):
        against = {
            "skscale": STEPS[step](skscale.Whitener),
            OUR_PCA: STEPS[step](skscale.PCA),
        }
        yield Row("Whitener", f"{step}, zca", PCA_TALL, against, {OUR_PCA: 1.2})
    yield pca("fit, covariance_eigh", replace(PCA_TALL, dtype="float32"), eigen, numpy)
    yield pca("fit, covariance_eigh", PCA_BROAD, eigen, numpy, {"sklearn": 1.2})
    yield best_of_wide()


def pca(
    work: str,
    data: Data,
    parameters: Mapping[str, str],
    more: Mapping[str, Side],
    targets: Mapping[str, float] = {},
) -> Row:
    """Return the row of a fit with all components.

    The "auto" of scikit-learn-intelex is its "covariance_eigh", with a warning.
    """
    ours, theirs = (sides.fitting(partial(make, **parameters)) for make in both("PCA"))
    against = {
        "skscale": ours,
        "sklearn": theirs,
        "sklearnex": intel(
            sides.fitting, IntelPCA, **{"svd_solver": "covariance_eigh", **parameters}
        ),
    }
    return Row("PCA", work, data, {**against, **more}, targets)


def best_of_wide() -> Row:
    """Return the row where ours, left to choose, meets every solver of scikit-learn.

    Not "covariance_eigh", whose matrix has 3.2 GB and takes minutes to decompose; and not
    scikit-learn-intelex, which hands such tables to scikit-learn.
    """
    fifty = {"n_components": 50, "random_state": 0}
    against = {"skscale": sides.fitting(partial(skscale.PCA, **fifty)), "numpy": sides.singular}
    for solver in ("randomized", "arpack", "full"):
        make = partial(decomposition.PCA, svd_solver=solver, **fifty)
        against[f"sklearn ({solver})"] = sides.fitting(make)
    return Row("PCA", "fit, 50 components", PCA_WIDE, against, {"sklearn": 1})


# Activations ------------------------------------------------------------------------------


def normalizations() -> Iterator[Row]:
    """Yield rows of the functions and their gradients, by table; float32 is computed in float64."""
    for data in (NETWORK, replace(NETWORK, dtype="float32")):
        for name, backward in product(activations.FUNCTIONS, (False, True)):
            against = {
                "skscale": activations.ours(name, backward=backward),
                TORCH: activations.theirs(name, backward=backward),
            }
            most = 3 if name == "layer_norm" else 2
            targets = {TORCH: most} if data is NETWORK else {}
            work = "backward" if backward else "forward"
            yield Row(name, work, data, against, targets)


# Folds ------------------------------------------------------------------------------------


def folds() -> Iterator[Row]:
    """Yield rows of fits on the training rows of many splits, the splitter's own time aside."""
    ours = partial(make_pipeline, skscale.StandardScaler(), skscale.PCA())
    theirs = partial(make_pipeline, preprocessing.StandardScaler(), decomposition.PCA())
    limit = {OUR_PCA: sides.fitting(skscale.PCA)}
    ten = {"10 folds": KFold(10), "10 shuffled folds": shuffled(10)}
    for name, splitter in ten.items():
        against = {
            "skscale": sides.crossing(ours, splitter),
            "sklearn": sides.fitting_each(theirs, splitter),
        }
        targets = {"sklearn": 30, OUR_PCA: 1.8}
        yield Row("cross_fit", f"scaled PCA, {name}", FOLDS, {**against, **limit}, targets)
    against = {"skscale": sides.crossing(ours, LeaveOneGroupOut(), 200)}
    work = "scaled PCA, 200 groups"
    yield Row("cross_fit", work, FOLDS, {**against, **limit}, {OUR_PCA: 3})
    yield from scored()


def scored() -> Iterator[Row]:
    """Yield rows of whole cross-validations and searches: splits, model and scores included."""
    ours = partial(make_pipeline, skscale.StandardScaler(), skscale.PCA(10), Ridge())
    theirs = partial(make_pipeline, preprocessing.StandardScaler(), decomposition.PCA(10), Ridge())
    targets = {"sklearn": 1}
    functions = skscale_selection.cross_validate, sklearn_selection.cross_validate
    for name, splitter in {"10 folds": KFold(10), "10 shuffled folds": shuffled(10)}.items():
        against = {
            side: sides.scoring(function, make, splitter)
            for side, function, make in zip(SIDES, functions, (ours, theirs), strict=True)
        }
        yield Row("cross_validate", f"scaled PCA, ridge, {name}", SCORED, against, targets)
    grid = {"pca__n_components": [2, 4, 6, 8, 10, 12, 14, 16]}
    searches = skscale_selection.GridSearchCV, sklearn_selection.GridSearchCV
    against = {
        side: sides.searching(search, make, grid, KFold(5))
        for side, search, make in zip(SIDES, searches, (ours, theirs), strict=True)
    }
    yield Row("GridSearchCV", "scaled PCA, ridge, 8 x 5 fits", SCORED, against, targets)


def shuffled(n_folds: int) -> KFold:
    """Return folds of shuffled rows."""
    return KFold(n_folds, shuffle=True, random_state=0)


# Streams ----------------------------------------------------------------------------------


def streamed() -> Iterator[Row]:
    """Yield rows of fits on a Parquet file; the table grows to show that the time does as well."""
    limit = {FILE: streams.reading if streams.parquet else None}
    scaler = streams.streaming(skscale.StandardScaler)
    theirs = streams.fitting_batches(preprocessing.StandardScaler)
    against = {"skscale": scaler, "sklearn": theirs, **limit}
    yield Row("fit_blocks", "StandardScaler", STREAM, against, {FILE: 1.5})
    pca = streams.streaming(partial(skscale.PCA, 10))
    theirs = streams.fitting_batches(partial(decomposition.IncrementalPCA, 10))
    against = {"skscale": pca, "sklearn": theirs, **limit}
    yield Row("fit_blocks", "PCA, 10 components", STREAM, against, {"sklearn": 2, FILE: 1.5})
    chain = streams.streaming(
        partial(make_pipeline, skscale.StandardScaler(), skscale.PCA(10)),
    )
    for rows in (500_000, 1_000_000, 2_000_000, 4_000_000):
        data = replace(STREAM, rows=rows)
        yield Row("fit_blocks", "scaled PCA", data, {"skscale": chain, **limit}, {FILE: 1.5})


# Small tables -----------------------------------------------------------------------------


def small() -> Iterator[Row]:
    """Yield the rows where overhead is all: one row to transform, a hundred to fit."""
    names = (*SCALERS, "PCA")
    frame = replace(ONE, layout="pandas")
    for name in names:
        yield one_row(name, ONE, None, {"sklearn": 4})
        yield one_row(name, frame, None, {"sklearn": 3})
        yield one_row(name, frame, "pandas", {"sklearn": 3})
    for data, targets in ((SMALL, {"sklearn": 1.5}), (replace(SMALL, layout="pandas"), {})):
        for name in names:
            ours, theirs = map(sides.fitting, both(name))
            against = {"skscale": ours, "sklearn": theirs}
            yield Row("Small tables", f"{name}.fit", data, against, targets)


def one_row(name: str, data: Data, output: str | None, targets: Mapping[str, float]) -> Row:
    """Return the row of transforming one row, after learning from a thousand like it."""

    def side(kind: Make) -> Side:
        learned_from = replace(data, rows=1000)
        return sides.transforming_after(
            learned_from, lambda: kind().set_output(transform=output) if output else kind()
        )

    ours, theirs = map(side, both(name))
    work = f"{name}.transform, {output} out" if output else f"{name}.transform"
    return Row("Small tables", work, data, {"skscale": ours, "sklearn": theirs}, targets)


# Processes of their own -------------------------------------------------------------------


def memory() -> Iterator[Row]:
    """Yield the rows of peak memory beyond the table's own."""
    for name, step in product((*SCALERS, "PCA"), ("fit", "transform")):
        data = PCA_TALL if name == "PCA" else TALL
        result = 8 * data.rows * data.columns if step == "transform" else 0
        against = {"skscale": extra_memory("skscale", name, step)}
        module = "sklearn.decomposition" if name == "PCA" else "sklearn.preprocessing"
        against["sklearn"] = extra_memory(module, name, step)
        targets = {AT_MOST: result + 64e6}
        yield Row("Peak extra memory", f"{name}.{step}", data, against, targets, "B", timed=False)


def extra_memory(module: str, name: str, step: str) -> Side:
    """Return the side that measures in a process of its own, which makes the table itself."""
    where = ("-m", "benchmarks.memory", module, name, step)
    return lambda data: lambda: in_a_process(*where, str(data.rows), str(data.columns))


def importing() -> Iterator[Row]:
    """Yield the row of what skscale adds to the imports of a user of scikit-learn."""
    against = {"skscale": lambda data: lambda: in_a_process("-c", IMPORT)}
    targets = {AT_MOST: 0.05}
    yield Row("Import", "skscale, after scikit-learn", None, against, targets, timed=False)
