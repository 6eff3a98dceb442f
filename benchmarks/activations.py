"""Activation normalization that is timed: our functions, and PyTorch's where it is installed.

A gradient is timed without the forward step before it. PyTorch uses as many threads as we do.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.sides import Call, Side
from skscale._threads import allowed_threads
from skscale.normalization import functional

try:
    import torch
except ImportError:
    torch = None

N_GROUPS, N_STEPS = 10, 100
FUNCTIONS = ("batch_norm", "layer_norm", "group_norm", "rms_norm", "instance_norm")


def ours(name: str, *, backward: bool) -> Side:
    """Return the side of one of our functions, or of its backward step."""

    def side(X: np.ndarray) -> Call:
        X, gradient, gamma, beta = given(name, X)
        forward = getattr(functional, name)
        groups = (n_groups(X),) if name == "group_norm" else ()
        if not backward:
            return lambda: forward(X, *groups, gamma, beta)
        _, cache = forward(X, *groups, gamma, beta)
        step_back = getattr(functional, f"{name}_backward")
        return lambda: step_back(gradient, cache)

    return side


def theirs(name: str, *, backward: bool) -> Side | None:
    """Return the side of PyTorch, if it is there; series of it have time last."""
    if torch is None:
        return None

    def side(X: np.ndarray) -> Call:
        torch.set_num_threads(allowed_threads())
        X, gradient, *affine = given(name, X)
        if X.ndim == 3:
            X, gradient = (np.ascontiguousarray(part.swapaxes(1, 2)) for part in (X, gradient))
        leaves = [torch.tensor(part, requires_grad=True) for part in (X, *affine)]
        forward = of_torch(name, X.shape[1])
        if not backward:
            return torch.no_grad()(lambda: forward(*leaves))
        Y, dY = forward(*leaves), torch.from_numpy(gradient)
        return lambda: torch.autograd.grad(Y, leaves, dY, retain_graph=True)

    return side


def of_torch(name: str, n_features: int) -> Callable[..., Any]:
    """Return PyTorch's function of the rows, gamma and beta."""
    library = torch.nn.functional
    return {
        "batch_norm": lambda X, *by: library.batch_norm(X, None, None, *by, training=True),
        "layer_norm": lambda X, *by: library.layer_norm(X, (n_features,), *by),
        "group_norm": lambda X, *by: library.group_norm(X, n_groups(X), *by),
        "rms_norm": lambda X, gamma, beta: library.rms_norm(X, (n_features,), gamma) + beta,
        "instance_norm": lambda X, *by: library.instance_norm(X, None, None, *by),
    }[name]


def n_groups(X: Any) -> int:
    """Return how many groups the features are cut into: one, if that many do not divide them."""
    return N_GROUPS if X.shape[-1] % N_GROUPS == 0 else 1


def given(name: str, X: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the rows, or series of them, a gradient, gamma and beta, of one dtype."""
    random = np.random.default_rng(4)
    gamma, beta = random.normal(size=(2, X.shape[1])).astype(X.dtype)
    gradient = random.normal(size=X.shape).astype(X.dtype)
    if name == "instance_norm":
        series = (-1, min(N_STEPS, len(X)), X.shape[1])
        X, gradient = X.reshape(series), gradient.reshape(series)
    return X, gradient, gamma, beta
