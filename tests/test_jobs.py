"""Computations that ask for jobs: in turns, on all cores, and never left half done."""

import threading

import numpy as np
import pytest

import skscale
from skscale._blas import single_threaded_blas
from skscale._jobs import compute, compute_all
from skscale._reduce import PAYS
from skscale.model_selection import cross_fit


def adding(numbers, log):
    """Asks for every number, one after the other."""
    log.append("began")
    try:
        total = 0
        for number in numbers:
            total += yield lambda number=number: number
        return total
    finally:
        log.append("ended")


def test_alone_and_together_give_the_same():
    lists, log = [[], [1], [1, 2, 3], [5, 6]], []
    expected = [sum(numbers) for numbers in lists]
    assert [compute(adding(numbers, log)) for numbers in lists] == expected
    for size in (0, PAYS):
        assert compute_all([adding(numbers, log) for numbers in lists], size) == expected
    assert compute_all([], PAYS) == []
    assert log.count("began") == log.count("ended") == 12


def test_jobs_of_a_round_run_in_several_threads():
    together = threading.Barrier(2, timeout=20)

    def asking():
        return (yield together.wait)

    with skscale.thread_limit(2):
        assert sorted(compute_all([asking(), asking()], PAYS)) == [0, 1]


@pytest.mark.parametrize("size", [0, PAYS])
def test_what_fails_ends_all_and_leaves_nothing_open(size):
    def failing(log):
        try:
            yield lambda: 1
            yield lambda: 1 / 0
        finally:
            log.append("failed")

    alone, log = [], []
    with pytest.raises(ZeroDivisionError) as caught_alone:
        compute(failing(alone))
    assert alone == ["failed"]
    with pytest.raises(ZeroDivisionError) as caught:
        compute_all([adding([1, 2, 3], log), failing(log), adding([1], log)], size)
    assert log[:2] == ["began", "began"]
    assert sorted(log[2:]) == ["ended", "ended", "failed"]
    assert caught.value is not caught_alone.value  # their tracebacks still hold the computations


def test_a_fit_that_fails_among_others_gives_blas_back():
    rows = np.random.default_rng(0).normal(size=(60, 3))
    with pytest.raises(ValueError, match="n_components"):
        cross_fit(skscale.PCA(4), rows, cv=5)
    assert single_threaded_blas._inside == 0
