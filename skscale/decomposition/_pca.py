"""Principal component analysis, by eigendecomposition or by singular value decomposition."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, final

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from skscale import _kernels as kernels
from skscale import _linalg as linalg
from skscale._admission import Occasion
from skscale._base import StatisticTransformer
from skscale._blas import single_threaded_blas
from skscale._blocks import Apply
from skscale._jobs import Computation
from skscale._kernels import Array, Rows
from skscale._linalg import Axes
from skscale._opening import open_table
from skscale._parameters import Rule, boolean, integer, is_integer, none, one_of, real
from skscale.decomposition._components import (
    check_components,
    choose_solver,
    n_components_rule,
    resolve_components,
)
from skscale.decomposition._principal import (
    check_triangle,
    check_width,
    common_units,
    principal_axes,
    recast,
    tall_block_rows,
)
from skscale.decomposition._probabilistic import ProbabilisticModel
from skscale.decomposition._project import is_near_zero, projection, reconstruction
from skscale.errors import IncompatibleStatisticError
from skscale.statistics import Scatter, Triangle
from skscale.statistics._affine import AffineMap
from skscale.statistics._constant import plain_count
from skscale.statistics._freedom import degrees_of_freedom


@final
class PCA(ClassNamePrefixFeaturesOutMixin, StatisticTransformer):
    """Principal components: the orthogonal directions of largest variance.

    Use it to see, compress or decorrelate columns that are measured in the same unit;
    standardize first where they are not.

    Parameters
    ----------
    n_components : int, float in (0, 1), "mle" or None, default=None
        Components to keep; a fraction keeps the fewest that explain more than this share of
        the variance; "mle" is Minka's estimate. None keeps ``min(n_samples, n_features)``, one
        fewer with ARPACK. Before as many rows have come, `partial_fit` keeps fewer.
    copy : bool, default=True
        Without effect: the rows are never written to. Kept for compatibility.
    whiten : bool, default=False
        Divide components by their standard deviation. Directions of no variance give 0.
    svd_solver : {"auto", "full", "covariance_eigh", "arpack", "randomized"}, default="auto"
        "covariance_eigh" decomposes the scatter matrix: fast, and blind to directions below
        1e-8 of the first. "full" decomposes a triangular factor of the rows, which loses
        nothing. "arpack" and "randomized" find the first components of that factor.
        "auto" takes the scatter matrix of tall tables, goes over the rows once more for the
        triangular factor if a wanted direction is too weak for it, and is randomized only
        beyond 1000 rows and columns; `partial_fit` cannot go over rows again and keeps the
        factor from the start. Of sparse rows it finds the first components by ARPACK if their
        number is given, all of them otherwise.
    tol : float, default=0.0
        Tolerance of ARPACK; 0 is machine precision.
    iterated_power : int or "auto", default="auto"
        Power iterations of the randomized solver.
    n_oversamples : int, default=10
        Additional random vectors of the randomized solver.
    power_iteration_normalizer : {"auto", "QR", "LU", "none"}, default="auto"
        Normalizer of the randomized solver.
    random_state : int, RandomState instance or None, default=None
        Seed of "arpack" and "randomized".

    Attributes
    ----------
    components_ : ndarray of shape (n_components_, n_features_in_)
        Directions, in the float dtype of the rows, with the entry largest by magnitude positive.
    explained_variance_ : ndarray of shape (n_components_,), float64
        Variances along them, with ``n_samples - 1`` degrees of freedom.
    explained_variance_ratio_ : ndarray of shape (n_components_,), float64
        Shares of the total variance, between 0 and 1; 0 if there is none.
    singular_values_ : ndarray of shape (n_components_,), float64
        Norms of the components of the training rows.
    mean_ : ndarray of shape (n_features_in_,), float64
        Mean of every column.
    n_components_ : int
        Number of components kept.
    n_samples_ : int or float
        Number of rows, or sum of their weights.
    noise_variance_ : float
        Mean variance of the directions left out (Tipping and Bishop 1999).
    statistic_ : Scatter or Triangle
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
        More columns than a matrix of their products can have; see Notes.
    InvalidParameterError
        A parameter outside its range, or more components than rows or columns.
    InfiniteValueError, NonNumericColumnError, SampleWeightError, SchemaError
        For bad rows, columns or weights; see `skscale.errors`.

    See Also
    --------
    Whitener : other ways to give the columns unit covariance.

    Notes
    -----
    Rows are centred before anything is squared, so that a mean far from zero costs no digits.
    Singular values are good to eps times the largest with "full", the square root of that with
    "covariance_eigh". A direction is noise if its singular value is below
    ``max(n_samples, n_features) * eps`` times the first (for "covariance_eigh", if it is below
    what the squares can resolve); whitened, it gives 0.

    A constant table, or a single row, has variance 0 in every direction and transforms to 0.
    Sparse rows are accepted by "auto", "arpack" and "covariance_eigh", and read as dense blocks.

    Cost for n rows and p columns, n > p: ``n p**2`` flops for the scatter matrix, twice that for
    the triangular factor, p**3 to decompose either. Memory: ``min(n, p) * p`` numbers, p**2 with
    "covariance_eigh", and at most 2 GiB of them.

    References
    ----------
    Jolliffe, I. T. (2002). Principal Component Analysis, 2nd edition. Springer.
    Minka, T. P. (2000). Automatic choice of dimensionality for PCA. NIPS 13, 598-604.
    Tipping, M. E. and Bishop, C. M. (1999). Probabilistic principal component analysis. Journal
    of the Royal Statistical Society B 61, 611-622.

    Examples
    --------
    >>> from skscale import PCA
    >>> rows = [[-1.0, -1.0], [-2.0, -1.0], [-3.0, -2.0], [1.0, 1.0], [2.0, 1.0], [3.0, 2.0]]
    >>> pca = PCA(n_components=1).fit(rows)
    >>> pca.explained_variance_ratio_.round(4)
    array([0.9924])

    The same from any batches, the first of one row:

    >>> stream = PCA(n_components=1).partial_fit(rows[:1]).partial_fit(rows[1:])
    >>> stream.singular_values_.round(5)
    array([6.30061])

    Directions without variance whiten to 0, not to noise:

    >>> PCA(whiten=True).fit_transform([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]).round(3)
    array([[-1.,  0.],
           [ 0.,  0.],
           [ 1.,  0.]])
    """

    _rules: ClassVar = {
        "n_components": n_components_rule | none,
        "copy": boolean,
        "whiten": boolean,
        "svd_solver": one_of("auto", "full", "covariance_eigh", "arpack", "randomized"),
        "tol": real("a non-negative number", lambda value: value >= 0),
        "iterated_power": one_of("auto") | integer(at_least=0),
        "n_oversamples": integer(at_least=1),
        "power_iteration_normalizer": one_of("auto", "QR", "LU", "none"),
        "random_state": integer(at_least=0)
        | Rule("a RandomState", lambda value: isinstance(value, np.random.RandomState))
        | none,
    }
    _statistics: ClassVar = (Scatter, Triangle)
    _columnwise: ClassVar = False
    _products: ClassVar = single_threaded_blas
    # scikit-learn's class takes no weights: a Pipeline is not to ask whether this one wants any.
    __metadata_request__fit: ClassVar = {"sample_weight": False}
    __metadata_request__partial_fit: ClassVar = {"sample_weight": False}

    def __init__(
        self,
        n_components: int | float | str | None = None,
        *,
        copy: bool = True,
        whiten: bool = False,
        svd_solver: str = "auto",
        tol: float = 0.0,
        iterated_power: int | str = "auto",
        n_oversamples: int = 10,
        power_iteration_normalizer: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.n_components = n_components
        self.copy = copy
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.tol = tol
        self.iterated_power = iterated_power
        self.n_oversamples = n_oversamples
        self.power_iteration_normalizer = power_iteration_normalizer
        self.random_state = random_state

    # Learning -------------------------------------------------------------------------

    def _plan(self, occasion: Occasion) -> None:
        if occasion.is_sparse and self.svd_solver in ("full", "randomized"):
            raise TypeError(
                'PCA only support sparse inputs with the "arpack" and "covariance_eigh" solvers, '
                f'while "{self.svd_solver}" was passed. See TruncatedSVD for a possible '
                "alternative."
            )
        earlier, n_features = occasion.earlier, occasion.n_features
        n_rows = occasion.n_effective + (0 if earlier is None else earlier.total)
        self._smaller_ = int(min(max(n_rows, 1), n_features))
        self._solver_ = self.svd_solver
        if self.svd_solver == "auto":
            self._solver_ = choose_solver(
                self.n_components, n_rows, n_features, occasion.is_partial, occasion.is_sparse
            )
        # More rows may come to a partial fit; until then it keeps fewer components.
        later = np.inf if occasion.is_partial else n_rows
        check_components(self.n_components, later, n_features, self._solver_)
        self._kind_ = Scatter if self._solver_ == "covariance_eigh" else Triangle
        if earlier is not None:
            if self.svd_solver != "auto" and type(earlier) is not self._kind_:
                raise IncompatibleStatisticError(
                    f"svd_solver={self.svd_solver!r} is solved from the {self._kind_.__name__} of "
                    f"the rows, and what there is of them is their {type(earlier).__name__}. Fit "
                    "from the start, or set svd_solver='auto', which takes either."
                )
            goes_on = occasion.is_partial and self.svd_solver == "auto"
            self._kind_ = Triangle if goes_on else type(earlier)
        if self._kind_ is Scatter:
            self._solver_ = "covariance_eigh"
            check_width(int(n_rows), n_features, "PCA(svd_solver='covariance_eigh')")
        else:
            check_triangle(int(n_rows), n_features)
        self._may_refine_ = self.svd_solver == "auto" and earlier is None

    def _kind(self) -> type:
        return self._kind_

    def _refinements(self) -> set[type]:
        return {Triangle} if self._may_refine_ and self._kind_ is Scatter else set()

    def _recast(self, earlier: Any) -> Any:
        return recast(earlier, self._kind_)

    def _block_rows(self, n_features: int) -> int:
        return tall_block_rows(n_features)

    def _solve(self, statistic: Scatter | Triangle) -> Computation[None]:
        axes, squares = yield partial(self._find_axes, statistic)
        freedom = float(degrees_of_freedom(statistic.total, 1, squares))
        variance, total = axes.singular_values**2 / freedom, squares / freedom
        k = len(variance)
        if self._solver_ not in ("arpack", "randomized"):
            k = resolve_components(self.n_components, self._solver_, variance, statistic.total)
        rest = self._smaller_ - k
        noise = (total - float(variance[:k].sum())) / rest if rest > 0 else 0.0
        if rest > 0 and len(variance) == self._smaller_:
            noise = float(variance[k:].mean())
        first = axes.singular_values[0] if len(variance) else 0.0
        self._axes_ = axes._replace(
            singular_values=axes.singular_values[:k], components=axes.components[:k]
        )
        self._deviation_, self._noise_ = np.sqrt(variance[:k]), max(noise, 0.0)
        self._is_signal_ = axes.singular_values[:k] > axes.floor * first
        self._mean_low_, self._near_zero_ = statistic.mean_low, is_near_zero(statistic)
        self.mean_ = np.array(statistic.mean)
        self.components_ = self._axes_.components.astype(
            np.float32 if self._dtype_ == np.float32 else np.float64
        )
        with np.errstate(over="ignore"):
            self.explained_variance_ = np.ldexp(variance[:k], 2 * axes.exponent)
            self.singular_values_ = np.ldexp(axes.singular_values[:k], axes.exponent)
            self.noise_variance_ = float(np.ldexp(self._noise_, 2 * axes.exponent))
        self.explained_variance_ratio_ = variance[:k] / (total if total > 0 else 1.0)
        self.n_components_ = k
        self.n_samples_ = plain_count(np.array([statistic.total]))

    def _find_axes(self, statistic: Scatter | Triangle) -> tuple[Axes, float]:
        """The axes that the solver finds, and the sum of squares of the rows in their units."""
        if self._solver_ not in ("arpack", "randomized") or isinstance(statistic, Scatter):
            number: Any = self.n_components if is_integer(self.n_components) else None
            k = self._smaller_ if number is None else min(int(number), self._smaller_)
            may_square = self.svd_solver == "auto" and number is not None
            axes = linalg.complete(principal_axes(statistic, k, may_square), k)
            values = np.zeros(self._smaller_)
            values[: len(axes.singular_values)] = axes.singular_values[: len(values)]
            return axes._replace(singular_values=values), float((values**2).sum())
        triangle, exponent = common_units(statistic.triangle, statistic.exponent)
        wanted = np.ones(self._smaller_)
        k = resolve_components(self.n_components, self._solver_, wanted, statistic.total)
        random_state = check_random_state(self.random_state)
        if self._solver_ == "arpack":
            axes = linalg.arpack_axes(triangle, statistic.total, k, self.tol, random_state)
        else:
            axes = linalg.randomized_axes(
                triangle,
                statistic.total,
                k,
                n_oversamples=self.n_oversamples,
                n_iter=self.iterated_power,
                power_iteration_normalizer=self.power_iteration_normalizer,
                random_state=random_state,
            )
        squares = float(np.einsum("ij,ij->", triangle, triangle))
        values = axes.singular_values[:k]
        return linalg.complete(axes._replace(singular_values=values, exponent=exponent), k), squares

    def _refine(self) -> bool:
        """Take the triangle instead of the scatter matrix if a direction is too weak for it."""
        if not (self._may_refine_ and self._kind_ is Scatter) or self.n_components_ == 0:
            return False
        values = self._axes_.singular_values
        if values[-1] >= linalg.WEAK * values[0]:
            return False
        self._kind_, self._solver_ = Triangle, "full"
        return True

    # Applying -------------------------------------------------------------------------

    def _apply(self) -> Apply:
        exponent, directions = self._axes_.exponent, self._directions()
        units = np.full(len(self.mean_), exponent)
        back = 0 if self.whiten else exponent
        return projection(
            self.mean_, self._mean_low_, directions.T, units, back, near_zero=self._near_zero_
        )

    def _affine_map(self) -> AffineMap | None:
        # Along a direction of noise, what is computed of the rows is the rounding of their sums.
        if self._axes_.exponent or self.n_components_ == 0 or not self._is_signal_.all():
            return None
        zeros = np.zeros(self.n_components_)
        return AffineMap(self._directions(), zeros, self.mean_, self._mean_low_)

    def _directions(self) -> Array:
        """What centred rows are projected on, in units of the axes."""
        components = self._axes_.components
        if not self.whiten:
            return components
        deviation = np.where(self._is_signal_, self._deviation_, 1.0)
        return components * np.where(self._is_signal_, 1 / deviation, 0.0)[:, np.newaxis]

    def _invert(self, columns: Any) -> Apply:
        components = self._axes_.components
        if self.whiten:
            components = components * self._deviation_[:, np.newaxis]
        units = np.full(len(self.mean_), self._axes_.exponent if self.whiten else 0)
        return reconstruction(self.mean_, self._mean_low_, components, units)

    def _centre(self, rows: Rows, exponent: int) -> Array:
        units = np.full(len(self.mean_), exponent) if exponent else None
        return kernels.subtract(rows, self.mean_, self._mean_low_, units)

    # The probabilistic model ------------------------------------------------------------

    def get_covariance(self) -> Array:
        """Covariance of the probabilistic model: components plus noise of equal variance.

        Returns
        -------
        covariance : ndarray of shape (n_features_in_, n_features_in_)
        """
        check_is_fitted(self)
        check_width(int(self.n_samples_), len(self.mean_), "PCA.get_covariance")
        return np.ldexp(self._model().covariance(), 2 * self._axes_.exponent)

    def get_precision(self) -> Array:
        """Inverse of `get_covariance`; its pseudo-inverse where there is no noise.

        Returns
        -------
        precision : ndarray of shape (n_features_in_, n_features_in_)
        """
        check_is_fitted(self)
        check_width(int(self.n_samples_), len(self.mean_), "PCA.get_precision")
        return np.ldexp(self._model().precision(), -2 * self._axes_.exponent)

    def score_samples(self, X: Any) -> Array:
        """Log-likelihood of every row under the probabilistic model.

        Without noise, that of its component in the subspace of the model.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows with the columns that were learned from.

        Returns
        -------
        log_likelihood : ndarray of shape (n_samples,), float64
        """
        check_is_fitted(self)
        table, model = open_table(self, X), self._model()
        likelihood, exponent = np.empty((table.shape[0], 1)), self._axes_.exponent
        log_unit = model.dimensions * exponent * np.log(2.0)

        def score(rows: Rows, out: Array) -> bool:
            out[:, 0] = model.log_likelihood(self._centre(rows, exponent)) - log_unit
            return bool(np.isfinite(out.sum()))

        with self._products:
            self._write(table, score, likelihood)
        return likelihood[:, 0]

    def score(self, X: Any, y: Any = None) -> float:
        """Mean log-likelihood of rows under the probabilistic model.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows with the columns that were learned from.
        y : None
            Ignored.

        Returns
        -------
        log_likelihood : float
        """
        return float(np.mean(self.score_samples(X)))

    def _model(self) -> ProbabilisticModel:
        """The model, in units of ``2**exponent`` of the axes."""
        variance = np.where(self._is_signal_, self._deviation_**2, 0.0)
        return ProbabilisticModel(self._axes_.components, variance, self._noise_)

    def _check_sparse(self, X: Any) -> Sequence[str]:
        return ("csr", "csc")

    @property
    def _n_features_out(self) -> int:
        return self.components_.shape[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.svd_solver in ("auto", "arpack", "covariance_eigh")
        return tags
