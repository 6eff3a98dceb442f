"""Batch normalization with gamma and beta learned from what is to be predicted."""

from __future__ import annotations

from typing import Any, ClassVar, Self, final

import numpy as np
from sklearn.base import OneToOneFeatureMixin
from sklearn.utils import check_random_state

from skscale import _tables as tables
from skscale._admission import check_weights, warn_of_empty
from skscale._base import InvertibleTransformer
from skscale._blas import single_threaded_blas
from skscale._blocks import Apply, apply_table, measure_table, output_for
from skscale._callbacks import fit_task, with_callbacks
from skscale._kernels import Array
from skscale._opening import open_table
from skscale._parameters import Rule, integer, is_integer, none, one_of, real
from skscale._provenance import recorded
from skscale._reduce import block_rows
from skscale._tables import Table
from skscale.normalization._activation import ACTIVATIONS
from skscale.normalization._batch import BatchNormalizer
from skscale.normalization._held_out import folds, is_one_group, kept_weights, read_groups
from skscale.normalization._network import (
    Descent,
    Examples,
    Networks,
    Schedule,
    one_epoch,
    train,
)
from skscale.normalization._response import (
    CLASSES,
    NUMBERS,
    Response,
    kind_and_classes,
    kind_of,
    read_response,
)
from skscale.normalization._weight_decay import (
    FEWEST_ROWS,
    candidates,
    choose,
    held_out_parts,
)
from skscale.statistics import PooledBatches

STEPS = 20
"""Mini-batches of an epoch, about, where their size is not given."""

SMALLEST_BATCH, LARGEST_BATCH = 16, 256


@final
class SupervisedBatchNormalizer(OneToOneFeatureMixin, InvertibleTransformer):
    """Batch normalization whose gamma and beta are learned from `y`.

    Columns are standardized, and multiplied by what they are worth to a linear prediction of `y`:
    columns of noise shrink towards zero before neighbours, kernels or networks see them. A linear
    head, softmax for classes and the identity for numbers, is trained with gamma and beta, and
    thrown away. Equal weight decay of gamma and the head is a group lasso on their product.

    Parameters
    ----------
    activation : {"identity", "relu", "tanh", "sigmoid", "softclip"}, default="identity"
        What follows gamma and beta, here and while they are learned; see `BatchNormalizer`.
    epsilon : "auto" or float, default="auto"
        Positive number added to the variance; "auto" adds none, and treats constant columns as
        `StandardScaler` does.
    target_type : {"auto", "continuous", "classes"}, default="auto"
        Whether `y` holds numbers to regress on or classes. "auto" takes words, truth values and
        whole numbers for classes, these if there are at most 10, or 10 rows of each on average:
        name it where a part of the rows could decide otherwise than all.
    weight_decay : "auto" or float, default="auto"
        Half of it times the squares of gamma and of the weights of the head is added to the loss.
        The larger, the more columns are left out. "auto" tries 0.001, 0.003, 0.01, 0.03 and 0.1,
        and takes what predicts held-out training rows best.
    learning_rate : float, default=0.01
        Of Adam in the first epoch; it falls in a line, to zero after `max_iter` epochs.
    batch_size : "auto" or int, default="auto"
        Rows of a mini-batch. "auto" is a twentieth of the rows, 16 at least and 256 at most.
    max_iter : int, default=100
        Largest number of epochs.
    n_iter_no_change : int, default=15
        Training stops when held-out rows have not been predicted better for so many epochs.
    inner_cv : int, default=5
        In so many parts, of at least 2, training rows are held out, one after the other, while the
        weight decay and the number of epochs are chosen; all are learned from afterwards. Fewer
        than 10 rows, or rows of a single group, are learned from for `max_iter` epochs, with a
        weight decay of 0.01.
    cv : int, splitter or list of (train, test), default=5
        In which parts `fit_transform` holds rows out: an int, of at least 2, is that many shuffled
        folds, of whole groups if there are groups, else stratified by class. Every row has to be
        held out once.
    random_state : int, RandomState instance or None, default=None
        Draws held-out rows, mini-batches and first weights. With an int, below 2**32, the same
        rows, in the same container, give the same bits.

    Attributes
    ----------
    gamma_ : ndarray of shape (n_features_in_,), float64
        Scale that was learned. Behind the identity its squares are 1 on average, so that distances
        between rows stay of the size that `StandardScaler` gives them. It is not negative where the
        activation is odd ("identity", "tanh", "softclip").
    beta_ : ndarray of shape (n_features_in_,), float64
        Shift that was learned. Behind the identity it is 0, for the head has a bias of its own.
    normalizer_ : BatchNormalizer
        What transforms: the statistics of all training rows, gamma, beta and the activation.
    running_mean_ : ndarray of shape (n_features_in_,), float64
        Mean that rows are normalized with.
    running_var_ : ndarray of shape (n_features_in_,), float64
        Variance that rows are normalized with.
    classes_ : list of ndarray
        Classes of every output. Not there for regression.
    weight_decay_ : float
        Weight decay that was used.
    loss_curve_ : list of float
        Loss of the training rows, penalty included, in every epoch (call of `partial_fit`).
    n_iter_ : int
        Number of epochs (calls of `partial_fit`).
    statistic_ : PooledBatches
        All that was kept of the rows.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, if all are strings.

    Raises
    ------
    InvalidParameterError
        A parameter outside its range.
    ResponseError
        No `y`, one of another length, with a single class, or with an unknown one.
    SplitError
        `cv` does not hold out every row once.
    InfiniteValueError, NonNumericColumnError, SampleWeightError, SchemaError
        For bad rows, columns or weights; see `skscale.errors`.

    See Also
    --------
    BatchNormalizer : gamma and beta as they are given.

    Notes
    -----
    **fit_transform is not fit followed by transform.** Gamma has seen the labels of the rows that
    it was learned from, and a model that is stacked on it would train on them. `fit_transform`
    therefore transforms each row by what was learned without it, in `cv` parts, as scikit-learn's
    `TargetEncoder` does; what `transform` uses afterwards is learned from all rows. In a Pipeline
    this happens by itself.

    A missing value counts as the mean while gamma is learned, and stays NaN. Gamma says what a
    column adds to a *linear* prediction: a column that matters only together with others, as in
    XOR, or by its distance from a middle, is taken for noise. Sample weights are repetitions, in
    the statistics and in the loss. Rows that belong together are held out together if `fit` and
    `fit_transform` are given `groups`; a Pipeline routes them: ``set_fit_request(groups=True)``.

    Of numbers that are constant nothing can be learned, and no error is made of it: gamma stays 1,
    beta 0, and `n_iter_` is 0. A single class is refused, as scikit-learn's classifiers do; "auto"
    takes whole numbers that are all equal for one.

    Cost: O(n_samples * n_features * n_outputs) time for each epoch, of which there are up to
    ``5 * max_iter`` to choose the weight decay; `fit_transform` learns ``cv + 1`` times. Memory for
    a standardized copy of the rows while gamma is learned; O(n_features) afterwards.

    References
    ----------
    Ioffe, S. and Szegedy, C. (2015). Batch normalization: accelerating deep network training by
    reducing internal covariate shift. ICML 37, 448-456. Kingma, D. P. and Ba, J. (2015). Adam: a
    method for stochastic optimization. ICLR. Yuan, M. and Lin, Y. (2006). Model selection and
    estimation in regression with grouped variables. JRSS B 68, 49-67. Micci-Barreca, D. (2001). A
    preprocessing scheme for high-cardinality categorical attributes. SIGKDD Explorations 3, 27-32.

    Examples
    --------
    The second column has nothing to do with `y`:

    >>> import numpy as np
    >>> from skscale import SupervisedBatchNormalizer
    >>> rows = np.random.default_rng(0).normal(size=(200, 2))
    >>> y = rows[:, 0] > 0
    >>> normalizer = SupervisedBatchNormalizer(random_state=0).fit(rows, y)
    >>> bool(normalizer.gamma_[1] < 0.2 * normalizer.gamma_[0])
    True

    Several numbers to predict, and a column without values, which stays NaN:

    >>> normalizer = SupervisedBatchNormalizer(random_state=0).fit(rows, rows @ [[1, 2], [0, 0]])
    >>> normalizer.transform([[0.0, np.nan]]).shape
    (1, 2)

    Mini-batches of a stream:

    >>> normalizer = SupervisedBatchNormalizer(random_state=0)
    >>> for start in range(0, 200, 50):
    ...     part = slice(start, start + 50)
    ...     normalizer = normalizer.partial_fit(rows[part], y[part], classes=[False, True])
    >>> normalizer.n_iter_
    4
    """

    _rules: ClassVar = {
        "activation": one_of(*ACTIVATIONS),
        "epsilon": one_of("auto") | real("a positive number", lambda value: value > 0),
        "target_type": one_of("auto", NUMBERS, CLASSES),
        "weight_decay": one_of("auto") | real("a number of at least 0", lambda value: value >= 0),
        "learning_rate": real("a positive number", lambda value: value > 0),
        "batch_size": one_of("auto") | integer(at_least=1),
        "max_iter": integer(at_least=1),
        "n_iter_no_change": integer(at_least=1),
        "inner_cv": integer(at_least=2),
        "cv": Rule(
            "an int of at least 2, a splitter or a list of splits",
            lambda value: (
                value >= 2
                if is_integer(value)
                else (hasattr(value, "split") and not isinstance(value, (str, bytes)))
                or (isinstance(value, list) and len(value) > 1)
            ),
        ),
        "random_state": Rule(
            "an int of at least 0 and below 2**32",
            lambda value: is_integer(value) and 0 <= value < 2**32,
        )
        | Rule("a RandomState", lambda value: isinstance(value, np.random.RandomState))
        | none,
    }
    _allow_missing: ClassVar = True
    _products: ClassVar = single_threaded_blas

    def __init__(
        self,
        activation: str = "identity",
        *,
        epsilon: str | float = "auto",
        target_type: str = "auto",
        weight_decay: str | float = "auto",
        learning_rate: float = 0.01,
        batch_size: str | int = "auto",
        max_iter: int = 100,
        n_iter_no_change: int = 15,
        inner_cv: int = 5,
        cv: Any = 5,
        random_state: Any = None,
    ) -> None:
        self.activation = activation
        self.epsilon = epsilon
        self.target_type = target_type
        self.weight_decay = weight_decay
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.n_iter_no_change = n_iter_no_change
        self.inner_cv = inner_cv
        self.cv = cv
        self.random_state = random_state

    # Learning -------------------------------------------------------------------------

    @with_callbacks
    def fit(self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None) -> Self:
        """Learn gamma and beta, forgetting what was learned before.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            What is to be predicted.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            Non-negative. An integer weight stands for that many repetitions of the row.
        groups : array-like of shape (n_samples,), default=None
            Rows that belong together, such as those of one patient, have the same label here:
            where rows are held out to choose by (`inner_cv`), they are held out together.

        Returns
        -------
        self : object
            The fitted transformer. If `fit` raises, it is as it was before.
        """
        with fit_task(self, X, y, sample_weight):
            draft, *_ = self._fitted(X, y, sample_weight, groups)
            draft._warn(draft.normalizer_._empty_columns())
            return self._become(draft)

    @with_callbacks
    def fit_transform(
        self, X: Any, y: Any, sample_weight: Any = None, *, groups: Any = None
    ) -> Any:
        """Learn from all rows, and transform each by what was learned without it.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            What is to be predicted.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            As in `fit`.
        groups : array-like of shape (n_samples,), default=None
            As in `fit`, and for `cv`: a splitter such as GroupKFold is given them, and a number of
            folds keeps them together.

        Returns
        -------
        X_new : array or frame of shape (n_samples, n_features)
            Not what `transform` makes of these rows: see the notes of the class.
        """
        with fit_task(self, X, y, sample_weight):
            draft, table, outputs, weights, groups = self._fitted(X, y, sample_weight, groups)
            out = output_for(table, table.shape[1], True, True)
            given, empty = X if tables.is_frame(X) else table.source, []
            are_classes, seed = draft._kind_ == CLASSES, draft._seed_
            for train, test in folds(self.cv, given, outputs, are_classes, groups, seed):
                part, of_part = self._draft(keep=False), outputs[train]
                rows = open_table(part, tables.take_rows(given, train), reset=True)
                of_rows = kept_weights(weights, train, test, self.cv)
                kept_groups = None if groups is None else groups[train]
                part._begin(of_part, of_rows, draft._kind_, seed, draft._response_.classes)
                part._learn(rows, of_part, of_rows, kept_groups)
                empty.append(part.normalizer_._empty_columns())
                held_out = open_table(part, tables.take_rows(given, test))
                transformed = np.empty(held_out.shape, out.dtype)
                part._write(held_out, part._apply(), transformed)
                out[test] = transformed
            draft._warn(np.any(empty, axis=0))
            self._become(draft)
        return self._as_asked(out, table, self.get_feature_names_out)

    @with_callbacks
    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Learn from more rows: their statistics are added, and gamma and beta moved by one epoch.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows that follow the ones learned from.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            What is to be predicted.
        classes : array-like of shape (n_classes,), or list of them, default=None
            All classes there will be, of every output. Only the first call takes note of them; None
            stands for those of its rows.
        sample_weight : array-like of shape (n_samples,) or float, default=None
            As in `fit`.

        Returns
        -------
        self : object
            The fitted transformer. If `partial_fit` raises, it is as it was before.
        """
        with fit_task(self, X, y, sample_weight):
            draft = self._draft(keep=True)
            table, outputs, weights = draft._open(X, y, sample_weight)
            if hasattr(self, "n_iter_"):
                draft._response_ = self._response_.with_rows(outputs, weights)
            else:
                kind, known = kind_and_classes(outputs, self.target_type, classes)
                draft._begin(outputs, weights, kind, draft._draw(), known)
            draft._go_on(table, outputs, weights)
            return self._become(draft)

    # Applying -------------------------------------------------------------------------

    def _apply(self) -> Apply:
        return self.normalizer_._apply()

    def _invert(self, columns: Any) -> Apply:
        return self.normalizer_._invert(columns)

    # Learning, step by step ---------------------------------------------------------------

    def _fitted(
        self, X: Any, y: Any, sample_weight: Any, groups: Any
    ) -> tuple[Self, Table, Array, Array | None, Array | None]:
        """A draft that has learned from the start, and what it has learned from."""
        draft = self._draft(keep=False)
        table, outputs, weights = draft._open(X, y, sample_weight)
        draft._begin(outputs, weights, kind_of(outputs, self.target_type), draft._draw())
        groups = read_groups(groups, table.shape[0])
        draft._learn(table, outputs, weights, groups)
        return draft, table, outputs, weights, groups

    def _open(self, X: Any, y: Any, sample_weight: Any) -> tuple[Table, Array, Array | None]:
        """Check what is given, before anything is learned."""
        self._check_parameters()
        table = open_table(self, X, reset=not hasattr(self, "n_features_in_"))
        outputs = read_response(y, table.shape[0], type(self).__name__)
        return table, outputs, check_weights(sample_weight, table.shape[0])

    def _draw(self) -> int:
        """A seed for everything that is drawn in a fit."""
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _begin(
        self, outputs: Array, weights: Array | None, kind: str, seed: int, classes: Any = None
    ) -> None:
        """What is to be predicted, and by which random numbers it is learned."""
        self._kind_, self._seed_ = kind, seed
        self._response_: Response = Response.of(outputs, kind, weights, classes)
        if self._response_.classes is not None:
            self.classes_ = self._response_.classes

    def _learn(
        self, table: Table, outputs: Array, weights: Array | None, groups: Array | None
    ) -> None:
        """Learn from the start."""
        self._measure(table, weights)
        if groups is not None and weights is not None:
            groups = groups[weights > 0]
        examples = self._examples(table, outputs, weights)
        networks, losses = self._networks(examples), []
        with self._products:
            chosen, n_epochs = self._choose(networks, examples, groups)
            network = networks._replace(weight_decay=networks.weight_decay[[chosen]])
            schedule = self._schedule(len(examples.rows))
            random = np.random.default_rng(self._seed_)
            self._descent_ = Descent.begin(network.start(random))
            learned = train(network, [examples], schedule, n_epochs, self._seed_)
            for self._descent_, loss in learned:
                losses.append(float(loss[0]))
        self._finish(network, losses)

    def _go_on(self, table: Table, outputs: Array, weights: Array | None) -> None:
        """Add rows to what was learned, or to nothing."""
        is_first = not hasattr(self, "n_iter_")
        self._measure(table, weights)
        examples = self._examples(table, outputs, weights)
        network = self._networks(examples)
        was_chosen = self.weight_decay == "auto" and not is_first
        decay = np.array([self.weight_decay_]) if was_chosen else network.weight_decay[:1]
        network = network._replace(weight_decay=decay)
        random = np.random.default_rng([self._seed_, 0 if is_first else self.n_iter_])
        if is_first:
            self._descent_ = Descent.begin(network.start(random))
        schedule = self._schedule(len(examples.rows))
        with self._products:
            self._descent_, loss = one_epoch(
                network, self._descent_, [examples], schedule, 1, random
            )
        self._finish(network, [*([] if is_first else self.loss_curve_), float(loss[0])])

    def _measure(self, table: Table, weights: Array | None) -> None:
        """Statistics of the rows, added to those of earlier ones."""
        is_first, name = not hasattr(self, "n_iter_"), type(self).__name__
        step = block_rows(table.shape[1])
        with recorded(self, table, weights, begins=is_first) as note:
            statistic = measure_table(table, weights, PooledBatches.of, step, name, note)
        self._dtype_ = table.dtype
        if not is_first:
            statistic = self.statistic_.merge(statistic)
        self.normalizer_: BatchNormalizer = BatchNormalizer(epsilon=self.epsilon)
        self.normalizer_.fit_statistic(statistic)

    def _examples(self, table: Table, outputs: Array, weights: Array | None) -> Examples:
        """Standardized rows, in which missing values are the mean, and targets."""
        rows = np.empty(table.shape)
        apply_table(table, self.normalizer_._apply(), rows, type(self).__name__)
        rows[np.isnan(rows)] = 0.0
        counted = np.ones(len(rows)) if weights is None else weights
        there = counted > 0
        return Examples(rows[there], self._response_.encode(outputs[there]), counted[there])

    def _choose(
        self, networks: Networks, examples: Examples, groups: Array | None
    ) -> tuple[int, int]:
        """Which weight decay, and how many epochs."""
        if self._response_.is_constant:
            return 0, 0
        if len(examples.rows) < FEWEST_ROWS or is_one_group(groups):
            return 0, self.max_iter
        is_one = len(self._response_.parts) == 1
        labels = examples.targets.argmax(axis=1) if is_one else None
        splits = held_out_parts(examples.rows, labels, self.inner_cv, self._seed_, groups)
        schedule = self._schedule(min(len(train) for train, _ in splits))
        return choose(networks, examples, splits, schedule, self.n_iter_no_change, self._seed_)

    def _networks(self, examples: Examples) -> Networks:
        """One network for each weight decay to choose from, the usual one first."""
        shape = examples.rows.shape[1], examples.targets.shape[1]
        activation, parts = ACTIVATIONS[self.activation], self._response_.parts
        return Networks(activation, *shape, parts, candidates(self.weight_decay))

    def _schedule(self, n_rows: int) -> Schedule:
        size = self.batch_size
        if size == "auto":
            size = min(max(n_rows // STEPS, SMALLEST_BATCH), LARGEST_BATCH)
        return Schedule(self.learning_rate, int(size), self.max_iter)

    def _warn(self, empty: Array) -> None:
        warn_of_empty(empty, getattr(self, "feature_names_in_", None))

    def _finish(self, network: Networks, losses: list[float]) -> None:
        """What is learned, as it is used."""
        gamma, beta = network.normal_form(self._descent_.table[0])
        statistic, names = self.normalizer_.statistic_, getattr(self, "feature_names_in_", None)
        self.normalizer_ = BatchNormalizer(
            epsilon=self.epsilon, affine=(gamma, beta), activation=self.activation
        ).fit_statistic(statistic, names)
        self.gamma_, self.beta_, self.statistic_ = gamma, beta, statistic
        self.running_mean_ = self.normalizer_.running_mean_
        self.running_var_ = self.normalizer_.running_var_
        self.weight_decay_ = float(network.weight_decay[0])
        self.loss_curve_, self.n_iter_ = losses, len(losses)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.two_d_labels = True
        return tags
