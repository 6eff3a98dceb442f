"""The number of threads: who decides, and that no worker of joblib starts more than its share."""

import asyncio
import multiprocessing
import threading

import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from joblib.parallel import ThreadingBackend
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier

from skscale import StandardScaler, thread_limit
from skscale import _threads as threads
from skscale._threads import allowed_threads
from skscale.errors import InvalidParameterError

CORES = 8


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)


@pytest.fixture
def cores(monkeypatch):
    """A machine of eight cores."""
    monkeypatch.setattr(threads, "cpu_count", lambda: CORES)


# Who decides --------------------------------------------------------------------------------------


def test_all_cores_of_the_process(monkeypatch):
    assert allowed_threads() == joblib.cpu_count()
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    assert allowed_threads() == 1


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize(
    ("announced", "expected"),
    [("3", 3), ("1", 1), ("100", CORES), ("2,4", 2), ("", CORES), ("0", CORES), ("many", CORES)],
)
def test_the_environment_bounds_them(announced, expected, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", announced)
    assert allowed_threads() == expected


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"n_jobs": 1}, 1),
        ({"n_jobs": 3}, 3),
        ({"n_jobs": 3.7}, 3),
        ({"n_jobs": 20}, 20),  # joblib would obey as well
        ({"n_jobs": -1}, CORES),
        ({"n_jobs": -2}, CORES - 1),
        ({"n_jobs": -100}, 1),
        ({"n_jobs": None}, CORES),
        ({"backend": "threading", "n_jobs": 3}, 3),
        ({"backend": "threading"}, CORES),
        ({"backend": "loky", "n_jobs": 2}, 2),
        ({"backend": "multiprocessing", "n_jobs": 2}, 2),
        ({"backend": "sequential"}, 1),
        ({"verbose": 0}, CORES),
    ],
    ids=str,
)
def test_configuration_of_joblib(configuration, expected):
    with parallel_config(**configuration):
        assert allowed_threads() == expected
    assert allowed_threads() == CORES


@pytest.mark.usefixtures("cores")
def test_configurations_nest():
    with parallel_config(n_jobs=5):
        with parallel_config(verbose=0):
            assert allowed_threads() == 5
        with parallel_config(n_jobs=2):
            assert allowed_threads() == 2
    with joblib.parallel_backend("threading"):  # which means n_jobs=-1
        assert allowed_threads() == CORES


@pytest.mark.usefixtures("cores")
def test_no_jobs_are_refused():
    message = r"'n_jobs' parameter of parallel_config must be an int other than 0\. Got 0"
    with parallel_config(n_jobs=0), pytest.raises(InvalidParameterError, match=message):
        allowed_threads()


@pytest.mark.usefixtures("cores")
def test_a_number_of_jobs_goes_before_the_environment(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with parallel_config(n_jobs=4):
        assert allowed_threads() == 4
    with parallel_config(n_jobs=-1):
        assert allowed_threads() == 2


@pytest.mark.usefixtures("cores")
def test_our_limit_goes_before_all_others(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    with parallel_config(n_jobs=4), thread_limit(6):
        assert allowed_threads() == 6
    with thread_limit(6), parallel_config(n_jobs=4):
        assert allowed_threads() == 6


# The context manager ------------------------------------------------------------------------------


@pytest.mark.usefixtures("cores")
def test_limits_nest_and_the_innermost_counts():
    with thread_limit(2):
        with thread_limit(5):
            assert allowed_threads() == 5
        assert allowed_threads() == 2
        with pytest.raises(ZeroDivisionError), thread_limit(np.int64(7)):
            1 / (allowed_threads() - 7)
        assert allowed_threads() == 2
    assert allowed_threads() == CORES


@pytest.mark.parametrize("wrong", [0, -1, 1.5, 2.0, True, None, "2", np.nan])
def test_wrong_limits(wrong):
    message = r"'n_threads' parameter of thread_limit must be an int of at least 1\. Got "
    with pytest.raises(InvalidParameterError, match=message), thread_limit(wrong):
        pass


@pytest.mark.usefixtures("cores")
def test_a_limit_is_of_the_thread_that_set_it():
    found = []
    with thread_limit(3):
        thread = threading.Thread(target=lambda: found.append(allowed_threads()))
        thread.start()
        thread.join()
    assert found == [CORES]


def test_a_limit_is_of_the_task_that_set_it():
    async def task(limit):
        with thread_limit(limit):
            await asyncio.sleep(0.01)
            return allowed_threads()

    async def both():
        return await asyncio.gather(task(2), task(3))

    assert asyncio.run(both()) == [2, 3]


def test_a_limit_decorates():
    @thread_limit(3)
    def work():
        return allowed_threads()

    assert [work(), work()] == [3, 3]


# Inside workers -----------------------------------------------------------------------------------


def in_workers(function=allowed_threads, **options):
    return set(Parallel(n_jobs=2, **options)(delayed(function)() for _ in range(2)))


def nested(**options):
    """Threads of a worker of a worker."""
    return Parallel(n_jobs=2, **options)(delayed(allowed_threads)() for _ in range(2))[0]


def test_processes_of_joblib_use_what_it_leaves_them():
    assert in_workers(backend="loky") == {max(1, joblib.cpu_count() // 2)}


def test_processes_of_joblib_are_told_by_inner_max_num_threads():
    with parallel_config("loky", inner_max_num_threads=1):
        assert in_workers() == {1}
    with parallel_config("loky", inner_max_num_threads=100):
        assert in_workers() == {joblib.cpu_count()}


@pytest.mark.usefixtures("cores")
def test_threads_of_joblib_start_no_more(monkeypatch):
    assert in_workers(backend="threading") == {1}
    assert in_workers(require="sharedmem") == {1}
    monkeypatch.setenv("OMP_NUM_THREADS", "4")  # said to the process, not to its threads
    assert in_workers(backend="threading") == {1}
    with parallel_config("threading", n_jobs=2):
        assert set(Parallel()(delayed(allowed_threads)() for _ in range(2))) == {1}


@pytest.mark.usefixtures("cores")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # forked with threads
def test_pools_of_processes_start_none(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert in_workers(backend="multiprocessing") == {1}
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(allowed_threads) == 1


def test_workers_of_workers_start_none():
    assert in_workers(lambda: nested(), backend="loky") == {1}
    assert in_workers(lambda: nested(), backend="threading") == {1}


@pytest.mark.usefixtures("cores")
def test_a_worker_that_was_told_nothing_starts_none():
    """So do backends of other libraries leave it, unlike joblib's own processes."""
    with parallel_config(ThreadingBackend(nesting_level=1)):
        assert allowed_threads() == 1


@pytest.mark.usefixtures("cores")
def test_one_job_is_no_worker():
    """Without workers nothing is oversubscribed."""
    assert Parallel(n_jobs=1)([delayed(allowed_threads)()]) == [CORES]


@pytest.mark.usefixtures("cores")
def test_a_number_chosen_in_a_worker_is_obeyed():
    def work():
        with parallel_config(n_jobs=3):
            jobs = allowed_threads()
        with parallel_config(n_jobs=-1):
            all_of_its_own = allowed_threads()
        with thread_limit(4):
            return jobs, all_of_its_own, allowed_threads()

    assert in_workers(work, backend="threading") == {(3, 1, 4)}


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_grid_search(backend):
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    model = make_pipeline(StandardScaler(), DecisionTreeClassifier(random_state=0))
    search = GridSearchCV(
        model,
        {"decisiontreeclassifier__max_depth": [1, 2]},
        scoring=lambda *_: float(allowed_threads()),
        n_jobs=2,
        cv=2,
    )
    with parallel_config(backend):
        search.fit(X, y)
    share = max(1, joblib.cpu_count() // 2) if backend == "loky" else 1
    assert (search.cv_results_["mean_test_score"] == share).all()
