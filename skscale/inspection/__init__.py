"""Inspection: pictures of what a transformer learned, and of what it does to rows.

Displays as scikit-learn has them: `from_estimator` computes and draws, the constructor takes
numbers that were computed elsewhere, and `plot` draws them again. They need matplotlib:
``pip install "skscale[plots]"``.
"""

from skscale.inspection._gamma import GammaDisplay
from skscale.inspection._leakage import LeakageDisplay
from skscale.inspection._scaling import ScalingDisplay
from skscale.inspection._spectrum import SpectrumDisplay
from skscale.inspection._whitening import WhiteningDisplay

__all__ = [
    "GammaDisplay",
    "LeakageDisplay",
    "ScalingDisplay",
    "SpectrumDisplay",
    "WhiteningDisplay",
]
