"""Rows that come in pieces, and what every test of them looks at."""

import os
import threading
from contextlib import contextmanager

import numpy as np
import pytest

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener
from skscale import _reduce as reduce
from skscale._tables import _files as files
from skscale.testing._comparing import assert_same_bits

DEEP = os.environ.get("SKSCALE_TEST_PROFILE") == "deep"
NAMES = ["a", "b", "c", "d"]
N_ROWS = 1003

TRANSFORMERS = {
    "StandardScaler": StandardScaler(),
    "MinMaxScaler": MinMaxScaler(),
    "PCA": PCA(3),
    "Whitener": Whitener(),
    "BatchNormalizer": BatchNormalizer(batch_size=16),
    "BatchNormalizer momentum": BatchNormalizer(batch_size=16, momentum=0.1),
    "BatchNormalizer cumulative": BatchNormalizer(batch_size=16, momentum="cumulative"),
}


def rows(n_rows=N_ROWS, n_columns=4, seed=0, dtype=np.float64):
    """Correlated columns off centre, none of which lets another direction vanish."""
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(n_rows, n_columns)) @ rng.normal(size=(n_columns, n_columns))
    return (mixed + rng.normal(10.0, 5.0, n_columns)).astype(dtype)


@contextmanager
def small_blocks(block=256, piece=100):
    """Blocks of so many numbers, read in pieces of so many: many of each in little time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reduce, "BLOCK", block)
        patch.setattr(files, "PIECE", piece)
        yield


def assert_same_fit(fitted, reference, what="fit"):
    """Statistic and fitted attributes, to the bit."""
    assert_same_bits(vars(fitted), vars(reference), what)


def learned(estimator):
    """Every attribute of a transformer and of the steps in it, each the very object."""
    steps = [step for _, step in getattr(estimator, "steps", [])]
    return [dict(vars(one)) for one in [estimator, *steps]]


def assert_untouched(estimator, before):
    for now, then in zip(learned(estimator), before, strict=True):
        assert now.keys() == then.keys()
        assert all(now[name] is then[name] for name in then)


@contextmanager
def no_thread_left():
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


class Counted:
    """Blocks, of which it counts how many were drawn, and from how many starts.

    Parameters
    ----------
    blocks : list
    fault : exception, default=None
        Raised instead of block `at`, until `mended`.
    """

    def __init__(self, blocks, fault=None, at=-1):
        self.blocks, self.fault, self.at = blocks, fault, at
        self.n_read = self.n_passes = 0
        self.mended = False

    def __call__(self):
        self.n_passes += 1
        return self._drawn()

    def __iter__(self):
        return self()

    def _drawn(self):
        for number, block in enumerate(self.blocks):
            if number == self.at and not self.mended:
                raise self.fault
            self.n_read += 1
            yield block
