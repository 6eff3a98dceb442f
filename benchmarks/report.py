"""The table, as text and as a page of docs/, made from what ``--json`` writes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.rows import AT_MOST, LIMITS

Record = Mapping[str, Any]
"""A row as it is stored."""

SIDES = {"skscale": "ours", "sklearn": "sklearn", "sklearnex": "intelex", "numpy": "numpy"}
FASTER = ("sklearn", "sklearnex", "numpy")
"""Against these, ratios say how many times faster we are; against limits, how many times slower."""

WORDS = ("table", "work", "", "what", "which")
"""Headings of columns that go to the left."""

MARKS = {True: "✓", False: "✗", None: ""}

LEGEND = """\
Medians. "vs sklearn" and "vs intelex" say how many times faster ours is. "vs limit" divides ours by
X.sum() for a fit, by X.copy() for a transform, by our PCA for a Whitener and for folds, by
PyTorch for a function of activations, and by reading the file for a stream; or it is ours itself.
A target stands beside its ratio: ✓ met, ✗ not met. Tables are float64, in C order, unless they say
otherwise."""

INSTALL = 'intelex (scikit-learn-intelex) is not installed: pip install ".[benchmarks]"'

FAULTS = (
    "Memory for a fresh result takes most of the time: two threads that only copy the table there "
    "need 50 to 70 ms. The same call took 80 to 110 ms in different runs."
)
BESIDE = (
    "Measured in turns with scikit-learn. In the same run a scaled PCA of the same file, which is "
    "more work, took 456 ms in turns with reading alone."
)
CAUSES: dict[str, str] = {
    "StandardScaler, transform, 2,000,000 x 50": FAULTS,
    "StandardScaler, inverse_transform, 2,000,000 x 50": FAULTS,
    "MinMaxScaler, transform, 2,000,000 x 50": FAULTS,
    "PCA, transform, 1,000,000 x 100": (
        "The matrix product alone takes 213 ms on two cores: 20 Gflop, at the 47 Gflop/s that one "
        "core reaches."
    ),
    "PCA, fit, covariance_eigh, 50,000 x 1,000": (
        "The matrix products alone take 500 ms on two cores, in either library, and the "
        "eigendecomposition 139 ms on one thread, where its bits do not depend on the machine."
    ),
    "cross_fit, scaled PCA, 200 groups, 1,000,000 x 50": (
        "One fit takes a third less time than when this was set, and all 200 a quarter less: 170 "
        "ms of them, in one thread, are decompositions and Python, and not the pass over the rows."
    ),
    "fit_blocks, StandardScaler, 4,000,000 x 25": BESIDE,
    "fit_blocks, PCA, 10 components, 4,000,000 x 25": BESIDE,
    "Small tables, PCA.transform, 1 x 20": (
        "A quarter of the time goes into holding BLAS to one thread, and most of the rest into "
        "centring and one product through numpy."
    ),
    "Small tables, PCA.fit, 100 x 10": (
        "The weakest direction of this table is below 1/32 of the first, so that it is fitted "
        "twice, the second time by a QR factorization, which loses no digits."
    ),
}
"""Why a target is missed, in a sentence that rests on a measurement: by `title` of the row."""


@dataclass(frozen=True)
class Comparison:
    """A ratio of medians, or a number of ours, and what it is meant to be."""

    against: str
    value: float
    lowest: float
    highest: float
    target: float | None

    @property
    def sign(self) -> str:
        """Which way the target points."""
        return "≥" if self.against in FASTER else "≤"

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None if there is none."""
        if self.target is None:
            return None
        return self.value >= self.target if self.sign == "≥" else self.value <= self.target

    def show(self, *, spread: bool) -> str:
        """Return the ratio, perhaps its range, and the target: "7.20 (6.91–7.52) ≥12 ✗"."""
        varies = spread and self.lowest < self.highest
        between = f" ({brief(self.lowest)}–{brief(self.highest)})" if varies else ""
        target = "" if self.target is None else f" {self.sign}{self.target:g} {MARKS[self.met]}"
        return f"{brief(self.value)}{between}{target}"


# Arithmetic -------------------------------------------------------------------------------


def samples_of(row: Record, side: str) -> Sequence[float]:
    """Return the samples of a side: of a library's several solvers, those of the fastest."""
    return min(solvers_of(row, side).values(), key=median, default=[])


def solvers_of(row: Record, side: str) -> dict[str, Sequence[float]]:
    """Return the samples of a side by solver, as "sklearn (arpack)"; most have no choice."""
    return {
        name: samples
        for name, samples in row["samples"].items()
        if samples and (name == side or name.startswith(f"{side} ("))
    }


def compare(row: Record, against: str) -> Comparison | None:
    """Return how we compare with a library, a limit or a bound; None if it was not measured.

    The range is that of the ratios within one round, whose sides had the same weather.
    """
    ours, target = samples_of(row, "skscale"), row["targets"].get(against)
    if against == AT_MOST:
        if target is None:
            return None
        _, size = unit_of(row)
        value, lowest, highest = (of(ours) / size for of in (median, min, max))
        return Comparison(against, value, lowest, highest, target / size)
    theirs = samples_of(row, against)
    if not theirs:
        return None
    above, below = (theirs, ours) if against in FASTER else (ours, theirs)
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    value = median(above) / median(below)
    return Comparison(against, value, min(ratios), max(ratios), target)


def judged(row: Record) -> Iterator[Comparison]:
    """Yield the comparisons of a row that have a target and were measured."""
    for against in row["targets"]:
        if comparison := compare(row, against):
            yield comparison


def unit_of(row: Record) -> tuple[str, float]:
    """Return the unit that a row is shown in, and its size."""
    if row["unit"] == "B":
        return "MB", 1e6
    return ("µs", 1e-6) if median(samples_of(row, "skscale")) < 1e-3 else ("ms", 1e-3)


def brief(number: float) -> str:
    """Return three digits, or all before the point: "0.071", "7.12", "71.2", "7,120"."""
    decimals = 0 if number >= 99.95 else 1 if number >= 9.995 else 2 if number >= 0.0995 else 3
    return f"{number:,.{decimals}f}"


# Table ------------------------------------------------------------------------------------


def title(row: Record) -> str:
    """Return what names a row in a sentence."""
    return ", ".join(filter(None, (row["group"], row["work"], row["data"])))


def cells(row: Record, *, spread: bool) -> dict[str, str]:
    """Return the row by heading."""
    unit, size = unit_of(row)
    limit = next((side for side in row["samples"] if side in LIMITS), AT_MOST)
    shown = {"table": row["data"], "work": row["work"], "": unit}
    for side, heading in SIDES.items():
        if samples := samples_of(row, side):
            shown[heading] = brief(median(samples) / size)
    if limit in row["samples"]:
        shown["limit"] = brief(median(row["samples"][limit]) / size)
    compared = {"vs limit": limit}
    if row["unit"] == "s":
        compared["vs sklearn"] = "sklearn"
    if "sklearnex" in row["targets"]:
        compared["vs intelex"] = "sklearnex"
    for heading, against in compared.items():
        if comparison := compare(row, against):
            shown[heading] = comparison.show(spread=spread)
    return shown


def tables(results: Record, *, spread: bool) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield each group with its headings and rows.

    Columns that have no place in a group are left out; what was not measured is a dash.
    """
    groups: dict[str, list[Record]] = {}
    for row in results["rows"]:
        groups.setdefault(row["group"], []).append(row)
    for group, rows in groups.items():
        shown = [cells(row, spread=spread) for row in rows]
        meant = {SIDES.get(side) for row in rows for side in row["samples"]}
        headings = [
            heading
            for heading in (
                *WORDS,
                *SIDES.values(),
                "limit",
                "vs sklearn",
                "vs intelex",
                "vs limit",
            )
            if heading in meant or any(row.get(heading) for row in shown)
        ]
        body = ([row.get(heading) or "–" for heading in headings] for row in shown)
        yield group, [headings, *body]


def notes(results: Record) -> Iterator[str]:
    """Yield what the tables do not say."""
    for row in results["rows"]:
        unit, size = unit_of(row)
        solvers = solvers_of(row, "sklearn")
        if len(solvers) > 1:
            each = (
                f"{name} {brief(median(samples) / size)} {unit}"
                for name, samples in solvers.items()
            )
            yield f"{title(row)}: the fastest of {', '.join(each)}."
    if any(row["samples"].get("sklearnex") == [] for row in results["rows"]):
        yield INSTALL + "."


def tally(results: Record) -> str:
    """Return how many targets are met."""
    wanted = sum(len(row["targets"]) for row in results["rows"])
    marks = [comparison.met for row in results["rows"] for comparison in judged(row)]
    missing = f", {wanted - len(marks)} not measured" if wanted > len(marks) else ""
    return f"{sum(marks)} of {wanted} targets met{missing}." if wanted else "No targets here."


def text(results: Record) -> str:
    """Return the table for a terminal."""
    lines = []
    for group, table in tables(results, spread=False):
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines += [group, "-" * len(group)]
        for row in table:
            padded = [
                cell.ljust(width) if heading in WORDS else cell.rjust(width)
                for heading, cell, width in zip(table[0], row, widths, strict=True)
            ]
            words = sum(heading in WORDS for heading in table[0])
            sides = words + sum(heading in SIDES.values() for heading in table[0])
            parts = (*padded[:words], " ".join(padded[words:sides]), *padded[sides:])
            lines.append("  ".join(parts).rstrip())
        lines.append("")
    return "\n".join([*lines, LEGEND, *notes(results), tally(results)])


# Page -------------------------------------------------------------------------------------


def markdown(table: Sequence[Sequence[str]]) -> str:
    """Return a table; numbers go to the right."""
    head, *rows = table
    rule = [":---" if heading in WORDS else "---:" for heading in head]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rule, *rows])


def missed(results: Record) -> Iterator[str]:
    """Yield the targets not met, and why where that is known."""
    for row in results["rows"]:
        for comparison in judged(row):
            if not comparison.met:
                against = "" if comparison.against == AT_MOST else f" against {comparison.against}"
                cause = f": {CAUSES[title(row)]}" if title(row) in CAUSES else "."
                yield f"- {title(row)}: {comparison.show(spread=True)}{against}{cause}"


PAGE = """\
# Benchmarks

skscale, scikit-learn, scikit-learn-intelex and plain numpy on the same arrays in one run.

```sh
pip install ".[benchmarks]"
python -m benchmarks --json benchmarks/results.json --page docs/benchmarks.md
```

wrote this page, and every single time to
[benchmarks/results.json](../benchmarks/results.json). `--quick` takes a minute and judges nothing,
`--only PATTERN` takes the rows that a regular expression matches, `--read benchmarks/results.json`
shows the table and measures nothing.

{tally}

## The machine

{machine}

## How to read the tables

- **Times** are medians of {repeats} samples. In every round each side has its turn, in another
  order, 0.1 s after the one before: the threads of a BLAS go on spinning for a while, and would
  take a core from the next. Work of less than 20 ms is done many times over, and the time is that
  of one. Results are fresh arrays, and giving them back is not counted.
- **Ours**, skscale, and **sklearn**, scikit-learn, are called alike, as a user calls them.
  **intelex** is scikit-learn-intelex: `BasicStatistics` (mean and variance, or minimum and maximum)
  beside the fits of scalers, its `PCA` beside ours. A dash: it has no such work, or was not
  installed.
- **numpy** is the textbook line with no check at all: `mean` and `std`, `min` and `max`,
  `(X - shift) / scale`, `eigh` of the scatter matrix of the centred rows, `svd`.
- **limit** is what this machine needs to read the table, `X.sum()`, beside a fit, and to read and
  write it, `X.copy()`, beside a transform. For `Whitener` it is our `PCA`; for `fit_blocks`, to
  read the Parquet file, one row group after the other, and throw the rows away.
- **vs sklearn** and **vs intelex**: how many times faster ours is. **vs limit**: how many times
  the limit it takes. In brackets the smallest and largest ratio within a round: the cores may be
  shared with others, and where that range is wide, two digits of the ratio are noise. Then the
  target: ✓ met, ✗ not met.
- Tables are float64 in C order unless they say otherwise. "pandas" is a frame that is one block,
  "pandas by column" has a block for every column, "pandas mixed" has float64, float32 and int64
  columns.
- **Peak extra memory** is the high-water mark of a process of its own above what it held before the
  call, the result included.

{tables}

## Not met

{missed}
"""


def page(results: Record) -> str:
    """Return the page of docs/."""
    setting = [["what", "which"], *([name, value] for name, value in results["setting"].items())]
    groups = (f"## {group}\n\n{markdown(table)}" for group, table in tables(results, spread=True))
    remarks = "\n".join(f"- {note}" for note in notes(results))
    return PAGE.format(
        tally=tally(results),
        machine=markdown(setting),
        repeats=max(len(samples_of(row, "skscale")) for row in results["rows"]),
        tables="\n\n".join([*groups, *([remarks] if remarks else [])]),
        missed="\n".join(missed(results)) or "Nothing.",
    )
