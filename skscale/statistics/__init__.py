"""Statistics: what rows leave behind. Small, immutable, mergeable; no tables, no models."""

from skscale.statistics._extrema import Extrema
from skscale.statistics._moments import Moments
from skscale.statistics._pooled import PooledBatches
from skscale.statistics._protocol import Statistic
from skscale.statistics._radial import RadialScatter
from skscale.statistics._reading import from_bytes
from skscale.statistics._running import RunningMoments
from skscale.statistics._scatter import Scatter
from skscale.statistics._sketch import RowSketch
from skscale.statistics._triangle import Triangle

__all__ = [
    "Extrema",
    "Moments",
    "PooledBatches",
    "RadialScatter",
    "RowSketch",
    "RunningMoments",
    "Scatter",
    "Statistic",
    "Triangle",
    "from_bytes",
]
