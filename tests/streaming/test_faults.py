"""Whatever goes wrong at whatever block: an error that names it, and nothing else has changed."""

import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skscale import PCA, BatchNormalizer, StandardScaler, thread_limit
from skscale.errors import (
    InfiniteValueError,
    InvalidParameterError,
    MissingValueError,
    NonNumericColumnError,
    SampleWeightError,
    SchemaError,
    SourceError,
)
from skscale.streaming import _checkpoint as checkpointing
from skscale.streaming import fit_blocks

from .streams import (
    DEEP,
    NAMES,
    Counted,
    assert_same_fit,
    assert_untouched,
    learned,
    no_thread_left,
    rows,
    small_blocks,
)

N_BLOCKS = 50
X = rows(5 * N_BLOCKS)
BLOCKS = np.split(X, N_BLOCKS)
FRAMES = [pd.DataFrame(block, columns=NAMES) for block in BLOCKS]
PLACES = range(N_BLOCKS) if DEEP else [0, 1, 2, 7, 31, 49]


class OwnError(Exception):
    """Of a reader that somebody wrote."""


def one_pass():
    return make_pipeline(StandardScaler(), PCA(2))


def several_passes():
    return make_pipeline(BatchNormalizer(batch_size=5, momentum=0.1), PCA(2))


def changed(blocks, place, block):
    return [*blocks[:place], block, *blocks[place + 1 :]]


def holed(block, value):
    block = block.copy()
    block[2, 1] = value
    return block


@pytest.mark.parametrize("fault", [OSError("disk"), ValueError("value"), OwnError("own")])
@pytest.mark.parametrize("make", [StandardScaler, one_pass, several_passes])
def test_a_reader_that_raises(make, fault, tmp_path):
    for place in range(N_BLOCKS) if isinstance(fault, OSError) else PLACES:
        model, source = make(), Counted(BLOCKS, fault, place)
        before = learned(model)
        with (
            no_thread_left(),
            pytest.raises(SourceError, match=rf"Block {place} of this Counted") as caught,
        ):
            fit_blocks(model, source, checkpoint=tmp_path / "kept")
        assert caught.value.block == place
        assert caught.value.__cause__ is fault
        assert f"{type(fault).__name__}: {fault}" in str(caught.value)
        assert_untouched(model, before)
        assert not os.listdir(tmp_path)
        source.mended = True
        if place in (0, 31):
            assert_same_fit(fit_blocks(model, source), fit_blocks(make(), BLOCKS))


# From a block of a frame to what comes in its place; what is raised, and what it says.
FAULTS = {
    "other names": (lambda f: f.rename(columns={"b": "e"}), SchemaError, r"Unknown: \['e'\]"),
    "other order": (lambda f: f[["b", "a", "c", "d"]], SchemaError, "Expected the order"),
    "a column less": (lambda f: f[["a", "b", "c"]], SchemaError, r"Missing: \['d'\]"),
    "no names": (lambda f: f.to_numpy(), SchemaError, "other columns than the first block"),
    "text": (lambda f: f.assign(b="x"), NonNumericColumnError, "'b'"),
    "infinity": (lambda f: f.assign(b=np.inf), InfiniteValueError, "'b'"),
    "missing": (lambda f: f.assign(b=np.nan), MissingValueError, "'b'"),
    "float32": (lambda f: f.astype("float32"), SchemaError, "are float32, and those .*float64"),
    "a string": (lambda f: "data.parquet", SchemaError, "must be a table, .* got str"),
    "nothing": (lambda f: None, SchemaError, "must be a table, .* got NoneType"),
    "a column": (lambda f: f["b"], SchemaError, r"Missing: \['a', 'b', 'c', 'd'\]"),
    "a pair": (lambda f: (f, f["a"]), SchemaError, "has some labels, and the first .* none"),
    "labels too few": (lambda f: (f, [1, 2]), InvalidParameterError, "5 rows and 2 labels"),
}


@pytest.mark.parametrize("make", [one_pass, several_passes])
@pytest.mark.parametrize("name", FAULTS)
def test_a_block_of_another_kind(name, make, tmp_path):
    change, error, message = FAULTS[name]
    for place in PLACES:
        if place == 0 and error is SchemaError and "must be" not in message:
            continue  # the first block says what the others must be like
        if place == 0 and name in ("a pair", "float32"):
            continue
        if name == "missing" and make is several_passes:
            continue  # a scaler takes it
        blocks = changed(FRAMES, place, change(FRAMES[place]))
        model = make()
        before = learned(model)
        with no_thread_left(), pytest.raises(error, match=rf"Block {place} .*{message}"):
            fit_blocks(model, blocks, checkpoint=tmp_path / "kept")
        assert_untouched(model, before)
        assert not os.listdir(tmp_path)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_the_first_fault_is_told_though_later_blocks_were_read(n_threads):
    for place in (9, 31, 48):  # the first few are looked at before any is measured
        blocks = changed(BLOCKS, place, holed(BLOCKS[place], np.inf))
        for later in (X[:5, :3], None, OSError):
            source = changed(blocks, place + 1, later)
            if later is OSError:
                source = Counted(blocks, OSError(), place + 1)
            with (
                thread_limit(n_threads),
                pytest.raises(InfiniteValueError, match=f"Block {place} "),
            ):
                fit_blocks(one_pass(), source)


def test_a_fitted_transformer_stays_fitted():
    model = one_pass().fit(X[:100])
    before = learned(model)
    for place in PLACES:
        with pytest.raises(SourceError):
            fit_blocks(model, Counted(BLOCKS, OSError(), place))
        with pytest.raises(InfiniteValueError):
            fit_blocks(model, changed(BLOCKS, place, holed(BLOCKS[place], np.inf)))
    assert_untouched(model, before)


@pytest.mark.parametrize("as_array", [False, True])
def test_an_infinity_is_found_where_it_is(as_array):
    for place in PLACES:
        block = holed(BLOCKS[place], -np.inf)
        source = changed(BLOCKS, place, block)
        with pytest.raises(
            InfiniteValueError, match=f"Block {place} .*row {5 * place} of"
        ) as caught:
            fit_blocks(StandardScaler(), source)
        assert (caught.value.row, caught.value.column) == (5 * place + 2, 1)


def test_empty_blocks_are_not_there():
    reference = fit_blocks(one_pass(), BLOCKS)
    for place in PLACES:
        for empty in (X[:0], np.empty((0, 4), dtype=np.float32)):
            source = [*BLOCKS[:place], empty, empty, *BLOCKS[place:]]
            for step, expected in zip(fit_blocks(one_pass(), source), reference, strict=True):
                assert_same_fit(step, expected)
    frames = [FRAMES[0][:0], *FRAMES, FRAMES[0][:0]]
    assert_same_fit(fit_blocks(StandardScaler(), frames), fit_blocks(StandardScaler(), FRAMES))


def test_a_truncated_file_among_others(tmp_path):
    table = pa.table(dict(zip(NAMES, X.T, strict=True)))
    for i in range(5):
        pq.write_table(table.slice(50 * i, 50), tmp_path / f"{i}.parquet", row_group_size=10)
    whole = fit_blocks(StandardScaler(), tmp_path)
    sound = (tmp_path / "3.parquet").read_bytes()
    (tmp_path / "3.parquet").write_bytes(sound[:-20])
    scaler = StandardScaler()
    with pytest.raises(SourceError, match=r"3\.parquet could not be opened"):
        fit_blocks(scaler, tmp_path)
    middle = bytearray(sound)
    start = len(sound) // 4
    middle[start : start + 200] = b"\xff" * 200
    (tmp_path / "3.parquet").write_bytes(middle)
    with (
        small_blocks(),
        pytest.raises(SourceError, match=r"Block \d+ .*3\.parquet is damaged") as e,
    ):
        fit_blocks(scaler, tmp_path)
    assert e.value.block > 0
    assert vars(scaler) == vars(StandardScaler())
    (tmp_path / "3.parquet").write_bytes(sound)
    assert_same_fit(fit_blocks(scaler, tmp_path), whole)


def test_a_file_that_is_gone_in_the_second_pass(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table(dict(zip(NAMES, X.T, strict=True))), path)

    class Removing(TransformerMixin, BaseEstimator):
        """Removes the file when it has learned from it."""

        def fit(self, X, y=None):
            return self.partial_fit(X)

        def partial_fit(self, X, y=None):
            path.unlink()
            self.n_features_in_ = X.shape[1]
            return self

        def transform(self, X):
            return X

    model = make_pipeline(Removing(), StandardScaler())
    before = learned(model)
    with pytest.raises(SourceError, match=r"Block 0 was not read: .*x\.parquet"):
        fit_blocks(model, path)
    assert_untouched(model, before)


def test_passes_over_other_rows():
    """A source that is read twice has to have the same rows twice."""
    drawn = iter(BLOCKS)
    with pytest.raises(SourceError, match=r"ended before block 0 .* 0 rows; an earlier .* had 250"):
        fit_blocks(several_passes(), lambda: drawn)
    lengths = iter([50, 49])
    with pytest.raises(SourceError, match=r"ended before block 49 .* with 245 rows"):
        fit_blocks(several_passes(), lambda: iter(BLOCKS[: next(lengths)]))
    widths = iter([4, 3])

    def narrower():
        width = next(widths)
        return (block[:, :width] for block in BLOCKS)

    with pytest.raises(SchemaError, match=r"Block 0 .* has 3 columns, and the first .* has 4"):
        fit_blocks(several_passes(), narrower)


def test_a_step_that_raises_says_where():
    def strict(rows):
        if rows[0, 0] == BLOCKS[31][0, 0]:
            raise ValueError("what is this")
        return rows

    model = make_pipeline(FunctionTransformer(strict), StandardScaler())
    before = learned(model)
    with no_thread_left(), pytest.raises(ValueError, match=r"Block 31 .*: what is this"):
        fit_blocks(model, BLOCKS)
    assert_untouched(model, before)


# Labels and weights -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"sample_weight": np.ones(249)}, SampleWeightError, "249 entries, and .* at least 250"),
        ({"sample_weight": np.ones(251)}, SampleWeightError, "251 entries, and .* 250 rows"),
        ({"sample_weight": (1, 2, 3, 4, 5)}, SampleWeightError, "has 5 entries"),
        ({"sample_weight": np.ones((250, 1))}, SampleWeightError, r"shape \(5,\)"),
        ({"sample_weight": -1.0}, SampleWeightError, r"Block 0 .*not negative; got -1\.0"),
        ({"sample_weight": np.nan}, SampleWeightError, "Block 0 .*finite"),
        ({"sample_weight": 0}, SampleWeightError, "zero in every row"),
        ({"sample_weight": np.zeros(250)}, SampleWeightError, "zero in every row"),
        ({"sample_weight": ["a"] * 250}, SampleWeightError, "must be numbers"),
        ({"sample_weight": "w"}, SchemaError, "sample_weight='w' is no column .* no names"),
        ({"y": "y"}, SchemaError, "y='y' is no column"),
        ({"y": 3}, InvalidParameterError, "y must be one value for every row, .*; got 3"),
        ({"y": np.ones(9)}, InvalidParameterError, "y has 9 entries, and .* at least 10 rows"),
        ({"y": np.ones(251)}, InvalidParameterError, "y has 251 entries, and .* 250 rows"),
    ],
)
def test_labels_and_weights_that_do_not_fit(given, error, message):
    model = one_pass()
    before = learned(model)
    with no_thread_left(), pytest.raises(error, match=message):
        fit_blocks(model, BLOCKS, **given)
    assert_untouched(model, before)


def test_a_bad_weight_is_found_in_its_block():
    for place in PLACES:
        weights = np.ones(250)
        weights[5 * place + 3] = -2.0
        with pytest.raises(SampleWeightError, match=rf"Block {place} .*got -2\.0 in row 3"):
            fit_blocks(StandardScaler(), BLOCKS, sample_weight=weights)


@pytest.mark.parametrize("make", [StandardScaler, lambda: PCA(2)])
def test_weights_of_every_kind(make):
    """One number, one for each, a column; rows of weight zero are not there."""
    weights = np.arange(250) % 4 / 2.0
    weights[35:40] = 0.0  # a whole block
    reference = fit_blocks(make(), BLOCKS, sample_weight=weights)
    columns = [
        frame.assign(w=part)
        for frame, part in zip(FRAMES, np.split(weights, N_BLOCKS), strict=True)
    ]
    for given in (weights.tolist(), tuple(weights), pd.Series(weights), weights.astype(np.float32)):
        assert_same_fit(fit_blocks(make(), BLOCKS, sample_weight=given), reference)
    by_name = fit_blocks(make(), columns, sample_weight="w")
    assert_same_fit(by_name.statistic_, reference.statistic_)
    assert by_name.feature_names_in_.tolist() == NAMES
    kept = make().fit(X[weights > 0], sample_weight=weights[weights > 0])
    np.testing.assert_allclose(reference.mean_, kept.mean_, rtol=1e-13)
    twice = fit_blocks(make(), BLOCKS, sample_weight=2)
    assert twice.statistic_.total == 500


def test_labels_in_two_places():
    pairs = [(block, block[:, 0]) for block in BLOCKS]
    with pytest.raises(InvalidParameterError, match="y is given twice"):
        fit_blocks(StandardScaler(), pairs, y=X[:, 0])


# Refused before anything is read ----------------------------------------------------------------


def test_what_is_no_estimator():
    for given in (StandardScaler, "StandardScaler", None, np.mean):
        with pytest.raises(InvalidParameterError, match="transformer must be something that can"):
            fit_blocks(given, BLOCKS)


def test_a_checkpoint_that_cannot_be(tmp_path):
    for path in (tmp_path, tmp_path / "no" / "kept", 3, "/dev/full", ""):
        scaler = StandardScaler()
        with pytest.raises(InvalidParameterError, match="checkpoint must be the path of a file"):
            fit_blocks(scaler, BLOCKS, checkpoint=path)
        assert vars(scaler) == vars(StandardScaler())


def test_a_full_disk(tmp_path, monkeypatch):
    """The file of before is the file of after; the error says how far the fit had come."""
    monkeypatch.setattr(checkpointing, "EVERY", 0.0)
    path = tmp_path / "kept"
    with pytest.raises(KeyboardInterrupt):
        fit_blocks(one_pass(), Counted(BLOCKS, KeyboardInterrupt(), 31), checkpoint=path)
    before = path.read_bytes()

    def full(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        model = one_pass()
        untouched = learned(model)
        with no_thread_left(), pytest.raises(SourceError, match="No space left on dev") as caught:
            fit_blocks(model, BLOCKS, checkpoint=path)
        assert "before block" in str(caught.value)
        assert 29 <= caught.value.block <= 32
        assert_untouched(model, untouched)
        patch.setattr(checkpointing, "EVERY", 30.0)
        with pytest.raises(KeyboardInterrupt) as interrupted:
            fit_blocks(model, Counted(BLOCKS, KeyboardInterrupt(), 40), checkpoint=path)
        assert "No space left" in interrupted.value.__notes__[0]
    assert os.listdir(tmp_path) == ["kept"]
    assert path.read_bytes() == before
    resumed = fit_blocks(clone(model), BLOCKS, checkpoint=path)
    for step, expected in zip(resumed, fit_blocks(one_pass(), BLOCKS), strict=True):
        assert_same_fit(step, expected)
    assert not os.listdir(tmp_path)
