"""
PCA by eigh and by SVD: where they differ
=========================================

There are two ways to compute a PCA. One multiplies the table by itself and takes the
eigenvectors of the small matrix that comes out (eigh); the other decomposes the table
itself (SVD). On paper they are the same. In floating point the first one squares
everything, and of whatever is weak it loses twice the digits. This page shows where
that begins to matter, on a table that is made up so that the answer is known, and on a
real one.
"""

# %%
# A table whose answer is known
# -----------------------------
#
# To say who is right one has to know the answer. Columns of a Hadamard matrix hold
# nothing but 1 and -1 and are orthogonal to each other. Sixteen of them, multiplied by
# powers of two and mixed by another such matrix, are a table of which every entry is
# exact, and so is every singular value: from 128 down to a billionth of it.

import matplotlib.pyplot as plt
import numpy as np
from scipy.linalg import hadamard
from sklearn import decomposition
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.preprocessing import PolynomialFeatures

from skscale import PCA

powers = 2.0 ** np.arange(0, -32, -2)
table = hadamard(1024)[:, 1:17] * powers @ hadamard(16)
truth = 128 * powers

# %%
# A real table
# ------------
# Five measurements of tumours (radius, texture, perimeter, area, smoothness) with their
# squares and products, which somebody forgot to scale. Here one can check what
# whitening should achieve: variance 1 in every column and no correlation, so that the
# covariance matrix is the identity matrix.

measurements = load_breast_cancer().data[:, :5]
products = PolynomialFeatures(2, include_bias=False).fit_transform(measurements)

# %%
# How many digits of each singular value are right, and how far is each whitened column
# from what it should be?

SOLVERS = {
    "scikit-learn, default": (decomposition.PCA(whiten=True), "s", "#D55E00"),
    "skscale, eigh": (PCA(whiten=True, svd_solver="covariance_eigh"), "^", "#E69F00"),
    "scikit-learn, SVD": (
        decomposition.PCA(whiten=True, svd_solver="full"),
        "+",
        "#009E73",
    ),
    "skscale, SVD": (PCA(whiten=True, svd_solver="full"), "o", "#CC79A7"),
    "skscale, default": (PCA(whiten=True), ".", "#0072B2"),
}

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4), layout="constrained")
for name, (pca, marker, colour) in SOLVERS.items():
    look = {"marker": marker, "color": colour, "linestyle": "", "label": name}
    if marker == "o":  # a ring: what is the same lies within
        look |= {"fillstyle": "none", "markersize": 9}
    error = np.abs(pca.fit(table).singular_values_ / truth - 1)
    digits = -np.log10(np.clip(error, 1e-16, 1))
    left.semilogx(truth / truth[0], digits, **look)

    white = pca.fit(products).transform(products)
    error = np.abs(np.cov(white, rowvar=False) - np.eye(20)).max(axis=0)
    right.semilogy(np.arange(1, 21), error, **look)

left.invert_xaxis()
left.set(
    title="a table whose answer is known",
    xlabel="singular value, first = 1",
    ylabel="digits that are right",
)
right.set(
    title="tumours, with squares and products",
    xlabel="component",
    ylabel="error of covariance, whitened",
    xticks=[1, 5, 10, 15, 20],
)
for ax in (left, right):
    ax.grid(color="#dddddd")
figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3)
plt.show()

# %%
# On the left, while the singular values fall by nine powers of ten, SVD loses about
# seven digits: somewhat less than one for each power. (The last value of skscale
# happens to be better than that.) eigh loses nearly two for each, and below 1e-8 of the
# first it knows nothing. skscale's default lies within the rings: on these tables it is
# the SVD. On the right, the last four or five columns of eigh are not white. What it
# cannot tell from noise skscale's eigh sets to 0, which is an error of 1.
#
# What it costs
# -------------
# Of n rows and p columns both need about n p² multiplications: the SVD, which goes by
# way of a triangular factor, at least twice as many as eigh, and less easily shared by
# cores.
#
# ``svd_solver="auto"``, the default, therefore begins with eigh and looks at the
# spectrum. If a component that you want is weaker than 1/32 of the first, it goes over
# the rows once more for the triangular factor. The statistic that it kept tells which
# way it went:

flowers = load_iris().data
for n_components in (3, 4, 16):
    kept = PCA(n_components).fit(table).statistic_
    print(f"{n_components:2} components of the exact table: {type(kept).__name__}")
print(f" 4 components of iris: {type(PCA().fit(flowers).statistic_).__name__}")

# %%
# ``Scatter`` is eigh, ``Triangle`` the SVD. For components that explain anything to
# speak of, in columns that have been scaled, there is nothing to choose: both are
# right.
