"""Reproduce the experiments of the MMoE paper on made-up tasks: a map, its figures, and what helps where runs fail.

python benchmarks/paper/run.py [--minutes 120] [--steps 3000] [--seeds 16] [--many 200]

Results are kept in runs/paper, one file for every training of up to 25 seeds: a run that was cut short goes on where it
stopped. At the end, or when the minutes are over (0: at once), the section of docs/results and its pictures are made
from all that is there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path

import torch
from grid import grid
from picture import draw
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from section import section
from setting import Setting, timed

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gatewise.files import write_text
from page import ROOT, write_section

STORE = ROOT / "runs" / "paper"
PROCESSES = 2


def kept(setting: Setting) -> list[float] | None:
    """Return the losses of a setting that was run before."""
    path = STORE / f"{setting.key}.json"
    return json.loads(path.read_text())["losses"] if path.exists() else None


def keep(setting: Setting, found: dict[str, object]) -> None:
    """Write the results of a setting."""
    STORE.mkdir(parents=True, exist_ok=True)
    write_text(STORE / f"{setting.key}.json", json.dumps(asdict(setting) | found) + "\n")


def run_all(settings: list[Setting], minutes: float) -> None:
    """Run what is missing, several settings at a time, until the minutes are over."""
    end = time.monotonic() + 60 * minutes
    waiting = [setting for setting in settings if kept(setting) is None]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    context = multiprocessing.get_context("spawn")
    with (
        Progress(*columns, console=Console(stderr=True)) as bar,
        ProcessPoolExecutor(PROCESSES, context, torch.set_num_threads, (1,)) as pool,
    ):
        task = bar.add_task("settings", total=len(settings), completed=len(settings) - len(waiting))
        running: dict[Future[dict[str, object]], Setting] = {}
        while (waiting and time.monotonic() < end) or running:
            while waiting and len(running) < PROCESSES and time.monotonic() < end:
                setting = waiting.pop(0)
                running[pool.submit(timed, setting)] = setting
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                keep(running.pop(future), future.result())
                bar.advance(task)


def main() -> None:
    """Run the grid and write the section."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--steps", type=int, default=3000, help="of every training in the map")
    parser.add_argument("--seeds", type=int, default=16, help="of every setting in the map")
    parser.add_argument("--many", type=int, default=200, help="seeds of the figures and of the remedies")
    options = parser.parse_args()
    chosen = grid(options.steps, options.seeds, options.many)
    run_all(chosen.parts, options.minutes)
    results = {part: losses for part in chosen.parts if (losses := kept(part)) is not None}
    draw(chosen, results, ROOT / "docs" / "images")
    write_section("paper", section(chosen, results))


if __name__ == "__main__":
    main()
