"""The laws of a transformer, all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from skscale._kernels import Array
from skscale.testing import _applying, _learning
from skscale.testing._laws import Law, enforce
from skscale.testing._samples import table
from skscale.testing._trial import Trial

TRANSFORMER_LAWS: Mapping[str, Law] = MappingProxyType({**_learning.LAWS, **_applying.LAWS})
"""Laws of a transformer by name."""


def check_transformer(
    transformer: Any,
    *,
    truth: Callable[[Array, Array | None, Array], Array] | None = None,
    columnwise: bool = True,
    rowwise: bool = False,
    invertible: bool = True,
    batch_size: int | None = None,
    batch_attributes: Sequence[str] = (),
    rows: Any = None,
    cuts: Sequence[Sequence[int]] | None = None,
    tolerance: float = 64,
    laws: Sequence[str] | None = None,
) -> None:
    """Check the laws of a transformer.

    Laws about `partial_fit`, `inverse_transform`, `fit_statistic`, `sample_weight` and
    `set_output` are left out where the transformer does not have them; those about frames, where
    their library is not installed.

    Parameters
    ----------
    transformer : object
        Of scikit-learn's kind: `fit`, `transform` and `get_params`. It is cloned, not fitted.
    truth : callable, default=None
        ``truth(train_rows, weights, new_rows)`` is what ``transform(new_rows)`` has to be, after
        `fit` on the rows with weights (or None). Without it nobody can tell a wrong formula from
        a right one.
    columnwise : bool, default=True
        Whether column i of the output is made from column i of the input alone. False for matrix
        products, whose bits depend on the shape, and where a row is normalized as a whole.
    rowwise : bool, default=False
        Whether row i of the output is made from row i of the input alone, to the last bit, and
        `fit` learns nothing from the values of rows. True for scikit-learn's `Normalizer`.
    invertible : bool, default=True
        Whether `inverse_transform` gives the training rows back. If not, it has to give rows with
        the same image.
    batch_size : int, default=None
        Rows of a mini-batch for a transformer that depends on the order of rows and on where they
        are cut: `partial_fit` is called with as many, and laws about the order are left out. None
        if any cut has to give the same.
    batch_attributes : sequence of str, default=()
        Fitted attributes that count batches.
    rows : array of shape (n_rows, n_features), default=None
        Finite floats to try the laws on. None is a table of ours, of 230 rows.
    cuts : sequence of sequences of int, default=None
        Each gives ascending positions to cut the rows at. None takes several.
    tolerance : float, default=64
        Allowed difference where rounding is, in units of the spacing of floats at 1 (2.2e-16),
        relative to the largest entry of a column. If not `columnwise`, relative to the largest
        entry of all and, if not `rowwise` either, times the condition number of the covariance
        matrix, eigenvalues of rounding noise left out.
    laws : sequence of str, default=None
        Names from `TRANSFORMER_LAWS`. None is all of them.

    Raises
    ------
    AssertionError
        For the first law that is broken, with what was found.

    Examples
    --------
    >>> from skscale import StandardScaler
    >>> from skscale.testing import check_transformer
    >>> check_transformer(StandardScaler())

    One that learns nothing from rows:

    >>> from skscale import LayerNormalizer
    >>> check_transformer(LayerNormalizer(), columnwise=False, rowwise=True)

    Another package's:

    >>> import sklearn.preprocessing
    >>> check_transformer(sklearn.preprocessing.StandardScaler())
    Traceback (most recent call last):
    AssertionError: StandardScaler() breaks the law ...
    """
    rows = table(230, 4) if rows is None else np.asarray(rows)
    n_rows = len(rows)
    if batch_size is not None:
        cuts = [range(batch_size, n_rows - batch_size + 1, batch_size)]
    elif cuts is None:
        cuts = [[1], [n_rows - 1], [1, 2, 3, n_rows // 2], range(1, n_rows, 7), range(1, n_rows)]
    trial = Trial(
        transformer,
        truth,
        columnwise,
        rowwise,
        invertible,
        batch_size,
        tuple(batch_attributes),
        rows,
        [list(cut) for cut in cuts],
        tolerance,
    )
    enforce(repr(transformer), TRANSFORMER_LAWS, laws, trial)
