"""BLAS held to one thread while matrices are multiplied, and given back afterwards."""

import os
import random
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from threadpoolctl import (
    OpenBLASController,
    ThreadpoolController,
    threadpool_info,
    threadpool_limits,
)

import skscale
from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener
from skscale import _blas as blas
from skscale import _reduce as engines

MATRIX = np.random.default_rng(0).normal(size=(300, 6))


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


several = pytest.mark.skipif(
    max(blas_threads(), default=1) == 1,
    reason="no BLAS that threadpoolctl knows has more than one thread here",
)


@pytest.fixture(autouse=True)
def given_back():
    """Whatever a test does, the numbers of threads afterwards are those before."""
    before = blas_threads()
    yield
    assert blas_threads() == before


@several
def test_inside_there_is_one_thread_in_all_threads():
    seen = []
    with blas.single_threaded_blas:
        seen.append(blas_threads())
        other = threading.Thread(target=lambda: seen.append(blas_threads()))
        other.start()
        other.join()
    assert {number for numbers in seen for number in numbers} == {1}


@several
@pytest.mark.parametrize("setter_lives", [True, False])
def test_who_leaves_last_restores_what_the_first_found(setter_lives):
    """Not even while the thread that set the limit lives on."""
    before = blas_threads()
    first_out, second_in, finish = threading.Event(), threading.Event(), threading.Event()

    def come_first():
        with blas.single_threaded_blas:
            second_in.wait()
        first_out.set()
        if setter_lives:
            finish.wait()

    first = threading.Thread(target=come_first, daemon=True)
    first.start()
    while not blas.single_threaded_blas._inside:
        time.sleep(0.001)
    with blas.single_threaded_blas:
        second_in.set()
        first_out.wait()
        if not setter_lives:
            first.join()
        assert set(blas_threads()) == {1}
    assert blas_threads() == before
    with threadpool_limits(1):  # whoever sets a limit now is heard
        assert set(blas_threads()) == {1}
    finish.set()
    first.join()


@several
def test_any_number_of_overlapping_fits():
    before = blas_threads()
    libraries = ThreadpoolController().select(user_api="blas").lib_controllers
    wrong = []

    def come_and_go():
        for _ in range(3):
            with blas.single_threaded_blas:
                time.sleep(random.random() * 1e-3)
                wrong.extend(n for library in libraries if (n := library.num_threads) != 1)

    for _ in range(200):
        threads = [threading.Thread(target=come_and_go) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert blas_threads() == before
    assert wrong == []


@several
def test_an_error_inside_gives_the_threads_back():
    before = blas_threads()
    rows = MATRIX.copy()
    rows[7] = np.nan
    with pytest.raises(ValueError, match="NaN") as kept:
        PCA().fit(rows)
    assert blas_threads() == before
    assert kept.value.__traceback__ is not None


@pytest.mark.parametrize("limit", [1, 2])
def test_a_limit_of_the_caller_is_the_one_restored(limit):
    with threadpool_limits(limit, user_api="blas"):
        inside = blas_threads()
        PCA().fit_transform(MATRIX)
        assert blas_threads() == inside


@several
@pytest.mark.skipif(
    not hasattr(OpenBLASController, "clear_controlling_thread"),
    reason="this threadpoolctl lets any thread change the limit",
)
@pytest.mark.parametrize("limit", [1, 2])
def test_a_limit_of_another_thread_is_left_to_it(limit):
    """What threadpoolctl lets nobody else change is neither changed nor given back."""
    taken, finish = threading.Event(), threading.Event()

    def hold():
        with threadpool_limits(limit, user_api="blas"):
            taken.set()
            finish.wait()

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    taken.wait()
    PCA().fit(MATRIX)
    with threadpool_limits(3 - limit, user_api="blas"):
        assert set(blas_threads()) == {limit}
    finish.set()
    holder.join()


def test_a_limit_per_thread_is_set_and_restored_by_each_thread():
    """OpenMP keeps its limit per thread, as MKL does."""
    libraries = ThreadpoolController().select(user_api="openmp").lib_controllers
    if max((library.num_threads for library in libraries), default=1) == 1:
        pytest.skip("no OpenMP library with more than one thread is loaded")
    single_threaded_openmp = blas._SingleThreaded("openmp")
    threads_of = [library.get_num_threads for library in libraries]
    before = [count() for count in threads_of]
    seen = {}

    def look(name):
        seen[name] = {count() for count in threads_of}

    def visit():
        with single_threaded_openmp:
            look("visitor inside")
        look("visitor outside")

    def help_out():
        single_threaded_openmp.confine()
        look("helper")

    with single_threaded_openmp:
        look("first")
        for work in (visit, help_out, lambda: look("stranger")):
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()
        look("first again")
    assert [count() for count in threads_of] == before
    assert {name for name, numbers in seen.items() if numbers == {1}} == {
        "first",
        "first again",
        "visitor inside",
        "helper",
    }
    assert seen["visitor outside"] == seen["stranger"] == set(before)


@pytest.mark.parametrize("kind", [MinMaxScaler, StandardScaler, BatchNormalizer])
def test_work_on_columns_leaves_blas_alone(kind, monkeypatch):
    def refuse(self):
        raise AssertionError("no matrix product here")

    monkeypatch.setattr(blas._SingleThreaded, "__enter__", refuse)
    fitted = kind().fit(MATRIX).partial_fit(MATRIX)
    fitted.inverse_transform(fitted.transform(MATRIX))
    with pytest.raises(AssertionError):
        PCA().fit(MATRIX)


@several
@pytest.mark.parametrize("kind", [PCA, Whitener])
def test_products_and_solutions_run_with_one_thread(kind, monkeypatch):
    seen = {}

    def watch(name):
        work = getattr(kind, name)

        def watched(*arguments):
            seen.setdefault(name, []).extend(blas_threads())
            return work(*arguments)

        monkeypatch.setattr(kind, name, watched)

    for name in ("_measure", "_solve", "_apply", "_invert"):
        watch(name)
    fitted = kind().fit(MATRIX)
    kind().fit_statistic(fitted.statistic_)
    fitted.inverse_transform(fitted.transform(MATRIX))
    assert {name: set(numbers) for name, numbers in seen.items()} == {
        name: {1} for name in ("_measure", "_solve", "_apply", "_invert")
    }


@several
def test_workers_have_one_thread_too(monkeypatch):
    monkeypatch.setattr(engines, "PAYS", 0)
    monkeypatch.setattr(engines, "GRAIN", 0)
    seen = []
    with (
        skscale.thread_limit(2),
        blas.single_threaded_blas,
        engines.mapped_blocks(lambda rows: blas_threads(), engines.cut(4, 1), 4) as parts,
    ):
        seen = [number for numbers in parts for number in numbers]
    assert set(seen) == {1}


def test_fits_in_threads_are_fits():
    expected = PCA().fit(MATRIX).singular_values_
    found = []
    work = [
        threading.Thread(target=lambda: found.append(PCA().fit(MATRIX).singular_values_))
        for _ in range(8)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert len(found) == 8
    for values in found:
        np.testing.assert_array_equal(values, expected)


FORK = """
import os, sys, threading, time
import numpy as np
from threadpoolctl import threadpool_info
from skscale import PCA
from skscale._blas import single_threaded_blas

def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

before, rows = blas_threads(), np.random.default_rng(0).normal(size=(300, 6))
inside, leave = threading.Event(), threading.Event()

def hold():
    with single_threaded_blas:
        inside.set()
        leave.wait()

threading.Thread(target=hold, daemon=True).start()
inside.wait()
forker_is_inside = sys.argv[1] == "inside"
if forker_is_inside:
    single_threaded_blas.__enter__()
child = os.fork()
if child == 0:
    if forker_is_inside:
        assert set(blas_threads()) == {1}
        single_threaded_blas.__exit__()
    assert blas_threads() == before
    PCA().fit(rows)
    assert blas_threads() == before
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert set(blas_threads()) == {1}
"""


@several
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.parametrize("forker", ["inside", "outside"])
def test_a_forked_process_waits_for_nobody(forker):
    """In the child, the threads that were inside do not exist."""
    command = [sys.executable, "-W", "ignore", "-c", FORK, forker]
    subprocess.run(command, check=True, timeout=60)
