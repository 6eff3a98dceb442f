"""What scikit-learn's diagrams show of our classes: their pages, and what they learned from."""

from __future__ import annotations

from typing import Any

from sklearn.preprocessing import FunctionTransformer

from skscale._words import counted
from skscale.statistics import Statistic

DOCUMENTATION = "https://skscale.readthedocs.io/en/stable/"
API_PAGE = f"{DOCUMENTATION}api/generated/{{name}}.html"
"""The page of a public name, such as skscale.PCA."""


def learned_from(statistic: Statistic) -> str:
    """``learned from 178 rows x 13 columns``, of a statistic or anything of these counts."""
    rows, columns = statistic.total, statistic.n_features
    count = f"{rows:.0f}" if rows == round(rows) else f"{rows:g}"
    return f"learned from {count} rows x {counted(columns, 'column')}"


def captioned(estimator: Any, caption: str) -> Any:
    """The block of an estimator in a diagram, with a caption below its name.

    Blocks are scikit-learn's own, and its FunctionTransformer has one with a caption: whatever
    they hold in the version that is installed, this one has too. Were that to fail, scikit-learn
    would draw the block without a caption.
    """
    block = FunctionTransformer()._sk_visual_block_()
    block.estimators = estimator
    block.names = type(estimator).__name__
    block.name_details = str(estimator)
    block.name_caption = caption
    block.doc_link_label = None
    return block
