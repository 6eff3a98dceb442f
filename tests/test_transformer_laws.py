"""The laws of transformers, for every public class in several configurations."""

import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import clone

import skscale
from skscale import (
    PCA,
    BatchNormalizer,
    GroupNormalizer,
    LayerNormalizer,
    MinMaxScaler,
    RMSNormalizer,
    StandardScaler,
    Whitener,
    _reduce,
)
from skscale.testing import TRANSFORMER_LAWS, check_transformer

from . import oracles
from .draws import cut_positions, tables

METHODS = ["zca", "zca-cor", "pca", "pca-cor", "cholesky"]
MATRIX = {"columnwise": False}
LOSSY = {"columnwise": False, "invertible": False}
ROWWISE = {"columnwise": False, "rowwise": True}
POOLED = {"batch_attributes": ["n_batches_seen_"]}

# A class that is not here is tried as it comes, so that a new one is found.
VARIANTS = {
    StandardScaler: [
        (StandardScaler(), {"truth": oracles.standardized}),
        (StandardScaler(ddof=1), {"truth": partial(oracles.standardized, ddof=1)}),
        (
            StandardScaler(with_mean=False),
            {"truth": partial(oracles.standardized, with_mean=False)},
        ),
        (StandardScaler(with_std=False), {"truth": partial(oracles.standardized, with_std=False)}),
        (
            StandardScaler(with_mean=False, with_std=False),
            {"truth": lambda train, weights, new: new},
        ),
    ],
    MinMaxScaler: [
        (MinMaxScaler(), {"truth": oracles.interpolated}),
        (
            MinMaxScaler((-3, 0.5), clip=True),
            {"truth": partial(oracles.interpolated, lower=-3, upper=0.5, clip=True)},
        ),
        (
            MinMaxScaler(([0, -1, 5, 0], [1, 1, 6, 1e3])),
            {"truth": partial(oracles.interpolated, lower=[0, -1, 5, 0], upper=[1, 1, 6, 1e3])},
        ),
    ],
    BatchNormalizer: [
        (BatchNormalizer(), {"truth": oracles.standardized, **POOLED}),
        (BatchNormalizer(batch_size=10, ddof=1, epsilon=1e-3), POOLED),
        (
            BatchNormalizer(32, affine=(2.0, [1.0, 0.0, -1.0, 3.0])),
            {
                "truth": lambda *given: 2 * oracles.standardized(*given) + [1, 0, -1, 3],
                **POOLED,
            },
        ),
        (
            BatchNormalizer(32, momentum=0.3),
            {
                "truth": partial(oracles.normalized_by_batches, batch_size=32, momentum=0.3),
                "batch_size": 32,
            },
        ),
        (BatchNormalizer(256, momentum=0.5, epsilon=1e-5), {"batch_size": 256}),
        (
            BatchNormalizer(32, momentum="cumulative", ddof=1, affine=(0.5, -1.0)),
            {"batch_size": 32},
        ),
        (BatchNormalizer(affine=(0.5, 1.0), activation="softclip"), POOLED),
    ],
    LayerNormalizer: [
        (LayerNormalizer(), {"truth": partial(oracles.normalized_rows, epsilon=1e-5), **ROWWISE}),
        (LayerNormalizer("auto"), {"truth": oracles.normalized_rows, **ROWWISE}),
        (LayerNormalizer(1e-3, affine=([1.0, 0.5, 2.0, 0.0], 1.0)), ROWWISE),
    ],
    GroupNormalizer: [
        (
            GroupNormalizer(2, epsilon="auto"),
            {"truth": partial(oracles.normalized_rows, groups=[[0, 1], [2, 3]]), **ROWWISE},
        ),
        (
            GroupNormalizer({"a": [3, 0], "b": [1], "c": [2]}, epsilon=1e-5, affine=(1.0, 2.0)),
            {
                "truth": lambda *given: (
                    oracles.normalized_rows(*given, epsilon=1e-5, groups=[[3, 0], [1], [2]]) + 2
                ),
                **ROWWISE,
            },
        ),
    ],
    RMSNormalizer: [
        (
            RMSNormalizer(),
            {"truth": partial(oracles.normalized_rows, epsilon=1e-5, centred=False), **ROWWISE},
        ),
        (
            RMSNormalizer("auto"),
            {"truth": partial(oracles.normalized_rows, centred=False), **ROWWISE},
        ),
    ],
    PCA: [
        (PCA(), {"truth": oracles.projected, **MATRIX}),
        (PCA(svd_solver="full"), {"truth": oracles.projected, **MATRIX}),
        (PCA(svd_solver="covariance_eigh"), {"truth": oracles.projected, **MATRIX}),
        (PCA(whiten=True), {"truth": partial(oracles.projected, whiten=True), **MATRIX}),
        (PCA(2), {"truth": partial(oracles.projected, n_components=2), **LOSSY}),
        (PCA(0.9, whiten=True), LOSSY),
        (PCA("mle", svd_solver="full"), LOSSY),
        (
            PCA(2, svd_solver="arpack", random_state=0),
            {"truth": partial(oracles.projected, n_components=2), **LOSSY},
        ),
        (PCA(2, svd_solver="randomized", random_state=0), LOSSY),
    ],
    Whitener: [
        *(
            (Whitener(method), {"truth": partial(oracles.whitened, method=method), **MATRIX})
            for method in METHODS
        ),
        (Whitener(ddof=0, epsilon=1e-3), MATRIX),
        (Whitener("pca", shrinkage="oas"), MATRIX),
        (Whitener("cholesky", shrinkage="ledoit_wolf"), MATRIX),
        (Whitener("zca-cor", shrinkage=0.2), MATRIX),
    ],
}


def public_classes():
    public = (getattr(skscale, name) for name in skscale.__all__)
    return [kind for kind in public if isinstance(kind, type)]


# Laws are about rows alone; what this one learns from y is tested with it.
SUPERVISED = {skscale.SupervisedBatchNormalizer}


def registry():
    for kind in public_classes():
        if kind in SUPERVISED:
            continue
        as_it_comes = [(kind(), {"columnwise": kind._columnwise})]
        yield from VARIANTS.get(kind, as_it_comes)


REGISTRY = list(registry())


def label(value):
    return value if isinstance(value, str) else repr(value) if hasattr(value, "fit") else ""


@pytest.mark.parametrize("law", TRANSFORMER_LAWS)
@pytest.mark.parametrize(("transformer", "options"), REGISTRY, ids=label)
def test_law(transformer, options, law):
    check_transformer(transformer, laws=[law], **options)


def test_registry_holds_every_public_class():
    tried = {type(transformer) for transformer, _ in REGISTRY}
    assert tried | SUPERVISED == set(public_classes())


@pytest.mark.parametrize(("transformer", "options"), REGISTRY, ids=label)
def test_any_engine_gives_the_same_bits(transformer, options, monkeypatch):
    rows = np.random.default_rng(0).normal(size=(3000, 4)) @ np.tri(4) + [0, 10, 1e3, -5]
    weights = np.arange(len(rows)) % 5
    monkeypatch.setattr(_reduce, "BLOCK", 1000)
    results = []
    monkeypatch.setattr(_reduce, "PAYS", 0)
    monkeypatch.setattr(_reduce, "GRAIN", 0)
    for n_threads in (1, 2, 3, 16):
        with skscale.thread_limit(n_threads):
            fits = [clone(transformer).fit(rows)]
            if hasattr(transformer, "partial_fit"):  # learns from rows
                fits.append(clone(transformer).fit(rows, sample_weight=weights))
                stream = clone(transformer).partial_fit(rows[:1000]).partial_fit(rows[1000:])
                fits.append(stream)
            results.append([fitted.transform(rows).tobytes() for fitted in fits])
            if hasattr(transformer, "inverse_transform"):
                image = fits[0].transform(rows)
                results[-1].append(fits[0].inverse_transform(image).tobytes())
    assert all(found == results[0] for found in results[1:])


# Drawn tables ---------------------------------------------------------------------------------

DRAWN = [
    (StandardScaler(), {"truth": oracles.standardized}),
    (StandardScaler(with_mean=False), {}),
    (MinMaxScaler(), {"truth": oracles.interpolated}),
    (BatchNormalizer(), POOLED),
]


@pytest.mark.parametrize(("transformer", "options"), DRAWN, ids=label)
@given(rows=tables(), data=st.data())
def test_scalers_of_drawn_tables(transformer, options, rows, data):
    cuts = [data.draw(cut_positions(len(rows)), label="cuts")]
    whole = clone(transformer).fit(rows)
    stream = clone(transformer)
    for start, stop in itertools.pairwise([0, *cuts[0], len(rows)]):
        stream.partial_fit(rows[start:stop])
    image = whole.transform(rows)
    scale = np.abs(image).max(axis=0)
    limit = 64 * np.finfo(np.float64).eps * np.where(scale == 0, 1, scale)
    assert (np.abs(stream.transform(rows) - image) <= limit).all()
    if "truth" in options:
        # Not where the scaler may call a column constant: a spread of a few float spacings.
        clear = np.ptp(rows, axis=0) > 16 * np.spacing(np.abs(rows).max(axis=0))
        apart = np.abs(image - options["truth"](rows, None, rows))
        assert ((apart <= limit) | ~clear).all()
    for row in (0, len(rows) // 2, len(rows) - 1):
        assert whole.transform(rows[[row]]).tobytes() == image[[row]].tobytes()
