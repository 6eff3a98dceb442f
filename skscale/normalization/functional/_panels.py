"""Instances normalized one by one: many at a time, side by side.

A panel holds some instances in float64: what is averaged over goes down its columns, an instance
(or a feature of one) is one column. So every step is a long loop, for 2 features as for 200 and for
groups of any features, and an instance gets the same bits alone or among others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np

from skscale import _kernels as kernels
from skscale._blas import single_threaded_blas
from skscale._kernels import Array
from skscale._reduce import block_rows, cut, mapped_blocks
from skscale.normalization.functional import _arguments as arguments

Part = TypeVar("Part")

PANEL = 2**16
"""Numbers in a panel: 512 KB, so that the few that a step needs stay in cache."""


class Layout(Protocol):
    """How instances lie in a panel."""

    @property
    def bounds(self) -> tuple[slice, ...]:
        """Parts of a column that are averaged over, one after the other."""

    @property
    def columns(self) -> int:
        """Columns of one instance."""

    def instances(self, X: Array) -> Array:
        """Rows, or rows of time steps, as one instance after the other."""

    def read(self, instances: Array, panel: Array) -> None:
        """Copy instances into a panel."""

    def write(self, panel: Array, instances: Array) -> None:
        """Copy a panel to where its instances belong."""

    def spread(self, values: Array, group: slice, n_columns: int) -> Array:
        """Numbers of the features, such that they broadcast to a group of a panel."""

    def scale(self, values: Array, factor: Array, weight: Array) -> None:
        """Multiply a group, in place, by what is spread and by one number for each column."""

    def sums(
        self, product: Array, gradient: Array, factor: Array, weight: Array, low: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Sums over a group of ``(product - gradient * low) * weight`` and of the gradient.

        Both times what is spread, by column; then without it, by place in the column or by feature.
        """

    def in_order(self, sums: Array) -> Array:
        """Sums of all groups, by feature."""


class Rows(NamedTuple):
    """An instance is one row, and one column of the panel.

    Parameters
    ----------
    bounds : tuple of slice
        Groups of consecutive places in a column.
    order : array of shape (n_features,), or None
        Which feature is at which place; None is their own order.
    """

    bounds: tuple[slice, ...]
    order: Array | None = None

    @property
    def columns(self) -> int:
        return 1

    def instances(self, X: Array) -> Array:
        return X.reshape(-1, X.shape[-1])

    def read(self, instances: Array, panel: Array) -> None:
        np.copyto(panel, (instances if self.order is None else instances[:, self.order]).T)

    def write(self, panel: Array, instances: Array) -> None:
        if self.order is None:
            np.copyto(instances, panel.T, casting="same_kind")
        else:
            instances[:, self.order] = panel.T

    def spread(self, values: Array, group: slice, n_columns: int) -> Array:
        return values[group if self.order is None else self.order[group]][:, np.newaxis]

    def scale(self, values: Array, factor: Array, weight: Array) -> None:
        values *= weight
        values *= factor

    def sums(
        self, product: Array, gradient: Array, factor: Array, weight: Array, low: Array
    ) -> tuple[Array, Array, Array, Array]:
        total = factor[:, 0] @ gradient
        along = (factor[:, 0] @ product - total * low) * weight
        of_places = product @ weight - gradient @ (weight * low)
        return along, total, of_places, np.add.reduce(gradient, axis=1)

    def in_order(self, sums: Array) -> Array:
        return sums if self.order is None else sums[np.argsort(self.order)]


class Series(NamedTuple):
    """An instance is a series of rows, and every feature of it a column of the panel."""

    n_steps: int
    n_features: int

    @property
    def bounds(self) -> tuple[slice, ...]:
        return (slice(0, self.n_steps),)

    @property
    def columns(self) -> int:
        return self.n_features

    def instances(self, X: Array) -> Array:
        return X

    def read(self, instances: Array, panel: Array) -> None:
        np.copyto(self._unfolded(panel), instances.swapaxes(0, 1))

    def write(self, panel: Array, instances: Array) -> None:
        np.copyto(instances.swapaxes(0, 1), self._unfolded(panel), casting="same_kind")

    def spread(self, values: Array, group: slice, n_columns: int) -> Array:
        return np.tile(values, n_columns // self.n_features)

    def scale(self, values: Array, factor: Array, weight: Array) -> None:
        values *= factor * weight

    def sums(
        self, product: Array, gradient: Array, factor: Array, weight: Array, low: Array
    ) -> tuple[Array, Array, Array, Array]:
        total = kernels.reduce_columns(np.add, gradient)
        along = (kernels.reduce_columns(np.add, product) - total * low) * weight
        by_feature = (part.reshape(-1, self.n_features).sum(axis=0) for part in (along, total))
        return along * factor, total * factor, *by_feature

    def in_order(self, sums: Array) -> Array:
        return sums

    def _unfolded(self, panel: Array) -> Array:
        return panel.reshape(self.n_steps, -1, self.n_features)


class PanelCache(NamedTuple):
    """What the backward step needs of the forward one.

    Parameters
    ----------
    X : array of shape (n, p) or (n, time, p)
        The batch itself, not a copy of it.
    gamma : array of shape (p,)
        Scale of every feature.
    mean, mean_low, scale : arrays of shape (groups, columns), float64
        Mean of all that was averaged over, as ``mean + mean_low``, and one over the root of its
        mean square, epsilon included. A column is a row of `X`, or a feature of an instance.
    centred : bool
        Whether the mean was subtracted.
    layout : Rows or Series
        What was averaged over.
    made_by : str
        Name of the function.
    """

    X: Array
    gamma: Array
    mean: Array
    mean_low: Array
    scale: Array
    centred: bool
    layout: Layout
    made_by: str


def forward(
    function: str,
    X: Array,
    gamma: Any,
    beta: Any,
    epsilon: Any,
    layout: Layout,
    *,
    centred: bool = True,
) -> tuple[Array, PanelCache]:
    """``z gamma + beta``, z being the deviations divided by the root of their mean square."""
    gamma, beta = arguments.affine(function, gamma, beta, X.shape[-1])
    epsilon = arguments.positive(function, epsilon)
    Y = np.empty(X.shape, X.dtype)
    instances, out = layout.instances(X), layout.instances(Y)
    statistics = np.zeros((3, len(layout.bounds), len(instances) * layout.columns))

    def of_block(rows: slice) -> None:
        for part, columns, (values, spare) in panels(layout, instances, rows, 2):
            layout.read(instances[part], values)
            for i, group in enumerate(layout.bounds):
                of_group = values[group]
                found = statistics[:, i, columns]
                centre(of_group, spare[group], found, epsilon, centred=centred)
                layout.scale(of_group, layout.spread(gamma, group, values.shape[1]), found[2])
                of_group += layout.spread(beta, group, values.shape[1])
            layout.write(values, out[part])

    over_blocks(of_block, instances)
    X, gamma, mean, low, scale = map(arguments.read_only, (X, gamma, *statistics))
    return Y, PanelCache(X, gamma, mean, low, scale, centred, layout, function)


def centre(
    values: Array, spare: Array, statistics: Array, epsilon: float, *, centred: bool
) -> None:
    """Subtract the mean of every column in place, and find one over the root of the mean square.

    The mean is subtracted twice: what rounding left of it the first time is small, and exact.
    """
    mean, low, scale = statistics
    if centred:
        values -= column_means(values, mean)
        values -= column_means(values, low)
    column_means(np.multiply(values, values, out=spare), scale)
    scale += epsilon
    np.divide(1.0, np.sqrt(scale, out=scale), out=scale)


def backward(function: str, dY: Any, cache: PanelCache) -> tuple[Array, Array, Array]:
    """``scale (g - mean(g) - z mean(g z))`` with ``g = dY gamma``, and sums of dY z and of dY.

    The mean of g is not subtracted where the mean was not.
    """
    arguments.check_cache(function, cache)
    layout = cache.layout
    dY = arguments.gradient(function, dY, cache.X.shape)
    dX = np.empty(cache.X.shape, cache.X.dtype)
    instances, gradients, out = map(layout.instances, (cache.X, dY, dX))

    def of_block(rows: slice) -> Array:
        sums: list[Array] = []
        for part, columns, (values, gradient, spare) in panels(layout, instances, rows, 3):
            layout.read(instances[part], values)
            layout.read(gradients[part], gradient)
            of_groups = [
                step_back(values[group], gradient[group], spare[group], cache, i, columns)
                for i, group in enumerate(layout.bounds)
            ]
            sums.append(np.concatenate(of_groups, axis=1))
            layout.write(gradient, out[part])
        return np.sum(sums, axis=0)

    with single_threaded_blas:
        dgamma, dbeta = np.sum(over_blocks(of_block, instances), axis=0)
    return dX, layout.in_order(dgamma), layout.in_order(dbeta)


def step_back(
    values: Array, gradient: Array, spare: Array, cache: PanelCache, i: int, columns: slice
) -> tuple[Array, Array]:
    """Turn the gradient of the output of group `i` into that of its values, in place.

    Returns the sums of ``dY z`` and of ``dY`` by feature.
    """
    layout, scale, low = cache.layout, cache.scale[i, columns], cache.mean_low[i, columns]
    factor = layout.spread(cache.gamma, layout.bounds[i], len(scale))
    if cache.centred:
        values -= cache.mean[i, columns]
    product = np.multiply(gradient, values, out=spare)
    along, total, dgamma, dbeta = layout.sums(product, gradient, factor, scale, low)
    slope = scale * scale * along / len(values)
    layout.scale(gradient, factor, scale)
    values *= slope
    gradient -= values
    if cache.centred:
        gradient -= scale * total / len(values) - slope * low
    return dgamma, dbeta


def column_means(values: Array, out: Array) -> Array:
    """Mean of every column, the same bits for one as for many."""
    if values.shape[1] == 1:  # which numpy would sum in another order
        values = np.repeat(values, 2, axis=1)
    total = kernels.reduce_columns(np.add, values)[: len(out)]
    return np.divide(total, len(values), out=out)


def panels(
    layout: Layout, instances: Array, rows: slice, n_panels: int
) -> Iterator[tuple[slice, slice, list[Array]]]:
    """Parts of a block: instances, their columns among all, and the same memory for each part."""
    size, height = instances[0].size, layout.bounds[-1].stop
    parts = cut(rows.stop - rows.start, max(1, PANEL // size))
    memory = np.empty((n_panels, (parts[-1].stop - parts[-1].start) * size))
    for part in parts:
        start, stop = rows.start + part.start, rows.start + part.stop
        columns = slice(start * layout.columns, stop * layout.columns)
        used = (one[: (stop - start) * size].reshape(height, -1) for one in memory)
        yield slice(start, stop), columns, list(used)


def over_blocks(function: Callable[[slice], Part], instances: Array) -> list[Part]:
    """Results of a function on blocks of instances."""
    blocks = cut(len(instances), block_rows(instances[0].size))
    with mapped_blocks(function, blocks, instances.size) as results:
        return list(results)
