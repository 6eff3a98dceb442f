"""Statistics as bytes: what comes back is what was written, and nothing else comes back."""

import contextlib
import dataclasses
import functools
import hashlib
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener
from skscale.errors import (
    IncompatibleStatisticError,
    InvalidParameterError,
    SampleWeightError,
    StatisticBytesError,
)
from skscale.statistics import (
    Extrema,
    Moments,
    PooledBatches,
    RadialScatter,
    RowSketch,
    RunningMoments,
    Scatter,
    Triangle,
    from_bytes,
)
from skscale.testing._comparing import arrays, assert_read_only, assert_same_bits

from .draws import cut_positions, tables
from .test_statistic_laws import REGISTRY, label, public_statistics

OURS = (StatisticBytesError, IncompatibleStatisticError)
DEEP = os.environ.get("SKSCALE_TEST_PROFILE") == "deep"
OFFSET = 50
"""Where the record begins: after magic, version, length and checksum."""


def sealed(body, version=1):
    """What anybody can write who knows the format: any record with its right checksum."""
    prefix = b"\x89skscale" + struct.pack("<HQ", version, len(body))
    return prefix + hashlib.sha256(prefix + body).digest() + body


def measured(kind, options, rows, weights=None):
    return options.get("of", kind.of)(rows, weights)


def rows_of(n_rows, n_features, seed=0):
    return np.random.default_rng(seed).normal(3.0, 2.0, size=(n_rows, n_features))


HARD_TABLES = {
    "no rows": np.zeros((0, 3)),
    "one row": np.array([[1.5, -0.0, 1e300]]),
    "wide": rows_of(3, 40),
    "constant": np.ones((5, 2)),
    "zeros of both signs": np.array([[-0.0, 0.0], [-0.0, 0.0]]),
    "huge and tiny": np.array([[1e300, 1e-300, 1e308], [-1e300, 3e-300, -1e308], [0.0, 0.0, 0.0]]),
    "float32": rows_of(9, 2).astype(np.float32),
    "integers beyond 2^53": np.array([[2**62, 1], [2**62 + 1, 5], [2**62 + 3, 7]]),
    "unsigned": np.array([[2**64 - 1], [2**64 - 2]], dtype=np.uint64),
}
WITH_MISSING = (Moments, Extrema, PooledBatches, RunningMoments, RowSketch)


@pytest.mark.parametrize("name", HARD_TABLES)
@pytest.mark.parametrize(("kind", "options"), REGISTRY, ids=label)
def test_what_comes_back_is_what_was_written(kind, options, name):
    rows = HARD_TABLES[name]
    weights = np.arange(len(rows)) / 3 + 0.5
    for statistic in (measured(kind, options, rows), measured(kind, options, rows, weights)):
        data = statistic.to_bytes()
        assert type(data) is bytes
        for given_as in (bytes, bytearray, memoryview):
            for back in (kind.from_bytes(given_as(data)), from_bytes(given_as(data))):
                assert type(back) is kind
                assert back == statistic
                assert_same_bits(back, statistic, name)
                assert_read_only(back, name)
                assert back.to_bytes() == data


@pytest.mark.parametrize(("kind", "options"), REGISTRY, ids=label)
def test_missing_values_travel(kind, options):
    if kind not in WITH_MISSING:
        pytest.skip("NaN is refused")
    rows = np.array([[np.nan, 1.0], [np.nan, np.nan], [np.nan, 3.0]])
    statistic = measured(kind, options, rows)
    assert_same_bits(from_bytes(statistic.to_bytes()), statistic, "with NaN")


@pytest.mark.parametrize(("kind", "options"), REGISTRY, ids=label)
@settings(max_examples=500 if DEEP else 12)
@given(rows=tables(), data=st.data())
def test_merging_after_travelling_gives_the_same_bits(kind, options, rows, data):
    parts = np.split(rows, data.draw(cut_positions(len(rows), empty=True)))
    statistics = [measured(kind, options, part) for part in parts]
    travelled = [from_bytes(statistic.to_bytes()) for statistic in statistics]
    merged, here = (
        functools.reduce(lambda a, b: a.merge(b), all_) for all_ in (travelled, statistics)
    )
    assert_same_bits(merged, here, "merged")
    assert merged.to_bytes() == here.to_bytes()


def test_an_equal_statistic_has_equal_bytes():
    rows = rows_of(30, 4)
    for kind, options in REGISTRY:
        statistic = measured(kind, options, rows)
        assert measured(kind, options, rows.copy()).to_bytes() == statistic.to_bytes()
    triangle = Triangle.of(rows)
    by_rows = dataclasses.replace(triangle, triangle=np.ascontiguousarray(triangle.triangle))
    assert by_rows.moments().second_moment == pytest.approx(triangle.moments().second_moment)
    # Of one column upwards, of fewer rows than columns and merged ones: one order per shape.
    for n_rows in (2, 4, 5, 30):
        one = Triangle.of(rows[:n_rows])
        for other in (one, one.merge(Triangle.of(rows[:0])), one.affine(np.eye(4)), one.merge(one)):
            square = other.triangle.shape[0] == other.triangle.shape[1]
            assert other.triangle.flags["F_CONTIGUOUS" if square else "C_CONTIGUOUS"]


def test_numbers_of_any_type_are_written_alike():
    rows = rows_of(6, 2)
    by_hand = RunningMoments.of(rows, momentum=np.float64(0.5), ddof=1)
    assert by_hand.to_bytes() == RunningMoments.of(rows, momentum=0.5, ddof=1.0).to_bytes()
    sketch = RowSketch.of(rows, key=7)
    assert dataclasses.replace(sketch, key=np.int64(7)).to_bytes() == sketch.to_bytes()
    for key in (0, 127, 128, 2**63, 2**128 - 1):
        assert from_bytes(RowSketch.of(rows, key=key).to_bytes()).key == key


FITS = [
    (StandardScaler(), Moments),
    (MinMaxScaler(), Extrema),
    (PCA(), Scatter),
    (PCA(), Triangle),
    (PCA(n_components=2, svd_solver="full"), Triangle),
    (Whitener(), Scatter),
    (Whitener(method="zca-cor"), Triangle),
    (Whitener(shrinkage="ledoit_wolf"), RadialScatter),
    (BatchNormalizer(), PooledBatches),
    (BatchNormalizer(momentum=0.1), RunningMoments),
]


@pytest.mark.parametrize(("transformer", "kind"), FITS, ids=str)
def test_fitting_from_what_travelled(transformer, kind):
    rows = rows_of(50, 4) @ rows_of(4, 4, seed=1)
    statistic = kind.of(rows).merge(kind.of(rows[:7]))
    here = transformer.fit_statistic(statistic)
    expected = {name: value for name, value in vars(here).items() if name.endswith("_")}
    there = type(transformer)(**transformer.get_params())
    there.fit_statistic(from_bytes(statistic.to_bytes()))
    assert expected
    for name, value in expected.items():
        assert_same_bits(vars(there)[name], value, name)
    assert_same_bits(there.transform(rows), here.transform(rows), "transform")


# What is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "got NoneType"),
        ("\x89skscale", "got str"),
        (7, "got int"),
        (np.zeros(3, dtype=np.uint8), "got ndarray"),
        (b"", "none at all"),
        (b"PK\x03\x04 a zip file", r"start with b'PK"),
        (Moments.of([[1.0]]).to_bytes()[:30], "cut off"),
        (Moments.of([[1.0]]).to_bytes()[:-1], "cut off"),
        (Moments.of([[1.0]]).to_bytes() + b"\n", "too many"),
        (Moments.of([[1.0]]).to_bytes() * 2, "one statistic at a time"),
        (sealed(b"", version=2), "version 2, and this version of skscale reads version 1"),
        (Moments.of([[1.0]]).to_bytes()[:-1] + b"\x07", "damaged"),
        (sealed(b"\x07Median!\x00"), "'Median!', which this version of skscale does not know"),
    ],
)
def test_the_error_says_what_is_wrong(data, message):
    for read in (from_bytes, Moments.from_bytes):
        with pytest.raises(StatisticBytesError, match=message) as caught:
            read(data)
        assert isinstance(caught.value, ValueError)
        assert isinstance(caught.value, TypeError)


def test_a_released_view_is_refused():
    view = memoryview(Moments.of([[1.0]]).to_bytes())
    assert Moments.from_bytes(view[::1]) == Moments.of([[1.0]])
    view.release()
    with pytest.raises(StatisticBytesError, match="released"):
        from_bytes(view)


def test_another_kind_is_refused():
    with pytest.raises(
        IncompatibleStatisticError, match=r"of a Extrema, not of a Moments.*Extrema\.from"
    ):
        Moments.from_bytes(Extrema.of([[1.0]]).to_bytes())


def changed(statistic, **values):
    return dataclasses.replace(statistic, **values)


M, E, S, T = (kind.of(rows_of(5, 2)) for kind in (Moments, Extrema, Scatter, Triangle))
RADIAL, SKETCH = RadialScatter.of(rows_of(5, 2)), RowSketch.of(rows_of(5, 2))
POOLED = PooledBatches.of(rows_of(5, 2))
RUNNING = RunningMoments.of(rows_of(5, 2), momentum=0.5)
PLAIN = RunningMoments.of(rows_of(5, 2), momentum="cumulative")
ALL = (M, E, S, T, RADIAL, SKETCH, POOLED, RUNNING, PLAIN)
TWO = np.ones(2)


def kind_and_message(value):
    return value if isinstance(value, str) else type(value).__name__


# What no rows leave behind, and what is said of it.
IMPOSSIBLE = [
    (changed(M, total=-1.0), "total"),
    (changed(M, total=np.nan), "total"),
    (changed(M, total=np.inf), "total"),
    (changed(M, total=1e200), "total"),
    (changed(M, total=1e-200), "total"),
    (changed(M, count=-TWO), "count"),
    (changed(M, count=9 * TWO), "count is larger"),
    (changed(M, count=np.ones(3)), "2 n_features, and what is before it 3"),
    (changed(M, count=np.ones((2, 1))), "count is of dtype float64 with 2 axes"),
    (changed(M, count=np.ones(2, dtype=np.int64)), "count is of dtype int64"),
    (changed(M, mean=np.array([np.nan, 0.0])), "mean and mean_low"),
    (changed(M, mean=np.array([np.inf, 0.0])), "mean and mean_low"),
    (changed(M, mean_low=TWO), "mean and mean_low"),
    (changed(M, count=0 * TWO), "mean is not 0"),
    (changed(M, second_moment=-TWO), "second_moment is to be"),
    (changed(M, second_moment=1e305 * TWO), "second_moment is to be"),
    (changed(M, second_moment_low=TWO), "second_moment and second_moment_low"),
    (changed(M, exponent=np.array([0, 2**40])), "exponent"),
    (changed(M, exponent=np.array([0, -(2**63)])), "exponent"),
    (changed(M, exponent=TWO), "exponent is of dtype float64"),
    (changed(M, wide=TWO), "wide is of dtype"),
    (
        Moments(0.0, *[np.zeros(0)] * 5, np.zeros(0, dtype=int), np.zeros(0, dtype=bool)),
        "no columns",
    ),
    (changed(E, minimum=E.minimum[:1]), "minimum has 1 n_features"),
    (changed(E, total=np.nan), "total"),
    (changed(E, count=9 * TWO), "count is larger"),
    (changed(E, minimum=E.maximum + 1), "a minimum is larger"),
    (changed(E, minimum=np.array([-np.inf, 0.0])), "minimum and minimum_low"),
    (changed(E, count=0 * TWO), "where there are no values"),
    (changed(Extrema.of(np.zeros((0, 2))), maximum_low=TWO), "where there are no values"),
    (changed(E, maximum=E.minimum, maximum_low=-1e-20 * TWO), "a minimum is larger"),
    (changed(S, scatter=S.scatter[:1]), "1 n_features"),
    (changed(S, scatter=-S.scatter), "the diagonal of scatter"),
    (changed(S, scatter=S.scatter * np.nan), "scatter and scatter_low"),
    (changed(S, scatter=1e302 * np.eye(2)), "the diagonal of scatter"),
    (changed(S, scatter=np.array([[1.0, 2.0], [2.0, 1.0]])), "larger than its diagonal allows"),
    (changed(S, scatter=np.array([[0.0, 1.0], [1.0, 1.0]])), "larger than its diagonal allows"),
    (changed(S, scatter=np.array([[1.0, 0.5], [0.0, 1.0]])), "not symmetric"),
    (changed(S, exponent=np.array([0, 2**40])), "exponent"),
    (changed(T, exponent=np.array([0, 2**40])), "exponent"),
    (changed(T, mean=np.array([np.nan, 0.0])), "mean and mean_low"),
    (changed(T, total=-1.0), "total"),
    (changed(T, mean=np.ones(3)), "n_features"),
    (changed(S, mean=np.array([np.nan, 0.0])), "mean and mean_low"),
    (changed(S, total=-1.0), "total"),
    (changed(RUNNING, total=-1.0), "total"),
    (changed(RUNNING, mean=np.ones(3)), "n_features"),
    (changed(RUNNING, mean_low=TWO), "mean and mean_low"),
    (changed(SKETCH, total=-1.0), "total"),
    (changed(S, total=0.0), "there are no rows"),
    (changed(T, triangle=T.triangle + 1), "upper triangular"),
    (changed(T, triangle=np.zeros((3, 2))), "upper triangular"),
    (changed(T, triangle=np.inf * np.ones((1, 2))), "columns of triangle"),
    (changed(T, triangle=1e200 * np.eye(2)), "columns of triangle"),
    (changed(T, triangle=5e-324 * np.eye(2)), "columns of triangle"),
    (changed(T, total=0.0), "there are no rows"),
    (changed(RADIAL, scatter=changed(S, total=-1.0)), "total"),
    (changed(RADIAL, cubic=np.ones(3)), "3 n_features"),
    (changed(RADIAL, cubic=np.array([1e305, 0.0])), "cubic"),
    (changed(RADIAL, quartic=-1.0), "quartic"),
    (changed(RADIAL, quartic=np.nan), "quartic"),
    (changed(RADIAL, exponent=RADIAL.exponent + 1), "exponent is not that"),
    (changed(RADIAL, exponent=2**1000), "exponent is not that"),
    (changed(RadialScatter.of(np.zeros((1, 2))), quartic=1.0), "quartic"),
    (changed(POOLED, n_batches=-1), "n_batches"),
    (changed(POOLED, n_batches=0), "n_batches"),
    (changed(POOLED, n_batches=2**63), "n_batches"),
    (changed(POOLED, moments=changed(M, total=-1.0)), "total"),
    (changed(RUNNING, momentum=0.0), "momentum"),
    (changed(RUNNING, momentum=np.nan), "momentum"),
    (changed(RUNNING, momentum="plain"), "momentum"),
    (changed(RUNNING, ddof=np.inf), "ddof"),
    (changed(RUNNING, mean_weight=2 * TWO), "mean_weight"),
    (changed(RUNNING, mean_weight=-TWO), "mean_weight"),
    (changed(PLAIN, variance_weight=2 * TWO), "variance_weight"),
    (changed(RUNNING, mean_weight=0 * TWO), "mean is not 0"),
    (changed(RUNNING, variance_weight=0 * TWO), "deviation_square is not 0"),
    (changed(RUNNING, deviation_square=-TWO), "deviation_square"),
    (changed(RUNNING, deviation_exponent=np.array([0, 2**62])), "deviation_exponent"),
    (changed(RUNNING, n_batches=0), "n_batches"),
    (changed(SKETCH, n_features=0), "n_features"),
    (changed(SKETCH, n_features=2**40), "n_features"),
    (changed(SKETCH, key=-1), "key"),
    (changed(SKETCH, capacity=4), "capacity"),
    (changed(RowSketch.of(np.zeros((0, 2))), capacity=0), "capacity"),
    (changed(SKETCH, capacity=2**70), "capacity"),
    (changed(SKETCH, hashes=SKETCH.hashes[::-1]), "ascend"),
    (changed(SKETCH, hashes=SKETCH.hashes[[0, 0, 1, 2, 3]]), "ascend"),
    (changed(SKETCH, hashes=SKETCH.hashes[:3]), "n_kept"),
    (changed(SKETCH, counts=-SKETCH.counts), "counts"),
    (changed(SKETCH, counts=0 * SKETCH.counts), "counts are not those of rows"),
    (changed(SKETCH, counts=2 * SKETCH.counts), "the sum of counts is larger"),
    (changed(SKETCH, total=0.0), "counts is larger"),
]


@pytest.mark.parametrize(("statistic", "message"), IMPOSSIBLE, ids=kind_and_message)
def test_what_no_rows_leave_behind_is_refused_on_both_sides(statistic, message, monkeypatch):
    with pytest.raises(StatisticBytesError, match=f"cannot be sent.*{message}"):
        statistic.to_bytes()
    with monkeypatch.context() as patch:  # who sends it does not ask
        for kind in public_statistics():
            patch.setattr(kind, "_faults", lambda self: iter(()))
        data = statistic.to_bytes()
    with pytest.raises(StatisticBytesError, match=f"No rows leave behind.*{message}"):
        from_bytes(data)


def test_every_kind_knows_what_is_impossible():
    assert {type(statistic) for statistic, _ in IMPOSSIBLE} == set(public_statistics())


@pytest.mark.parametrize(
    ("statistic", "message"),
    [
        (changed(M, total="3"), "total is a str"),
        (changed(M, total=True), "total is a bool"),
        (changed(M, total=2**5000), "total is an integer of 5001 bits"),
        (changed(M, count=[1.0, 2.0]), "count is a list"),
        (changed(M, count=TWO.astype(np.float32)), "count is an array of dtype float32"),
        (changed(POOLED, moments=S), "moments is a Scatter"),
        (changed(POOLED, n_batches=1.5), "n_batches is a float"),
        (changed(SKETCH, key=2**5000), "key is an integer of 5001 bits"),
        (changed(RUNNING, momentum="x" * 300), "momentum is a str"),
    ],
    ids=kind_and_message,
)
def test_a_field_of_another_type_cannot_be_sent(statistic, message):
    with pytest.raises(StatisticBytesError, match=f"cannot be sent: {message}"):
        statistic.to_bytes()


def field(name, rest):
    return bytes([len(name)]) + name.encode() + rest


def body(statistic):
    return statistic.to_bytes()[OFFSET:]


def swapped(statistic, before, after):
    assert body(statistic).count(before) >= 1
    return sealed(body(statistic).replace(before, after, 1))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (sealed(b""), "before the end"),
        (sealed(b"\x02\xff\xff"), "not UTF-8"),
        (sealed(body(M) + b"\0"), "1 bytes follow the last field"),
        (sealed(body(M)[:-1]), "before the end"),
        (swapped(M, b"\x07Moments\x08", b"\x07Moments\x07"), "has 8 fields, and 7 are there"),
        (swapped(M, b"\x04mean", b"\x04neam"), "'neam' is where Moments.mean belongs"),
        (swapped(M, b"totalf", b"totali"), "total has a value with the tag b'i'"),
        (swapped(SKETCH, b"\x03keyi", b"\x03keyf"), "key has a value with the tag b'f'"),
        (swapped(SKETCH, b"keyi\x01\0", b"keyi\x02\0\0"), "not as short"),
        (swapped(SKETCH, b"keyi\x01\0", b"keyi\0"), "not as short"),
        (swapped(RADIAL, b"r\x07Scatter", b"r\x07Moments"), "is a 'Moments', not a Scatter"),
        (swapped(M, b"a<f8C\x01", b"a<f4C\x01"), "array of type b'<f4'"),
        (swapped(M, b"a<f8C\x01", b"a|O8C\x01"), "array of type b'|O8'"),
        (swapped(M, b"a<f8C\x01", b"a<f8K\x01"), "order b'K'"),
        (swapped(M, b"a<f8C\x01", b"a<f8C\x40"), "64 axes"),
        (
            swapped(
                M, b"a|b1C\x01\x02" + 7 * b"\0" + b"\0", b"a|b1C\x01\x02" + 7 * b"\0" + b"\x02"
            ),
            "neither 0",
        ),
        (swapped(M, b"a<f8C\x01\x02" + 7 * b"\0", b"a<f8C\x01" + 8 * b"\xff"), "larger than all"),
        (
            swapped(T, b"a<f8F\x02\x02" + 7 * b"\0", b"a<f8F\x02\0" + 7 * b"\0" + b"\xff" * 8)[:0]
            or sealed(
                body(T).replace(
                    b"a<f8F\x02" + struct.pack("<2Q", 2, 2),
                    b"a<f8F\x02" + struct.pack("<2Q", 0, 2**62),
                )
            ),
            "larger than all",
        ),
        (
            sealed(
                body(T).replace(
                    b"a<f8F\x02" + struct.pack("<2Q", 2, 2),
                    b"a<f8F\x02" + struct.pack("<2Q", 200, 200),
                )
            ),
            "before the end",
        ),
    ],
)
def test_a_record_that_to_bytes_does_not_write_is_refused(data, message):
    with pytest.raises(StatisticBytesError, match=message):
        from_bytes(data)


def test_no_more_memory_is_taken_than_a_few_times_the_bytes():
    data = Triangle.of(rows_of(300, 200)).to_bytes()
    lies = [
        data.replace(struct.pack("<2Q", 200, 200), struct.pack("<2Q", *shape))
        for shape in [(2**30, 2**30), (200, 2**40), (2**63, 2), (0, 2**50), (40_000, 200)]
    ]
    for given_bytes in (data, *(sealed(lie[OFFSET:]) for lie in lies)):
        tracemalloc.start()
        try:
            from_bytes(given_bytes)
        except StatisticBytesError:
            assert given_bytes is not data
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < 6 * len(data)


# Mutations --------------------------------------------------------------------------------

SPECIAL = [0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 5e-324, 1e-300, 1e-150, 1e-60, 1e-17]
SPECIAL += [1e17, 1e60, 1e150, 1e300, -1e300, 1.7976931348623157e308, -1.7976931348623157e308]
INTEGERS = [0, 1, -1, 2, 2**12, -(2**12), 2**31, -(2**31), 2**62, 2**63 - 1, -(2**63)]


def corpus():
    tables_ = [
        rows_of(6, 3),
        rows_of(2, 5),
        rows_of(0, 2),
        np.array([[1e200, 1.0], [3e200, 1.0]]),
        np.ones((4, 1)),
    ]
    return [measured(kind, options, rows) for kind, options in REGISTRY for rows in tables_]


def with_another_number(drawn, statistic):
    """The statistic with one number of it replaced, and bytes that nobody checked."""
    names = [field.name for field in dataclasses.fields(statistic)]
    name = names[drawn.integers(len(names))]
    value = getattr(statistic, name)
    if hasattr(value, "merge"):
        value = with_another_number(drawn, value)
    elif isinstance(value, np.ndarray) and value.size:
        value = value.copy()
        special = SPECIAL if value.dtype.kind == "f" else INTEGERS
        entry = value.dtype.type(
            0
            if value.dtype.kind == "b"
            else drawn.choice(special)
            if value.dtype.kind != "u"
            else drawn.integers(2**63)
        )
        value[tuple(drawn.integers(value.shape))] = entry
        if value.ndim == 2 and value.shape[0] == value.shape[1] and drawn.random() < 0.5:
            value = np.maximum(value, value.T)
    elif isinstance(value, float):
        value = float(drawn.choice(SPECIAL))
    elif isinstance(value, int):
        value = int(drawn.choice(INTEGERS))
    return dataclasses.replace(statistic, **{name: value})


def mutated(drawn, data, other):
    """Bytes that were cut, grown, spliced, or changed somewhere; at times more than once."""
    data = bytearray(data)
    for _ in range(drawn.integers(1, 4)):
        if not data:
            break
        i, j = sorted(int(k) for k in drawn.integers(0, len(data) + 1, 2))
        how = drawn.integers(9)
        if how == 0 and i < len(data):
            data[i] ^= 1 << int(drawn.integers(8))
        elif how == 1:
            del data[i:]
        elif how == 2:
            del data[i:j]
        elif how == 3:
            data[i:] = other[min(i, len(other)) :]
        elif how == 4:
            data[i:i] = drawn.bytes(int(drawn.integers(1, 20)))
        elif how == 5:
            data[i:j] = bytes(j - i)
        elif how == 6:
            k = int(drawn.integers(0, len(data) + 1))
            i, j, k = sorted((i, j, k))
            data[i:k] = data[j:k] + data[i:j]
        elif how == 7:
            data[i : i + 8] = struct.pack("<d", drawn.choice(SPECIAL))
        else:
            data[i : i + 8] = struct.pack("<q", drawn.choice(INTEGERS))
    return bytes(data)


def solve(statistic):
    """Fit whatever can be fitted from a statistic of its kind; other errors than ours come out."""
    for transformer, kind in FITS:
        if kind is type(statistic):
            with contextlib.suppress(*OURS, InvalidParameterError, SampleWeightError):
                transformer.fit_statistic(statistic)


N_MUTATED = 200_000 if DEEP else 10_000


def test_mutated_bytes_are_refused_or_say_the_same():
    drawn = np.random.default_rng(1)
    written = [statistic.to_bytes() for statistic in corpus()]
    refused = 0
    for _ in range(N_MUTATED):
        data, other = (written[k] for k in drawn.integers(len(written), size=2))
        changed_data = mutated(drawn, data, other)
        try:
            back = from_bytes(changed_data)
        except OURS:
            refused += 1
        else:
            assert changed_data in (data, other)
            assert back == from_bytes(changed_data)
    assert refused > 0.8 * N_MUTATED


@pytest.mark.parametrize("how", ["bytes", "numbers"])
def test_mutated_bytes_with_the_right_checksum_are_refused_or_merge(how, monkeypatch):
    drawn = np.random.default_rng(2)
    statistics = corpus()
    written = [body(statistic) for statistic in statistics]
    with monkeypatch.context() as patch:
        for kind in public_statistics():
            patch.setattr(kind, "_faults", lambda self: iter(()))
        if how == "numbers":
            numbers = [int(drawn.integers(len(statistics))) for _ in range(N_MUTATED // 4)]
            sent = [(k, with_another_number(drawn, statistics[k]).to_bytes()) for k in numbers]
        else:
            sent = [
                (k, sealed(mutated(drawn, written[k], written[int(drawn.integers(len(written)))])))
                for k in map(int, drawn.integers(len(written), size=N_MUTATED))
            ]
    accepted = 0
    for number, data in sent:
        try:
            back = from_bytes(data)
        except OURS:
            continue
        accepted += 1
        assert back.to_bytes() == data
        assert next(back._faults(), None) is None
        for one, two in ((back, statistics[number]), (statistics[number], back), (back, back)):
            try:
                merged = one.merge(two)
            except IncompatibleStatisticError:
                continue
            assert all(
                not np.isnan(array).any() for array in arrays(merged) if array.dtype.kind == "f"
            )
            if accepted % (1 if DEEP else 4) == 0:
                solve(merged)
        if accepted % (1 if DEEP else 4) == 0:
            solve(back)
    assert accepted > len(sent) / 50


# The format -------------------------------------------------------------------------------

ONE, EMPTY = np.array([1.0, 0.0]), np.zeros(2)
UNITS = np.array([0, -300])
HAND_MADE_MOMENTS = Moments(
    3.5, np.array([3.5, 2.0]), ONE, np.array([2.0**-60, 0.0]), ONE, EMPTY, UNITS, UNITS < 0
)
HAND_MADE_SCATTER = Scatter(
    2.0, ONE, EMPTY, np.array([[4.0, -1.0], [-1.0, 2.0]]), np.zeros((2, 2)), UNITS
)
HAND_MADE = [
    HAND_MADE_MOMENTS,
    Extrema(1.0, ONE, np.array([-0.0, np.inf]), EMPTY, np.array([2.0, -np.inf]), EMPTY),
    HAND_MADE_SCATTER,
    Triangle(3.0, ONE, EMPTY, np.array([[1.0, -2.0], [0.0, 3.0]], order="F"), UNITS),
    Triangle(2.0, ONE, EMPTY, np.array([[1.0, -2.0]]), UNITS),
    RadialScatter(HAND_MADE_SCATTER, np.array([0.5, -0.5]), 7.0, 1),
    PooledBatches(HAND_MADE_MOMENTS, 129),
    RunningMoments(
        0.25, 1.0, 4.0, 2, ONE, EMPTY, np.array([0.4375, 0.0]), ONE, UNITS, ONE / 4, UNITS < 0
    ),
    RunningMoments("cumulative", 0.0, 4.0, 2, ONE, EMPTY, 2 * ONE, ONE, UNITS, ONE, UNITS < 0),
    RowSketch(3.0, 2, 2**127 + 5, 2, np.array([7, 2**64 - 1], dtype=np.uint64), ONE + 1),
]


def test_the_format_is_the_one_that_was_written_once():
    golden = Path(__file__).with_name("golden_bytes.txt").read_text(encoding="utf-8").split()
    assert {type(statistic) for statistic in HAND_MADE} == set(public_statistics())
    for statistic, text in zip(HAND_MADE, golden, strict=True):
        assert statistic.to_bytes().hex() == text
        assert_same_bits(from_bytes(bytes.fromhex(text)), statistic, type(statistic).__name__)


def test_the_format_is_the_one_that_is_described():
    """A statistic put together from the description of the format alone."""

    def name(text):
        return bytes([len(text)]) + text.encode()

    def numbers(*values):
        return (
            b"a<f8C\x01" + struct.pack("<Q", len(values)) + struct.pack(f"<{len(values)}d", *values)
        )

    fields = {
        "total": b"f" + struct.pack("<d", 2.0),
        "count": numbers(2.0),
        "minimum": numbers(-1.5),
        "minimum_low": numbers(0.0),
        "maximum": numbers(4.0),
        "maximum_low": numbers(0.0),
    }
    written = (
        name("Extrema") + b"\x06" + b"".join(name(key) + value for key, value in fields.items())
    )
    assert Extrema.of([[4.0], [-1.5]]).to_bytes() == sealed(written)
