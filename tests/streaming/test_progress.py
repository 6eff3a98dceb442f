"""Who is told how far a stream has been read, and who is left alone."""

import contextlib
import io
import os
import sys

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skscale import PCA, BatchNormalizer, StandardScaler
from skscale._callbacks import SUPPORTED
from skscale.errors import HeldOutRowsError, SourceError
from skscale.leakage import LeakageGuard
from skscale.streaming import _progress as progressing
from skscale.streaming import fit_blocks

from .streams import Counted, rows

N_BLOCKS = 12
X = rows(5 * N_BLOCKS)
BLOCKS = np.split(X, N_BLOCKS)

with_callbacks = pytest.mark.skipif(not SUPPORTED, reason="callbacks came with scikit-learn 1.9")


@pytest.fixture
def on_terminal(monkeypatch):
    """What a function writes to standard error, if that is a terminal."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
    monkeypatch.setattr(progressing, "EVERY", 0.0)

    def written(function):
        parent, child = pty.openpty()
        with open(child, "w") as file, monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", file)
            function()
        text = b""
        with contextlib.suppress(OSError):  # is what the end looks like
            while part := os.read(parent, 2**16):
                text += part
        os.close(parent)
        return text.decode().replace("\r\n", "\n")

    return written


def test_nothing_is_written_where_nobody_looks(capfd, monkeypatch):
    fit_blocks(StandardScaler(), BLOCKS, progress=True)
    fit_blocks(StandardScaler(), X, progress=True)
    monkeypatch.setattr(sys, "stderr", None)
    fit_blocks(StandardScaler(), BLOCKS, progress=True)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    fit_blocks(StandardScaler(), BLOCKS, progress=True)
    assert sys.stderr.getvalue() == ""
    assert capfd.readouterr() == ("", "")


def test_nothing_is_written_unasked(on_terminal):
    assert on_terminal(lambda: fit_blocks(StandardScaler(), BLOCKS)) == ""


def test_a_terminal_shows_rows_blocks_and_rate(on_terminal):
    text = on_terminal(lambda: fit_blocks(StandardScaler(), iter(BLOCKS), progress=True))
    lines = text.split("\r")
    assert any(line.startswith("25 rows, 5 blocks, ") for line in lines)
    assert lines[-1].startswith("60 rows, 12 blocks, ")
    assert "rows/s" in lines[-1]
    assert lines[-1].endswith("\n")
    assert "left" not in lines[-1]


def test_a_terminal_shows_the_time_that_is_left_and_the_pass(on_terminal):
    model = make_pipeline(BatchNormalizer(5, momentum=0.1), PCA(2))
    text = on_terminal(lambda: fit_blocks(model, X, progress=True))
    assert "10 of 60 rows, 2 blocks, " in text
    assert "0:00 left" in text
    assert "pass 2: 60 of 60 rows, 1 blocks" in text
    assert text.count("\n") == 2


def test_a_failure_ends_the_line(on_terminal):
    def failing():
        with pytest.raises(SourceError):
            fit_blocks(StandardScaler(), Counted(BLOCKS, OSError(), 9), progress=True)

    assert on_terminal(failing).endswith("\n")


def test_what_a_line_says():
    assert progressing.describe(1_500_000, 0, None, 12, 2.0) == (
        "1,500,000 rows, 12 blocks, 750,000 rows/s"
    )
    assert progressing.describe(1000, 0, 4000, 1, 1.0) == (
        "1,000 of 4,000 rows, 1 blocks, 1,000 rows/s, 0:03 left"
    )
    assert progressing.describe(10, 0, 100_010, 1, 1.0).endswith("10 rows/s, 2:46:40 left")
    # What a checkpoint spared says nothing about how fast reading is.
    assert "100 rows/s, 0:08 left" in progressing.describe(1200, 1000, 2000, 1, 2.0)
    assert progressing.describe(0, 0, 10, 0, 0.0) == "0 of 10 rows, 0 blocks, 0 rows/s"


class Listener:
    """A callback that keeps what it is told."""

    def __init__(self):
        self.events = []

    def setup(self, estimator, context):
        self.events.append(("setup", context.task_name))

    def teardown(self, estimator, context):
        self.events.append(("teardown", context.task_name))

    def on_fit_task_begin(self, estimator, context):
        self.events.append(("begin", context.task_name))

    def on_fit_task_end(self, estimator, context):
        self.events.append(("end", context.task_name))

    def count(self, event, task):
        return self.events.count((event, task))


@with_callbacks
@pytest.mark.parametrize(
    ("make", "n_passes"),
    [
        (StandardScaler, 1),
        (lambda: make_pipeline(StandardScaler(), PCA(2)), 1),
        (lambda: make_pipeline(BatchNormalizer(5, momentum=0.1), PCA(2)), 2),
    ],
)
def test_callbacks_are_told_of_passes_and_blocks(make, n_passes):
    listener = Listener()
    fitted = fit_blocks(make().set_callbacks(listener), BLOCKS)
    assert listener.events[0][0] == "setup"
    assert listener.events[-1][0] == "teardown"
    for event in ("begin", "end"):
        assert listener.count(event, "pass") == n_passes
        assert listener.count(event, "block") == n_passes * N_BLOCKS
    unheard = fit_blocks(make(), BLOCKS)
    np.testing.assert_array_equal(fitted.transform(X), unheard.transform(X))


@with_callbacks
def test_callbacks_are_let_go_when_a_fit_fails():
    for fault in (OSError(), KeyboardInterrupt()):
        listener = Listener()
        model = StandardScaler().set_callbacks(listener)
        with pytest.raises((SourceError, KeyboardInterrupt)):
            fit_blocks(model, Counted(BLOCKS, fault, 9))
        assert [event for event, _ in listener.events].count("setup") == 1
        assert listener.events[-1][0] == "teardown"
        assert not hasattr(model, "mean_")
        fit_blocks(model, BLOCKS)


@with_callbacks
@pytest.mark.parametrize("make", [StandardScaler, lambda: make_pipeline(StandardScaler(), PCA(2))])
def test_a_guard_sees_held_out_rows_stream_by(make):
    guard = LeakageGuard(X[33:35])
    model = make().set_callbacks(guard)
    with pytest.raises(HeldOutRowsError, match=r"2 of 2 held-out rows .*task 'block'"):
        fit_blocks(model, [*BLOCKS[:3], X[:0], *BLOCKS[3:]])
    assert not hasattr(model, "mean_")
    assert not guard.ok
    guard = LeakageGuard(X[33:35])
    fit_blocks(make().set_callbacks(guard), [*BLOCKS[:6], *BLOCKS[7:]])
    assert guard.ok
    assert guard.n_tables == N_BLOCKS - 1


@with_callbacks
def test_a_progress_bar_of_scikit_learn(capsys):
    pytest.importorskip("rich", reason="scikit-learn's ProgressBar needs rich")
    from sklearn.callback import ProgressBar

    fit_blocks(StandardScaler().set_callbacks(ProgressBar()), BLOCKS)
    fit_blocks(StandardScaler().set_callbacks(ProgressBar()), X)


def test_a_line_is_not_written_for_every_block(on_terminal, monkeypatch):
    monkeypatch.setattr(progressing, "EVERY", 600.0)
    text = on_terminal(lambda: fit_blocks(StandardScaler(), iter(BLOCKS), progress=True))
    assert text.count("rows,") == 1
