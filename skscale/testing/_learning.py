"""The laws of a transformer that say what it learns from, and what it keeps."""

from __future__ import annotations

import gc
import pickle
import weakref
from contextlib import suppress
from typing import Any

import numpy as np
from joblib import parallel_config

from skscale._kernels import Array
from skscale.statistics import Extrema
from skscale.testing._comparing import (
    EPSILON_32,
    arrays,
    assert_same_bits,
    learned,
    raises,
    state,
)
from skscale.testing._laws import Law, collector, shorten
from skscale.testing._samples import FRAMES, frame_of, replaced, table
from skscale.testing._trial import Trial

LAWS: dict[str, Law] = {}
law = collector(LAWS)


@law("transform is the truth")
def _(trial: Trial) -> None:
    if trial.truth is None:
        return
    rows, n_features = trial.rows, trial.rows.shape[1]
    centred = rows - rows.mean(axis=0)
    offset = 1 + np.ldexp(1.0, -np.arange(n_features))
    far, narrow = centred + 1e9 * offset, (centred + 1e4 * offset).astype(np.float32)
    cases: list[tuple[str, Array, Any]] = [
        ("", rows, None),
        (" of 101 rows", rows[:101], None),
        (" at 1e9", far, None),
    ]
    if trial.takes_weights:
        cases += [(" with weights", rows, trial.weights), (" at 1e9, weighted", far, trial.weights)]
    short = []
    if trial.columnwise:
        short += [(" of 3 rows", rows[:3], None), (" of 1 row", rows[:1], None)]
        short += [(" with a constant column", replaced(rows, (slice(None), 0), rows[0, 0]), None)]
    if trial.columnwise and trial.allows_missing:
        short += [(" with missing values", replaced(rows, ([0, 7, 105, -1], 1), np.nan), None)]
    for number, (what, train, weights) in enumerate([*cases, *short]):
        new = trial.new - rows.mean(axis=0) + np.nanmean(train, axis=0)
        expected = trial.truth(train, weights, new)
        found = trial.fit(train, weights).transform(new)
        trial.close(found, expected, train, f"fit{what}")
        if trial.has("partial_fit") and trial.batch_size is None and number < len(cases):
            for size in (1, 10, 100):
                stream = trial.stream(train, range(size, len(train), size), weights)
                found = stream.transform(new)
                trial.close(found, expected, train, f"partial_fit{what}, {size} rows at a time")
    wide = narrow.astype(np.float64)
    found = trial.fit(narrow).transform(narrow)
    expected = trial.truth(wide, None, wide)
    trial.close(found, expected, wide, "float32 at 1e4", 2 * EPSILON_32)


@law("any cut gives the same")
def _(trial: Trial) -> None:
    if not trial.has("partial_fit"):
        return
    rows, weights = trial.rows, trial.weights
    whole = trial.fit(rows)
    weighted = trial.fit(rows, weights) if trial.takes_weights else None
    for positions in trial.cuts:
        at = f"partial_fit of rows cut at {shorten(positions)}"
        trial.alike(trial.stream(rows, positions), whole, at)
        if weighted is not None:
            trial.alike(trial.stream(rows, positions, weights), weighted, f"{at} with weights")
    if trial.batch_size is None:
        first = trial.fit(rows[: len(rows) // 2])
        trial.learn(first, "partial_fit", rows[len(rows) // 2 :])
        trial.alike(first, whole, "fit of one half and partial_fit of the other")


@law("the number of threads does not matter")
def _(trial: Trial) -> None:
    n_rows = 2**20 // trial.rows.shape[1] + 1000
    if trial.batch_size is not None:
        n_rows = min(n_rows, 500 * trial.batch_size)
    rows = table(n_rows, trial.rows.shape[1])
    many = trial.fit(rows)
    with parallel_config(backend="sequential"):
        one = trial.fit(rows)
        expected = one.transform(rows)
    assert_same_bits(learned(many), learned(one), "what is learned")
    assert_same_bits(many.transform(rows), expected, "transform")


@law("fit_statistic is fit")
def _(trial: Trial) -> None:
    fitted = trial.fit(trial.rows)
    if not trial.has("fit_statistic"):
        return
    again = trial.make().fit_statistic(fitted.statistic_)
    assert_same_bits(again.transform(trial.new), fitted.transform(trial.new), "transform")
    assert again.statistic_ is fitted.statistic_, "statistic_ is not the one that was given"
    before = state(again)
    for stranger in (None, object(), Extrema, _Stranger()):
        with raises(f"fit_statistic of {stranger!r}", ValueError, TypeError):
            again.fit_statistic(stranger)
    assert_same_bits(state(again), before, "the old fit, after strangers were refused")


@law("every training row counts")
def _(trial: Trial) -> None:
    rows = trial.rows
    base = trial.fit(rows).transform(trial.new)
    if trial.learns:
        outlier = rows.mean(axis=0) + 50 * rows.std(axis=0) * (-1.0) ** np.arange(rows.shape[1])
        spots = {0, 1, 99, 100, 101, 199, 200, 201, len(rows) // 2, len(rows) - 2, len(rows) - 1}
        for row in sorted(spots & set(range(len(rows)))):
            moved = trial.fit(replaced(rows, row, outlier)).transform(trial.new)
            assert not np.array_equal(moved, base), f"row {row} of {len(rows)} changes nothing"
    if trial.batch_size is None:
        shuffled = np.random.default_rng(3).permutation(rows)
        trial.close(trial.fit(shuffled).transform(trial.new), base, rows, "rows in another order")


@law("an integer weight is a repetition, and 0 an absence")
def _(trial: Trial) -> None:
    if not trial.takes_weights:
        return
    few = len(trial.rows) if trial.batch_size is None else max(2, trial.batch_size // 3)
    rows = trial.rows[:few]
    weights = np.random.default_rng(11).integers(0, 4, len(rows))
    weights[:2] = 1
    weighted, there = trial.fit(rows, weights), weights > 0
    trial.alike(weighted, trial.fit(np.repeat(rows, weights, axis=0)), "repeated rows", rows)
    trial.alike(weighted, trial.fit(rows[there], weights[there]), "rows of weight 0 left out", rows)
    trial.alike(trial.fit(rows, np.ones(len(rows))), trial.fit(rows), "weights of 1", rows)
    expected = weighted.transform(trial.new)
    for what, same in (("floats", weights.astype(np.float64)), ("a list", weights.tolist())):
        assert_same_bits(trial.fit(rows, same).transform(trial.new), expected, f"weights as {what}")


@law("a missing value is refused or left out")
def _(trial: Trial) -> None:
    rows, new, gone = trial.rows, trial.new, [0, 1, 50, 150, len(trial.rows) - 1]
    holes, new_holes = replaced(rows, (gone, 1), np.nan), replaced(new, ([0, 100, -1], 1), np.nan)
    fitted = trial.fit(rows)
    if not trial.allows_missing:
        for what, method in (("fit", trial.fit), ("transform", fitted.transform)):
            with raises(f"{what} of rows with NaN", ValueError):
                method(holes)
        return
    expected = fitted.transform(new)
    found = fitted.transform(new_holes)
    if trial.rowwise:
        assert_same_bits(np.isnan(found), np.isnan(new_holes), "where NaN is, before and after")
        whole = ~np.isnan(new_holes).any(axis=1)
        assert_same_bits(found[whole], expected[whole], "rows beside one with NaN")
    if not trial.columnwise:
        return
    assert_same_bits(np.isnan(found), np.isnan(new_holes), "where NaN is, before and after")
    there = ~np.isnan(found)
    assert_same_bits(found[there], expected[there], "values beside NaN")
    found = trial.fit(holes).transform(new)
    rest = np.arange(rows.shape[1]) != 1
    trial.close(found[:, rest], expected[:, rest], rows, "columns beside one with NaN")
    if trial.batch_size is None:
        expected = trial.fit(np.delete(rows, gone, axis=0)).transform(new)
        trial.close(found[:, 1], expected[:, 1], rows, "NaN against rows left out")


@law("a refit forgets")
def _(trial: Trial) -> None:
    rows = trial.rows
    fresh = trial.fit(rows)
    used = trial.fit(trial.another(300)[:, ::-1])
    if trial.has("partial_fit"):
        trial.learn(used, "partial_fit", trial.another(3).astype(np.float32))
    used.transform(trial.new)
    histories = {"other rows": used}
    wide = frame_of(FRAMES[0], table(50, rows.shape[1] + 2))
    if wide is not None:
        with suppress(ValueError):  # parameters may be one per column
            histories["a wider frame"] = trial.fit(wide)
    if trial.takes_weights:
        histories["weighted rows"] = trial.fit(rows, trial.weights)
    if trial.allows_missing:
        histories["rows with missing values"] = trial.fit(replaced(rows, (3, 0), np.nan))
    for what, history in histories.items():
        trial.learn(history, "fit", rows)
        assert_same_bits(learned(history), learned(fresh), f"attributes after {what}")
        assert_same_bits(
            history.transform(trial.new), fresh.transform(trial.new), f"transform after {what}"
        )


@law("a failed fit changes nothing")
def _(trial: Trial) -> None:
    rows, new = trial.rows, trial.new
    text = rows.astype(object)
    text[-1, -1] = "five"
    bad: dict[str, tuple[Any, Any]] = {
        "an infinity in the last row": (replaced(rows, (-1, -1), np.inf), None),
        "an infinity in the first row": (replaced(rows, (0, 0), -np.inf), None),
        "text": (text, None),
        "no rows": (rows[:0], None),
        "one dimension": (rows[0], None),
        "nothing": (None, None),
    }
    if not trial.allows_missing:
        bad["NaN"] = (replaced(rows, (-1, -1), np.nan), None)
    if trial.takes_weights:
        ones = np.ones(len(rows))
        bad["a negative weight"] = (rows, replaced(ones, -1, -1.0))
        bad["a weight of NaN"] = (rows, replaced(ones, -1, np.nan))
        bad["weights that are all 0"] = (rows, 0 * ones)
        bad["too few weights"] = (rows, ones[1:])
    methods = ["fit", "partial_fit"] if trial.has("partial_fit") else ["fit"]
    for method in methods:
        fitted = trial.fit(rows)
        before, expected = state(fitted), fitted.transform(new)
        wrong = dict(bad)
        if method == "partial_fit":
            wrong["another width"] = (rows[:, 1:], None)
        for what, (given, weights) in wrong.items():
            with raises(f"{method} of {what}", ValueError, TypeError):
                trial.learn(fitted, method, given, weights)
            assert_same_bits(state(fitted), before, f"the old fit, after {method} of {what}")
            assert_same_bits(fitted.transform(new), expected, f"transform, after {what}")
        if trial.has("partial_fit"):
            trial.learn(fitted, "partial_fit", new)
            never = trial.learn(trial.fit(rows), "partial_fit", new)
            assert_same_bits(fitted.transform(new), never.transform(new), "partial_fit after it")
        unfitted = trial.make()
        before = state(unfitted)
        with raises(f"{method} of an infinity", ValueError):
            trial.learn(unfitted, method, bad["an infinity in the last row"][0])
        assert_same_bits(state(unfitted), before, "the unfitted object")


@law("who works row by row learns nothing from rows")
def _(trial: Trial) -> None:
    if not trial.rowwise:
        return
    first = trial.fit(trial.rows)
    expected = first.transform(trial.new)
    for what, rows in (
        ("other rows", trial.another(97)),
        ("the same rows in another order", trial.rows[::-1]),
        ("one row", trial.rows[:1]),
        ("rows of zeros", np.zeros_like(trial.rows)),
    ):
        other = trial.fit(rows)
        assert_same_bits(learned(other), learned(first), f"attributes after a fit on {what}")
        assert_same_bits(other.transform(trial.new), expected, f"transform after a fit on {what}")


@law("no training row is kept")
def _(trial: Trial) -> None:
    for n_rows in (trial.rows.shape[1] + 2, len(trial.rows)):
        rows = trial.rows[:n_rows].copy()
        fitted, alive = trial.fit(rows), weakref.ref(rows)
        expected = fitted.transform(trial.new)
        for held in arrays(vars(fitted)):
            assert not np.shares_memory(held, rows), "an attribute shares memory with the rows"
            if n_rows > 10 * rows.shape[1]:
                assert held.size < rows.size, f"an attribute of shape {held.shape} is kept"
        rows[:] = 0
        assert_same_bits(fitted.transform(trial.new), expected, "transform, after rows changed")
        del rows
        gc.collect()
        assert alive() is None, "the fitted object holds on to the rows"
    few, many = (len(pickle.dumps(trial.fit(table(n, trial.rows.shape[1])))) for n in (300, 3000))
    assert many < few + 1000, f"pickled: {few} bytes after 300 rows, {many} after 3000"


class _Stranger:
    """A statistic of a kind that nobody knows."""

    total = 1.0
    n_features = 4

    def merge(self, later: Any) -> Any:
        return self
