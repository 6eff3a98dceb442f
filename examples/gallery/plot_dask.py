"""
Dask: what is read, and when
============================

Transformers take Dask arrays where they take tables in memory. Fitting reads every
chunk; transforming reads none until somebody asks for rows, and then those rows only.
Here the chunks are counted.
"""

# %%
# An array in chunks
# ------------------
# The digits of scikit-learn forty times over, in forty chunks, each of which notes that
# it is read. Elsewhere it would come from a file or another machine.

import dask
import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline

from skscale import PCA, StandardScaler
from skscale.model_selection import cross_fit

digits, digit = load_digits(return_X_y=True)
n_chunks = 40
reads = []


def read(block_info=None):
    """Give one chunk, and note that it was asked for."""
    reads.append(block_info[None]["chunk-location"][0])
    return digits


chunks = ((len(digits),) * n_chunks, digits.shape[1])
rows = da.map_blocks(read, chunks=chunks, dtype=digits.dtype, meta=digits[:0])
rows

# %%
# Who reads what
# --------------
# A scaler takes one computation, and a pipeline one for every step that learns.
# ``transform`` takes none: it gives another Dask array.

counts = {}


def count(what, work):
    """Do some work, and keep the number of chunks that it read."""
    reads.clear()
    result = work()
    counts[what] = len(reads)
    return result


pipeline = make_pipeline(StandardScaler(), PCA(2))
scaler = count("fit a StandardScaler", lambda: StandardScaler().fit(rows))
count("cross_fit it to 5 folds", lambda: cross_fit(StandardScaler(), rows, cv=5))
count("fit StandardScaler and PCA", lambda: pipeline.fit(rows))
plane = count("transform all rows", lambda: pipeline.transform(rows))
few = count("compute 400 of them", lambda: plane[:400].compute())
count("compute them all", plane.compute)
pd.DataFrame({"chunks read": counts})

# %%
# Dask draws what it was given: rows that are not there yet, in chunks.

plane

# %%
# What was learned has the same bits, whatever the scheduler and the number of workers,
# and is that of the same rows in memory, to rounding.

with dask.config.set(scheduler="synchronous"):
    alone = StandardScaler().fit(rows)
assert alone.statistic_ == scaler.statistic_

in_memory = StandardScaler().fit(np.tile(digits, (n_chunks, 1)))
np.testing.assert_allclose(scaler.mean_, in_memory.mean_, rtol=1e-14)
np.testing.assert_allclose(scaler.scale_, in_memory.scale_, rtol=1e-14)

# %%
# What came out
# -------------
# On the left the 400 rows that were computed, each drawn as the digit it is; on the
# right what had to be read.

figure, (left, right) = plt.subplots(
    1, 2, figsize=(9, 4), width_ratios=[1, 1.1], layout="constrained"
)
for number, color in enumerate(plt.get_cmap("tab10").colors):
    left.scatter(*few[digit[:400] == number].T, s=36, color=color, marker=f"${number}$")
left.set(title="400 digits on two axes", xlabel="pca0", ylabel="pca1")

bars = right.barh(list(counts), list(counts.values()), color="#0072B2")
right.bar_label(bars, padding=3)
right.invert_yaxis()
right.set(title=f"chunks read, of {n_chunks}", xlim=(0, 1.12 * max(counts.values())))
right.spines[["top", "right"]].set_visible(False)
plt.show()
