"""
A file larger than memory
=========================

What a transformer keeps of rows is small, so it need not have them all at once:
:func:`~skscale.streaming.fit_blocks` reads a file block by block. Here the memory that
takes is measured, as the file grows. The files stand for larger ones: they would fit
into the memory of any machine, so that the page can be built, and the other way can be
measured as well.
"""

# %%
# Files that grow
# ---------------
# The digits of scikit-learn, 1797 images of 64 pixels, written over and over: the
# longest file has 460,000 rows, 225 MiB as numbers in memory. A file is written as it
# will be read, piece by piece.

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.datasets import load_digits

digits = load_digits(as_frame=True).data
piece = pa.concat_tables([pa.Table.from_pandas(digits, preserve_index=False)] * 32)
folder = tempfile.TemporaryDirectory()
paths = {}
for n_pieces in (1, 2, 4, 8):
    n_rows = n_pieces * len(piece)
    paths[n_rows] = str(Path(folder.name, f"{n_rows}.parquet"))
    with pq.ParquetWriter(paths[n_rows], piece.schema) as writer:
        for _ in range(n_pieces):
            writer.write_table(piece)

# %%
# Two ways to learn from them
# ---------------------------
# The same pipeline, fitted on all rows at once and block by block. Each way has a
# process of its own, which takes the files from the shortest to the longest and says
# after each how much memory it had at most so far. (Linux keeps that number, ``VmHWM``,
# for every process.)

LEARN = """
import sys
import pandas as pd
from sklearn.pipeline import make_pipeline
from skscale import PCA, StandardScaler
from skscale.streaming import fit_blocks

def most_memory():
    with open("/proc/self/status") as status:
        lines = dict(line.split(":", 1) for line in status)
    return int(lines["VmHWM"].split()[0]) / 1024

way, *paths = sys.argv[1:]
print(most_memory())
for path in paths:
    pipeline = make_pipeline(StandardScaler(), PCA(10))
    if way == "all at once":
        pipeline.fit(pd.read_parquet(path))
    else:
        fit_blocks(pipeline, path)
    scaler, pca = pipeline
    print(most_memory(), scaler.n_samples_seen_, *pca.explained_variance_ratio_)
"""

peaks, learned = pd.DataFrame(index=paths), {}
for way in ("all at once", "block by block"):
    command = [sys.executable, "-c", LEARN, way, *paths.values()]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    (idle,), *numbers = (
        [float(word) for word in line.split()] for line in said.splitlines()
    )
    peaks[way] = [most - idle for most, *_ in numbers]
    learned[way] = np.array([model for _, *model in numbers])
folder.cleanup()
peaks.round(0).rename_axis("rows")

# %%
# Both learn the same. A chain of our own steps takes one pass over a file, and agrees
# with the steps one by one to rounding.

np.testing.assert_array_equal(learned["block by block"][:, 0], list(paths))
np.testing.assert_allclose(learned["block by block"], learned["all at once"], rtol=1e-9)

# %%
# What it takes
# -------------
# All at once, memory grows with the rows, and is several times what they take
# themselves: the file is decoded, and put together as a table. Block by block it grows
# far less than the file does: a few blocks have to be in memory at a time, however many
# there are.

megabytes = peaks.index * digits.shape[1] * 8 / 2**20
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for way, color, marker in zip(peaks, ["#D55E00", "#0072B2"], "os", strict=True):
    ax.plot(peaks.index, peaks[way], marker=marker, color=color, label=way)
ax.plot(
    peaks.index,
    megabytes,
    ":",
    color="#555555",
    label="the rows themselves, as float64",
)
ax.set(
    xlabel="rows in the file",
    ylabel="most memory at a time, MiB",
    xlim=(0, None),
    ylim=(0, None),
)
ax.set_title("beside Python and its libraries", fontsize="medium")
ax.xaxis.set_major_formatter("{x:,.0f}")
ax.legend()
plt.show()
