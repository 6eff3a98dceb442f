"""Folds and probes of an audit."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import scale

from skscale import StandardScaler
from skscale.errors import InvalidParameterError, TargetError
from skscale.inspection import LeakageDisplay
from skscale.leakage import audit
from skscale.leakage._report import AuditReport, Outcome

RANDOM = np.random.default_rng(0)
ROWS = RANDOM.normal(size=(60, 3))
REPORT = AuditReport(
    "target",
    [
        Outcome(0, "low values", "clean", about_rows=True),
        Outcome(0, "training rows", "leaky", "mean_", 4.0, True),
        Outcome(2, "low values", "not run", "it takes none"),
        Outcome(2, "missing values", "inconclusive", "mean_", 1.0),
    ],
    60,
)


def legend(display):
    return [text.get_text() for text in display.legend_.get_texts()]


def test_cells_are_outcomes():
    display = LeakageDisplay.from_report(REPORT)
    assert display.probes == ["low values", "training rows", "missing values"]
    assert display.folds == [0, 2]
    assert display.outcomes.tolist() == [
        ["clean", "not run"],
        ["leaky", ""],
        ["", "inconclusive"],
    ]
    marks = [[text and text.get_text() for text in row] for row in display.text_]
    assert marks == [["o", "–"], ["X", None], [None, "?"]]
    codes = display.image_.get_array().reshape(3, 2)
    assert codes.mask.tolist() == [[False, False], [False, True], [True, False]]
    assert len(set(display.image_.cmap.colors)) == 4
    assert display.ax_.get_title() == "target: leaky"
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == display.probes
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == ["0", "2"]
    assert display.ax_.get_ylim() == (3, 0)  # from the top
    assert [text.split(":")[0] for text in legend(display)] == [
        "o  clean",
        "X  leaky",
        "?  inconclusive",
        "–  1 probe not run",
    ]


def test_legends_are_below_and_leave_the_sides_to_others():
    figure, given = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    for axis in given:
        display = LeakageDisplay.from_report(REPORT, ax=axis)
    figure.canvas.draw()
    for axis in given:
        below, cells = axis.get_legend().get_window_extent(), axis.get_window_extent()
        assert below.y0 > 0
        assert below.y1 < axis.xaxis.label.get_window_extent().y0
        assert below.x1 <= cells.x1 + 1
    assert display.ax_ is given[1]


def test_probes_that_were_not_run_are_counted_with_their_reason():
    report = AuditReport(
        "target",
        [
            Outcome(0, "low values", "clean", about_rows=True),
            Outcome(0, "low labels", "not run", "it costs $2, is $never$ given labels"),
            Outcome(0, "other labels", "not run", "it costs $2, is $never$ given labels"),
            Outcome(0, "missing values", "not run", "refused: " + "a long story " * 20),
        ],
        60,
    )
    display = LeakageDisplay.from_report(report)
    assert len(display.outcomes) == len(display.probes) == 4
    assert display.probes_ == ["low values"]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == display.probes_
    assert legend(display)[:2] == [
        "o  clean: nothing moved (1)",
        "–  2 probes not run: it costs \\$2, is \\$never\\$\n    given labels",
    ]
    assert legend(display)[2].endswith(" …")
    assert len(legend(display)[2]) < 110
    whole = LeakageDisplay.from_report(report, show_not_run=True)
    assert whole.probes_ == whole.probes
    assert legend(whole) == legend(display)
    unknown = LeakageDisplay(display.outcomes, display.probes, display.folds).plot()
    assert legend(unknown)[1] == "–  not run: shows nothing (3)"
    nothing = LeakageDisplay.from_report(AuditReport("target", report.outcomes[1:], 60))
    assert nothing.probes_ == nothing.probes
    with pytest.raises(InvalidParameterError, match="'show_not_run' parameter of LeakageDisplay"):
        LeakageDisplay.from_report(report, show_not_run="rows")


def test_an_audit_is_run_and_drawn():
    labels = np.arange(60) % 2
    model = make_pipeline(StandardScaler(), KNeighborsClassifier())
    display = LeakageDisplay.from_estimator(model, ROWS, labels, cv=2)
    report = audit(model, ROWS, labels, cv=2)
    assert display.status == report.status == "clean"
    assert display.outcomes.shape == (len({each.probe for each in report.outcomes}), 2)
    for each in report.outcomes:
        assert display.outcomes[display.probes.index(each.probe), each.fold] == each.outcome
    n_clean = sum(each.outcome == "clean" for each in report.outcomes)
    assert legend(display)[0] == f"o  clean: nothing moved ({n_clean})"
    n_skipped = len(display.probes) - len(display.probes_)
    assert 2 * n_skipped == len(report.outcomes) - n_clean
    assert sum(int(text.split()[1]) for text in legend(display)[1:]) == n_skipped


def test_functions_are_audited_too():
    display = LeakageDisplay.from_estimator(scale, ROWS, cv=2)
    assert display.ax_.get_title() == "scale: leaky"
    assert (display.outcomes == "leaky").all()
    with pytest.raises(InvalidParameterError, match="'order' parameter of audit"):
        LeakageDisplay.from_estimator(scale, ROWS, order="rows")
    with pytest.raises(TargetError):
        LeakageDisplay.from_estimator(3, ROWS)


def test_many_folds_have_smaller_marks_and_more_have_hatches(rendered):
    outcomes = np.full((2, 30), "clean", dtype=object)
    some = LeakageDisplay(outcomes, ["low values", "other labels"], range(30)).plot()
    assert some.text_.all()
    assert some.hatches_ == []
    outcomes = np.full((2, 100), "clean", dtype=object)
    outcomes[1, 3], outcomes[0, 97:99] = "leaky", "not run"
    display = LeakageDisplay(outcomes, ["low values", "other labels"], range(100)).plot()
    rendered(display)
    assert not display.text_.any()
    leaky, not_run = display.hatches_
    assert [len(each.get_paths()) for each in display.hatches_] == [1, 2]
    assert leaky.get_paths()[0].get_extents().bounds == (3, 1, 1, 1)
    keys = [patch.get_hatch() for patch in display.legend_.get_patches()]
    assert keys == ["", leaky.get_hatch(), not_run.get_hatch()]
    assert len(set(keys)) == 3
    assert len(display.ax_.get_xticks()) == 10
    assert display.figure_.get_size_inches()[0] < 10


@pytest.mark.parametrize("wrong", [None, "report", [], StandardScaler()])
def test_other_reports_are_refused(wrong):
    with pytest.raises(TargetError, match=r"draws the report of skscale\.leakage\.audit; got a"):
        LeakageDisplay.from_report(wrong)


def test_an_audit_without_probes_is_drawn(rendered):
    display = LeakageDisplay.from_report(AuditReport("target", [], 0))
    rendered(display)
    assert display.status == "not run"
