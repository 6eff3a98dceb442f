"""Batch normalizations with linear heads, trained side by side: how gamma and beta are learned.

The head predicts from what the normalization gives: softmax for classes, the identity for
numbers. The penalty ``weight_decay / 2 * (gamma**2 + head**2)`` is part of the loss. Behind the
identity only the product of gamma and head counts, and of all ways to write one the penalty is
smallest at ``weight_decay * norm(product of the column)``: a group lasso, which gives columns that
do not help a gamma of zero.

Networks that differ in their weight decay, or in the rows that they learn from, are trained as one:
small ones spend their time on the interpreter, which many then need no more of than one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import log_softmax

from skscale._kernels import Array
from skscale.normalization._activation import ACTIVATIONS, Activation
from skscale.normalization.functional import batch_norm, batch_norm_backward

TINY = 1e-300
"""Added to a variance of 1, which stays 1: the rows are standardized already."""

FIRST_DECAY, SECOND_DECAY, GUARD = 0.9, 0.999, 1e-8
"""Of Adam's averages of gradients and of their squares, and what keeps its steps finite."""

ODD = [ACTIVATIONS[name] for name in ("identity", "tanh", "softclip")]
"""Activations of which the head cannot tell the sign of gamma and beta."""

SPREAD = 0.01
"""Standard deviation of the first weights of the head, small beside a gamma of 1."""


class Examples(NamedTuple):
    """Rows that are learned from.

    Parameters
    ----------
    rows : array of shape (n_rows, n_features)
        Standardized.
    targets : array of shape (n_rows, n_outputs)
        Standardized numbers, or ones and zeros.
    weights : array of shape (n_rows,)
        Positive.
    """

    rows: Array
    targets: Array
    weights: Array

    def take(self, which: Array) -> Examples:
        """Some of the rows, by number."""
        return Examples(self.rows[which], self.targets[which], self.weights[which])


class Batch(NamedTuple):
    """Examples of several networks side by side.

    Parameters
    ----------
    rows : array of shape (n_rows, n_networks * n_features)
    targets : array of shape (n_networks, n_rows, n_outputs)
    shares : array of shape (n_networks, n_rows, 1)
        Weights, summing to 1.
    """

    rows: Array
    targets: Array
    shares: Array

    @classmethod
    def of(cls, examples: Sequence[Examples], times: int) -> Batch:
        """Examples of equal length, each for so many networks in a row."""
        rows = np.stack([each.rows for each in examples], axis=1)
        weights = np.stack([each.weights for each in examples])[..., np.newaxis]
        return cls(
            np.repeat(rows, times, axis=1).reshape(len(rows), -1),
            np.repeat(np.stack([each.targets for each in examples]), times, axis=0),
            np.repeat(weights / weights.sum(axis=1, keepdims=True), times, axis=0),
        )


class Parameters(NamedTuple):
    """What is trained, of every network."""

    gamma: Array
    beta: Array
    head: Array
    bias: Array


class Networks(NamedTuple):
    """The shape of some networks, and their losses.

    Parameters
    ----------
    activation : Activation
        Between the normalization and the head.
    n_features, n_outputs : int
    parts : sequence of slice
        The columns of the targets that are the classes of one output; none for numbers.
    weight_decay : array of shape (n_networks,)
        Of gamma and of the head alike.
    """

    activation: Activation
    n_features: int
    n_outputs: int
    parts: Sequence[slice]
    weight_decay: Array

    def start(self, random: np.random.Generator) -> Array:
        """Parameters to begin with, one row for each network: gamma 1, beta and bias 0."""
        head = random.normal(0, SPREAD, self.n_features * self.n_outputs)
        ones, zeros = np.ones(self.n_features), np.zeros(self.n_features)
        one = np.concatenate([ones, zeros, head, np.zeros(self.n_outputs)])
        return np.tile(one, (len(self.weight_decay), 1))

    def unpack(self, table: Array) -> Parameters:
        """Parameters, or their gradients, taken apart."""
        p, k = self.n_features, self.n_outputs
        gamma, beta, head, bias = np.split(table, [p, 2 * p, 2 * p + p * k], axis=1)
        return Parameters(gamma, beta, head.reshape(-1, p, k), bias[:, np.newaxis])

    def normal_form(self, row: Array) -> tuple[Array, Array]:
        """Gamma and beta of one network, of all that predict the same.

        Not negative where the head cannot tell the sign; behind the identity, of squares that are 1
        on average.
        """
        gamma, beta = (part[0] for part in self.unpack(row[np.newaxis])[:2])
        if self.activation in ODD:
            sign = np.where(gamma < 0, -1.0, 1.0)
            gamma, beta = sign * gamma, sign * beta
        size = np.sqrt(np.mean(gamma**2))
        if self.activation is ACTIVATIONS["identity"] and size > 0:
            gamma, beta = gamma / size, beta / size
        return gamma, beta

    def loss(self, table: Array, batch: Batch) -> Array:
        """Mean loss of the predictions of every network, without the penalty."""
        parameters = self.unpack(table)
        _, _, active = self._activate(parameters, batch)
        loss, _ = self._compare(active @ parameters.head + parameters.bias, batch)
        return loss

    def gradient(self, table: Array, batch: Batch) -> tuple[Array, Array]:
        """Loss of every network, with the penalty, and its gradient."""
        parameters = self.unpack(table)
        gamma, _, head, bias = parameters
        hidden, cache, active = self._activate(parameters, batch)
        loss, of_output = self._compare(active @ head + bias, batch)
        of_active = (of_output @ head.transpose(0, 2, 1)).transpose(1, 0, 2)
        of_hidden = of_active.reshape(hidden.shape)
        is_linear = self.activation is ACTIVATIONS["identity"]
        if not is_linear:
            of_hidden = of_hidden * self.activation.derivative(hidden)
        _, of_gamma, of_beta = batch_norm_backward(of_hidden, cache)
        decay = self.weight_decay[:, np.newaxis]
        gradient = np.empty_like(table)
        parts = self.unpack(gradient)
        parts.gamma[...] = of_gamma.reshape(gamma.shape) + decay * gamma
        # Behind the identity the bias says all that beta could, which would drift with it.
        parts.beta[...] = 0.0 if is_linear else of_beta.reshape(gamma.shape)
        parts.head[...] = active.transpose(0, 2, 1) @ of_output + decay[..., np.newaxis] * head
        parts.bias[...] = of_output.sum(axis=1, keepdims=True)
        squares = (gamma**2).sum(axis=1) + (head**2).sum(axis=(1, 2))
        return loss + self.weight_decay / 2 * squares, gradient

    def _activate(self, parameters: Parameters, batch: Batch) -> tuple[Array, Any, Array]:
        """What comes out of the normalization, and what the heads get of it, network by network."""
        gamma, beta = parameters.gamma.ravel(), parameters.beta.ravel()
        zeros, ones = np.zeros(len(gamma)), np.ones(len(gamma))
        hidden, cache = batch_norm(batch.rows, gamma, beta, mean=zeros, var=ones, epsilon=TINY)
        active = self.activation.forward(hidden)
        return hidden, cache, active.reshape(len(hidden), -1, self.n_features).transpose(1, 0, 2)

    def _compare(self, outputs: Array, batch: Batch) -> tuple[Array, Array]:
        """Weighted mean losses of outputs, and their derivatives by each of them."""
        targets, shares = batch.targets, batch.shares
        if not self.parts:
            error = outputs - targets
            return (error**2 * shares).sum(axis=(1, 2)) / 2, error * shares
        log_chances = np.concatenate(
            [log_softmax(outputs[..., part], axis=-1) for part in self.parts], axis=-1
        )
        loss = -(targets * log_chances * shares).sum(axis=(1, 2))
        return loss, (np.exp(log_chances) - targets) * shares


class Descent(NamedTuple):
    """Parameters on their way, and Adam's averages of their gradients."""

    table: Array
    mean: Array
    square: Array
    n_steps: int = 0

    @classmethod
    def begin(cls, table: Array) -> Descent:
        return cls(table, np.zeros_like(table), np.zeros_like(table))

    def keep(self, which: Array) -> Descent:
        """That of some of the networks."""
        table, mean, square = (part[which] for part in self[:3])
        return Descent(table, mean, square, self.n_steps)

    def step(self, gradient: Array, rate: float) -> Descent:
        """One step of Adam."""
        n_steps = self.n_steps + 1
        mean = FIRST_DECAY * self.mean + (1 - FIRST_DECAY) * gradient
        square = SECOND_DECAY * self.square + (1 - SECOND_DECAY) * gradient**2
        size = np.sqrt(square / (1 - SECOND_DECAY**n_steps)) + GUARD
        table = self.table - rate * (mean / (1 - FIRST_DECAY**n_steps)) / size
        return Descent(table, mean, square, n_steps)


class Schedule(NamedTuple):
    """How long, in what steps and by how many rows at a time is learned.

    Parameters
    ----------
    learning_rate : float
        Of the first epoch.
    batch_size : int
    n_epochs : int
        The learning rate falls in a line, to zero after so many.
    """

    learning_rate: float
    batch_size: int
    n_epochs: int

    def rate(self, epoch: int) -> float:
        """Learning rate of an epoch, the first being 1."""
        return self.learning_rate * (1 - (epoch - 1) / self.n_epochs)


def one_epoch(
    networks: Networks,
    descent: Descent,
    examples: Sequence[Examples],
    schedule: Schedule,
    epoch: int,
    random: np.random.Generator,
) -> tuple[Descent, Array]:
    """Go through the examples once, in mini-batches; mean of the losses on the way.

    The networks are as many for each of the examples, in order. Where some are of one row more,
    another row is left out in every epoch.
    """
    n_rows, times = min(len(each.rows) for each in examples), len(networks.weight_decay)
    orders = [random.permutation(len(each.rows)) for each in examples]
    losses = []
    for places in np.array_split(np.arange(n_rows), max(1, n_rows // schedule.batch_size)):
        taken = [each.take(order[places]) for each, order in zip(examples, orders, strict=True)]
        batch = Batch.of(taken, times // len(examples))
        loss, gradient = networks.gradient(descent.table, batch)
        descent = descent.step(gradient, schedule.rate(epoch))
        losses.append(loss)
    return descent, np.mean(losses, axis=0)


def train(
    networks: Networks, examples: Sequence[Examples], schedule: Schedule, n_epochs: int, seed: int
) -> Iterator[tuple[Descent, Array]]:
    """Where the descent is after every epoch, and the mean losses of it."""
    random = np.random.default_rng(seed)
    descent = Descent.begin(networks.start(random))
    for epoch in range(1, n_epochs + 1):
        descent, loss = one_epoch(networks, descent, examples, schedule, epoch, random)
        yield descent, loss
