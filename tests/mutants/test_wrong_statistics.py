"""Statistics that are wrong on purpose, each in one place: the laws have to kill every one."""

from dataclasses import dataclass, fields, replace

import numpy as np
import pytest

from skscale.testing import STATISTIC_LAWS, check_statistic

CUT = "any cut gives the same"
NOTHING = "a statistic of no rows changes nothing"
ASSOCIATIVE = "merging is associative"
WEIGHTS = "an integer weight is a repetition, and 0 an absence"
COPIES = "copies are equal to the bit, and read-only"
CHANGES = "a statistic never changes"
ROWS = "rows are neither written to nor kept"
LAYOUT = "memory order and dtype do not matter"
STRANGERS = "strangers are refused"
MISSING = "a missing value is refused or left out"


@dataclass(frozen=True, eq=False)
class RightStatistic:
    """Count, mean and centred second moment, in the plainest way that is right."""

    total: float
    mean: np.ndarray
    square: np.ndarray

    def __post_init__(self):
        self.seal()

    def __reduce__(self):
        return type(self), tuple(getattr(self, field.name) for field in fields(self))

    def seal(self):
        for array in (self.mean, self.square):
            array.flags.writeable = False

    @property
    def n_features(self):
        return len(self.mean)

    @classmethod
    def of(cls, rows, weights=None):
        rows, weights = cls.admit(rows, weights)
        total = float(weights.sum())
        mean = cls.shift(rows, weights)
        if total:
            mean = mean + weights @ (rows - mean) / total
        return cls(total, mean, weights @ (rows - mean) ** 2)

    @classmethod
    def admit(cls, rows, weights):
        rows = np.asarray(rows, dtype=np.float64)
        weights = np.ones(len(rows)) if weights is None else np.array(weights, dtype=np.float64)
        if weights.shape != (len(rows),):
            raise ValueError("one weight for each row")
        if not (np.isfinite(rows).all() and np.isfinite(weights).all() and (weights >= 0).all()):
            raise ValueError("rows must be finite and weights not negative")
        return rows[weights > 0], weights[weights > 0]

    @classmethod
    def shift(cls, rows, weights):
        return rows[0] if len(rows) else np.zeros(rows.shape[1])

    def merge(self, later):
        if type(later) is not type(self) or later.n_features != self.n_features:
            raise ValueError("another kind or width")
        if not later.total or not self.total:
            return self if self.total else later
        total = self.total + later.total
        share = later.total / total
        apart = later.mean - self.mean
        between = apart**2 * self.total * share
        return self.made(total, self.mean + share * apart, self.square + later.square + between)

    def made(self, total, mean, square):
        return type(self)(total, mean, square)


class MeanOfMeans(RightStatistic):
    law = ASSOCIATIVE

    def merge(self, later):
        both = super().merge(later)
        if not later.total or not self.total:
            return both
        return replace(both, mean=(self.mean + later.mean) / 2)


class LosesCounts(RightStatistic):
    law = CUT

    def made(self, total, mean, square):
        return super().made(max(total - 1, 1.0), mean, square)


class ForgetsTheDistance(RightStatistic):
    law = CUT

    def merge(self, later):
        both = super().merge(later)
        return replace(both, square=self.square + later.square)


class Subtracts(RightStatistic):
    """Centres after it squares."""

    law = CUT

    def merge(self, later):
        both = super().merge(later)
        raw = (
            self.square
            + self.total * self.mean**2
            + later.square
            + later.total * later.mean**2
            - both.total * both.mean**2
        )
        return replace(both, square=raw)


class DriftsWithEveryMerge(RightStatistic):
    law = ASSOCIATIVE

    def made(self, total, mean, square):
        return super().made(total, mean * (1 + 1e-9), square)


class NothingIsNotNothing(RightStatistic):
    law = NOTHING

    def merge(self, later):
        if type(later) is not type(self) or later.n_features != self.n_features:
            raise ValueError("another kind or width")
        total = self.total + later.total
        mean = (self.total * self.mean + later.total * later.mean) / (total or 1.0)
        apart = (self.mean - mean) ** 2 * self.total + (later.mean - mean) ** 2 * later.total
        return self.made(total, mean, self.square + later.square + apart)


class IgnoresWeights(RightStatistic):
    law = WEIGHTS

    @classmethod
    def of(cls, rows, weights=None):
        rows, weights = cls.admit(rows, weights)
        return replace(super().of(rows), total=float(weights.sum()))


class WeighsRowsOfWeightZero(RightStatistic):
    law = WEIGHTS

    @classmethod
    def admit(cls, rows, weights):
        rows, weights = np.asarray(rows, dtype=np.float64), np.asarray(weights)
        return super().admit(rows, None if weights.ndim == 0 else np.maximum(weights, 1e-9))


class PicklesToFloat32(RightStatistic):
    law = COPIES

    def __reduce__(self):
        return type(self), (self.total, self.mean.astype(np.float32).astype(float), +self.square)


class CopiesAreWritable(RightStatistic):
    law = COPIES

    def __reduce__(self):
        return rebuild, (type(self), self.total, self.mean.copy(), self.square.copy())


def rebuild(kind, total, mean, square):
    rebuilt = object.__new__(kind)
    for name, value in (("total", total), ("mean", mean), ("square", square)):
        object.__setattr__(rebuilt, name, value)
    return rebuilt


class CanBeWrittenTo(RightStatistic):
    law = CHANGES

    def seal(self):
        pass


class MergesInPlace(RightStatistic):
    law = CHANGES

    def merge(self, later):
        both = super().merge(later)
        for field in fields(self):
            object.__setattr__(self, field.name, getattr(both, field.name))
        return self


class KeepsRows(RightStatistic):
    law = ROWS

    @classmethod
    def of(cls, rows, weights=None):
        found = super().of(rows, weights)
        object.__setattr__(found, "rows", rows)
        return found


class KeepsOneRow(RightStatistic):
    """The mean of one row is the row, and so a view of the caller's table."""

    law = ROWS

    @classmethod
    def of(cls, rows, weights=None):
        found = super().of(rows, weights)
        return found if len(rows) != 1 else replace(found, mean=np.asarray(rows, dtype=float)[0])


class WritesIntoRows(RightStatistic):
    law = ROWS

    @classmethod
    def of(cls, rows, weights=None):
        found = super().of(rows, weights)
        if isinstance(rows, np.ndarray) and rows.flags.writeable and rows.dtype == float:
            rows -= found.mean
        return found


class TakesMemoryOrder(RightStatistic):
    law = LAYOUT

    @classmethod
    def admit(cls, rows, weights):
        return super().admit(np.ravel(rows, order="K").reshape(np.shape(rows)), weights)


class OverflowsInSmallIntegers(RightStatistic):
    law = LAYOUT

    @classmethod
    def of(cls, rows, weights=None):
        rows = np.asarray(rows)
        found = super().of(rows, weights)
        if rows.dtype.kind != "i" or weights is not None:
            return found
        return replace(found, mean=rows.sum(axis=0, dtype=rows.dtype) / len(rows))


class AnythingMerges(RightStatistic):
    law = STRANGERS

    def merge(self, later):
        return super().merge(later) if type(later) is type(self) else self


class BroadcastsWidths(RightStatistic):
    law = STRANGERS

    def merge(self, later):
        if type(later) is not type(self):
            raise ValueError("another kind")
        narrow = slice(self.n_features)
        later = replace(later, mean=later.mean[narrow].copy(), square=later.square[narrow].copy())
        return super().merge(later)


class AcceptsInfinity(RightStatistic):
    law = STRANGERS

    @classmethod
    def admit(cls, rows, weights):
        rows = np.asarray(rows, dtype=np.float64)
        return super().admit(np.where(np.isinf(rows), 0, rows), weights)


class NaNIsZero(RightStatistic):
    law = MISSING

    @classmethod
    def admit(cls, rows, weights):
        rows = np.asarray(rows, dtype=np.float64)
        return super().admit(np.where(np.isnan(rows), 0, rows), weights)


WRONG = RightStatistic.__subclasses__()


@pytest.mark.parametrize("law", STATISTIC_LAWS)
def test_the_right_one_lives(law):
    check_statistic(RightStatistic, laws=[law])


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_one_dies_of_its_law(wrong):
    with pytest.raises(AssertionError, match="breaks the law") as death:
        check_statistic(wrong, laws=[wrong.law])
    assert isinstance(death.value.__cause__, AssertionError), death.value  # it did not stumble
    with pytest.raises(AssertionError, match="breaks the law"):
        check_statistic(wrong)


def test_every_law_can_be_broken():
    assert {wrong.law for wrong in WRONG} == set(STATISTIC_LAWS)


def test_unknown_laws_are_refused():
    with pytest.raises(ValueError, match="no laws"):
        check_statistic(RightStatistic, laws=["the law of gravity"])
