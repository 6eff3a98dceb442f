"""The laws of statistics, for every public statistic."""

import inspect
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from skscale import statistics
from skscale.statistics import (
    Moments,
    PooledBatches,
    RowSketch,
    RunningMoments,
    Scatter,
    Triangle,
)
from skscale.testing import STATISTIC_LAWS, check_statistic
from skscale.testing._differences import difference

from .draws import cut_positions, tables


def moments_apart(a, b):
    """Pooled moments do not depend on the batches; the number of batches does."""
    return difference(a.moments, b.moments)


# A statistic that is not here is tried as it comes, so that a new one is found.
VARIANTS = {
    PooledBatches: [
        {"batched": True},
        {"difference": moments_apart},
    ],
    RowSketch: [{"of": partial(RowSketch.of, key=7, capacity=16)}],
    RunningMoments: [
        {"of": partial(RunningMoments.of, momentum=0.1), "batched": True},
        {"of": partial(RunningMoments.of, momentum=0.5, ddof=1), "batched": True},
        {"of": partial(RunningMoments.of, momentum=1.0), "batched": True},
        {"of": partial(RunningMoments.of, momentum="cumulative", ddof=1), "batched": True},
    ],
}


def public_statistics():
    members = [getattr(statistics, name) for name in statistics.__all__]
    classes = [kind for kind in members if inspect.isclass(kind)]
    return [kind for kind in classes if not getattr(kind, "_is_protocol", False)]


REGISTRY = [(kind, options) for kind in public_statistics() for options in VARIANTS.get(kind, [{}])]


def label(value):
    if inspect.isclass(value):
        return value.__name__
    return value if isinstance(value, str) else "-".join(value) or "plain"


EXEMPT = {
    (RowSketch, "a missing value is refused or left out"): "a row with a missing value is a row",
}


@pytest.mark.parametrize("law", STATISTIC_LAWS)
@pytest.mark.parametrize(("kind", "options"), REGISTRY, ids=label)
def test_law(kind, options, law):
    if reason := EXEMPT.get((kind, law)):
        pytest.skip(reason)
    check_statistic(kind, laws=[law], **options)


def test_registry_holds_every_public_statistic():
    assert {kind for kind, _ in REGISTRY} == set(public_statistics())
    assert len(public_statistics()) >= 7


DRAWN_LAWS = [
    "any cut gives the same",
    "a statistic of no rows changes nothing",
    "merging is associative",
    "an integer weight is a repetition, and 0 an absence",
    "copies are equal to the bit, and read-only",
]


@pytest.mark.parametrize(("kind", "options"), REGISTRY, ids=label)
@given(rows=tables(), data=st.data())
def test_laws_of_drawn_tables(kind, options, rows, data):
    some = st.lists(st.integers(0, 3), min_size=len(rows), max_size=len(rows))
    weights = data.draw(some.map(lambda drawn: [1, *drawn[1:]]), label="weights")
    cuts = [data.draw(cut_positions(len(rows), empty=True), label="cuts")]
    check_statistic(kind, rows=rows, weights=weights, cuts=cuts, laws=DRAWN_LAWS, **options)


@pytest.mark.parametrize("kind", [Moments, Scatter, Triangle], ids=label)
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_array, sparse.csr_matrix])
def test_sparse_rows_are_rows(kind, container):
    drawn = np.random.default_rng(0)
    rows = np.where(drawn.random((200, 4)) < 0.2, drawn.normal(size=(200, 4)), 0)
    rows[:, 3] += 5
    given = container(rows)
    stored = given.data.copy()

    def of(rows, weights):
        return kind.of(container(rows), weights)

    check_statistic(
        kind, of=of, rows=rows, laws=["any cut gives the same", "merging is associative"]
    )
    weights = drawn.integers(0, 4, len(rows))
    for chosen in (None, weights):
        apart = difference(kind.of(given, chosen), kind.of(rows, chosen))
        assert apart <= 64 * np.finfo(np.float64).eps
    assert stored.tobytes() == given.data.tobytes()


@pytest.mark.parametrize("kind", [Scatter, Triangle, Moments])
@pytest.mark.parametrize("unit", [2.0**600, 2.0**-600])
def test_rows_of_other_sizes_around_the_same_mean(kind, unit):
    far, near = np.array([[1.0], [-1.0], [1.0], [-1.0]]) * unit, np.array([[1.5], [-0.5]])
    for first, second in ((far, near), (near, far)):
        merged = kind.of(first).merge(kind.of(second))
        width, exponent = merged.deviation()
        found = width[0] * 2.0 ** int(exponent[0])
        # Of six rows: 4 unit^2 / 6, or 2 / 6 and the distance of the means, (1/2)^2 * 8 / 36.
        expected = unit * (4 / 6) ** 0.5 if unit > 1 else (2 / 6 + 2 / 36) ** 0.5
        assert found == pytest.approx(expected, rel=1e-15)
