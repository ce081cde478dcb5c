"""What the runs on the collection say: ranks, wins and means over seeds."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from tables.collection import HELD_OUT, TABLES

Means = dict[str, dict[str, float]]
"""By output and contestant, the mean over seeds of the main metric."""


def read(folder: Path, contestants: Sequence[str], seeds: int) -> tuple[dict[str, Means], dict[str, float]]:
    """Return the means of every table that all contestants finished, and the CPU seconds of each contestant."""
    found: dict[str, Means] = {}
    seconds: dict[str, float] = defaultdict(float)
    for name in TABLES:
        paths = {who: [folder / name / f"{who}-{seed}.json" for seed in range(seeds)] for who in contestants}
        if not all(path.exists() for each in paths.values() for path in each):
            continue
        runs = {who: [json.loads(path.read_text()) for path in each] for who, each in paths.items()}
        outputs = runs[contestants[0]][0]["scores"]
        found[name] = {
            output: {who: fmean(run["scores"][output] for run in each) for who, each in runs.items()}
            for output in outputs
        }
        for who, each in runs.items():
            seconds[who] += fmean(run["seconds"] for run in each)
    return found, seconds


def ranks(scores: Mapping[str, float]) -> dict[str, float]:
    """Return the rank of every contestant, 1 the best; contestants that tie share the mean of their ranks."""
    return {
        who: 1 + sum(other > score for other in scores.values()) + (list(scores.values()).count(score) - 1) / 2
        for who, score in scores.items()
    }


def summary(found: Mapping[str, Means], contestants: Sequence[str], seconds: Mapping[str, float]) -> str:
    """Return a table with mean ranks and wins, on the tables of choices and on those held out."""
    lines = [
        "| contestant | mean rank, tables of choices | wins | mean rank, held out | wins | CPU seconds, all tables |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    halves = [[n for n in found if n not in HELD_OUT], [n for n in found if n in HELD_OUT]]
    for who in contestants:
        cells = [who]
        for half in halves:
            tasks = [ranks(scores) for name in half for scores in found[name].values()]
            cells += [
                f"{fmean(each[who] for each in tasks):.2f}",
                f"{sum(each[who] == 1 for each in tasks)} of {len(tasks)}",
            ]
        lines.append("| " + " | ".join([*cells, f"{seconds[who]:,.0f}"]) + " |")
    return "\n".join(lines)


def details(found: Mapping[str, Means], contestants: Sequence[str], parts: Mapping[str, str]) -> str:
    """Return a table with every task's mean metric; the best is bold."""
    lines = [
        f"| table | task | {' | '.join(contestants)} |",
        "| --- | --- | " + " | ".join("---:" for _ in contestants) + " |",
    ]
    for name, outputs in found.items():
        title = f"`{name}`{' (held out)' if name in HELD_OUT else ''}, {parts[name]}"
        for output, scores in outputs.items():
            best = max(scores.values())
            cells = [f"**{scores[who]:.4f}**" if scores[who] == best else f"{scores[who]:.4f}" for who in contestants]
            lines.append(f"| {title} | {output} | {' | '.join(cells)} |")
            title = ""
    return "\n".join(lines)
