"""A fit that was interrupted goes on, to the bits of one that was not."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from scipy import sparse
from sklearn.cluster import MiniBatchKMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.preprocessing import StandardScaler as TheirScaler

from skscale import PCA, BatchNormalizer, MinMaxScaler, StandardScaler, Whitener
from skscale.errors import CheckpointError
from skscale.leakage import remember_rows
from skscale.streaming import _checkpoint as checkpointing
from skscale.streaming import fit_blocks

from .streams import DEEP, NAMES, Counted, assert_same_fit, rows, small_blocks

N_BLOCKS = 20
X = rows(5 * N_BLOCKS)
BLOCKS = np.split(X, N_BLOCKS)
WEIGHTS = np.arange(len(X)) % 4 / 2.0
LABELS = X[:, 0]

MODELS = {
    "one pass": lambda: make_pipeline(StandardScaler(), MinMaxScaler(), PCA(3), Whitener()),
    "two passes": lambda: make_pipeline(BatchNormalizer(batch_size=5, momentum=0.1), PCA(2)),
    "three passes": lambda: make_pipeline(
        MinMaxScaler(clip=True), PCA(3), MinMaxScaler(), BatchNormalizer(momentum="cumulative")
    ),
    "one step": StandardScaler,
}
GIVEN = {
    "blocks": (BLOCKS, {}),
    "weights": (BLOCKS, {"sample_weight": WEIGHTS}),
    "pairs": ([(block, block[:, 0]) for block in BLOCKS], {"sample_weight": WEIGHTS}),
    "labels": (BLOCKS, {"y": LABELS}),
}


def assert_same_model(fitted, reference):
    steps = fitted.steps if hasattr(fitted, "steps") else [("", fitted)]
    others = reference.steps if hasattr(reference, "steps") else [("", reference)]
    for (_, step), (_, other) in zip(steps, others, strict=True):
        assert_same_fit(step, other)


class Interrupted(Counted):
    """Blocks, of which somebody presses Ctrl-C when so many were drawn."""

    def __init__(self, blocks, after):
        super().__init__(blocks)
        self.left = after

    def _drawn(self):
        for block in self.blocks:
            if self.left == 0:
                raise KeyboardInterrupt
            self.left -= 1
            self.n_read += 1
            yield block


def interrupted(model, path, after, blocks=BLOCKS, once=False, **given):
    source = Interrupted(blocks, after)
    with pytest.raises(KeyboardInterrupt):
        fit_blocks(model, iter(source) if once else source, checkpoint=path, **given)


@pytest.mark.parametrize("every", [0.0, 30.0])
@pytest.mark.parametrize("name", MODELS)
def test_an_interrupted_fit_goes_on(name, every, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpointing, "EVERY", every)
    make, path = MODELS[name], tmp_path / "kept"
    reference = fit_blocks(make(), counted := Counted(BLOCKS))
    n_all = counted.n_read
    for after in range(0, n_all, 1 if DEEP else 7 if every else 19):
        model = make()
        interrupted(model, path, after)
        assert "statistic_" not in vars(getattr(model, "steps", [("", model)])[0][1])
        assert os.listdir(tmp_path) == (["kept"] if path.exists() else [])
        fit_blocks(model, BLOCKS, checkpoint=path)
        assert_same_model(model, reference)
        assert not os.listdir(tmp_path)


@pytest.mark.parametrize("name", GIVEN)
def test_of_a_generator_with_what_stands_beside_the_rows(name, tmp_path):
    blocks, given = GIVEN[name]
    reference = fit_blocks(MODELS["one pass"](), iter(blocks), **given)
    for after in range(1, N_BLOCKS, 1 if DEEP else 4):
        model = MODELS["one pass"]()
        interrupted(model, tmp_path / "kept", after, blocks, once=True, **given)
        fit_blocks(model, iter(blocks), checkpoint=tmp_path / "kept", **given)
        assert_same_model(model, reference)


def test_interrupted_again_and_again(tmp_path):
    model, reference = MODELS["two passes"](), fit_blocks(MODELS["two passes"](), BLOCKS)
    for after in (8, 15, 22, 27, 33, 22, 25):
        interrupted(model, tmp_path / "kept", after)
    assert_same_model(fit_blocks(model, BLOCKS, checkpoint=tmp_path / "kept"), reference)


@pytest.mark.parametrize("kind", ["files", "memmap", "ParquetFile"])
def test_rows_of_files_that_were_measured_are_not_read_again(kind, tmp_path, monkeypatch):
    table = pa.table(dict(zip(NAMES, rows().T, strict=True)))
    (tmp_path / "data").mkdir()
    for i in range(10):
        part = table.slice(100 * i, 100 if i < 9 else 103)
        pq.write_table(part, tmp_path / f"data/{i}.parquet", row_group_size=10)
    pq.write_table(table, tmp_path / "whole.parquet", row_group_size=10)
    if kind == "memmap":
        np.save(tmp_path / "x.npy", table.to_pandas().to_numpy())
    source = {
        "files": lambda: tmp_path / "data",
        "memmap": lambda: np.load(tmp_path / "x.npy", mmap_mode="r"),
        "ParquetFile": lambda: pq.ParquetFile(tmp_path / "whole.parquet"),
    }[kind]
    n_measured, n_stop = 0, -1
    original = checkpointing.Checkpoint.note

    def note(self, tree, block):
        nonlocal n_measured
        original(self, tree, block)
        n_measured += block.n_rows
        if block.number == n_stop:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpointing.Checkpoint, "note", note)
    with small_blocks():
        reference = fit_blocks(StandardScaler(), source())
        n_rows, n_measured = n_measured, 0
        n_stop = 6
        with pytest.raises(KeyboardInterrupt):
            fit_blocks(StandardScaler(), source(), checkpoint=tmp_path / "kept")
        n_before, n_measured, n_stop = n_measured, 0, -1
        fitted = fit_blocks(StandardScaler(), source(), checkpoint=tmp_path / "kept")
        assert n_before == 7 * 64
        assert n_measured == n_rows - n_before + 64  # the last block is looked at once more
        assert_same_fit(fitted, reference)


def test_a_callable_is_asked_for_what_is_left(tmp_path):
    blocks = Counted(BLOCKS)
    interrupted(MODELS["two passes"](), tmp_path / "kept", 30)
    fit_blocks(MODELS["two passes"](), blocks, checkpoint=tmp_path / "kept")
    # One opening looks at the first rows, ten for each column; the first pass is not repeated.
    assert blocks.n_passes == 2
    assert blocks.n_read == N_BLOCKS + 8


# Of another fit ---------------------------------------------------------------------------------

OTHERS = {
    "transformer": (lambda: make_pipeline(StandardScaler(), PCA(2)), BLOCKS, {}),
    "parameter": (lambda: StandardScaler(ddof=1), BLOCKS, {}),
    "library": (TheirScaler, BLOCKS, {}),
    "columns": (StandardScaler, [block[:, :3] for block in BLOCKS], {}),
    "names": (StandardScaler, [pd.DataFrame(block, columns=NAMES) for block in BLOCKS], {}),
    "first row": (StandardScaler, [BLOCKS[0] + 1e-9, *BLOCKS[1:]], {}),
    "kind of source": (StandardScaler, iter(BLOCKS), {}),
    "array": (StandardScaler, X, {}),
    "weights": (StandardScaler, BLOCKS, {"sample_weight": WEIGHTS}),
    "weight": (StandardScaler, BLOCKS, {"sample_weight": 2.0}),
    "labels": (StandardScaler, BLOCKS, {"y": LABELS}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_checkpoint_of_another_fit(name, tmp_path):
    path = tmp_path / "kept"
    interrupted(StandardScaler(), path, 9)
    before = path.read_bytes()
    make, source, given = OTHERS[name]
    model = make()
    with pytest.raises(
        CheckpointError, match=r"kept is the checkpoint of another fit: its .* was "
    ):
        fit_blocks(model, source, checkpoint=path, **given)
    assert not [attribute for attribute in vars(model) if attribute.endswith("_")]
    assert path.read_bytes() == before
    assert_same_fit(
        fit_blocks(StandardScaler(), BLOCKS, checkpoint=path), fit_blocks(StandardScaler(), BLOCKS)
    )


def test_parameters_that_look_alike(tmp_path):
    """Long arrays, of which `repr` leaves out the middle, and pipelines of many steps."""
    lower, other = np.zeros(4), np.zeros(4)
    other[2] = 1e-300
    path = tmp_path / "kept"

    def model(place):
        return make_pipeline(
            MinMaxScaler((place, np.ones(4))), *[StandardScaler() for _ in range(40)]
        )

    interrupted(model(lower), path, 9)
    with pytest.raises(CheckpointError, match="its transformer was"):
        fit_blocks(model(other), BLOCKS, checkpoint=path)
    fit_blocks(model(lower.copy()), BLOCKS, checkpoint=path)
    assert not path.exists()


def test_other_files(tmp_path):
    table = pa.table(dict(zip(NAMES, X.T, strict=True)))
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        pq.write_table(table, tmp_path / folder / "x.parquet", compression=None)
    path, source = tmp_path / "kept", tmp_path / "one"
    interrupting = checkpointing.Checkpoint.finish

    def interrupt(self, several):
        interrupting(self, several)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpointing.Checkpoint, "finish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            fit_blocks(StandardScaler(), source, checkpoint=path)
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match="its source was"):
        fit_blocks(StandardScaler(), tmp_path / "other", checkpoint=path)
    os.utime(source / "x.parquet", ns=(0, 0))
    with pytest.raises(CheckpointError, match="its source was"):
        fit_blocks(StandardScaler(), source, checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("random_state", [None, 0])
def test_a_step_that_learns_something_else_the_second_time(random_state, tmp_path):
    """What was measured of rows that went through the first one is of no use to the second."""
    n_fits = 0

    class Drawing(MiniBatchKMeans):
        def partial_fit(self, X, y=None, sample_weight=None):
            nonlocal n_fits
            n_fits += 1
            super().partial_fit(X)
            if random_state is None:
                self.cluster_centers_ += n_fits
            return self

    model = make_pipeline(Drawing(2, random_state=0, n_init=1), StandardScaler())
    interrupted(model, tmp_path / "kept", 30)
    blocks = Counted(BLOCKS)
    fit_blocks(model, blocks, checkpoint=tmp_path / "kept")
    transformed = model[0].transform(X)
    np.testing.assert_allclose(model[1].mean_, transformed.mean(axis=0), rtol=1e-12)


def test_rows_that_are_to_be_remembered(tmp_path):
    path = tmp_path / "kept"
    with remember_rows():
        interrupted(StandardScaler(), path, 9)
    with pytest.raises(CheckpointError, match="its memory of rows was"):
        fit_blocks(StandardScaler(), BLOCKS, checkpoint=path)


def test_another_process_goes_on(tmp_path):
    """Neither addresses nor the order of hashes are in the file."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            import numpy as np
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import FunctionTransformer
            from skscale import PCA, StandardScaler
            from skscale.streaming import fit_blocks

            def halved(rows):
                return rows / 2

            def blocks():
                for number, block in enumerate(np.split(np.load(sys.argv[1]), 20)):
                    if number == int(sys.argv[3]):
                        raise KeyboardInterrupt
                    yield block

            model = make_pipeline(FunctionTransformer(halved), StandardScaler(), PCA(2))
            try:
                fit_blocks(model, blocks, checkpoint=sys.argv[2])
                print(model[-1].statistic_.to_bytes().hex())
            except KeyboardInterrupt:
                print("interrupted")
            """
        )
    )
    np.save(tmp_path / "x.npy", X)

    def run(stop, seed):
        command = [sys.executable, script, tmp_path / "x.npy", tmp_path / "kept", str(stop)]
        settings = {
            **os.environ,
            "PYTHONHASHSEED": str(seed),
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        return subprocess.run(
            command, env=settings, capture_output=True, text=True, check=True
        ).stdout

    assert run(13, 1) == "interrupted\n"
    assert (tmp_path / "kept").exists()
    model = make_pipeline(FunctionTransformer(lambda rows: rows / 2), StandardScaler(), PCA(2))
    fit_blocks(model, BLOCKS)
    assert run(-1, 2).strip() == model[-1].statistic_.to_bytes().hex()
    assert not (tmp_path / "kept").exists()


# Damaged ----------------------------------------------------------------------------------------


def test_damaged_files(tmp_path):
    path = tmp_path / "kept"
    interrupted(MODELS["two passes"](), path, 33)
    sound = path.read_bytes()
    draw = np.random.default_rng(0)
    head = [sound[:cut] for cut in range(0, len(sound), max(1, len(sound) // 150))]
    mutated = []
    for _ in range(1000):
        data = bytearray(sound)
        for place in draw.integers(0, len(data), draw.integers(1, 4)):
            data[place] ^= 1 << int(draw.integers(8))
        mutated.append(bytes(data))
    for data in [*head, *mutated, sound + b"\0", b"\0" * len(sound)]:
        if data == sound:
            continue
        path.write_bytes(data)
        with pytest.raises(CheckpointError, match="damaged"):
            checkpointing.Checkpoint(path, dict)
    with pytest.raises(
        CheckpointError,
        match=r"kept is no checkpoint .*remove it to fit from the start, if it is nothing else",
    ):
        fit_blocks(MODELS["two passes"](), BLOCKS, checkpoint=path)
    path.write_bytes(sound)
    fit_blocks(MODELS["two passes"](), BLOCKS, checkpoint=path)


def test_sealed_files_of_something_else(tmp_path):
    """Of another program that knows the format: the right checksum, and anything within."""
    import hashlib
    import json
    import struct

    path = tmp_path / "kept"
    interrupted(StandardScaler(), path, 9)
    sound = path.read_bytes()
    start = len(checkpointing.MAGIC) + 32
    (length,) = struct.unpack("<Q", sound[start : start + 8])
    header = json.loads(sound[start + 8 : start + 8 + length])
    rest = sound[start + 8 + length :]

    def sealed(text, size=None):
        body = struct.pack("<Q", len(text) if size is None else size) + text + rest
        return checkpointing.MAGIC + hashlib.sha256(body).digest() + body

    assert sealed(json.dumps(header).encode()) == sound
    texts = [b"", b"{", b"[]", b"3", b"null", b'"of"', b"\xff", b"[" * 100_000]
    for key in header:
        for value in (None, [], {}, 3, -1, "x", [[1]], [{}], [[1, {}]]):
            if header[key] != value and (value != 3 or "n_" not in key):
                texts.append(json.dumps({**header, key: value}).encode())
        texts.append(json.dumps({k: v for k, v in header.items() if k != key}).encode())
    for text in texts:
        for data in (sealed(text), sealed(text, 2**40)):
            path.write_bytes(data)
            try:
                fitted = fit_blocks(StandardScaler(), BLOCKS, checkpoint=path)
            except CheckpointError:
                continue
            assert_same_fit(fitted, fit_blocks(StandardScaler(), BLOCKS))


def test_the_file_is_replaced_as_a_whole(tmp_path, monkeypatch):
    """Whenever the process dies, there is a checkpoint from which to go on."""
    monkeypatch.setattr(checkpointing, "EVERY", 0.0)
    path, replace, states = tmp_path / "kept", checkpointing.Path.replace, []

    def replaced(self, target):
        states.append((path.read_bytes() if path.exists() else b"", self.read_bytes()))
        return replace(self, target)

    monkeypatch.setattr(checkpointing.Path, "replace", replaced)
    fit_blocks(StandardScaler(), BLOCKS, checkpoint=path)
    assert len(states) == N_BLOCKS
    assert not path.exists()
    monkeypatch.undo()
    reference = fit_blocks(StandardScaler(), BLOCKS)
    for before, after in states[:: 1 if DEEP else 5]:
        for data in (before, after):
            if data:
                path.write_bytes(data)
            assert_same_fit(fit_blocks(StandardScaler(), BLOCKS, checkpoint=path), reference)


N_STORED = 1003


def scaler():
    return StandardScaler(with_mean=False)  # sparse rows too


def stored(other, path):
    """The same table in several sources, or one that has the same first row and then others."""
    values = rows(N_STORED)
    if other:
        values[1:] = rows(N_STORED, seed=1)[1:]
    table = pa.table(dict(zip(NAMES, values.T, strict=True)))
    pq.write_table(table, path / "rows.parquet", row_group_size=100)
    np.save(path / "rows.npy", values)
    return table


SOURCES = {
    "table": lambda table, path: table,
    "array": lambda table, path: table.to_pandas().to_numpy(),
    "memmap": lambda table, path: np.load(path / "rows.npy", mmap_mode="r"),
    "ParquetFile": lambda table, path: pq.ParquetFile(path / "rows.parquet"),
    "Dataset": lambda table, path: ds.dataset(path / "rows.parquet"),
    "reader": lambda table, path: table.to_reader(max_chunksize=77),
    "callable": lambda table, path: table.to_reader,
    "generator": lambda table, path: (table.slice(i, 50) for i in range(0, N_STORED, 50)),
    "sparse": lambda table, path: [
        sparse.csr_array(table.slice(i, 50).to_pandas()) for i in range(0, N_STORED, 50)
    ],
}


@pytest.mark.parametrize("kind", SOURCES)
def test_other_rows_behind_the_same_first_row(kind, tmp_path):
    """What a source looks like from outside may be the same: its last known block tells."""
    source, kept = SOURCES[kind], tmp_path / "kept"
    with small_blocks():
        half_way(source(stored(False, tmp_path), tmp_path), kept)
        before = kept.read_bytes()
        with pytest.raises(CheckpointError, match=r"other rows: its block 5 .* row \d+, is not"):
            fit_blocks(scaler(), source(stored(True, tmp_path), tmp_path), checkpoint=kept)
        assert kept.read_bytes() == before
        table = stored(False, tmp_path)
        fitted = fit_blocks(scaler(), source(table, tmp_path), checkpoint=kept)
        assert_same_fit(fitted, fit_blocks(scaler(), source(table, tmp_path)))


def half_way(source, path):
    """Leave a checkpoint after six blocks."""
    original = checkpointing.Checkpoint.note

    def note(self, tree, block):
        original(self, tree, block)
        if block.number == 5:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpointing.Checkpoint, "note", note)
        with pytest.raises(KeyboardInterrupt):
            fit_blocks(scaler(), source, checkpoint=path)


@pytest.mark.parametrize("cuts", [[50] * 3, [50] * 5, [49] * 20, [100] * 10], ids=str)
def test_fewer_blocks_and_other_cuts(cuts, tmp_path):
    values = rows(N_STORED)
    half_way(iter([values[i : i + 50] for i in range(0, N_STORED, 50)]), tmp_path / "kept")
    starts = np.cumsum([0, *cuts[:-1]])
    other = [values[i : i + n] for i, n in zip(starts, cuts, strict=True)]
    with pytest.raises(CheckpointError, match="other rows"):
        fit_blocks(scaler(), iter(other), checkpoint=tmp_path / "kept")


def test_a_source_that_ends_before(tmp_path):
    table = stored(False, tmp_path)
    with small_blocks():
        half_way(table.to_reader(), tmp_path / "kept")
        short = table.slice(0, 70).to_reader()
        with pytest.raises(CheckpointError, match="other rows"):
            fit_blocks(scaler(), short, checkpoint=tmp_path / "kept")
