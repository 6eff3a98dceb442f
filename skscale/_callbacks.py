"""scikit-learn's callbacks, told of every fit where the installed version has them."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator
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


__all__ = [
    "SUPPORTED",
    "CallbackSupportMixin",
    "callback_state",
    "fit_task",
    "has_callbacks",
    "streamed_task",
    "with_callbacks",
]

Tell = Callable[..., None]


def has_callbacks(estimator: Any) -> bool:
    """Whether anybody is to be told of the fits of an estimator."""
    return bool(getattr(estimator, "_skl_callbacks", None))


def callback_state(estimator: Any) -> dict[str, Any]:
    """What scikit-learn keeps of callbacks in an estimator, while it is being fitted too."""
    return {name: value for name, value in vars(estimator).items() if "_callback" in name}


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


@contextmanager
def streamed_task(estimator: Any) -> Iterator[Callable[[int | None], Tell] | None]:
    """Tell the callbacks of an estimator of a fit in passes over blocks, if it has any.

    Yields
    ------
    begin_pass : callable or None
        Called with the number of blocks, if that is known, as a pass begins. Returns what is called
        with every block: its rows, labels and weights, as scikit-learn names them.
    """
    if not has_callbacks(estimator):
        yield None
        return
    context = estimator._init_callback_context(max_subtasks=None)
    context.call_on_fit_task_begin(estimator=estimator)
    passes: list[Any] = []

    def end_pass() -> None:
        if passes:
            passes.pop().call_on_fit_task_end(estimator=estimator)

    def begin_pass(n_blocks: int | None) -> Tell:
        end_pass()
        one = context.subcontext(task_name="pass", max_subtasks=n_blocks)
        one.call_on_fit_task_begin(estimator=estimator)
        passes.append(one)

        def tell(**told: Any) -> None:
            block = one.subcontext(task_name="block")
            block.call_on_fit_task_begin(estimator=estimator, **told)
            block.call_on_fit_task_end(estimator=estimator, **told)

        return tell

    yield begin_pass
    end_pass()
    context.call_on_fit_task_end(estimator=estimator, reconstruction_attributes={})
