"""The functions against PyTorch and Keras, on hostile input, and on what they refuse."""

import importlib.util
import itertools
import pickle
import runpy
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import skscale
from skscale import BatchNormalizer
from skscale.errors import InvalidParameterError
from skscale.normalization import functional
from skscale.normalization.functional import _panels

REFERENCES = Path(__file__).parent / "references"
TORCH, KERAS = (dict(np.load(REFERENCES / f"{name}.npz")) for name in ("torch", "keras"))
ROWWISE = {
    "LayerNorm": (functional.layer_norm, functional.layer_norm_backward),
    "RMSNorm": (functional.rms_norm, functional.rms_norm_backward),
    "GroupNorm": (
        lambda X, *by: functional.group_norm(X, 2, *by),
        functional.group_norm_backward,
    ),
}


def assert_equal(found, expected):
    """To 1e-12 of the largest number, which has seen the same sums."""
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12 * abs(expected).max())


def parts(given, name):
    """Output and gradients that a framework found."""
    return [
        given[f"{name}/{part}"]
        for part in ("Y", "dX", "dgamma", "dbeta")
        if f"{name}/{part}" in given
    ]


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# Frameworks -------------------------------------------------------------------------------


def test_references_name_their_versions():
    assert str(TORCH["version"]).startswith("2.13")
    assert str(KERAS["version"]).startswith("3.")
    assert sum(file.stat().st_size for file in REFERENCES.glob("*.npz")) < 200_000


@pytest.mark.parametrize(
    ("given", "name", "function", "known"),
    [
        (TORCH, "BatchNorm1d, momentum 0.1", "batch_norm", False),
        (KERAS, "BatchNormalization", "batch_norm", False),
        (KERAS, "BatchNormalization, renorm", "batch_renorm", True),
    ],
    ids=["torch", "keras", "keras renorm"],
)
def test_batches_in_training(given, name, function, known):
    forward, backward = getattr(functional, function), getattr(functional, f"{function}_backward")
    statistics = {"mean": given["known_mean"], "var": given["known_var"]} if known else {}
    for batch, *expected in zip(given["batches"], *parts(given, name), strict=True):
        Y, cache = forward(batch, given["gamma"], given["beta"], **statistics)
        for found, theirs in zip((Y, *backward(given["dY"], cache)), expected, strict=True):
            assert_equal(found, theirs)


def test_the_references_clip_and_do_not():
    """Else a renormalization that never clips, or always does, would pass."""
    for batch in KERAS["batches"][:1]:
        cache = functional.batch_renorm(batch, mean=KERAS["known_mean"], var=KERAS["known_var"])[1]
        assert {1 / 3, 3.0} < set(cache.r)
        assert 5.0 in abs(cache.d)
        assert (abs(cache.d) < 5).any()


@pytest.mark.parametrize("momentum", ["0.1", "1.0", "None"])
def test_batches_in_inference(momentum):
    name = f"BatchNorm1d, momentum {momentum}"
    mean, var = (TORCH[f"{name}/{part}"][-1] for part in ("mean", "var"))
    given = TORCH["X"], TORCH["gamma"], TORCH["beta"]
    Y, cache = functional.batch_norm(*given, mean=mean, var=var)
    found = Y, *functional.batch_norm_backward(TORCH["dY"], cache)
    for ours, theirs in zip(found, parts(TORCH, f"{name}, eval"), strict=True):
        assert_equal(ours, theirs)


def test_batches_in_inference_of_keras():
    mean, var = (KERAS[f"BatchNormalization/{part}"][-1] for part in ("mean", "var"))
    given = KERAS["X"], KERAS["gamma"], KERAS["beta"]
    Y, _ = functional.batch_norm(*given, mean=mean, var=var)
    assert_equal(Y, KERAS["BatchNormalization, inference/Y"])


@pytest.mark.parametrize(
    ("given", "name", "momentum", "ddof"),
    [
        (TORCH, "BatchNorm1d, momentum 0.1", 0.1, 1),
        (TORCH, "BatchNorm1d, momentum 1.0", 1.0, 1),
        (TORCH, "BatchNorm1d, momentum None", "cumulative", 1),
        (KERAS, "BatchNormalization", 1 - 0.99, 0),
    ],
    ids=["torch 0.1", "torch 1.0", "torch None", "keras"],
)
def test_running_statistics(given, name, momentum, ddof):
    """Those of frameworks begin with mean 0 and variance 1; ours have nothing left of that."""
    normalizer = BatchNormalizer(momentum=momentum, ddof=ddof, epsilon=1e-5)
    for t, batch in enumerate(given["batches"], start=1):
        normalizer.partial_fit(batch)
        of_start = 0 if momentum == "cumulative" else (1 - momentum) ** t
        for found, start, theirs in (
            (normalizer.running_mean_, 0, given[f"{name}/mean"][t - 1]),
            (normalizer.running_var_, 1, given[f"{name}/var"][t - 1]),
        ):
            expected = (theirs - of_start * start) / (1 - of_start)
            assert_equal(found, expected)


@pytest.mark.parametrize("name", ROWWISE)
def test_rows(name):
    forward, backward = ROWWISE[name]
    affine = (TORCH["gamma"],) if name == "RMSNorm" else (TORCH["gamma"], TORCH["beta"])
    Y, cache = forward(TORCH["X"], *affine)
    found = Y, *backward(TORCH["dY"], cache)
    for ours, theirs in zip(found, parts(TORCH, name), strict=False):
        assert_equal(ours, theirs)


def test_instances():
    Y, cache = functional.instance_norm(TORCH["series"], TORCH["gamma"], TORCH["beta"])
    found = Y, *functional.instance_norm_backward(TORCH["d_series"], cache)
    for ours, theirs in zip(found, parts(TORCH, "InstanceNorm1d"), strict=True):
        assert_equal(ours, theirs)
    Y, cache = functional.instance_norm(TORCH["X"])
    found = Y, functional.instance_norm_backward(TORCH["dY"], cache)[0]
    for ours, theirs in zip(found, parts(TORCH, "InstanceNorm1d, two dimensions"), strict=True):
        assert_equal(ours, theirs)


def test_weights():
    W, cache = functional.weight_norm(TORCH["X"], TORCH["g"])
    found = W, *functional.weight_norm_backward(TORCH["dY"], cache)
    for ours, theirs in zip(found, parts(TORCH, "weight_norm"), strict=True):
        assert_equal(ours, theirs)


@pytest.mark.parametrize(
    ("name", "needed"), [("torch", ["torch"]), ("keras", ["keras", "tensorflow"])]
)
def test_references_made_afresh(name, needed):
    if not all(map(importlib.util.find_spec, needed)):
        pytest.skip(f"not installed: {' or '.join(needed)}")
    make = runpy.run_path(str(REFERENCES / "make.py"))
    stored = {"torch": TORCH, "keras": KERAS}[name]
    given = {part: stored[part] for part in make["draw"]()}  # whatever would be drawn today
    found, _ = make[f"{name}_numbers"](given)
    assert {"version", *given, *found} == set(stored)
    for part, values in found.items():
        assert_equal(values, stored[part])


# Time steps -------------------------------------------------------------------------------

FUNCTIONS = {
    "batch_norm": functional.batch_norm,
    "inference": lambda X, *by: functional.batch_norm(
        X, *by, mean=X[0].reshape(-1)[: X.shape[-1]], var=np.ones(X.shape[-1])
    ),
    "batch_renorm": lambda X, *by: functional.batch_renorm(
        X, *by, mean=np.zeros(X.shape[-1]), var=np.ones(X.shape[-1])
    ),
    "layer_norm": functional.layer_norm,
    "rms_norm": functional.rms_norm,
    "group_norm": lambda X, *by: functional.group_norm(X, 2, *by),
    "instance_norm": functional.instance_norm,
}
BY_STEP = ["batch_norm", "batch_renorm", "layer_norm", "rms_norm", "group_norm"]


def back(name, dY, cache):
    name = "batch_norm" if name == "inference" else name
    return getattr(functional, f"{name}_backward")(dY, cache)


@pytest.mark.parametrize("name", BY_STEP)
def test_a_time_step_is_normalized_as_if_alone(name):
    X, gamma, beta, dY = draw(5, 3, 4), draw(4, seed=1), draw(4, seed=2), draw(5, 3, 4, seed=3)
    Y, cache = FUNCTIONS[name](X, gamma, beta)
    dX, *of_affine = back(name, dY, cache)
    alone = [FUNCTIONS[name](X[:, t], gamma, beta) for t in range(3)]
    gradients = [back(name, dY[:, t], cache) for t, (_, cache) in enumerate(alone)]
    assert_equal(Y, np.stack([one for one, _ in alone], axis=1))
    assert_equal(dX, np.stack([one for one, *_ in gradients], axis=1))
    for found, *summed in zip(of_affine, *(rest for _, *rest in gradients), strict=True):
        assert_equal(found, np.sum(summed, axis=0))


@pytest.mark.parametrize("n_steps", [1, 2, 3, 5])
def test_later_steps_have_the_statistics_of_the_last_one(n_steps):
    X, mean, var = draw(5, 3, 2), draw(n_steps, 2, seed=1), 1 + draw(n_steps, 2, seed=2) ** 2
    Y = functional.batch_norm(X, mean=mean, var=var)[0]
    for t in range(3):
        at = min(t, n_steps - 1)
        assert_equal(Y[:, t], functional.batch_norm(X[:, t], mean=mean[at], var=var[at])[0])
    if n_steps == 1:
        np.testing.assert_array_equal(Y, functional.batch_norm(X, mean=mean[0], var=var[0])[0])


# Numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [1e6, -1e12])
@pytest.mark.parametrize("name", ["batch_norm", "layer_norm", "group_norm", "instance_norm"])
def test_far_from_zero(name, offset):
    """Against numbers that are as far from each other, without the offset that they share."""
    shape = (7, 5, 6) if name == "instance_norm" else (7, 6)  # whose means are rounded
    X = np.round(draw(*shape) * 64)
    dY = draw(*shape, seed=1)
    Y, cache = FUNCTIONS[name](X + offset)
    near, near_cache = FUNCTIONS[name](X)
    assert_equal(Y, near)
    for found, expected in zip(back(name, dY, cache), back(name, dY, near_cache), strict=True):
        assert_equal(found, expected)


@pytest.mark.parametrize("offset", [1e6, -1e12])
def test_corrections_far_from_zero(offset):
    X, var = np.round(draw(7, 6) * 64), np.full(6, 3000.0)
    far = functional.batch_renorm(X + offset, mean=np.full(6, offset), var=var)
    near = functional.batch_renorm(X, mean=np.zeros(6), var=var)
    assert_equal(far[0], near[0])
    assert_equal(far[1].d, near[1].d)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32_is_computed_in_float64(name):
    shape = (7, 5, 4) if name == "instance_norm" else (7, 4)
    X, dY = (draw(*shape, seed=seed).astype(np.float32) for seed in (0, 1))
    gamma, beta = draw(4, seed=2), draw(4, seed=3)
    Y, cache = FUNCTIONS[name](X, gamma, beta)
    wide, wide_cache = FUNCTIONS[name](X.astype(np.float64), gamma, beta)
    assert Y.dtype == np.float32
    np.testing.assert_allclose(Y, wide, rtol=1e-6, atol=0)
    dX, *rest = back(name, dY, cache)
    wide_dX, *wide_rest = back(name, dY.astype(np.float64), wide_cache)
    assert dX.dtype == np.float32
    np.testing.assert_allclose(dX, wide_dX, rtol=1e-6, atol=1e-20)
    for found, expected in zip(rest, wide_rest, strict=True):
        assert found.dtype == np.float64
        assert_equal(found, expected)


LAYOUTS = [
    np.asfortranarray,
    lambda X: np.repeat(X, 2, axis=0)[::2],
    lambda X: np.repeat(X, 2, axis=-1)[..., ::2],
    lambda X: X.astype(">f8"),
    lambda X: X.tolist(),
]


@pytest.mark.parametrize("layout", range(len(LAYOUTS)))
@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "inference"])
@pytest.mark.parametrize("shape", [(5, 4), (5, 3, 4)], ids=str)
def test_the_order_in_memory_does_not_matter(name, layout, shape):
    X, dY = draw(*shape), draw(*shape, seed=1)
    function = FUNCTIONS[name]
    if layout == 4 and name == "group_norm":
        function = lambda X: functional.group_norm(X, 2)  # noqa: E731
    elif layout == 4 and name == "batch_renorm":
        function = lambda X: functional.batch_renorm(X, mean=[0] * 4, var=[1] * 4)  # noqa: E731
    Y, cache = function(LAYOUTS[layout](X))
    expected, expected_cache = FUNCTIONS[name](X)
    assert_equal(Y, expected)
    gradients = back(name, LAYOUTS[layout](dY), cache)
    for found, value in zip(gradients, back(name, dY, expected_cache), strict=True):
        assert_equal(found, value)


@pytest.mark.parametrize("n_features", [1, 2, 70, 200])
@pytest.mark.parametrize("name", ["layer_norm", "rms_norm", "group_norm", "inference"])
def test_a_row_has_the_same_bits_alone_and_among_others(name, n_features):
    X = draw(2000, n_features)
    groups = {"group_norm": (1 if n_features == 1 else 2,)}.get(name, ())
    if name == "inference":
        forward = lambda X: functional.batch_norm(  # noqa: E731
            X, mean=np.full(n_features, 0.1), var=np.full(n_features, 0.7)
        )[0]
    else:
        forward = lambda X: getattr(functional, name)(X, *groups)[0]  # noqa: E731
    Y = forward(X)
    for rows in ([0], [1999], [3, 5], slice(7, 700)):
        np.testing.assert_array_equal(forward(X[rows]), Y[rows])


@pytest.mark.parametrize("name", [*FUNCTIONS, "lists"])
def test_threads_change_no_bit(name):
    shape = (30, 1000, 80) if name == "instance_norm" else (30_000, 80)
    lists = np.array_split(np.random.default_rng(0).permutation(80), 7)
    X, dY = draw(*shape), draw(*shape, seed=1)
    forward = FUNCTIONS.get(name, lambda X: functional.group_norm(X, lists))

    def everything():
        Y, cache = forward(X)
        return Y, *back("group_norm" if name == "lists" else name, dY, cache)

    with skscale.thread_limit(1):
        alone = everything()
    with skscale.thread_limit(3):
        together = everything()
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_blas_is_held_to_one_thread(monkeypatch):
    seen = set()

    def record(*arguments):
        seen.update(pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas")
        return step_back(*arguments)

    step_back = _panels.step_back
    monkeypatch.setattr(_panels, "step_back", record)
    _, cache = functional.layer_norm(draw(5, 4))
    with threadpool_limits(2, user_api="blas"):
        functional.layer_norm_backward(draw(5, 4), cache)
    assert seen <= {1}


def textbook(X, axis):
    deviation = X - X.mean(axis=axis, keepdims=True)
    return deviation / np.sqrt((deviation**2).mean(axis=axis, keepdims=True) + 1e-5)


def test_many_blocks_and_panels_are_put_together():
    X, gamma, beta = 3 + draw(3000, 700), draw(700, seed=1), draw(700, seed=2)
    assert_equal(functional.batch_norm(X, gamma, beta)[0], textbook(X, 0) * gamma + beta)
    assert_equal(functional.layer_norm(X, gamma, beta)[0], textbook(X, 1) * gamma + beta)
    groups = np.array_split(np.random.default_rng(3).permutation(700), 9)
    expected = np.empty_like(X)
    for group in groups:
        expected[:, group] = textbook(X[:, group], 1)
    Y, cache = functional.group_norm(X, groups, gamma, beta)
    assert_equal(Y, expected * gamma + beta)
    dY = draw(3000, 700, seed=4)
    _, dgamma, dbeta = functional.group_norm_backward(dY, cache)
    assert_equal(dgamma, (dY * expected).sum(axis=0))
    assert_equal(dbeta, dY.sum(axis=0))
    series = X.reshape(300, 10, 700)
    Y, cache = functional.instance_norm(series, gamma, beta)
    assert_equal(Y, textbook(series, 1) * gamma + beta)
    dgamma = functional.instance_norm_backward(dY.reshape(series.shape), cache)[1]
    assert_equal(dgamma, (dY.reshape(series.shape) * textbook(series, 1)).sum(axis=(0, 1)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_stays_in_its_place(bad):
    X = draw(5, 4)
    X[1, 2] = bad
    column, row, cell = np.zeros((3, 5, 4), dtype=bool)
    column[:, 2] = row[1] = cell[1, 2] = True
    group = row & (np.arange(4) > 1)
    with np.errstate(invalid="ignore"):
        for name, where in {
            "batch_norm": column,
            "batch_renorm": column,
            "layer_norm": row,
            "group_norm": group,
            "rms_norm": row if np.isnan(bad) else cell,
        }.items():
            np.testing.assert_array_equal(np.isnan(FUNCTIONS[name](X)[0]), where, name)
        series = np.isnan(functional.instance_norm(X[:, np.newaxis].swapaxes(0, 1))[0][0])
        np.testing.assert_array_equal(series, column)
    Y = functional.batch_norm(X, mean=np.zeros(4), var=np.ones(4))[0]
    np.testing.assert_array_equal(np.isfinite(Y), ~cell)


def test_one_row_becomes_beta():
    beta = np.array([1.0, 2.0, 3.0])
    for X in (draw(1, 3), 1e9 + draw(1, 3)):
        Y, cache = functional.batch_norm(X, beta=beta)
        np.testing.assert_array_equal(Y, [beta])
        np.testing.assert_array_equal(cache.var, 0)
        np.testing.assert_allclose(functional.batch_norm_backward(X, cache)[0], 0, atol=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_given_is_not_changed_and_what_is_kept_cannot_be(name):
    shape = (5, 3, 4) if name == "instance_norm" else (5, 4)
    given = [draw(*shape), draw(4, seed=1), draw(4, seed=2)]
    before = [part.copy() for part in given]
    Y, cache = FUNCTIONS[name](*given)
    expected = back(name, Y, cache)
    for part, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(part, copy)
        assert part.flags.writeable
    arrays = [part for part in cache if isinstance(part, np.ndarray)]
    assert len(arrays) >= 4
    assert not any(part.flags.writeable for part in arrays)
    given[1][:] = 99.0  # the cache has its own
    loaded = pickle.loads(pickle.dumps(cache))
    for of_cache in (cache, loaded):
        for found, value in zip(back(name, Y, of_cache), expected, strict=True):
            np.testing.assert_array_equal(found, value)
    with pytest.raises(AttributeError):
        cache.gamma = None


def test_the_weight_cache_cannot_be_changed():
    V, g = draw(3, 2), draw(3, seed=1)
    cache = functional.weight_norm(V, g)[1]
    assert not any(part.flags.writeable for part in cache[:3])
    assert V.flags.writeable
    assert g.flags.writeable


@pytest.mark.parametrize("scale", [1e-300, 1e-160, 1e200])
def test_weights_of_any_size(scale):
    V, g = np.array([[3.0, 4.0], [-5.0, 12.0]]) * scale, np.array([10.0, 13.0])
    np.testing.assert_allclose(functional.weight_norm(V, g)[0], [[6, 8], [-5, 12]], rtol=1e-14)


def test_weights_keep_their_dtype():
    W, cache = functional.weight_norm(draw(3, 2).astype(np.float32), [1, 2, 3])
    assert W.dtype == functional.weight_norm_backward(W, cache)[0].dtype == np.float32


# Refused ----------------------------------------------------------------------------------

X = np.arange(12.0).reshape(3, 4)
REFUSED = {
    "X": [
        (X[0], r"of shape \(n, features\) or \(n, time, features\). Got an array of shape \(4,\)"),
        (X[:0], r"at least one row.* \(0, 4\)"),
        (X[:, :0], r"and feature. Got an array of shape \(3, 0\)"),
        (X.reshape(3, 2, 2, 1), "shape"),
        (X.astype(str), "real numbers. Got dtype <U32"),
        (X * 1j, "real numbers. Got dtype complex128"),
        ([[1.0], [2.0, 3.0]], "Got nested sequences"),
    ],
    "gamma": [([1.0, 2.0], r"of shape \(4,\). Got an array of shape \(2,\)"), (2.0, r"shape \(\)")],
    "beta": [(np.ones((1, 4)), r"of shape \(4,\). Got an array of shape \(1, 4\)")],
    "epsilon": [
        (0, "positive number. Got 0"),
        (-1e-5, "-1e-05"),
        (np.nan, "nan"),
        ("auto", "auto"),
    ],
}
CALLS = {
    "batch_norm": functional.batch_norm,
    "batch_renorm": lambda X, **by: functional.batch_renorm(
        X, mean=np.zeros(4), var=np.ones(4), **by
    ),
    "layer_norm": functional.layer_norm,
    "group_norm": lambda X, **by: functional.group_norm(X, 2, **by),
    "rms_norm": functional.rms_norm,
    "instance_norm": functional.instance_norm,
}


@pytest.mark.parametrize(
    ("name", "argument"), [*itertools.product(CALLS, REFUSED)], ids=lambda value: value
)
def test_arguments_are_refused(name, argument):
    for value, words in REFUSED[argument]:
        given = {"X": X, argument: value}
        with pytest.raises(
            InvalidParameterError, match=f"'{argument}' argument of {name} .*{words}"
        ):
            CALLS[name](given.pop("X"), **given)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (3, "a positive int that divides the 4 features, or lists of columns. Got 3"),
        (0, "Got 0"),
        (True, "Got True"),
        (2.0, "a list of lists of columns. Got 2.0"),
        ("ab", "Got 'ab'"),
        ([], r"Got \[\]"),
        ([[0, 1], [1, 2, 3]], r"once. Got columns \[1\] more than once"),
        ([[0, 1], [3]], r"once. Got columns \[2\] in no group"),
        ([[0, 0], [1, 3]], r"\[0\] more than once and columns \[2\] in no group"),
        ([[0, 1, 2, 3], []], r"non-empty lists of columns from -4 to 3. Got a group \[\]"),
        ([[0, 1], [2, 4]], r"from -4 to 3. Got a group \[2, 4\]"),
        ([[0, 1], [2, -5]], "from -4 to 3"),
        ([[0, 1], [2.0, 3.0]], "from -4 to 3"),
        ([0, 1, 2, 3], "Got a group 0"),
        ([["a"], ["b"]], "Got a group"),
        ([[0, [1]], [2, 3]], "Got a group"),
    ],
)
def test_groups_are_refused(groups, words):
    with pytest.raises(InvalidParameterError, match=f"'groups' argument of group_norm .*{words}"):
        functional.group_norm(X, groups)


def test_groups_count_from_the_end():
    found = functional.group_norm(X, [[0, -1], np.array([1, -2], dtype=np.int8)])[0]
    np.testing.assert_array_equal(found, functional.group_norm(X, ([0, 3], range(1, 3)))[0])


KNOWN = {"mean": np.zeros(4), "var": np.ones(4)}


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("mean", None, "given where the other of mean and var is. Got None"),
        ("var", None, "given where the other of mean and var is. Got None"),
        ("mean", np.zeros(3), r"of shape \(4,\). Got an array of shape \(3,\)"),
        ("mean", np.zeros((1, 4)), r"of shape \(4,\). Got an array of shape \(1, 4\)"),
        ("var", -KNOWN["var"], "non-negative. Got -1"),
    ],
)
@pytest.mark.parametrize("function", ["batch_norm", "batch_renorm"])
def test_known_statistics_are_refused(function, argument, value, words):
    with pytest.raises(
        InvalidParameterError, match=f"'{argument}' argument of {function} .*{words}"
    ):
        getattr(functional, function)(X, **{**KNOWN, argument: value})


@pytest.mark.parametrize("mean", [np.zeros((0, 2)), np.zeros((2, 2, 2)), np.zeros((2, 3)), 0.0])
def test_known_statistics_of_steps_are_refused(mean):
    with pytest.raises(InvalidParameterError, match=r"of shape \(2,\) or \(time, 2\)"):
        functional.batch_norm(X.reshape(3, 2, 2), mean=mean, var=np.ones(2))


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("r_max", 0.99, "a number of at least 1. Got 0.99"),
        ("r_max", np.nan, "Got nan"),
        ("r_max", "3", "Got '3'"),
        ("d_max", -0.1, "a number of at least 0. Got -0.1"),
    ],
)
def test_limits_of_corrections_are_refused(argument, value, words):
    with pytest.raises(InvalidParameterError, match=f"'{argument}' argument of .*{words}"):
        functional.batch_renorm(X, **KNOWN, **{argument: value})


@pytest.mark.parametrize("name", CALLS)
def test_gradients_of_another_shape_are_refused(name):
    cache = CALLS[name](X)[1]
    words = rf"'dY' argument of {name}_backward .*output, \(3, 4\). Got .* \(3, 1\)"
    with pytest.raises(InvalidParameterError, match=words):
        back(name, X[:, :1], cache)


FORWARD = {
    "batch_norm": functional.batch_norm,
    "batch_renorm": lambda X: functional.batch_renorm(X, mean=[0, 0], var=[1, 1]),
    "layer_norm": functional.layer_norm,
    "group_norm": lambda X: functional.group_norm(X, 2),
    "rms_norm": functional.rms_norm,
    "instance_norm": functional.instance_norm,
    "weight_norm": lambda X: functional.weight_norm(X, [1.0, 1.0]),
}


@pytest.mark.parametrize("name", FORWARD)
def test_caches_of_other_functions_are_refused(name):
    X, backward = np.array([[1.0, 2.0], [3.0, 5.0]]), getattr(functional, f"{name}_backward")
    for other, forward in FORWARD.items():
        Y, cache = forward(X)
        if other == name:
            backward(Y, cache)
            backward(Y, pickle.loads(pickle.dumps(cache)))
            words = "must be the one that {} returned. Got a ndarray instead"
            with pytest.raises(InvalidParameterError, match=words.format(name)):
                backward(cache, Y)
            continue
        with pytest.raises(InvalidParameterError, match=f"{name} returned. Got one from {other} "):
            backward(Y, cache)


@pytest.mark.parametrize("name", ["layer_norm", "rms_norm", "group_norm", "instance_norm"])
def test_rows_whose_squares_overflow_become_beta(name):
    X = np.array([[1e200, 2e200, 4e200], [1.0, 2.0, 4.0]])
    forward = (lambda X: functional.group_norm(X, 1)) if name == "group_norm" else FORWARD[name]
    with pytest.warns(RuntimeWarning, match="overflow"):
        Y, _ = forward(X)
    assert (Y[0] == 0).all()
    np.testing.assert_array_equal(Y[1:], forward(X[1:])[0])


@pytest.mark.parametrize(
    ("V", "g", "axis", "words"),
    [
        (X[0], [1.0], 1, r"'V' .* shape \(rows, columns\).* Got an array of shape \(4,\)"),
        (X[:0], [], 1, r"'V' .* Got an array of shape \(0, 4\)"),
        (X, np.ones(4), 1, r"'g' .* of shape \(3,\). Got an array of shape \(4,\)"),
        (X, np.ones(3), 0, r"'g' .* of shape \(4,\). Got an array of shape \(3,\)"),
        (X, np.ones(3), 2, "'axis' .* 0 or 1. Got 2"),
        (X, np.ones(3), None, "'axis' .* 0 or 1. Got None"),
        (X * [[1], [0], [1]], np.ones(3), 1, r"'V' .*without vectors of zeros. .* \[1\]"),
    ],
)
def test_weights_are_refused(V, g, axis, words):
    with pytest.raises(InvalidParameterError, match=words):
        functional.weight_norm(V, g, axis=axis)


def test_gradients_of_weights_of_another_shape_are_refused():
    cache = functional.weight_norm(X, np.ones(3))[1]
    with pytest.raises(InvalidParameterError, match="'dW' argument of weight_norm_backward"):
        functional.weight_norm_backward(X[:, :1], cache)
