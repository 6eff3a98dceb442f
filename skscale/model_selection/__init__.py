"""Cross-validation and searches that share what they measure, and cannot leak."""

from skscale.model_selection._cross_fit import cross_fit
from skscale.model_selection._cross_validate import cross_validate
from skscale.model_selection._leakage_report import LeakageReport
from skscale.model_selection._leaky import ScoreGap
from skscale.model_selection._search import GridSearchCV, RandomizedSearchCV

__all__ = [
    "GridSearchCV",
    "LeakageReport",
    "RandomizedSearchCV",
    "ScoreGap",
    "cross_fit",
    "cross_validate",
]
