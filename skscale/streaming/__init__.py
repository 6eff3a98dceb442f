"""Tables larger than memory: files, queries and iterables, block by block."""

from skscale.streaming._fit import fit_blocks
from skscale.streaming._transform import transform_blocks

__all__ = ["fit_blocks", "transform_blocks"]
