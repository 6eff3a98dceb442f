"""Folds and probes of an audit."""

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
        "–  not run",
    ]


def test_an_audit_is_run_and_drawn():
    labels = np.arange(60) % 2
    model = make_pipeline(StandardScaler(), KNeighborsClassifier())
    display = LeakageDisplay.from_estimator(model, ROWS, labels, cv=3)
    report = audit(model, ROWS, labels, cv=3)
    assert display.status == report.status == "clean"
    assert display.outcomes.shape == (len({each.probe for each in report.outcomes}), 3)
    for each in report.outcomes:
        assert display.outcomes[display.probes.index(each.probe), each.fold] == each.outcome
    counts = [text.rpartition("(")[2] for text in legend(display)]
    n_clean = sum(each.outcome == "clean" for each in report.outcomes)
    assert counts == [f"{n_clean})", f"{len(report.outcomes) - n_clean})"]


def test_functions_are_audited_too():
    display = LeakageDisplay.from_estimator(scale, ROWS, cv=2)
    assert display.ax_.get_title() == "scale: leaky"
    assert (display.outcomes == "leaky").all()
    with pytest.raises(InvalidParameterError, match="'order' parameter of audit"):
        LeakageDisplay.from_estimator(scale, ROWS, order="rows")
    with pytest.raises(TargetError):
        LeakageDisplay.from_estimator(3, ROWS)


def test_many_folds_have_no_marks():
    outcomes = np.full((2, 100), "clean", dtype=object)
    display = LeakageDisplay(outcomes, ["low values", "other labels"], range(100)).plot()
    display.figure_.canvas.draw()
    assert not display.text_.any()
    assert len(display.ax_.get_xticks()) == 10
    assert display.figure_.get_size_inches()[0] < 20


@pytest.mark.parametrize("wrong", [None, "report", [], StandardScaler()])
def test_other_reports_are_refused(wrong):
    with pytest.raises(TargetError, match=r"draws the report of skscale\.leakage\.audit; got a"):
        LeakageDisplay.from_report(wrong)


def test_an_audit_without_probes_is_drawn():
    display = LeakageDisplay.from_report(AuditReport("target", [], 0))
    display.figure_.canvas.draw()
    assert display.status == "not run"
