"""The benchmark's own arithmetic, on numbers made up here: nothing is timed."""

import json
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import measuring, memory, report, rows
from benchmarks.data import PERIOD, Data
from benchmarks.machine import setting
from benchmarks.rows import AT_MOST, COPY, LIMITS, READ

ROWS = list(rows.every_row())


def row(work="fit", unit="s", data="9 x 2", targets=None, **samples):
    """A row as it is stored."""
    targets = targets or {}
    return {
        "group": "Scaler",
        "work": work,
        "data": data,
        "unit": unit,
        "targets": targets,
        "samples": samples,
    }


FIT = row(
    targets={"sklearn": 4, READ: 1.7, "sklearnex": 2},
    skscale=[0.010, 0.020, 0.090],
    sklearn=[0.080, 0.060, 0.040],
    sklearnex=[],
    **{READ: [0.010, 0.020, 0.020]},
)
BEST = row(
    "fit, wide",
    targets={"sklearn": 1},
    skscale=[2e-4],
    **{"sklearn (full)": [9e-4], "sklearn (arpack)": [3e-4], "sklearnex": [1e-4]},
)
PEAK = row("peak", "B", targets={AT_MOST: 64e6}, skscale=[65e6], sklearn=[900e6])
RESULTS = {
    "setting": {"processor": "abacus"},
    "rows": [FIT, BEST, PEAK],
}


# Arithmetic ---------------------------------------------------------------------------------


def test_ratio_of_medians_and_range_within_rounds():
    faster = report.compare(FIT, "sklearn")
    assert faster.value == pytest.approx(3)
    assert (faster.lowest, faster.highest) == pytest.approx((4 / 9, 8))
    assert faster.met is False
    share = report.compare(FIT, READ)
    assert (share.value, share.lowest, share.highest) == pytest.approx((1, 1, 4.5))
    assert share.met is True


@pytest.mark.parametrize(
    ("against", "value", "met"),
    [("sklearn", 4, True), ("sklearn", 3.99, False), (READ, 4, True), (READ, 4.01, False)],
)
def test_a_target_is_a_floor_against_libraries_and_a_ceiling_against_limits(against, value, met):
    assert report.Comparison(against, value, value, value, 4).met is met
    assert report.Comparison(against, value, value, value, None).met is None


def test_the_fastest_solver_is_compared_with():
    assert report.compare(BEST, "sklearn").value == pytest.approx(1.5)
    assert report.samples_of(BEST, "sklearnex") == [1e-4]
    assert report.compare(BEST, READ) is None


def test_a_bound_is_in_the_unit_shown():
    bound = report.compare(PEAK, AT_MOST)
    assert (bound.value, bound.target, bound.met) == (65, 64, False)
    assert bound.show(spread=True) == "65.0 ≤64 ✗"


def test_what_was_not_measured_is_neither_met_nor_missed():
    assert report.compare(FIT, "sklearnex") is None
    assert report.tally(RESULTS) == "2 of 5 targets met, 1 not measured."
    assert report.tally({"rows": [row(skscale=[1])]}) == "No targets here."


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0.0712, "0.071"), (0.71, "0.71"), (9.996, "10.0"), (99.96, "100"), (7123.4, "7,123")],
)
def test_three_digits(number, shown):
    assert report.brief(number) == shown


# Table and page -----------------------------------------------------------------------------


def test_text():
    text = report.text(RESULTS)
    head, fit, best, peak = text.splitlines()[2:6]
    assert head.split("  ")[0] == "table"
    assert fit.split()[:8] == ["9", "x", "2", "fit", "ms", "20.0", "60.0", "–"]
    assert "3.00 ≥4 ✗" in fit
    assert "1.00 ≤1.7 ✓" in fit
    assert best.split()[3:8] == ["fit,", "wide", "µs", "200", "300"]
    assert "13.8" not in peak  # less memory is not more speed
    right = [head.index("ours") + len("ours")] * 3
    assert [
        line.index(n) + len(n) for line, n in [(fit, "20.0"), (best, "200"), (peak, "65.0")]
    ] == right
    assert report.INSTALL in text
    assert "the fastest of sklearn (full) 900 µs, sklearn (arpack) 300 µs." in text


def test_page(monkeypatch):
    monkeypatch.setitem(report.CAUSES, "Scaler, fit, 9 x 2", "one core was away.")
    page = report.page(RESULTS)
    assert "| processor | abacus |" in page
    assert "medians of 3 samples" in page
    assert "3.00 (0.44–8.00) ≥4 ✗" in page
    missed = page.partition("## Not met\n\n")[2].splitlines()
    assert missed == [
        "- Scaler, fit, 9 x 2: 3.00 (0.44–8.00) ≥4 ✗ against sklearn: one core was away.",
        "- Scaler, peak, 9 x 2: 65.0 ≤64 ✗.",
    ]


def test_every_row_fits_a_terminal():
    """With the widest numbers there can be, in the widest rows there are."""
    stored = [
        command.as_json(each, {side: [9.999 if each.unit == "s" else 9e8] for side in each.sides})
        for each in ROWS
    ]
    text = report.text({"setting": setting(), "rows": stored})
    assert max(map(len, text.partition("Medians.")[0].splitlines())) <= 120


def test_stored_results_are_shown_without_measuring(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "run", None)
    stored, page = tmp_path / "results.json", tmp_path / "page.md"
    stored.write_text(json.dumps(RESULTS), encoding="utf-8")
    command.main(["--read", str(stored), "--page", str(page)])
    assert capsys.readouterr().out.rstrip() == report.text(RESULTS)
    assert page.read_text(encoding="utf-8") == report.page(RESULTS)


def test_the_page_is_made_from_the_stored_results():
    """If this fails: `python -m benchmarks --read` the results, `--page` to the page."""
    results = json.loads((measuring.ROOT / "benchmarks" / "results.json").read_text("utf-8"))
    page = (measuring.ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert page == report.page(results)


def test_causes_are_of_rows_that_there_are():
    assert set(report.CAUSES) <= {
        report.title(command.as_json(each, {})) for each in ROWS if each.targets
    }


# Measuring ----------------------------------------------------------------------------------


def test_sides_take_turns():
    order = []
    sides = {name: lambda name=name: order.append(name) or len(order) for name in "abc"}
    samples = measuring.in_turn(sides, 4)
    assert "".join(order) == "abcacbcabcba"
    assert samples == {"a": [1, 4, 8, 12], "b": [2, 6, 9, 11], "c": [3, 5, 7, 10]}


@pytest.mark.parametrize(("cost", "times"), [(2.0, 1), (0.03, 1), (0.001, 24), (1e-5, 2400)])
def test_short_work_is_done_many_times(monkeypatch, cost, times):
    now, pauses = [0.0], []

    def work():
        now[0] += cost

    monkeypatch.setattr(measuring, "perf_counter", lambda: now[0])
    monkeypatch.setattr(measuring, "sleep", pauses.append)
    sample = measuring.stopwatch(work)
    assert pauses == []
    start = now[0]
    assert sample() == pytest.approx(cost)
    assert now[0] - start == pytest.approx(cost * times, rel=0.1)
    assert now[0] - start >= measuring.SHORTEST
    assert pauses == [measuring.PAUSE]


def test_results_outlive_the_clock(monkeypatch):
    events = []

    class Result:
        def __del__(self):
            events.append("freed")

    monkeypatch.setattr(measuring, "perf_counter", lambda: events.append("clock") or 0.0)
    measuring.seconds(Result)
    assert events == ["clock", "clock", "freed"]


def test_peak_extra_memory():
    assert memory.peak_extra(lambda: None) < 1e6
    assert 78.5e6 < memory.peak_extra(lambda: np.ones(10_000_000)) < 90e6
    assert 78.5e6 < memory.peak_extra(lambda: np.ones(10_000_000).sum()) < 90e6  # not the result's
    assert memory.peak_extra(lambda: None) < 1e6  # the earlier peak is forgotten


def test_a_process_of_its_own():
    assert measuring.in_a_process("-c", "print(1.5)") == 1.5


# Rows ---------------------------------------------------------------------------------------


def test_rows_are_told_apart():
    titles = [str(each) for each in ROWS]
    assert len(set(titles)) == len(titles) > 60


@pytest.mark.parametrize("each", ROWS, ids=str)
def test_targets_are_against_what_is_measured(each):
    sides = {side.partition(" (")[0] for side in each.sides}
    assert "skscale" in sides
    assert sides <= {"skscale", *report.FASTER, *LIMITS}
    assert set(each.targets) <= sides | {AT_MOST}


def test_quick_rows_are_small_and_not_judged():
    quick = list(rows.every_row(quick=True))
    assert [(a.group, a.work) for a in quick] == [(a.group, a.work) for a in ROWS]
    assert not any(each.targets for each in quick)
    assert max(each.data.rows * each.data.columns for each in quick if each.data) <= 1_000_000


@pytest.mark.parametrize("each", [each for each in ROWS if each.timed], ids=str)
def test_sides_run(each):
    rows, columns = each.data.rows, each.data.columns
    X = replace(
        each.data, rows=min(rows, 60), columns=min(columns, 70 if rows < 1000 else 20)
    ).make()
    for side in filter(None, each.sides.values()):
        side(X)()


def test_plain_numpy_does_the_same_work():
    X = Data(200, 5, missing=0.1).make()
    by_work = {(each.group, each.work, each.data.missing): each for each in ROWS if each.data}
    for group, learned in (
        ("StandardScaler", ("mean_", "scale_")),
        ("MinMaxScaler", ("data_min_", "data_max_")),
    ):
        sides = by_work[group, "fit", 0.01].sides
        fitted = sides["skscale"](X)()
        for name, value in zip(learned, sides["numpy"](X)(), strict=True):
            np.testing.assert_allclose(getattr(fitted, name), value, rtol=1e-13)
    mean, deviation = by_work["StandardScaler", "fit, weighted", 0].sides["numpy"](np.eye(3))()
    ours = by_work["StandardScaler", "fit, weighted", 0].sides["skscale"](np.eye(3))()
    np.testing.assert_allclose([mean, deviation], [ours.mean_, ours.scale_], rtol=1e-14)


def test_tables():
    table = Data(3, 4, "float32", "Fortran", 0.01)
    assert str(table) == "3 x 4, float32, Fortran, 1% NaN"
    assert str(Data(20_000, 10)) == "20,000 x 10"
    assert table.make().flags.f_contiguous
    assert table.make().dtype == np.float32
    assert np.isnan(Data(1000, 10, missing=0.01).make()).mean() == pytest.approx(0.01, rel=0.3)
    for layout, is_one_block in (("pandas", True), ("pandas by column", False)):
        frame = Data(30, 10, layout=layout).make()
        assert np.shares_memory(frame.to_numpy(), frame["x3"].to_numpy()) is is_one_block
    kinds = Data(30, 10, layout="pandas mixed").make().dtypes.astype(str).value_counts()
    assert dict(kinds) == {"float64": 6, "float32": 2, "int64": 2}


def test_large_tables_repeat_themselves():
    X = Data(7, PERIOD // 3).array()
    np.testing.assert_array_equal(X[3:6], X[:3])
    np.testing.assert_array_equal(X[6], X[0])
    assert not np.array_equal(X[1], X[0])


def test_the_setting_names_no_place():
    found = setting()
    assert all(isinstance(value, str) and value for value in found.values())
    assert "/" not in "".join(found.values())


def test_limits_are_of_steps():
    for each in ROWS:
        limits = [side for side in each.sides if side in (READ, COPY)]
        assert len(limits) <= 1
        if limits:
            assert (limits == [READ]) == each.work.startswith("fit"), each
