"""What the runs on the collection say: ranks, wins, means over seeds, and what LightGBM's side of them is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from tables.collection import DIGESTS, HELD_OUT, TABLES
from tables.contestants import TREES, Judged
from tables.resampling import Difference, difference, draws, resampled

Means = dict[str, dict[str, float]]
"""By output and contestant, the mean over seeds of the main metric; who cannot judge an output is not there."""


@dataclass(frozen=True)
class Found:
    """What all contestants reached on a table.

    Attributes:
        means: of the main metric.
        against: by output and contestant, the difference to LightGBM; empty where LightGBM takes no part.
        seconds: by contestant, CPU seconds of the run of the first seed.
        remarks: by contestant, those of its runs; empty where there is nothing to say.
    """

    means: Means
    against: dict[str, dict[str, Difference]]
    seconds: dict[str, float]
    remarks: dict[str, list[str]]


def keep(folder: Path, name: str, who: str, seed: int, digest: str, found: Judged) -> None:
    """Write a run: its scores as JSON, its predictions of the test rows beside it, the labels once for all runs."""
    path, labels = kept(folder, name, who, seed), folder / name / "labels.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = dict(np.load(labels)) if labels.exists() else {}
    for output, of in found.outputs.items():
        if not np.array_equal(known.setdefault(output, of.labels), of.labels):
            raise ValueError(f"{labels}: {who} was judged by other labels of {output}")
    np.savez_compressed(labels, **known)
    predictions = {output: of.predictions.astype(np.float32) for output, of in found.outputs.items()}
    np.savez_compressed(path.with_suffix(".npz"), **predictions)
    metrics = {output: of.metric for output, of in found.outputs.items()}
    written = {"digest": digest, "scores": found.scores, "metrics": metrics}
    path.write_text(json.dumps(written | {"seconds": found.seconds, "remark": found.remark}))


def kept(folder: Path, name: str, who: str, seed: int) -> Path:
    """Return the file of a run."""
    return folder / name / f"{who}-{seed}.json"


def is_kept(folder: Path, name: str, who: str, seed: int) -> bool:
    """Return whether a run is done, of the rows that the table has now, with its predictions."""
    path = kept(folder, name, who, seed)
    if not path.exists() or not path.with_suffix(".npz").exists():
        return False
    return json.loads(path.read_text())["digest"] == DIGESTS[name]


def read(
    folder: Path, contestants: Sequence[str], seeds: int, tables: Sequence[str] = tuple(TABLES)
) -> dict[str, Found]:
    """Return what was found on every table that all contestants finished."""
    found: dict[str, Found] = {}
    for name in tables:
        if not all(is_kept(folder, name, who, seed) for who in contestants for seed in range(seeds)):
            continue
        paths = {who: [kept(folder, name, who, seed) for seed in range(seeds)] for who in contestants}
        runs = {who: [json.loads(path.read_text()) for path in each] for who, each in paths.items()}
        metrics = {output: metric for each in runs.values() for output, metric in each[0]["metrics"].items()}
        means = {
            output: {
                who: fmean(run["scores"][output] for run in each)
                for who, each in runs.items()
                if output in each[0]["scores"]
            }
            for output in metrics
        }
        labels = np.load(folder / name / "labels.npz")
        against = {
            output: _against(
                metric,
                labels[output],
                {who: [np.load(path.with_suffix(".npz"))[output] for path in paths[who]] for who in means[output]},
                means[output],
            )
            for output, metric in metrics.items()
        }
        # seeds may have run on several machines, whose seconds have no mean
        seconds = {who: each[0]["seconds"] for who, each in runs.items()}
        remarks = {who: [run["remark"] for run in each] for who, each in runs.items()}
        found[name] = Found(means, against, seconds, remarks)
    return found


def _against(
    metric: str, labels: np.ndarray, predictions: Mapping[str, Sequence[np.ndarray]], means: Mapping[str, float]
) -> dict[str, Difference]:
    if TREES not in predictions:
        return {}
    counts = draws(len(labels))
    drawn = {who: [resampled(metric, labels, one, counts) for one in each] for who, each in predictions.items()}
    return {
        who: difference(each, drawn[TREES], means[who] - means[TREES]) for who, each in drawn.items() if who != TREES
    }


def ranks(scores: Mapping[str, float], contestants: Sequence[str] = ()) -> dict[str, float]:
    """Return the rank of every contestant, 1 the best; contestants that tie share the mean of their ranks.

    Contestants without a score share the last ranks.
    """
    known = {who: scores.get(who, -np.inf) for who in contestants or scores}
    return {
        who: 1 + sum(other > score for other in known.values()) + (list(known.values()).count(score) - 1) / 2
        for who, score in known.items()
    }


def summary(found: Mapping[str, Found], contestants: Sequence[str]) -> str:
    """Return a table with mean ranks, wins and comparisons, on the tables of choices and on those held out."""
    halves = {"choices": [n for n in found if n not in HELD_OUT], "held out": [n for n in found if n in HELD_OUT]}
    each = ("mean rank", "wins", f"level or above {TREES}", "above (clearly)")
    titles = ["contestant"] + [f"{half}: {title}" for half in halves for title in each] + ["CPU seconds"]
    lines = [f"| {' | '.join(titles)} |", "| --- |" + " ---: |" * (len(titles) - 1)]
    for who in contestants:
        cells = [who]
        for half in halves.values():
            cells += _cells(who, [found[name] for name in half], contestants)
        cells.append(f"{sum(table.seconds[who] for table in found.values()):,.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    missing = {
        who: sum(who not in scores for table in found.values() for scores in table.means.values())
        for who in contestants
    }
    lines += [f"\n{who} cannot judge {n} tasks, where it counts as the last." for who, n in missing.items() if n]
    return "\n".join([*lines, *(f"\n{who}: {said}." for who in contestants if (said := _remarks(who, found)))])


def _remarks(who: str, found: Mapping[str, Found]) -> str:
    """Return which features a contestant does not read, and how many of its runs had too few seconds."""
    left_out = {name: remark.split("; ")[0] for name, table in found.items() for remark in table.remarks[who]}
    words = [f"{words} of `{name}`" for name, words in left_out.items() if words.startswith("without ")]
    remarks = [remark for table in found.values() for remark in table.remarks[who]]
    capped = sum(": cap of " in remark for remark in remarks)
    if capped:
        words.append(f"its CPU seconds were too few for its own size or epochs in {capped} of {len(remarks)} runs")
    return ", ".join(words)


def _cells(who: str, tables: Sequence[Found], contestants: Sequence[str]) -> list[str]:
    tasks = [scores for table in tables for scores in table.means.values()]
    if not tasks:
        return ["-"] * 4
    rank = fmean(ranks(scores, contestants)[who] for scores in tasks)
    wins = sum(scores.get(who) == max(scores.values()) for scores in tasks)
    against = [by[who] for table in tables for by in table.against.values() if who in by]
    level, above = sum(each.level for each in against), sum(each.above for each in against)
    clearly = sum(each.clear > 0 for each in against)
    compared = [str(level), f"{above} ({clearly})"] if against else ["-", "-"]
    return [f"{rank:.2f}", f"{wins} of {len(tasks)}", *compared]


def details(found: Mapping[str, Found], contestants: Sequence[str], parts: Mapping[str, str]) -> str:
    """Return a table with every task's mean metric: bold the best, + clearly above LightGBM, - clearly below."""
    lines = [
        f"| table | task | {' | '.join(contestants)} |",
        "| --- | --- | " + " | ".join("---:" for _ in contestants) + " |",
    ]
    for name, table in found.items():
        title = f"`{name}`{' (held out)' if name in HELD_OUT else ''}, {parts[name]}"
        for output, scores in table.means.items():
            cells = [_cell(who, scores, table.against[output]) for who in contestants]
            lines.append(f"| {title} | {output} | {' | '.join(cells)} |")
            title = ""
    return "\n".join(lines)


def _cell(who: str, scores: Mapping[str, float], against: Mapping[str, Difference]) -> str:
    if who not in scores:
        return "-"
    value = f"**{scores[who]:.4f}**" if scores[who] == max(scores.values()) else f"{scores[who]:.4f}"
    return value + ("", " +", " -")[against[who].clear] if who in against else value
