"""Side after side, round after round: how long calls take, and what fresh processes say."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from math import ceil
from pathlib import Path
from time import perf_counter, sleep

ROOT = Path(__file__).parents[1]

PAUSE = 0.1
"""Seconds before a timed call. Threads of a BLAS spin for some 30 ms after their last product, and
would take a core from whoever comes next."""

SHORTEST = 0.02
"""Seconds that a sample takes at least: shorter work is done many times over."""

LONG = 1.0
"""Seconds from which the first call already tells that once is enough."""


def seconds(work: Callable[[], object], calls: int = 1) -> float:
    """Return how long so many calls take together."""
    start = perf_counter()
    for _ in range(calls):
        result = work()
    spent = perf_counter() - start
    del result  # only now: giving a large result back is not part of the work
    return spent


def stopwatch(work: Callable[[], object], pause: float = PAUSE) -> Callable[[], float]:
    """Return a function that returns the seconds of one call; the work is warmed up already."""
    calls = 1
    if seconds(work) < LONG:
        while (spent := seconds(work, calls)) < SHORTEST:
            calls = ceil(calls * min(10, 1.2 * SHORTEST / spent))

    def sample() -> float:
        sleep(pause)
        return seconds(work, calls) / calls

    return sample


def in_turn(sides: Mapping[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Return the samples of every side, taken round by round.

    Every round starts with another side, and every other round goes backwards, so that none always
    goes first or always follows the same other.
    """
    samples: dict[str, list[float]] = {side: [] for side in sides}
    names = list(sides)
    for turn in range(repeats):
        first = turn % len(names)
        order = names[first:] + names[:first]
        for name in order[:: (-1) ** turn]:
            samples[name].append(sides[name]())
    return samples


def in_a_process(*arguments: str) -> float:
    """Return the number that a fresh Python prints."""
    # Modules are compiled once, as for any user, and not on every import.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True, text=True
    )
    return float(json.loads(done.stdout))
