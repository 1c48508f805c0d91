"""A long series of faults in two processes, each with a seed and a folder of its own."""

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from tests.chaos.tally import Tally

PROCESSES = 2

Series = Callable[[int, int, Path], Tally]


def spread(series: Series, count: int, seed: int, folder: Path) -> Tally:
    """`series(count, seed, folder)`, shared out. `seconds` are the clock's; those of the processors are in `extra`."""
    began = time.perf_counter()
    counts = [count // PROCESSES + (n < count % PROCESSES) for n in range(PROCESSES)]
    seeds = [seed * PROCESSES + n for n in range(PROCESSES)]
    folders = [folder / f"part-{n}" for n in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as pool:
        told, *others = pool.map(partial(_timed, series), counts, seeds, folders)
    for one in others:
        told.add(one)
    told.seed, told.seconds = seed, time.perf_counter() - began
    return told


def _timed(series: Series, count: int, seed: int, folder: Path) -> Tally:
    folder.mkdir(parents=True)
    tally = series(count, seed, folder)
    tally.extra["CPU seconds"] = round(time.process_time(), 1)
    return tally
