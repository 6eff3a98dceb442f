"""Time skscale against scikit-learn, scikit-learn-intelex and plain numpy, and say what is met.

Every side gets the same array in the same run, turn and turn about. One table is printed.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks import measuring, report, rows
from benchmarks.machine import setting
from benchmarks.rows import Row


def measure(chosen: Sequence[Row], repeats: int, pause: float) -> Iterator[dict[str, Any]]:
    """Yield the rows with their samples, as they go to JSON; one table is made at a time."""
    for (data, timed), group in groupby(chosen, key=attrgetter("data", "timed")):
        try:
            table = data.make() if timed else data
        except ImportError as error:
            print(f"left out: {data} ({error})", file=sys.stderr)
            continue
        for row in group:
            yield as_json(row, samples(row, table, repeats, pause))
        del table  # before the next one is made


def samples(row: Row, table: Any, repeats: int, pause: float) -> dict[str, list[float]]:
    """Return the samples of every side of a row. Memory does not vary: once is enough."""
    calls = {name: side(table) for name, side in row.sides.items() if side}
    if row.timed:
        calls = {name: measuring.stopwatch(call, pause) for name, call in calls.items()}
    taken = measuring.in_turn(calls, 1 if row.unit == "B" else repeats)
    return {name: taken.get(name, []) for name in row.sides}


def as_json(row: Row, samples: dict[str, list[float]]) -> dict[str, Any]:
    """Return a row as it is stored."""
    return {
        "group": row.group,
        "work": row.work,
        "data": str(row.data or ""),
        "unit": row.unit,
        "targets": dict(row.targets),
        "samples": samples,
    }


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument(
        "--only",
        metavar="PATTERN",
        default="",
        help='rows that this regular expression is found in: "PCA, fit", "float32", "Import"',
    )
    parser.add_argument("--quick", action="store_true", help="small tables, once, nothing judged")
    parser.add_argument(
        "--repeats", type=int, metavar="N", default=5, help="samples of each side (5)"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write every sample there")
    parser.add_argument(
        "--read", type=Path, metavar="PATH", help="show what --json wrote, and measure nothing"
    )
    parser.add_argument("--page", type=Path, metavar="PATH", help="write the page of docs/ there")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure what was chosen; with ``--json``, a run that is stopped leaves what it has."""
    pattern = re.compile(options.only, re.IGNORECASE)
    chosen = [row for row in rows.every_row(quick=options.quick) if pattern.search(str(row))]
    repeats, pause = (
        (1, measuring.PAUSE / 4) if options.quick else (options.repeats, measuring.PAUSE)
    )
    results: dict[str, Any] = {"setting": setting(), "rows": []}
    start = perf_counter()
    for row in measure(chosen, repeats, pause):
        results["rows"].append(row)
        results["setting"]["run"] = f"{perf_counter() - start:.0f} s"
        done = f"{len(results['rows'])} of {len(chosen)}, {results['setting']['run']}"
        print(f"{done}: {report.title(row)}", file=sys.stderr, flush=True)
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return results


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure or read, print, and write what is asked for."""
    options = parse(arguments)
    results = json.loads(options.read.read_text("utf-8")) if options.read else run(options)
    print(report.text(results))
    if options.page:
        options.page.write_text(report.page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
