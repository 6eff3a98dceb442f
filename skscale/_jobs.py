"""Computations that ask for their long jobs instead of doing them, alone or many together.

A job needs arrays and no interpreter: it can run in any thread, and all of one round at once. What
lies between two jobs is Python, which threads only take from each other.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from skscale._reduce import mapped_blocks

Result = TypeVar("Result")
Job = Callable[[], Any]
Computation = Generator[Job, Any, Result]
"""Yields jobs, is sent what each of them returned, and returns a result."""


def compute(computation: Computation[Result]) -> Result:
    """The result of a computation, whose jobs are done as they come."""
    answer = None
    try:
        while True:
            answer = computation.send(answer)()
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        computation.close()


def compute_all(computations: Sequence[Computation[Result]], size: int) -> list[Result]:
    """Results of computations that take turns: their first jobs, then their second ones.

    Parameters
    ----------
    computations : sequence of generators
        What one raises is raised, and ends all.
    size : int
        How many numbers could be measured in the time that a round of jobs takes, which decides
        whether threads pay.
    """
    results: list[Any] = [None] * len(computations)
    jobs: dict[int, Job] = {}

    def go_on(i: int, answer: Any) -> None:
        try:
            jobs[i] = computations[i].send(answer)
        except StopIteration as end:
            results[i] = end.value

    try:
        for i in range(len(computations)):
            go_on(i, None)
        while jobs:
            asked, jobs = jobs, {}
            with mapped_blocks(lambda job: job(), list(asked.values()), size) as answers:
                for i, answer in zip(asked, list(answers), strict=True):
                    go_on(i, answer)
    finally:
        for computation in computations:
            computation.close()
    return results
