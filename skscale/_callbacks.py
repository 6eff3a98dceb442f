"""scikit-learn's callbacks, told of every fit where the installed version has them."""

from __future__ import annotations

from abc import ABC
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks

    SUPPORTED = True
except ImportError:  # scikit-learn before 1.9
    SUPPORTED = False

    class CallbackSupportMixin(ABC):  # type: ignore[no-redef]  # noqa: B024 (a mixin of nothing)
        """Nothing to support."""

    def with_callbacks(method: Any) -> Any:
        """Leave the method as it is."""
        return method


__all__ = ["SUPPORTED", "CallbackSupportMixin", "fit_task", "has_callbacks", "with_callbacks"]


def has_callbacks(estimator: Any) -> bool:
    """Whether anybody is to be told of the fits of an estimator."""
    return bool(getattr(estimator, "_skl_callbacks", None))


@contextmanager
def fit_task(estimator: Any, X: Any, y: Any, sample_weight: Any) -> Iterator[None]:
    """Tell the callbacks of an estimator that its fit begins, and that it has succeeded.

    A fit of ours is one task: blocks are not iterations towards a better solution.
    """
    if not has_callbacks(estimator):
        yield
        return
    context = estimator._init_callback_context()
    told = {"estimator": estimator, "X": X, "y": y, "metadata": {"sample_weight": sample_weight}}
    context.call_on_fit_task_begin(**told)
    yield
    context.call_on_fit_task_end(**told, reconstruction_attributes={})
