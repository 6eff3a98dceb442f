"""States are compared to the bit, all the way down, and differences are named and counted."""

import functools
import threading
import types
from math import inf, nan, nextafter

import numpy as np
import pytest
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KDTree
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skscale.leakage._state import Difference, differences, ulp_distance

ROWS = np.random.default_rng(0).normal(size=(80, 3))
CLASSES = (ROWS[:, 0] > 0).astype(int)


def place(before, after):
    return [difference.where for difference in differences(before, after)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("start", [0.0, -1.0, 1.0, 1.5e-5])
def test_ulp_are_steps_between_floats(dtype, start):
    value, steps = dtype(start), 0
    for _ in range(5):
        value, steps = np.nextafter(value, dtype(2)), steps + 1
        mine, other = np.array([start, 1], dtype), np.array([value, 1], dtype)
        assert ulp_distance(mine, other) == ulp_distance(other, mine) == steps


def test_ulp_at_the_ends():
    def distance(a, b):
        return ulp_distance(np.array([a]), np.array([b]))

    largest = np.finfo(float).max
    assert distance(-0.0, 0.0) == 1
    assert distance(-5e-324, 5e-324) == 3
    assert distance(largest, inf) == 1
    assert distance(-inf, inf) == float(2 * (2**63 - 2**52) + 1)
    assert distance(nan, -nan) == distance(nan, nan) == 0
    assert distance(nan, 1.0) == distance(1.0, nan) == inf
    assert distance(1 + 1j, 1 + 1j * nextafter(1, 2)) == 1
    swapped = np.dtype(">f8")
    assert ulp_distance(np.ones(1, swapped), np.array([1 + 2**-52], swapped)) == 1
    assert distance(3, 5) == 2
    assert distance(np.uint64(2**64 - 1), np.uint64(0)) == 2.0**64
    assert distance(np.datetime64("NaT", "D"), np.datetime64("NaT", "D")) == 0
    assert distance(np.datetime64("2020-01-01"), np.datetime64("2020-01-04")) == 3
    assert distance("a", "b") == inf
    assert distance(np.longdouble(1), np.longdouble(1)) == 0
    assert distance(np.longdouble(1), np.longdouble(2)) == inf


@pytest.mark.parametrize(
    ("before", "after", "where", "ulp"),
    [
        (1.0, 2.0, "", 2.0**52),
        (1, 3, "", 2),
        (1, 1.0, "", inf),
        (True, False, "", inf),
        ("a", "b", "", inf),
        (None, 0, "", inf),
        ({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 4]}, "b[1]", 2),
        ({"a": 1}, {"b": 1, "a": 1}, "b", inf),
        ({"a": 1, "b": 1}, {"a": 1}, "b", inf),
        ([1, 2], [1], "", inf),
        ({1, 2}, {1, 3}, "", inf),
        (np.zeros(2), np.zeros(3), "", inf),
        (np.zeros(2), np.zeros(2, "f4"), "", inf),
        (np.array([1, "a"], object), np.array([1, "b"], object), "", inf),
        (np.zeros(2, "f8,i4"), np.array([(0, 0), (0, 2)], "f8,i4"), "f1", 2),
        (sparse.eye(3, format="csr"), 2 * sparse.eye(3, format="csr"), "", 2.0**52),
        (sparse.csr_array(np.eye(2)), sparse.csc_array(np.eye(2)), "", inf),
        (np.random.RandomState(0), np.random.RandomState(1), None, None),
        (np.random.default_rng(0), np.random.default_rng(1), None, None),
        (functools.partial(max, 1), functools.partial(max, 2), None, 1),
        (slice(1, 2), slice(1, 3), None, 1),
    ],
)
def test_differences_of_values(before, after, where, ulp):
    found = differences(before, after)
    assert found
    assert where is None or found[0].where == where
    assert ulp is None or found[0].ulp == ulp
    assert differences(before, before) == []


def holder(**held):
    return types.SimpleNamespace(**held)


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value


def closure(value):
    return lambda: value


@pytest.mark.parametrize(
    "make",
    [
        lambda value: holder(value=value),
        Slotted,
        closure,
        lambda value: functools.partial(print, value),
        lambda value: holder(inner=holder(value=value)).inner,
        lambda value: (value, value, value),
        lambda value: np.array([value, None], dtype=object),
        lambda value: KDTree([[value, 0.0]]),
        lambda value: Slotted(value).__init__,
    ],
)
def test_what_holds_a_value_differs_with_it(make):
    assert differences(make(1.0), make(1.0)) == []
    assert differences(make(1.0), make(1.5))


def test_rows_that_hold_themselves():
    def ring(value):
        first = [value]
        first.append(first)
        return first

    assert differences(ring(1), ring(1)) == []
    assert place(ring(1), ring(2)) == ["[0]"]


def test_what_says_nothing_is_passed_over():
    for make in (threading.Lock, lambda: open(__file__), lambda: (x for x in "ab")):  # noqa: SIM115 (left open)
        mine, other = make(), make()
        assert differences(holder(a=mine), holder(a=other)) == []
        for each in (mine, other):
            getattr(each, "close", int)()
    before, after = holder(fit_time_=1.0, time=1.0), holder(fit_time_=2.0, time=2.0)
    assert differences(before, after) == []
    assert place(holder(timed=1), holder(timed=2)) == ["timed"]


@pytest.mark.parametrize(
    ("model", "first"),
    [
        (StandardScaler(), "n_samples_seen_"),
        (make_pipeline(StandardScaler(), PCA(2)), "standardscaler.n_samples_seen_"),
        (
            make_column_transformer((StandardScaler(), [0]), (PCA(1), [1, 2])),
            "standardscaler.n_samples_seen_",
        ),
        (RandomForestClassifier(3, random_state=0), None),
        (HistGradientBoostingClassifier(max_iter=3, random_state=0), None),
        (GridSearchCV(PCA(), {"n_components": [1, 2]}, cv=2), None),
    ],
)
def test_fits(model, first):
    from sklearn import clone

    once, again = (clone(model).fit(ROWS, CLASSES) for _ in range(2))
    assert differences(once, again) == []
    other = clone(model).fit(ROWS[:60], CLASSES[:60])
    assert first is None or place(once, other)[0] == first
    assert differences(once, other)


def test_a_difference_reads_well():
    assert differences(holder(a=1.0), holder(a=nextafter(1.0, 2.0))) == [Difference("a", 1.0)]
