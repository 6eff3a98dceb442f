"""The laws of a transformer that say what becomes of rows, and of everything else."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
from sklearn import clone

from skscale.testing._comparing import (
    EPSILON,
    EPSILON_32,
    assert_frame,
    assert_same_bits,
    learned,
    state,
)
from skscale.testing._laws import Law, collector
from skscale.testing._samples import FRAMES, frame_of, replaced
from skscale.testing._trial import Trial

LAWS: dict[str, Law] = {}
law = collector(LAWS)


@law("fit_transform is fit and transform")
def _(trial: Trial) -> None:
    if not trial.has("fit_transform"):
        return
    for n_rows in (len(trial.rows), trial.rows.shape[1] + 2):
        for dtype in (np.float64, np.float32):
            rows = trial.rows[:n_rows].astype(dtype)
            expected = trial.fit(rows).transform(rows)
            found = trial.make().fit_transform(rows)
            assert_same_bits(found, expected, f"{n_rows} rows of {np.dtype(dtype).name}")
    if trial.takes_weights:
        expected = trial.fit(trial.rows, trial.weights).transform(trial.rows)
        found = trial.make().fit_transform(trial.rows, sample_weight=trial.weights)
        assert_same_bits(found, expected, "with weights")


@law("transform leaves no trace")
def _(trial: Trial) -> None:
    fitted = trial.fit(trial.rows)
    before, statistic = state(fitted), getattr(fitted, "statistic_", None)
    first = fitted.transform(trial.new)
    fitted.transform(trial.another(1000))
    fitted.transform(trial.new[:1].astype(np.float32))
    if trial.has("inverse_transform"):
        fitted.inverse_transform(first)
    if trial.has("get_feature_names_out"):
        fitted.get_feature_names_out()
    repr(fitted)
    assert_same_bits(state(fitted), before, "the fitted object")
    assert getattr(fitted, "statistic_", None) is statistic, "statistic_ is another object"
    assert_same_bits(fitted.transform(trial.new), first, "the same rows again")


@law("a row is transformed as if it were alone")
def _(trial: Trial) -> None:
    fitted, new = trial.fit(trial.rows), trial.new
    batches = {"transform": fitted.transform}
    if trial.has("inverse_transform"):
        batches["inverse_transform"] = fitted.inverse_transform
    for name, function in batches.items():
        given = new if name == "transform" else fitted.transform(new)
        together = function(given)
        for part in (
            slice(1),
            slice(17, 18),
            slice(249, 250),
            slice(0, 201),
            slice(None, None, -1),
        ):
            alone, what = function(given[part]), f"{name} of rows {part.start}:{part.stop}"
            if trial.columnwise or trial.rowwise:
                assert_same_bits(alone, together[part], what)
            else:
                trial.close(alone, together[part], trial.rows, what)
        crowd = np.vstack([given, 1e3 * given, np.zeros_like(given)])
        found = function(crowd)[: len(given)]
        if trial.rowwise:
            assert_same_bits(found, together, f"{name} beside other rows")
        trial.close(found, together, trial.rows, f"{name} beside other rows")


@law("a column is transformed by itself")
def _(trial: Trial) -> None:
    if not trial.columnwise:
        return
    rows, new = trial.rows, trial.new
    fitted = trial.fit(rows)
    base, back = fitted.transform(new), None
    if trial.has("inverse_transform"):
        back = fitted.inverse_transform(base)
    for column in range(rows.shape[1]):
        rest = np.arange(rows.shape[1]) != column
        other = 1e6 + 1e5 * rows[:, column]
        moved = trial.fit(replaced(rows, (slice(None), column), other)).transform(new)
        assert_same_bits(moved[:, rest], base[:, rest], f"training column {column} changed")
        if trial.learns and not np.array_equal(base[:, column], new[:, column]):
            changed = not np.array_equal(moved[:, column], base[:, column])
            assert changed, f"training column {column} changed, and its output did not"
        moved = fitted.transform(replaced(new, (slice(None), column), other[: len(new)].max()))
        assert_same_bits(moved[:, rest], base[:, rest], f"new column {column} changed")
        if back is not None:
            moved = fitted.inverse_transform(replaced(base, (slice(None), column), 3.0))
            assert_same_bits(moved[:, rest], back[:, rest], f"transformed column {column} changed")


@law("inverse_transform inverts")
def _(trial: Trial) -> None:
    if not trial.has("inverse_transform"):
        return
    for what, rows in (("", trial.rows), (" far from zero", trial.rows + 1e6)):
        fitted = trial.fit(rows)
        image = fitted.transform(rows)
        back = fitted.inverse_transform(image)
        assert back.shape == rows.shape, f"rows of shape {rows.shape} come back as {back.shape}"
        if trial.invertible:
            trial.close(back, rows, rows, f"training rows{what}, back and forth")
        far = np.abs(rows).max() / rows.std(axis=0).min()
        again = fitted.transform(back)
        trial.close(again, image, rows, f"image of rows{what}", trial.tolerance * EPSILON * far)


@law("float32 stays float32 and loses nothing else")
def _(trial: Trial) -> None:
    for offset in (0, 1e4):
        rows, new = (
            (table - trial.rows.mean(axis=0) + offset).astype(np.float32)
            for table in (trial.rows, trial.new)
        )
        narrow, wide = trial.fit(rows), trial.fit(rows.astype(np.float64))
        expected = wide.transform(new.astype(np.float64))
        found = narrow.transform(new)
        assert found.dtype == np.float32, f"float32 becomes {found.dtype}"
        assert expected.dtype == np.float64, f"float64 becomes {expected.dtype}"
        what = f"float32 at {offset:g}"
        trial.close(found, expected, rows, f"transform of {what}", 2 * EPSILON_32)
        assert narrow.transform(trial.rows).dtype == np.float64, "float64 after float32 is narrowed"
        if trial.has("inverse_transform"):
            back = narrow.inverse_transform(found)
            assert back.dtype == np.float32, f"float32 comes back as {back.dtype}"
            expected = wide.inverse_transform(found.astype(np.float64))
            trial.close(back, expected, rows, f"inverse_transform of {what}", 2 * EPSILON_32)


@law("memory order and dtype do not matter")
def _(trial: Trial) -> None:
    rows = np.rint(8 * trial.rows)
    whole = trial.fit(rows)
    expected = whole.transform(rows)
    spaced = np.repeat(np.repeat(rows, 2, axis=0), 2, axis=1)
    for what, same in (
        ("Fortran order", np.asfortranarray(rows)),
        ("strides", spaced[::2, ::2]),
        ("negative strides", rows[::-1, ::-1].copy()[::-1, ::-1]),
        ("int64", rows.astype(np.int64)),
        ("int16", rows.astype(np.int16)),
        ("lists", rows.tolist()),
        ("big-endian floats", rows.astype(">f8")),
    ):
        trial.close(trial.fit(same).transform(rows), expected, rows, f"fit of {what}")
        trial.close(whole.transform(same), expected, rows, f"transform of {what}")


@law("the caller's data are not written to")
def _(trial: Trial) -> None:
    def make() -> Any:
        fresh = trial.make()
        return fresh.set_params(copy=True) if "copy" in fresh.get_params() else fresh

    def use(rows: Any, weights: Any) -> None:
        fitted = trial.learn(make(), "fit", rows, weights)
        image = fitted.transform(rows)
        if isinstance(rows, np.ndarray) and isinstance(image, np.ndarray):
            assert not np.shares_memory(image, rows), "transform gives the rows themselves"
        if trial.has("fit_transform"):
            make().fit_transform(rows)
        if trial.has("partial_fit"):
            trial.learn(fitted, "partial_fit", rows, weights)
        if trial.has("inverse_transform"):
            given = image.copy()
            fitted.inverse_transform(image)
            assert_same_bits(image, given, "transformed rows, before and after")

    weights = trial.weights.astype(np.float64) if trial.takes_weights else None
    for what, rows in (
        ("float64", trial.rows.copy()),
        ("float32", trial.rows.astype(np.float32)),
        ("Fortran order", np.asfortranarray(trial.rows)),
        ("int64", trial.rows.astype(np.int64)),
    ):
        given, given_weights = rows.copy(order="K"), copy.copy(weights)
        use(rows, weights)
        assert_same_bits(rows, given, f"rows of {what}, before and after")
        assert_same_bits(weights, given_weights, "weights, before and after")
        rows.flags.writeable = False
        use(rows, weights)
    frame = frame_of(FRAMES[0], trial.rows)
    if frame is not None:
        given = frame.copy()
        use(frame, weights)
        assert frame.equals(given), "the frame, before and after, differ"


@law("copies are equal to the bit")
def _(trial: Trial) -> None:
    fitted = trial.make()
    parameters = copy.deepcopy(fitted.get_params())
    trial.learn(fitted, "fit", trial.rows)
    assert_same_bits(fitted.get_params(), parameters, "parameters, before and after fit")
    expected = fitted.transform(trial.new)
    for how, duplicate in (
        ("pickle", pickle.loads(pickle.dumps(fitted))),
        ("deepcopy", copy.deepcopy(fitted)),
    ):
        assert_same_bits(state(duplicate), state(fitted), how)
        assert_same_bits(duplicate.transform(trial.new), expected, f"transform after {how}")
        if trial.has("partial_fit"):
            trial.learn(duplicate, "partial_fit", trial.new)
            assert_same_bits(fitted.transform(trial.new), expected, f"the original, after {how}")
    again = clone(fitted)
    assert not learned(again), f"a clone has {sorted(learned(again))}"
    assert_same_bits(again.get_params(), parameters, "parameters of a clone")
    trial.learn(again, "fit", trial.rows)
    assert_same_bits(again.transform(trial.new), expected, "transform of a clone")


@law("the container that is asked for comes back")
def _(trial: Trial) -> None:
    if not trial.has("set_output"):
        return
    for kind in FRAMES:
        for dtype in (np.float64, np.float32):
            train = frame_of(kind, trial.rows.astype(dtype))
            test = frame_of(kind, trial.new.astype(dtype))
            if train is None:
                break
            if hasattr(test, "index"):
                test.index = np.arange(len(trial.new))[::-1] * 10 + 5
            what = f"{kind} of {np.dtype(dtype).name}"
            plain = trial.fit(train)
            image, expected = plain.transform(test), trial.fit(trial.rows.astype(dtype))
            assert isinstance(image, np.ndarray), f"{what} gives {type(image)}, without set_output"
            expected = expected.transform(trial.new.astype(dtype))
            eps = EPSILON if dtype == np.float64 else EPSILON_32
            trial.close(image, expected, trial.rows, f"{what} against an array", 2 * eps)
            asked = trial.make().set_output(transform=kind)
            names = list(trial.learn(asked, "fit", train).get_feature_names_out())
            found = asked.transform(test)
            assert_frame(found, test, image, names, f"transform of {what}")
            assert_frame(
                trial.make().set_output(transform=kind).fit_transform(train),
                train,
                plain.transform(train),
                names,
                f"fit_transform of {what}",
            )
            if trial.has("inverse_transform"):
                back, names = plain.inverse_transform(image), list(test.columns)
                found = asked.inverse_transform(found)
                assert_frame(found, test, back, names, f"inverse_transform of {what}")
