"""Whitening: linear maps of the columns to unit covariance, five of them."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, NamedTuple, final

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, OneToOneFeatureMixin

from skscale import _kernels as kernels
from skscale import _linalg as linalg
from skscale._admission import Occasion
from skscale._base import StatisticTransformer
from skscale._blas import single_threaded_blas
from skscale._blocks import Apply
from skscale._jobs import Computation
from skscale._kernels import Array
from skscale._linalg import Axes
from skscale._parameters import boolean, none, one_of, real
from skscale.decomposition._principal import (
    check_width,
    common_units,
    principal_axes,
    recast,
    tall_block_rows,
)
from skscale.decomposition._project import is_near_zero, projection, reconstruction
from skscale.errors import IncompatibleStatisticError
from skscale.statistics import RadialScatter, Scatter, Triangle
from skscale.statistics._affine import AffineMap
from skscale.statistics._freedom import degrees_of_freedom

TINY = float(np.finfo(np.float64).tiny)


@final
class Whitener(StatisticTransformer):
    """Whiten: subtract the mean and turn the columns so that their covariance is the identity.

    Of the many maps that do it, "zca" changes the rows least, "zca-cor" the standardized rows;
    "pca" and "pca-cor" put the variance into as few columns as possible; "cholesky" lets
    column i depend on the columns from i on only.

    Parameters
    ----------
    method : {"zca", "zca-cor", "pca", "pca-cor", "cholesky"}, default="zca"
        Which map. With S the covariance, P the correlation matrix and V the variances:
        ``S**-1/2``, ``P**-1/2 V**-1/2``, ``L**-1/2 U'`` for ``S = U L U'`` with L the
        eigenvalues, the same of P times ``V**-1/2``, and C' for ``inv(S) = C C'`` with C lower
        triangular.
    epsilon : float, default=0.0
        Non-negative number added to the eigenvalues, in the units of S (of P for the "-cor"
        methods). It damps weak directions, as is usual for images.
    shrinkage : float in [0, 1], "ledoit_wolf", "oas" or None, default=None
        Weight of the multiple of the identity that S is mixed with; by name, the weight of
        least expected error. Advised unless there are many rows per column.
    ddof : float, default=1
        Covariances are sums of products divided by ``n_samples - ddof``.
    rank_tol : "auto" or float in [0, 1), default="auto"
        Singular values below this part of the first count as zero. "auto" is
        ``max(n_samples, n_features) * eps``.
    copy : bool, default=True
        Without effect: the rows are never written to. Kept for compatibility.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features_in_,), float64
        Mean of every column.
    whitening_ : ndarray of shape (n_features_in_, n_features_in_), float64
        ``transform(X)`` is ``(X - mean_) @ whitening_.T``.
    coloring_ : ndarray of shape (n_features_in_, n_features_in_), float64
        Pseudo-inverse of `whitening_`, which `inverse_transform` uses.
    eigenvalues_ : ndarray of shape (n_features_in_,), float64
        Eigenvalues of S (of P for the "-cor" methods), after shrinkage, descending.
    rank_ : int
        Number of them that are not zero.
    shrinkage_ : float
        Weight of the identity; 0 without shrinkage.
    statistic_ : Scatter, Triangle or RadialScatter
        All that was kept of the rows.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    Raises
    ------
    MissingValueError
        NaN, with the columns.
    TooWideError
        More than 16384 columns: the map would take more than 2 GiB.
    InvalidParameterError, InfiniteValueError, NonNumericColumnError, SampleWeightError, SchemaError
        For bad parameters, rows, columns or weights; see `skscale.errors`.

    See Also
    --------
    PCA : with ``whiten=True``, the first rows of the "pca" map.

    Notes
    -----
    Directions without variance go to 0, and the others, `rank_` of them, to variance 1; the
    covariance of the result is then the projector on them: so for constant columns, for fewer rows
    than columns, and for a single row, which gives 0 everywhere. Weak directions are taken from a
    triangular factor of the rows, which needs a second pass over them; `partial_fit` keeps that
    factor from the start.

    Cost for n rows and p columns: ``n p**2`` to ``3 n p**2`` flops, p**3 to solve, p**2 memory.

    References
    ----------
    Bell, A. J. and Sejnowski, T. J. (1997). The "independent components" of natural scenes are
    edge filters. Vision Research 37, 3327-3338.
    Kessy, A., Lewin, A. and Strimmer, K. (2018). Optimal whitening and decorrelation. The
    American Statistician 72, 309-314.
    Ledoit, O. and Wolf, M. (2004). A well-conditioned estimator for large-dimensional covariance
    matrices. Journal of Multivariate Analysis 88, 365-411.
    Chen, Y., Wiesel, A., Eldar, Y. C. and Hero, A. O. (2010). Shrinkage algorithms for MMSE
    covariance estimation. IEEE Transactions on Signal Processing 58, 5016-5029.

    Examples
    --------
    >>> import numpy as np
    >>> from skscale import Whitener
    >>> rows = np.array([[0.0, 0.0], [2.0, 1.0], [4.0, 5.0], [1.0, 3.0]])
    >>> white = Whitener().fit_transform(rows)
    >>> np.cov(white, rowvar=False).round(12) + 0.0
    array([[1., 0.],
           [0., 1.]])

    A column that repeats another leaves rank 1, and no noise:

    >>> whitener = Whitener().fit([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    >>> whitener.rank_, whitener.transform([[3.0, 3.0]]).round(4)
    (1, array([[0.7071, 0.7071]]))
    """

    _rules: ClassVar = {
        "method": one_of("zca", "zca-cor", "pca", "pca-cor", "cholesky"),
        "epsilon": real("a non-negative number", lambda value: value >= 0),
        "shrinkage": real("a number in [0, 1]", lambda value: 0 <= value <= 1)
        | one_of("ledoit_wolf", "oas")
        | none,
        "ddof": real("a non-negative number", lambda value: value >= 0),
        "rank_tol": one_of("auto") | real("a number in [0, 1)", lambda value: 0 <= value < 1),
        "copy": boolean,
    }
    _statistics: ClassVar = (Scatter, Triangle, RadialScatter)
    _columnwise: ClassVar = False
    _products: ClassVar = single_threaded_blas

    def __init__(
        self,
        method: str = "zca",
        *,
        epsilon: float = 0.0,
        shrinkage: float | str | None = None,
        ddof: float = 1,
        rank_tol: str | float = "auto",
        copy: bool = True,
    ) -> None:
        self.method = method
        self.epsilon = epsilon
        self.shrinkage = shrinkage
        self.ddof = ddof
        self.rank_tol = rank_tol
        self.copy = copy

    def _plan(self, occasion: Occasion) -> None:
        check_width(occasion.n_rows, occasion.n_features, "Whitener")
        earlier = occasion.earlier
        self._kind_: type[Scatter | Triangle | RadialScatter]
        if isinstance(earlier, Scatter) and occasion.is_partial:
            self._kind_ = Triangle
        elif earlier is not None:
            self._kind_ = type(earlier)
        elif self.shrinkage == "ledoit_wolf":
            self._kind_ = RadialScatter
        elif occasion.is_partial or occasion.n_effective < occasion.n_features:
            self._kind_ = Triangle
        else:
            self._kind_ = Scatter
        self._may_refine_ = earlier is None

    def _kind(self) -> type:
        return self._kind_

    def _refinements(self) -> set[type]:
        return {Triangle} if self._may_refine_ and self._kind_ is Scatter else set()

    def _recast(self, earlier: Any) -> Any:
        return recast(earlier, self._kind_)

    def _block_rows(self, n_features: int) -> int:
        return tall_block_rows(n_features)

    def _solve(self, statistic: Scatter | Triangle | RadialScatter) -> Computation[None]:
        self._method_ = self.method
        self.shrinkage_ = self._intensity(statistic)
        rows = statistic.scatter if isinstance(statistic, RadialScatter) else statistic
        self._near_zero_ = is_near_zero(rows)
        squares = rows.deviation()[0] ** 2
        freedom = float(degrees_of_freedom(rows.total, self.ddof, squares.sum()))
        if self.shrinkage_ > 0:
            rows = shrink(rows, self.shrinkage_, freedom)
        scale, exponent = np.ones(rows.n_features), np.zeros(rows.n_features, dtype=np.int64)
        if self.method.endswith("cor"):
            scale, exponent = rows.deviation()
            scale = scale * np.sqrt(rows.total / freedom)
            rows = rows.scaled(np.where(scale > 0, 1 / np.where(scale > 0, scale, 1), 0), -exponent)
        axes = yield partial(principal_axes, rows)
        # Without damping, directions of no variance are mapped to 0, whichever they are.
        extend = linalg.complete if self.epsilon > 0 else linalg.pad
        axes = extend(axes, rows.n_features)
        maps = self._maps(axes, freedom)
        if axes.exponent:
            exponent = np.full(rows.n_features, axes.exponent)
        self.mean_, self._mean_low_ = np.array(statistic.mean), statistic.mean_low
        self.rank_, self._is_weak_ = maps.rank, maps.is_weak
        self._inner_ = maps.whitening / np.where(scale > 0, scale, 1)
        self._outer_ = maps.coloring * scale[:, np.newaxis]
        self._exponent_ = exponent
        with np.errstate(over="ignore"):
            self.eigenvalues_ = np.ldexp(axes.singular_values**2 / freedom, 2 * axes.exponent)
            self.whitening_ = np.ldexp(self._inner_, -exponent)
            self.coloring_ = np.ldexp(self._outer_, exponent[:, np.newaxis])

    def _refine(self) -> bool:
        """Take the triangle instead of the scatter matrix if a direction is too weak for it."""
        if not (self._may_refine_ and self._kind_ is Scatter):
            return False
        if not self._is_weak_:
            return False
        self._kind_ = Triangle
        return True

    def _apply(self) -> Apply:
        return projection(
            self.mean_,
            self._mean_low_,
            self._inner_.T,
            self._exponent_,
            near_zero=self._near_zero_,
        )

    def _affine_map(self) -> AffineMap | None:
        if np.count_nonzero(self._exponent_) or self.rank_ < len(self.mean_):
            return None
        return AffineMap(self._inner_, np.zeros(len(self._inner_)), self.mean_, self._mean_low_)

    def _invert(self, columns: Any) -> Apply:
        return reconstruction(self.mean_, self._mean_low_, self._outer_.T, self._exponent_)

    def _intensity(self, statistic: Any) -> float:
        """Weight of the identity in the covariance."""
        if self.shrinkage is None:
            return 0.0
        if self.shrinkage == "ledoit_wolf":
            if not isinstance(statistic, RadialScatter):
                raise IncompatibleStatisticError(
                    "shrinkage='ledoit_wolf' needs the RadialScatter of the rows, and what was "
                    f"kept of them is their {type(statistic).__name__}. Fit again from the start."
                )
            matrix, quartic = statistic.in_units()
            return linalg.ledoit_wolf_intensity(matrix, quartic, statistic.total)
        if self.shrinkage == "oas":
            values = principal_axes(statistic).singular_values
            variance = (values / values.max(initial=TINY)) ** 2
            return linalg.oas_intensity(variance, statistic.n_features, statistic.total)
        return float(self.shrinkage)

    def _maps(self, axes: Axes, freedom: float) -> Maps:
        """Whitening and coloring of rows with these axes, and their rank."""
        deviation = axes.singular_values / np.sqrt(freedom)
        tolerance = axes.floor if self.rank_tol == "auto" else float(self.rank_tol)
        strong = deviation > tolerance * deviation[0]
        epsilon = np.ldexp(float(np.sqrt(self.epsilon)), -axes.exponent)
        damped = np.hypot(deviation, epsilon)
        kept = strong | (epsilon > 0)
        inverse = np.where(kept, 1 / np.where(kept, damped, 1), 0)
        width = np.where(kept, damped, 0)
        whitening = inverse[:, np.newaxis] * axes.components
        coloring = axes.components.T * width
        if self.method.startswith("zca"):
            whitening = axes.components.T @ whitening
            coloring = coloring @ axes.components
        elif self.method == "cholesky":
            rotation, triangle = np.linalg.qr(whitening[kept])
            signs = np.where(np.diagonal(triangle) < 0, -1.0, 1.0)
            whitening, coloring = np.zeros_like(whitening), np.zeros_like(coloring)
            whitening[: len(triangle)] = triangle * signs[:, np.newaxis]
            coloring[:, : len(triangle)] = (
                (axes.components[kept].T * width[kept]) @ rotation * signs
            )
        is_weak = bool(damped[-1] < linalg.WEAK * damped[0])
        return Maps(whitening, coloring, int(np.count_nonzero(strong)), is_weak)

    def get_feature_names_out(self, input_features: Any = None) -> Array:
        """Names of the transformed columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns, checked against those learned.

        Returns
        -------
        names : ndarray of str
            The names of the columns, as each is the nearest to its own; ``whitener0`` and so on
            for the methods that turn them, "pca" and "pca-cor".
        """
        turned = getattr(self, "_method_", self.method).startswith("pca")
        mixin = ClassNamePrefixFeaturesOutMixin if turned else OneToOneFeatureMixin
        return mixin.get_feature_names_out(self, input_features)

    @property
    def _n_features_out(self) -> int:
        return len(self.mean_)


class Maps(NamedTuple):
    """A whitening matrix, its pseudo-inverse, its rank, and whether squares may have lost some."""

    whitening: Array
    coloring: Array
    rank: int
    is_weak: bool


def shrink(rows: Scatter | Triangle, intensity: float, freedom: float) -> Scatter | Triangle:
    """Statistic of rows with covariance ``(1 - intensity) S + intensity tr(S) / p I``."""
    identity = np.eye(rows.n_features)
    zeros = np.zeros(rows.n_features)
    if isinstance(rows, Scatter):
        matrix, exponent = common_units(rows.scatter, rows.exponent)
        matrix, _ = common_units(matrix.T, rows.exponent)
        matrix = (1 - intensity) * matrix + intensity * np.trace(matrix) / len(matrix) * identity
        units = np.full(rows.n_features, exponent)
        return Scatter(rows.total, zeros, zeros, matrix, 0 * matrix, units)
    triangle, exponent = common_units(rows.triangle, rows.exponent)
    mean = np.sqrt(intensity * np.einsum("ij,ij->", triangle, triangle) / rows.n_features)
    triangle = kernels.factor(np.vstack([np.sqrt(1 - intensity) * triangle, mean * identity]))
    return Triangle(rows.total, zeros, zeros, triangle, np.full(rows.n_features, exponent))
