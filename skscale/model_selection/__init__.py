"""Cross-validation and parameter searches that measure the rows once for all folds.

Same signatures and results as scikit-learn's functions and classes of the same names.
"""

from skscale.model_selection._cross_validate import cross_validate
from skscale.model_selection._leaky import ScoreGap
from skscale.model_selection._search import GridSearchCV, RandomizedSearchCV

__all__ = ["GridSearchCV", "RandomizedSearchCV", "ScoreGap", "cross_validate"]
