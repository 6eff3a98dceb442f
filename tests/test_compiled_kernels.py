"""The compiled kernels and their twins in numpy: one signature, one result."""

import itertools
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skscale import _kernels as kernels
from skscale._kernels import _affine, _extrema, _hashes, _merging, _moments, _rowwise, _scatter
from skscale.errors import InfiniteValueError
from skscale.statistics import Extrema, Moments, Scatter, Triangle

from . import draws, truth

compiled = pytest.importorskip(
    "skscale._kernels._compiled",
    reason="the compiled kernels were not built",
    exc_type=ImportError,
)

EPS = np.finfo(np.float64).eps

LAYOUTS = {
    "row after row": np.ascontiguousarray,
    "column after column": np.asfortranarray,
    "every second row": lambda rows: np.repeat(rows, 2, axis=0)[::2],
    "every second column": lambda rows: np.repeat(rows, 2, axis=1)[:, ::2],
    "last row first": lambda rows: np.ascontiguousarray(rows[::-1])[::-1],
    "last column first": lambda rows: np.ascontiguousarray(rows[:, ::-1])[:, ::-1],
    "some columns": lambda rows: np.hstack([rows, rows])[:, : rows.shape[1]],
    "some rows, column after column": lambda rows: np.asfortranarray(np.vstack([rows, rows]))[
        : len(rows)
    ],
    "fields of records": lambda rows: _fields(rows),
    "odd addresses": lambda rows: _unaligned(rows),
}
WIDTHS = [1, 2, 5, 16, 17, 32, 33, 256, 257, 600]
"""On both sides of where rows begin to be folded, and columns to be tiled."""

HEIGHTS = [1, 2, 3, 4, 5, 63, 64, 65, 128, 130, 1031]


def _fields(rows):
    """Rows at a distance that is no multiple of the size of a number."""
    records = np.zeros(len(rows), dtype=[("flag", "i1"), ("x", rows.dtype, rows.shape[1:])])
    records["x"] = rows
    return records["x"]


def _unaligned(rows):
    memory = np.zeros(rows.nbytes + 1, dtype=np.uint8)[1:].view(rows.dtype).reshape(rows.shape)
    memory[...] = rows
    return memory


def refuse(*args):
    raise AssertionError("the twin in numpy was asked")


@pytest.fixture
def alone(monkeypatch):
    """The compiled loops without the twins they may hand difficult blocks to."""
    monkeypatch.setattr(_moments, "moments", refuse)
    monkeypatch.setattr(_extrema, "extrema", refuse)
    for step in ("_position", "_value"):  # one of which every map in numpy takes
        monkeypatch.setattr(_affine, step, refuse)


def table(n_rows, n_columns, dtype=np.float64, missing=0.0):
    random = np.random.default_rng([n_rows, n_columns])
    rows = random.normal(loc=random.normal(size=n_columns) * 10, size=(n_rows, n_columns))
    rows[random.random(rows.shape) < missing] = np.nan
    rows[:, ::7] = np.where(np.isnan(rows[:, ::7]), np.nan, 0.1)  # constant columns
    return rows.astype(dtype)


def assert_same_moments(found, expected, rows):
    count, mean, mean_low, second_moment, exponent = found
    np.testing.assert_array_equal(count, expected[0])
    size = np.nanmax(np.abs(rows), axis=0, initial=0)
    assert (np.abs(mean - expected[1] + (mean_low - expected[2])) <= 1e-15 * size).all()
    np.testing.assert_allclose(second_moment, expected[3], rtol=2e-14)
    np.testing.assert_array_equal(second_moment == 0, expected[3] == 0)
    np.testing.assert_array_equal(exponent, expected[4])


@pytest.mark.parametrize("missing", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_moments_and_extrema_of_any_shape(layout, dtype, missing, request):
    for n_rows, n_columns in itertools.product(HEIGHTS, WIDTHS):
        if n_rows * n_columns > 20_000:
            continue
        rows = layout(table(n_rows, n_columns, dtype, missing))
        weights = np.random.default_rng(0).uniform(0.5, 2, n_rows)
        for weight in (None, weights):
            expected = _moments.moments(rows, weight)
            found = compiled.moments(rows, weight)
            np.testing.assert_allclose(found[0], expected[0], rtol=1e-14)
            assert_same_moments((expected[0], *found[1:]), expected, rows)
            ends = _extrema.extrema(rows, weight)
            found = compiled.extrema(rows, weight)
            np.testing.assert_allclose(found[0], ends[0], rtol=1e-14)
            for low, other in zip(found[1:], ends[1:], strict=True):
                np.testing.assert_array_equal(low, other)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_hashes_of_rows_are_the_same_to_the_bit(layout, dtype):
    for n_rows, n_columns in [*itertools.product([1, 3, 65], [*WIDTHS, 3, 8, 9]), (2050, 3)]:
        rows = table(n_rows, n_columns, dtype, 0.2)
        rows[0, 0], rows[-1, -1] = -0.0, -np.nan
        rows = layout(rows)
        keys = kernels.multipliers(n_columns, n_columns)[:, ::-1]
        found = compiled.row_hashes(rows, keys)
        np.testing.assert_array_equal(found, _hashes.row_hashes(rows, keys))
        for bound in (0, int(np.median(found)), 2**64 - 1):
            low = compiled.low_hashes(rows, keys, np.uint64(bound))
            expected = _hashes.low_hashes(rows, keys, np.uint64(bound))
            np.testing.assert_array_equal(low[0], expected[0])
            np.testing.assert_array_equal(low[1], expected[1])


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i8"])
@pytest.mark.parametrize("n_columns", [1, 3, 300])
@pytest.mark.parametrize("n_gathered", [0, 1, 5, 40])
def test_rows_from_all_over(n_gathered, n_columns, dtype):
    random = np.random.default_rng(0)
    source = random.integers(-100, 100, (50, n_columns)).astype(dtype)
    source.setflags(write=False)
    rows = random.integers(0, 50, n_gathered)
    for numbers in (rows, rows.astype(np.int32), np.repeat(rows, 2)[::2]):
        out = np.zeros((n_gathered, n_columns), dtype=dtype)
        compiled.gather(source, numbers, out)
        np.testing.assert_array_equal(out, source[rows])


@given(rows=draws.tables(max_columns=4, max_rows=200), data=st.data())
def test_moments_of_hard_columns(rows, data):
    dtype = data.draw(st.sampled_from([np.float64, np.float32]))
    with np.errstate(over="ignore"):
        rows = rows.astype(dtype)
    rows = rows[:, np.isfinite(rows).all(axis=0)]
    if rows.shape[1] == 0:
        return
    weights = data.draw(st.sampled_from([None, np.linspace(0.5, 3, len(rows))]))
    expected = _moments.moments(rows, weights)
    found = compiled.moments(rows, weights)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-15)
    assert_same_moments((expected[0], *found[1:]), expected, rows.astype(np.float64))


def test_a_weight_is_the_same_for_all_columns():
    rows, weights = table(1031, 5), np.random.default_rng(0).uniform(size=1031)
    for kernel in (compiled.moments, compiled.extrema):
        count = kernel(rows, weights)[0]
        assert (count == count[0]).all()


def test_a_column_that_rises_is_centred_again():
    """Its first rows and its last ones are far from the mean, and so would be a first centre."""
    rows = np.arange(100_000.0)[:, np.newaxis] * [1, -1] + 1e12
    rows[:, 1] = np.where(np.arange(len(rows)) % 1563 == 0, 1e15, rows[:, 1])  # every sampled row
    assert_same_moments(compiled.moments(rows, None), _moments.moments(rows, None), rows)


@pytest.mark.parametrize("n_columns", [1, 5, 40])
def test_sums_of_runs_lose_nothing(n_columns):
    """A thousand equal terms are rounded the same way a thousand times, unless it is kept."""
    column = np.tile([0.1, -0.1], 2**16)
    rows = np.repeat(column[:, np.newaxis], n_columns, axis=1)
    exact = len(column) * Fraction(0.1) ** 2
    with_missing = np.vstack([rows, np.full((1, n_columns), np.nan)])
    for given_rows, weights in [(rows, None), (rows, np.ones(len(rows))), (with_missing, None)]:
        for found in compiled.moments(given_rows, weights)[3]:
            assert truth.digits(found, exact) >= 15


@pytest.mark.parametrize("missing", [0.0, 0.1])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_deviations_are_the_same_to_the_last_bit(layout, dtype, missing):
    for shape in [(1, 1), (3, 5), (64, 33), (65, 257), (1031, 4)]:
        rows = layout(table(*shape, dtype, missing))
        centre = np.linspace(-10, 10, shape[1])
        for low in (None, np.zeros(shape[1]), np.full(shape[1], 1e-17)):
            out, expected = np.zeros(shape), np.zeros(shape)
            deviation, sums = compiled.deviations(rows, centre, low, out)
            twin, of_twin = _scatter.deviations(rows, centre, low, expected)
            np.testing.assert_array_equal(deviation, twin)
            size = np.abs(twin).sum(axis=0)
            assert (np.isnan(sums) == np.isnan(of_twin)).all()
            there = np.isfinite(sums)
            assert (np.abs(sums - of_twin)[there] <= 1e-14 * size[there]).all()


COLUMNS = {"mean": [0.0, 5.0, -1e9], "low": [0.0, 1e-17, -1e-9], "width": [1.0, 0.3, 7e5]}
ENDS = {"unit": (0.0, 1.0), "both": (-1.0, 1.0), "odd": (-0.3, 0.6), "far": (1e6, 1e6 + 1)}


def calls(n_columns, ends, clip):
    """Every map with its numbers, as (name, arguments)."""
    mean, low, width = (np.resize(numbers, n_columns) for numbers in COLUMNS.values())
    columns = (mean, low, width, np.zeros(n_columns, dtype=np.int64))
    lower, upper = (np.full(n_columns, end) for end in ends)
    yield "standardize", columns
    yield "unstandardize", columns
    yield "interpolate", (*columns, lower, upper, clip)
    yield "uninterpolate", (*columns, lower, upper)


def outputs(shape, dtype):
    yield np.zeros(shape, dtype)
    yield np.zeros(shape[::-1], dtype).T
    yield np.zeros((shape[0], shape[1] + 3), dtype)[:, 2:-1]


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("written", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_maps_are_the_same_to_the_last_bit(layout, dtype, written, missing):
    for n_rows, n_columns in [(1, 1), (1, 20), (2, 300), (3, 33), (130, 5), (600, 1), (65, 257)]:
        rows = layout(table(n_rows, n_columns, dtype, missing))
        for ends, clip in itertools.product(ENDS.values(), [False, True]):
            for name, arguments in calls(n_columns, ends, clip):
                expected = np.zeros(rows.shape, written)
                twin = getattr(_affine, name)(rows, *arguments, expected)
                for out in outputs(rows.shape, written):
                    finite = getattr(compiled, name)(rows, *arguments, out)
                    np.testing.assert_array_equal(out, expected)
                    assert finite or not twin
                    assert finite or missing > 0


@pytest.mark.parametrize("clip", [False, True])
@pytest.mark.parametrize("layout", ["row after row", "column after column"])
@pytest.mark.parametrize("bad", [np.inf, -np.inf, 1e308, -1e308])
def test_maps_of_the_infinite_and_of_what_overflows(bad, layout, clip):
    for place in ((0, 0), (64, 3), (129, 4)):
        rows = table(130, 5, missing=0.1)
        rows[place] = bad
        rows = LAYOUTS[layout](rows)
        for name, arguments in calls(5, (-1.0, 1.0), clip):
            columns = arguments[2].copy()
            columns[place[1]] = 1e-3 if name in ("standardize", "interpolate") else 1e3
            arguments = (*arguments[:2], columns, *arguments[3:])
            expected, out = np.zeros_like(rows), np.zeros_like(rows)
            getattr(_affine, name)(rows, *arguments, expected)
            finite = getattr(compiled, name)(rows, *arguments, out)
            np.testing.assert_array_equal(out, expected)
            assert not (finite and np.isinf(bad))


@pytest.mark.parametrize("huge", [False, True])
def test_maps_into_their_own_rows(huge):
    for name, arguments in calls(5, (-1.0, 1.0), True):
        rows = table(130, 5)
        if huge:  # what overflows on the way is done once more, from the rows as they were
            rows[7, 2] = 1e308 if name in ("standardize", "interpolate") else 1.5
            arguments[0][2], arguments[2][2] = -1e308, 1.5e308
        expected = np.zeros_like(rows)
        getattr(_affine, name)(rows, *arguments, expected)
        getattr(compiled, name)(rows, *arguments, rows)
        np.testing.assert_array_equal(rows, expected)


def test_columns_without_values_are_not_infinite():
    rows, out = table(70, 5), np.zeros((70, 5))
    mean = np.array([0.0, np.nan, 0.0, 0.0, 0.0])
    rest = (np.zeros(5), np.ones(5), np.zeros(5, dtype=np.int64))
    assert compiled.standardize(rows, mean, *rest, out)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(rows) | np.isnan(mean))
    rows[3, 1] = np.inf
    assert not compiled.standardize(rows, mean, *rest, out)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", ["row after row", "column after column", "every second row"])
def test_ordinary_blocks_need_no_twin(alone, monkeypatch, layout, dtype):
    rows = LAYOUTS[layout](table(200, 6, dtype, missing=0.1))
    compiled.moments(rows, None)
    compiled.moments(rows, np.ones(len(rows)))
    compiled.extrema(rows, None)
    if layout == "row after row":
        monkeypatch.setattr(_scatter, "deviations", refuse)
        compiled.deviations(rows, np.zeros(6), None, np.zeros(rows.shape))
    for name, arguments in calls(6, (-1.0, 1.0), False):
        if layout != "every second row":
            getattr(compiled, name)(rows, *arguments, np.zeros_like(rows))
            getattr(compiled, name)(rows, *arguments, rows)


@pytest.mark.parametrize("missing", [0.0, 0.05])
@pytest.mark.parametrize("written", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_rows_are_normalized_the_same(layout, dtype, written, missing):
    eps = np.finfo(written).eps
    for n_rows, n_columns in [(1, 1), (1, 20), (3, 2), (7, 8), (9, 33), (17, 511), (5, 1030)]:
        rows = layout(table(n_rows, n_columns, dtype, missing))
        gamma, beta = np.linspace(-1, 2, n_columns), np.linspace(0, 1, n_columns)
        order = np.random.default_rng(n_columns).permutation(n_columns)
        parts = _rowwise.Parts(np.array_split(order, min(3, n_columns)), gamma, beta)
        for centred, epsilon in itertools.product([True, False], [0.0, 1e-5]):
            expected = np.zeros(rows.shape, written)
            given = (rows, parts, centred, epsilon)
            is_finite = _rowwise.normalize_rows(*given, expected)
            assert is_finite == (not np.isnan(rows).any())
            for out in outputs(rows.shape, written):
                assert compiled.normalize_rows(*given, out) == is_finite
                np.testing.assert_allclose(out, expected, rtol=0, atol=32 * max(eps, 2e-16))


def test_ordinary_rows_need_no_twin(monkeypatch):
    monkeypatch.setattr(_rowwise, "_careful", refuse)
    monkeypatch.setattr(_rowwise, "normalize_rows", refuse)
    rows = table(130, 7) + np.arange(7)
    rows[3, 4] = np.nan
    parts = _rowwise.Parts([np.arange(4, 7), np.arange(4)], np.ones(7), np.zeros(7))
    for layout in LAYOUTS.values():
        given = (layout(rows), parts, True, 0.0)
        assert not compiled.normalize_rows(*given, np.zeros(rows.shape))


@pytest.mark.parametrize("kernel", ["moments", "extrema"])
def test_infinities_are_found_where_they_are(kernel):
    for place in ((0, 0), (0, 4), (500, 2), (999, 4)):
        rows = table(1000, 5, missing=0.1)
        rows[place] = -np.inf
        for given_rows in (rows, np.asfortranarray(rows), rows.astype(np.float32)):
            with pytest.raises(InfiniteValueError) as caught:
                getattr(compiled, kernel)(given_rows, None)
            assert (caught.value.row, caught.value.column) == place


@pytest.mark.parametrize("unit", [1e-320, 1e-310, 1e-200, 1e-150, 1e150, 1e200, 1e307])
def test_squares_that_vanish_or_overflow_go_to_the_twin(unit):
    rows = table(100, 3)
    rows[:, 1] *= unit
    expected = _moments.moments(rows, None)
    for mine, theirs in zip(compiled.moments(rows, None), expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-13)
    assert expected[4].any() == (not 1e-121 < unit < 1e121)


@pytest.mark.parametrize("wanted", ["numpy", "compiled"])
def test_the_environment_chooses(wanted):
    code = "from skscale import _kernels; print(_kernels.IN_USE)"
    assert run(code, wanted).stdout.strip() == wanted


def test_environment_asks_for_something_else():
    assert "SKSCALE_KERNELS must be 'compiled' or 'numpy'" in run("import skscale", "cuda").stderr


def test_environment_asks_for_what_was_not_built():
    code = "import sys; sys.modules['skscale._kernels._loops'] = None; import skscale"
    assert "were not built" in run(code, "compiled").stderr
    code += "; print(skscale._kernels.IN_USE)"
    assert run(code, "").stdout.strip() == "numpy"


def run(code, wanted):
    environment = {**os.environ, "SKSCALE_KERNELS": wanted}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False
    )


def test_kernels_in_use_are_those_asked_for():
    wanted = os.environ.get("SKSCALE_KERNELS") or "compiled"
    module = compiled if wanted == "compiled" else None
    assert wanted == kernels.IN_USE
    for name in ("moments", "extrema", "standardize"):
        assert (getattr(kernels, name) is getattr(compiled, name)) == (module is compiled)


def means(random, n_columns, scale=1.0):
    """Weights and means of some rows, with low parts."""
    mean = random.normal(size=n_columns) * scale
    return random.integers(1, 9, n_columns).astype(float), mean, np.spacing(mean) / 3


@pytest.mark.parametrize("n_columns", [1, 2, 50, 257])
@pytest.mark.parametrize("scale", [1.0, 1e150, 1e-150, 1e-310, 1e305])
def test_means_are_merged_to_the_same_bits(n_columns, scale):
    random = np.random.default_rng(n_columns)
    first, second = means(random, n_columns, scale), means(random, n_columns, scale)
    first[0][::5] = 0.0  # no rows
    second[1][::3], second[2][::3] = first[1][::3], first[2][::3]  # no distance
    for pair in ((*first, *second), (*second, *first), (*first, *first)):
        found, expected = compiled.add_means(*pair), _merging.add_means(*pair)
        for of_one, of_other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(of_one, of_other)


def test_ordinary_means_are_merged_alone(monkeypatch):
    monkeypatch.setattr(_merging, "add_means", refuse)
    random = np.random.default_rng(0)
    compiled.add_means(*means(random, 9), *means(random, 9, 1e9))


def scattered(random, n_columns, scale=1.0):
    """Weight, mean and scatter matrix of some rows, with low parts."""
    _, mean, mean_low = means(random, n_columns, scale)
    high, low = random.normal(size=(2, n_columns, n_columns)) * [[[9]], [[1e-17]]]
    return float(random.integers(1, 9)), mean, mean_low, high, low


@pytest.mark.parametrize("n_columns", [1, 2, 50, 257])
@pytest.mark.parametrize("scale", [1.0, 1e-100, 1e100])
def test_scatter_matrices_are_merged_to_the_same_bits(n_columns, scale):
    random = np.random.default_rng(n_columns)
    first, second = (scattered(random, n_columns, scale) for _ in range(2))
    second[1][::3], second[2][::3] = first[1][::3], first[2][::3]  # no distance
    for pair in ((first, second), (second, first), (first, first)):
        found, expected = compiled.merge_scatter(*pair), _merging.merge_scatter(*pair)
        for of_one, of_other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(of_one, of_other)


def test_matrices_in_any_memory_order_are_merged():
    random = np.random.default_rng(0)
    first, second = (scattered(random, 5) for _ in range(2))
    columns = (*first[:3], *map(np.asfortranarray, first[3:]))
    expected = compiled.merge_scatter(first, second)
    for of_one, of_other in zip(compiled.merge_scatter(columns, second), expected, strict=True):
        np.testing.assert_array_equal(of_one, of_other)


@pytest.mark.parametrize("kernel", [compiled.merge_scatter, _merging.merge_scatter])
def test_unusual_distances_of_means_are_left_to_others(kernel):
    random = np.random.default_rng(0)
    for scale in (1e-310, 1e300):
        assert kernel(scattered(random, 3, scale), scattered(random, 3, scale)) is None


@pytest.mark.parametrize("n_columns", [1, 3, 4, 25, 70])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_scatter_of_columns_in_order_has_the_bits_of_rows_in_order(n_columns, dtype):
    rows = np.random.default_rng(n_columns).normal(3.0, 2.0, (5000, n_columns)).astype(dtype)
    weights = np.random.default_rng(0).random(5000)
    for of_rows in (None, weights):
        in_rows = Scatter.of(rows, of_rows)
        assert Scatter.of(np.asfortranarray(rows), of_rows) == in_rows


# Products -----------------------------------------------------------------------------------


@pytest.fixture(params=[8, 4])
def lanes(request, monkeypatch):
    """Numbers in a vector, as on a machine that has no wider ones."""
    if request.param > compiled.LANES:
        pytest.skip(f"this machine has no vectors of {request.param} numbers")
    monkeypatch.setattr(compiled, "LANES", request.param)
    monkeypatch.setattr(_scatter, "products", refuse)
    return request.param


SHAPES = [
    *itertools.product([1, 2, 7, 8, 9, 31], [1, 2, 3, 4, 5, 7, 8, 9]),
    *[(511, 5), (512, 6), (513, 16), (1030, 11), (600, 25), (70, 129), (650, 200)],
]
"""On both sides of the lengths of vectors, of squares of the matrix, and of runs of rows."""


def pieces_of(rows, *cuts):
    """Rows as `Columns` in pieces."""
    parts = np.split(rows, cuts)
    pieces = [[np.ascontiguousarray(column) for column in part.T] for part in parts]
    return kernels.Columns(lambda: np.asfortranarray(rows), pieces)


def picked_of(rows):
    """Rows as `Picked` from all over an array that has others too."""
    random = np.random.default_rng(len(rows))
    numbers = random.permutation(2 * len(rows))[: len(rows)]
    source = np.full((2 * len(rows), rows.shape[1]), np.nan, rows.dtype)
    source[numbers] = rows
    return kernels.Picked(lambda: source[numbers], source, numbers)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", SHAPES)
def test_products_are_those_of_the_deviations(lanes, shape, dtype):
    random = np.random.default_rng(0)
    rows = random.normal(3, 2, shape).astype(dtype)
    centre = random.normal(3, 1, shape[1])
    weights = random.uniform(0.1, 4, shape[0])
    for of_rows, low in [(None, None), (weights, None), (None, centre / 8)]:
        sums, matrix = compiled.products(rows, of_rows, centre, low)
        weight = np.ones(shape[0]) if of_rows is None else of_rows
        deviation = (rows - centre) - (0 if low is None else low)
        size = np.abs(deviation).T @ (np.abs(deviation) * weight[:, np.newaxis])
        expected = deviation.astype(np.longdouble).T @ (deviation * weight[:, np.newaxis])
        assert (np.abs(matrix - expected) <= 32 * EPS * size).all()
        assert (matrix == matrix.T).all()
        size = weight @ np.abs(deviation)
        assert (np.abs(sums - weight.astype(np.longdouble) @ deviation) <= 32 * EPS * size).all()


def test_products_of_whole_numbers_are_exact(lanes):
    rows = np.random.default_rng(0).integers(-1000, 1000, (3001, 13)).astype(float)
    exact = truth.exact(rows - 7)
    sums, matrix = compiled.products(rows, np.full(3001, 4.0), np.full(13, 7.0), None)
    assert sums.tolist() == [4 * sum(column) for column in exact.T]
    for i, j in [(0, 0), (0, 12), (12, 3), (5, 4), (12, 12)]:
        assert matrix[i, j] == 4 * sum(a * b for a, b in zip(exact[:, i], exact[:, j], strict=True))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (13, 7), (700, 12), (1031, 9)])
def test_products_have_the_same_bits_wherever_the_rows_lie(lanes, shape, dtype):
    rows = table(*shape, dtype)
    weights = np.random.default_rng(0).uniform(0.1, 4, shape[0])
    centre = np.linspace(0, 10, shape[1])
    some = sorted({1, shape[0] // 3, shape[0] // 3 + 1, shape[0] - 1} - {0, shape[0]})
    apart = [pieces_of(rows, *cuts) for cuts in ((), some, some[:1])]
    for of_rows in (None, weights):
        expected = compiled.products(rows, of_rows, centre, None)
        arrays = (layout(rows) for layout in LAYOUTS.values())
        for given_rows in (*arrays, *apart, picked_of(rows)):
            found = compiled.products(given_rows, of_rows, centre, None)
            for mine, theirs in zip(found, expected, strict=True):
                np.testing.assert_array_equal(mine, theirs)


def test_memory_beside_the_rows_is_not_read(lanes):
    """What lies before, between and behind them is NaN."""
    memory = np.full((40, 30), np.nan)
    for n_rows, n_columns in itertools.product([1, 5, 8, 17], [1, 4, 7, 9]):
        rows = memory[3 : 3 + n_rows, 2 : 2 + n_columns]
        rows[...] = 1.5
        for given_rows in (rows, rows.copy().T.copy().T):
            sums, matrix = compiled.products(given_rows, None, np.zeros(n_columns), None)
            assert (sums == 1.5 * n_rows).all()
            assert (matrix == 2.25 * n_rows).all()
        rows[...] = np.nan


def test_memory_beside_the_results_is_not_written(lanes):
    for n_rows, n_columns in SHAPES:
        sizes = compiled._loops.products_work(n_rows, n_columns), n_columns, n_columns**2
        memory = [np.full(size + 200, -0.0) for size in sizes]  # even adding zero would show
        work, sums, matrix = (array[100:-100] for array in memory)
        rows, zeros = np.ones((n_rows, n_columns)), np.zeros(n_columns)
        where = compiled._layout(rows)[:-1]
        into = work, sums, matrix.reshape(n_columns, n_columns)
        compiled._loops.products(lanes, *where, np.ones(n_rows), zeros, zeros, *into)
        for array in memory:
            assert np.signbit(array[:100]).all()
            assert np.signbit(array[-100:]).all()
        assert (matrix == n_rows).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("place", [(0, 0), (5, 11), (599, 3)])
def test_what_is_not_finite_shows_in_the_products_of_its_column_only(lanes, place, bad):
    rows = table(600, 12)
    rows[place] = bad
    sums, matrix = compiled.products(rows, None, np.zeros(12), None)
    others = np.arange(12) != place[1]
    assert not np.isfinite(sums[place[1]])
    assert not np.isfinite(matrix[place[1]]).any()
    assert np.isfinite(sums[others]).all()
    assert np.isfinite(matrix[np.ix_(others, others)]).all()
    with pytest.raises(ValueError, match=r"infinity|NaN"):
        Scatter.of(pieces_of(rows, 100))


@pytest.mark.parametrize("n_columns", [9, compiled.WIDEST + 1])
def test_other_machines_and_wide_rows_have_matrix_products(monkeypatch, n_columns):
    if n_columns <= compiled.WIDEST:
        monkeypatch.setattr(compiled, "LANES", 0)
    monkeypatch.setattr(compiled._loops, "products", refuse)
    rows = np.random.default_rng(0).normal(5, 1, (1100, n_columns))
    expected = np.cov(rows.T, ddof=0) * 1100
    for given_rows in (rows, pieces_of(rows), pieces_of(rows, 7, 1030), picked_of(rows)):
        found = Scatter.of(given_rows).scatter
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


# Rows elsewhere than in one array -----------------------------------------------------------


@given(data=st.data(), n_rows=st.integers(1, 20))
def test_rows_elsewhere_are_those_of_the_array(n_rows, data):
    rows = np.arange(3.0 * n_rows).reshape(n_rows, 3)
    cuts = data.draw(st.sets(st.integers(1, n_rows - 1)) if n_rows > 1 else st.just(set()))
    apart = data.draw(st.sampled_from([pieces_of(rows, *sorted(cuts)), picked_of(rows)]))
    assert apart.shape == rows.shape
    np.testing.assert_array_equal(kernels.as_rows(apart), rows)
    np.testing.assert_array_equal(np.asarray(apart, dtype=np.float32), rows.astype(np.float32))
    bound = st.none() | st.integers(-25, 25)
    some = data.draw(st.builds(slice, bound, bound, st.sampled_from([None, 1, 2, 7, 25, -1, -3])))
    np.testing.assert_array_equal(apart[some], rows[some])
    number = data.draw(st.integers(-n_rows, n_rows - 1))
    np.testing.assert_array_equal(apart[number], rows[number])
    chosen = data.draw(st.lists(st.booleans(), min_size=n_rows, max_size=n_rows))
    np.testing.assert_array_equal(apart[np.array(chosen)], rows[chosen])
    for i in range(3 if isinstance(apart, kernels.Columns) else 0):
        np.testing.assert_array_equal(apart.column(i), rows[:, i])


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", [Extrema, Moments, Scatter, Triangle])
def test_statistics_of_rows_elsewhere_have_the_same_bits(kind, dtype, weighted):
    rows = table(3000, 6, dtype) if kind in (Scatter, Triangle) else table(3000, 6, dtype, 0.1)
    weights = np.random.default_rng(0).integers(0, 3, 3000) if weighted else None
    expected = kind.of(np.asfortranarray(rows), weights)
    for cuts in ((), (1,), (500, 2500)):
        assert kind.of(pieces_of(rows, *cuts), weights) == expected
    assert kind.of(picked_of(rows), weights) == kind.of(rows, weights)


@pytest.mark.parametrize("kernel", [compiled.extrema, compiled.moments, compiled.scatter])
def test_columns_are_not_brought_together(kernel):
    if kernel is compiled.scatter and not compiled.LANES:
        pytest.skip("there is no loop over products for this machine")
    rows = np.asfortranarray(table(3000, 7)[:, 1:])  # the first one is constant
    apart = kernels.Columns(refuse, pieces_of(rows, 1000).pieces)
    for mine, theirs in zip(kernel(apart, None), kernel(rows, None), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.skipif(not compiled.LANES, reason="there is no loop over products for this machine")
def test_picked_rows_are_not_gathered():
    rows = table(3000, 7)[:, 1:]
    picked = picked_of(rows)
    found = compiled.scatter(kernels.Picked(refuse, picked.source, picked.numbers), None)
    for mine, theirs in zip(found, compiled.scatter(rows, None), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("kind", [Extrema, Moments, Scatter])
def test_infinities_in_columns_that_lie_apart_are_found_where_they_are(kind):
    rows = table(1000, 5)
    rows[700, 3] = -np.inf
    with pytest.raises(InfiniteValueError) as caught:
        kind.of(pieces_of(rows, 300))
    assert (caught.value.row, caught.value.column) == (700, 3)


def test_squares_that_vanish_in_columns_that_lie_apart():
    rows = table(1000, 3) * [1, 1e-180, 1e170]
    for kind in (Moments, Scatter):
        assert kind.of(pieces_of(rows, 300)) == kind.of(np.asfortranarray(rows))
