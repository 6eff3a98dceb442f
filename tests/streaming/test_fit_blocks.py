"""Pipelines on rows that come in blocks: as in memory, in as few passes as can be."""

import pickle
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from joblib import Parallel, delayed
from pyarrow import parquet
from sklearn import config_context
from sklearn.cluster import MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import IncrementalPCA
from sklearn.linear_model import SGDClassifier, SGDRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, RobustScaler
from sklearn.preprocessing import StandardScaler as TheirScaler

from skscale import (
    PCA,
    BatchNormalizer,
    LayerNormalizer,
    MinMaxScaler,
    StandardScaler,
    SupervisedBatchNormalizer,
    Whitener,
    thread_limit,
)
from skscale.errors import (
    InvalidParameterError,
    MissingValueError,
    NothingRememberedError,
    SourceError,
)
from skscale.leakage import remember_rows, seen_in_fit
from skscale.streaming import fit_blocks

from .streams import NAMES, TRANSFORMERS, Counted, assert_same_fit, learned, rows, small_blocks

N_BLOCKS = 20
X = rows(50 * N_BLOCKS)
Y = (X[:, 0] + np.random.default_rng(1).normal(size=len(X)) > np.median(X[:, 0])).astype(int)
BLOCKS = np.split(X, N_BLOCKS)
PAIRS = list(zip(BLOCKS, np.split(Y, N_BLOCKS), strict=True))
FRAMES = [pd.DataFrame(block, columns=NAMES) for block in BLOCKS]
WEIGHTS = np.random.default_rng(2).uniform(0.0, 2.0, len(X))


def assert_same_rows(streamed, fitted, given=X):
    """Transformed rows, but for the signs of directions."""
    actual, expected = streamed.transform(given), fitted.transform(given)
    assert type(actual) is type(expected)
    np.testing.assert_allclose(np.abs(actual), np.abs(expected), rtol=1e-10, atol=1e-10)


# One pass ---------------------------------------------------------------------------------------

CHAINS = {
    "scaler": lambda: make_pipeline(StandardScaler()),
    "both scalers": lambda: make_pipeline(StandardScaler(), MinMaxScaler((-1, 2))),
    "scaler, PCA": lambda: make_pipeline(StandardScaler(), PCA(2)),
    "all": lambda: make_pipeline(StandardScaler(), MinMaxScaler(), PCA(3), Whitener()),
    "PCA, scaler": lambda: make_pipeline(PCA(3), StandardScaler()),
    "PCA twice": lambda: make_pipeline(PCA(3), PCA(2)),
    "whitened": lambda: make_pipeline(PCA(3, whiten=True), Whitener("zca-cor")),
    "passthrough": lambda: Pipeline(
        [("a", "passthrough"), ("b", StandardScaler()), ("c", None), ("d", PCA(2))]
    ),
    "nested": lambda: make_pipeline(
        StandardScaler(), make_pipeline(MinMaxScaler(), make_pipeline(PCA(2)))
    ),
    "float": lambda: make_pipeline(StandardScaler(ddof=1), PCA(0.9)),
}


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["", "weights"])
@pytest.mark.parametrize("name", CHAINS)
def test_chains_take_one_pass_even_of_what_can_be_read_once(name, weights):
    fitted = CHAINS[name]()
    last = [step for step in fitted if step not in (None, "passthrough")]
    params = {}
    if weights is None:
        fitted.fit(X)
    else:  # scikit-learn takes weights for each step by name
        params = dict.fromkeys(
            (f"{key}__sample_weight" for key, step in fitted.steps if step in last), weights
        )
        if name == "nested":
            pytest.skip("scikit-learn passes no weights into pipelines within pipelines")
        fitted.fit(X, **params)
    source = Counted(BLOCKS)
    streamed = fit_blocks(CHAINS[name](), iter(source), sample_weight=weights)
    assert source.n_read == N_BLOCKS
    assert_same_rows(streamed, fitted)
    again = Counted(BLOCKS)
    assert_same_rows(fit_blocks(CHAINS[name](), again, sample_weight=weights), fitted)
    assert (again.n_read, again.n_passes) == (N_BLOCKS, 1)


def test_attributes_are_those_of_a_fit_in_memory():
    model = make_pipeline(StandardScaler(), PCA(2))
    streamed, fitted = fit_blocks(model, FRAMES), make_pipeline(StandardScaler(), PCA(2))
    assert streamed is model
    fitted.fit(pd.DataFrame(X, columns=NAMES))
    for mine, theirs in zip(streamed, fitted, strict=True):
        assert vars(mine).keys() == vars(theirs).keys()
    assert streamed[0].n_samples_seen_ == len(X)
    assert streamed[1].n_samples_ == len(X)
    assert streamed.feature_names_in_.tolist() == NAMES
    assert streamed.get_feature_names_out().tolist() == ["pca0", "pca1"]
    assert "learned from 1000 rows x 4 columns" in repr(streamed[0])
    copied = pickle.loads(pickle.dumps(streamed))
    np.testing.assert_array_equal(copied.transform(FRAMES[0]), streamed.transform(FRAMES[0]))
    np.testing.assert_allclose(
        np.abs(copied.inverse_transform(copied.transform(FRAMES[0]))).shape, FRAMES[0].shape
    )


def test_frames_between_steps():
    model = make_pipeline(StandardScaler(), MinMaxScaler(clip=True), PCA(2))
    model.set_output(transform="pandas")
    fitted = make_pipeline(StandardScaler(), MinMaxScaler(clip=True), PCA(2))
    fitted.set_output(transform="pandas").fit(pd.concat(FRAMES, ignore_index=True))
    streamed = fit_blocks(model, FRAMES)
    assert streamed[-1].feature_names_in_.tolist() == NAMES
    assert_same_rows(streamed, fitted, FRAMES[3])


def weak_direction():
    """The last direction is far below 1/32 of the first: PCA looks again, more closely."""
    values = rows(2000)
    values[:, 3] = values[:, 0] + 1e-9 * values[:, 3]
    return values


def test_a_second_look_gives_the_same_bits_from_either_source():
    blocks = np.split(weak_direction(), N_BLOCKS)
    for make in (PCA, lambda: make_pipeline(StandardScaler(), PCA()), Whitener):
        once, often = Counted(blocks), Counted(blocks)
        of_one, of_several = fit_blocks(make(), iter(once)), fit_blocks(make(), often)
        assert once.n_read == N_BLOCKS
        if make is PCA:
            assert often.n_read == 2 * N_BLOCKS
            assert_same_fit(of_one, of_several)
            assert type(of_one.statistic_).__name__ == "Triangle"
        np.testing.assert_allclose(
            of_one.transform(blocks[0]), of_several.transform(blocks[0]), rtol=1e-6, atol=1e-9
        )


# Several passes ---------------------------------------------------------------------------------

SEVERAL = {
    "momentum": (lambda: make_pipeline(BatchNormalizer(50, momentum=0.1), PCA(2)), 2),
    "after PCA": (lambda: make_pipeline(PCA(2), MinMaxScaler()), 2),
    "clipped": (lambda: make_pipeline(MinMaxScaler(clip=True), StandardScaler()), 2),
    "stateless": (
        lambda: make_pipeline(FunctionTransformer(np.tanh), StandardScaler(), Normalizer(), PCA(2)),
        2,
    ),
    "layers": (lambda: make_pipeline(LayerNormalizer(), StandardScaler()), 1),
    "stateless last": (lambda: make_pipeline(StandardScaler(), LayerNormalizer()), 1),
    "theirs": (lambda: make_pipeline(TheirScaler(), PCA(2)), 2),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_other_pipelines_take_a_pass_for_each_step(name):
    make, n_passes = SEVERAL[name]
    source = Counted(BLOCKS)
    streamed = fit_blocks(make(), source)
    assert source.n_read == n_passes * N_BLOCKS
    assert_same_rows(streamed, make().fit(X))
    if n_passes == 1:
        assert_same_rows(fit_blocks(make(), iter(BLOCKS)), make().fit(X))
        return
    model, source = make(), Counted(BLOCKS)
    before = learned(model)
    with pytest.raises(
        SourceError, match=r"can be read once, and the fit takes 2 passes.*callable"
    ):
        fit_blocks(model, iter(source))
    assert source.n_read == 1, "nothing is read before it is known to be of use"
    assert [vars(step) for step in model] == [dict(state.items()) for state in before[1:]]


def test_steps_that_learn_from_labels_block_by_block():
    with np.errstate(all="ignore"):
        expected = SGDClassifier(random_state=0)
        scaled = StandardScaler().fit(X)
        for block, labels in PAIRS:
            expected.partial_fit(scaled.transform(block), labels, classes=[0, 1])
    for source, given in ((PAIRS, {}), (BLOCKS, {"y": Y}), (BLOCKS, {"y": Y.tolist()})):
        model = make_pipeline(StandardScaler(), SGDClassifier(random_state=0))
        fit_blocks(model, source, **given)
        np.testing.assert_allclose(model[-1].coef_, expected.coef_, rtol=1e-6)
        assert model[-1].classes_.tolist() == [0, 1]
    frames = [frame.assign(y=labels) for frame, (_, labels) in zip(FRAMES, PAIRS, strict=True)]
    model = make_pipeline(StandardScaler(), SGDClassifier(random_state=0))
    fit_blocks(model, frames, y="y")
    np.testing.assert_allclose(model[-1].coef_, expected.coef_, rtol=1e-6)
    assert model.feature_names_in_.tolist() == NAMES


def test_classes_that_come_late_are_known_from_the_start():
    order = np.argsort(Y, kind="stable")
    pairs = [(X[part], Y[part]) for part in np.split(order, N_BLOCKS)]
    model = make_pipeline(StandardScaler(), SGDClassifier(random_state=0))
    source = Counted(pairs)
    fit_blocks(model, source)
    assert source.n_read == 3 * N_BLOCKS  # of rows, of classes, and of both
    assert model[-1].classes_.tolist() == [0, 1]
    unread = Counted(pairs)
    with pytest.raises(SourceError, match="takes 2 passes"):
        fit_blocks(SGDClassifier(), iter(unread))
    assert unread.n_read == 1
    once = Counted([block for block, _ in pairs])
    fit_blocks(SGDClassifier(random_state=0), iter(once), y=Y[order])  # whose classes are there
    assert once.n_read == N_BLOCKS


TEXT = np.where(Y == 1, "yes", "no")


@pytest.mark.parametrize("labels", [TEXT, Y, Y == 1], ids=["text", "integers", "booleans"])
@pytest.mark.parametrize("at", [[3], [611, 640], range(50), range(1000)], ids=str)
def test_labels_that_are_missing(labels, at, tmp_path):
    missing = np.isin(np.arange(len(X)), at)
    table = pa.table(
        {**dict(zip(NAMES, X.T, strict=True)), "label": pa.array(labels, mask=missing)}
    )
    parquet.write_table(table, tmp_path / "x.parquet")
    frames = [table.slice(50 * i, 50).to_pandas() for i in range(N_BLOCKS)]
    listed = [None if gone else y for y, gone in zip(labels.tolist(), missing, strict=True)]
    pairs = list(zip(BLOCKS, (listed[50 * i : 50 * i + 50] for i in range(N_BLOCKS)), strict=True))
    for source, y in (
        (tmp_path / "x.parquet", "label"),
        (frames, "label"),
        ([pl.from_pandas(frame) for frame in frames], "label"),
        (pairs, None),
        (BLOCKS, np.array(listed, dtype=object)),
        (BLOCKS, listed),
    ):
        model = make_pipeline(StandardScaler(), SGDClassifier(random_state=0))
        with small_blocks(250, 250), pytest.raises(InvalidParameterError) as caught:
            fit_blocks(model, source, y=y)
        message = str(caught.value)
        assert ("y='label' is missing" if isinstance(y, str) else "y is missing") in message
        assert f"row {at[0]} of all is the first" in message
        assert "drop these rows, or fill in a label" in message
        if y is None or isinstance(y, str) or at[0] < 50:
            number = at[0] // (50 if isinstance(source, list) else 62)
            assert message.startswith(f"Block {number} of ")
        assert not hasattr(model[0], "mean_")


def test_regressors_may_be_told_nothing_of_some_rows():
    """That is for them to say."""
    with pytest.raises(ValueError, match=r"^Block 0 of .*Input y contains NaN"):
        fit_blocks(SGDRegressor(), BLOCKS, y=np.where(Y == 1, np.nan, X[:, 0]))


def test_labels_of_a_stored_table_are_read_in_whole_blocks():
    table = pa.table({**dict(zip(NAMES, X.T, strict=True)), "y": Y})
    n_calls = 0

    class Model(SGDClassifier):
        def partial_fit(self, X, y, classes=None, sample_weight=None):
            nonlocal n_calls
            n_calls += 1
            return super().partial_fit(X, y, classes=classes)

    with small_blocks(400):
        fit_blocks(Model(random_state=0), table, y="y")
    assert n_calls == 10


def test_regressors_clusters_and_components():
    fit_blocks(SGDRegressor(random_state=0), BLOCKS, y=X[:, 0])
    model = fit_blocks(make_pipeline(StandardScaler(), MiniBatchKMeans(2, random_state=0)), BLOCKS)
    assert model[-1].n_steps_ >= N_BLOCKS
    model = fit_blocks(IncrementalPCA(2), BLOCKS)
    assert model.n_samples_seen_ == len(X)
    normalizer = fit_blocks(SupervisedBatchNormalizer(random_state=0), PAIRS)
    assert normalizer.n_features_in_ == 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (RobustScaler, "RobustScaler cannot learn from blocks of rows: it has no partial_fit"),
        (lambda: ColumnTransformer([("a", StandardScaler(), [0])]), "ColumnTransformer cannot"),
        (lambda: type("Own", (Pipeline,), {})([("a", StandardScaler())]), "Own cannot learn"),
    ],
)
def test_steps_that_cannot_learn_by_the_block(make, message):
    for model in (make(), make_pipeline(StandardScaler(), make())):
        source = Counted(BLOCKS)
        before = learned(model)
        with pytest.raises(InvalidParameterError, match=message):
            fit_blocks(model, source)
        assert source.n_read == 1
        assert [vars(model)] == before[:1]


def test_weights_that_a_step_would_pass_over():
    for model in (IncrementalPCA(2), make_pipeline(StandardScaler(), IncrementalPCA(2))):
        with pytest.raises(InvalidParameterError, match="IncrementalPCA takes no sample_weight"):
            fit_blocks(model, BLOCKS, sample_weight=WEIGHTS)


def test_nothing_but_passthrough():
    model = Pipeline([("a", "passthrough")])
    assert fit_blocks(model, BLOCKS) is model


def test_wrong_parameters_are_told_as_in_fit():
    for model in (StandardScaler(ddof=-1), PCA(9), make_pipeline(StandardScaler(), PCA(9))):
        with pytest.raises(ValueError, match=r"ddof|n_components") as streamed:
            fit_blocks(model, BLOCKS)
        with pytest.raises(type(streamed.value)):
            model.fit(X)


def test_sources_of_few_rows():
    """What is measured depends on how many rows there are; of a generator nobody knows."""
    for n_rows in (1, 2, 5, 39, 40, 41):
        for make in (lambda: PCA(), StandardScaler, lambda: make_pipeline(StandardScaler(), PCA())):
            blocks = [X[i : i + 1] for i in range(n_rows)]
            assert_same_rows(fit_blocks(make(), iter(blocks)), make().fit(X[:n_rows]), X[:n_rows])
    wide = rows(30, 60)
    assert_same_rows(fit_blocks(PCA(5), iter(np.split(wide, 6))), PCA(5).fit(wide), wide)


# Threads, processes, sources that use us --------------------------------------------------------


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_bits_do_not_depend_on_threads(name):
    def fitted():
        from sklearn.base import clone

        return fit_blocks(clone(TRANSFORMERS[name]), BLOCKS)

    reference = fitted()
    with thread_limit(1):
        assert_same_fit(fitted(), reference)
    with thread_limit(4):
        assert_same_fit(fitted(), reference)
    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(fitted) for _ in range(6)]:
            assert_same_fit(future.result(), reference)


def test_within_workers_of_joblib():
    reference = fit_blocks(StandardScaler(), BLOCKS)
    for found in Parallel(2)(delayed(fit_blocks)(StandardScaler(), BLOCKS) for _ in range(3)):
        assert_same_fit(found, reference)


def test_a_source_that_fits_while_it_is_read():
    def source():
        for start in range(0, N_BLOCKS, 5):
            inner = fit_blocks(StandardScaler(), BLOCKS[start : start + 5])
            yield inner.transform(np.concatenate(BLOCKS[start : start + 5]))

    before = threading.active_count()
    fitted = fit_blocks(StandardScaler(), source)
    np.testing.assert_allclose(fitted.mean_, 0, atol=1e-12)
    assert threading.active_count() == before


def test_reading_is_bounded():
    """Blocks that are drawn and not yet measured stay few."""
    alive = peak = 0

    class Watched(np.ndarray):
        def __new__(cls, values):
            nonlocal alive, peak
            alive += 1
            peak = max(peak, alive)
            return values.view(cls)

        def __del__(self):
            nonlocal alive
            alive -= (
                self.base is not None and self.shape == (50, 4) and type(self.base) is np.ndarray
            )

    fit_blocks(StandardScaler(), (Watched(block.copy()) for block in BLOCKS * 5))
    assert peak < 25


# Remembered rows --------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [StandardScaler, lambda: make_pipeline(StandardScaler(), PCA(2))])
def test_rows_that_streamed_by_are_remembered(make):
    with remember_rows():
        model = fit_blocks(make(), BLOCKS)
        weighted = fit_blocks(make(), BLOCKS, sample_weight=(np.arange(len(X)) < 500) * 1.0)
    first = model[0] if hasattr(model, "steps") else model
    assert first._row_sketch_.total == len(X)
    assert not seen_in_fit(model, X[:100]).ok
    assert seen_in_fit(model, X[:100] + 1.0).ok
    assert not seen_in_fit(weighted, X[:100]).ok
    assert seen_in_fit(weighted, X[500:]).ok
    with pytest.raises(NothingRememberedError):
        seen_in_fit(fit_blocks(make(), BLOCKS), X)


# Without the libraries of tables ----------------------------------------------------------------


def test_without_libraries_of_tables(tmp_path):
    script = textwrap.dedent(
        """
        import sys

        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in ("pandas", "polars", "pyarrow", "duckdb", "zarr"):
                    raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        sys.meta_path.insert(0, Absent())
        import numpy as np
        from skscale import PCA, StandardScaler
        from skscale.errors import MissingDependencyError
        from skscale.streaming import fit_blocks
        from sklearn.pipeline import make_pipeline

        X = np.arange(40.0).reshape(10, 4) ** 1.5
        np.save("x.npy", X)
        for source in (X, np.load("x.npy", mmap_mode="r"), [X[:5], X[5:]], iter([X]), lambda: [X]):
            fit_blocks(make_pipeline(StandardScaler(), PCA(2)), source, checkpoint="kept")
        for path in ("x.parquet", "x.csv", "x.feather"):
            open(path, "w").close()
            try:
                fit_blocks(StandardScaler(), path)
            except MissingDependencyError as error:
                assert "pip install pyarrow" in str(error), error
            else:
                raise AssertionError(path)
        """
    )
    command = [sys.executable, "-c", script]
    import os

    settings = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *filter(None, sys.path)])}
    found = subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


def test_configuration_of_the_caller_holds_in_threads():
    """Steps that follow learn the names of frames, if it is frames that are asked for."""
    table = pa.table({name: np.arange(300_000.0) % 7 for name in "abcd"})
    model = make_pipeline(MinMaxScaler(), FunctionTransformer(), IncrementalPCA(2))
    with config_context(transform_output="pandas"):
        names = fit_blocks(model, table)[-1].feature_names_in_
    assert names.tolist() == ["a", "b", "c", "d"]


def test_missing_values_are_told_by_who_takes_none():
    values = X.copy()
    values[7, 2] = np.nan
    with pytest.raises(MissingValueError, match=r"Block 0 .* PCA does not accept missing values"):
        fit_blocks(make_pipeline(StandardScaler(), PCA(2)), values)
    with pytest.raises(MissingValueError, match="Whitener does not"):
        fit_blocks(make_pipeline(BatchNormalizer(momentum=0.1), Whitener()), values)


def test_dask_frames_have_an_engine_of_their_own():
    frame = pytest.importorskip("dask.dataframe").from_pandas(pd.DataFrame(X, columns=NAMES), 2)
    with pytest.raises(InvalidParameterError, match="Dask DataFrame, which `fit`"):
        fit_blocks(StandardScaler(), frame)


# Steps of others --------------------------------------------------------------------------------


@pytest.mark.filterwarnings("error")
def test_steps_of_others_learn_the_names_of_columns_in_files(tmp_path):
    frame = pd.DataFrame(X, columns=NAMES)
    frame.to_parquet(tmp_path / "x.parquet")
    by_name = FunctionTransformer(lambda rows: rows[["b", "a"]], feature_names_out=None)
    for make in (
        TheirScaler,
        lambda: make_pipeline(FunctionTransformer(), TheirScaler()),
        lambda: make_pipeline(FunctionTransformer(validate=True), StandardScaler()),
        lambda: make_pipeline(by_name, MiniBatchKMeans(2, random_state=0)),
        lambda: make_pipeline(by_name, StandardScaler()),
    ):
        model = fit_blocks(make(), tmp_path / "x.parquet")
        first = model[0] if hasattr(model, "steps") else model
        if not isinstance(first, FunctionTransformer) or first.validate:
            assert first.feature_names_in_.tolist() == NAMES
        (model if hasattr(model, "transform") else model[0]).transform(frame)
    scaler = fit_blocks(TheirScaler(), tmp_path / "x.parquet")
    np.testing.assert_allclose(scaler.mean_, X.mean(axis=0))
