"""Train MMoE on MovieLens, look into it, and put what is seen into docs/insight.md.

python scripts/insight_page.py
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from results_page import ROOT, machine, write_section
from rich.console import Console

import gatewise as gw
from gatewise.analysis import Ablation, GateUsage, Importance, Similarity
from gatewise.cli.show_explanation import explanation_tables
from gatewise.jobs import find_tables
from gatewise.ranker import Ranker

Found = TypeVar("Found")
RECIPE = ROOT / "recipes" / "mmoe.yaml"


def timed(what: str, work: Callable[[], Found], seconds: dict[str, float]) -> Found:
    """Return what some work gives, and note how long it took."""
    started = time.perf_counter()
    found = work()
    seconds[what] = time.perf_counter() - started
    return found


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Return a table in Markdown."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [heads, ["---", *["---:"] * (len(heads) - 1)], *rows])


def gates(usage: list[GateUsage]) -> str:
    """Return mean weights and entropy over all rows and over slices, by task."""
    rows = [
        [f"{each.value or 'all rows'}: {task}", f"{each.rows:,}"]
        + [f"{weight:.2f}" for weight in each.weights[place]]
        + [f"{each.relative_entropy[place]:.3f}"]
        for each in usage
        for place, task in enumerate(each.gates)
    ]
    return table(["ratings of the user so far", "rows", *usage[0].experts, "relative entropy"], rows)


def experts(similarity: Similarity, ablation: Ablation) -> str:
    """Return what removing each expert changes, and the expert that is most like it."""
    others = similarity.cka - 2 * np.eye(len(similarity.experts))
    nearest = [f"{alike.max():.2f} ({similarity.experts[int(alike.argmax())]})" for alike in others]
    rows = [
        [expert, *(f"{change:+.4f}" for change in ablation.change[place]), nearest[place]]
        for place, expert in enumerate(ablation.experts)
    ]
    heads = [f"{output} {metric}" for output, metric in zip(ablation.outputs, ablation.metrics, strict=True)]
    return table(["without", *heads, "greatest CKA"], rows)


def features(importance: dict[str, list[Importance]]) -> str:
    """Return the drop of every feature's metric, with the least and the greatest of the repeats."""
    by_name = [{one.feature: one for one in each} for each in importance.values()]

    def shown(one: Importance) -> str:
        return f"{one.drop:+.4f} ({one.low:+.4f} to {one.high:+.4f})"

    rows = [[name, *(shown(found[name]) for found in by_name)] for name in by_name[0]]
    return table(["shuffled", *(f"{output} {each[0].metric}" for output, each in importance.items())], rows)


def main() -> None:
    """Write the section."""
    recipe = gw.Recipe.read(RECIPE)
    tables = find_tables(recipe, RECIPE.parent)
    ranker = Ranker.from_options(recipe.schema(), recipe).fit(tables.train, tables.valid)
    seconds: dict[str, float] = {}
    test = tables.test
    usage = timed("`gate_usage`", lambda: ranker.gate_usage(test, "user_count", bins=3), seconds)
    (similarity,) = timed("`expert_similarity`", lambda: ranker.expert_similarity(test), seconds)
    (ablation,) = timed("`expert_ablation`", lambda: ranker.expert_ablation(test), seconds)
    importance = timed("`feature_importance`", lambda: ranker.feature_importance(test), seconds)
    explanation = timed("`explain`", lambda: ranker.explain(7, test), seconds)
    problems = ranker.problems(test)
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(explanation_tables(explanation, "row 7 of the test ratings", 6))
    shown = "\n".join(line.rstrip() for line in console.export_text().splitlines())
    over_time = ", ".join(
        f"{epoch.epoch}: {' and '.join(format(gate['relative_entropy'], '.3f') for gate in epoch.gates.values())}"
        for epoch in ranker.history
    )
    whole = ", ".join(f"{output} {value:.4f}" for output, value in zip(ablation.outputs, ablation.whole, strict=True))
    parts = [
        f"`python scripts/insight_page.py`: `recipes/mmoe.yaml`, {test.num_rows:,} test ratings ({machine()}).",
        "Mean weights, cut by `user_count`:",
        gates(usage),
        f"Relative entropy by epoch, of {' and '.join(ranker.history[0].gates)}: {over_time}.",
        f"With all experts: {whole}. What removing one changes, and which is most like it:",
        experts(similarity, ablation),
        "Drops when a feature is shuffled, the least and the greatest of five repeats in brackets:",
        features(importance),
        "Problems: " + ("; ".join(map(str, problems)) if problems else "none") + ".",
        "One prediction:",
        f"```\n{shown.strip()}\n```",
        "Seconds: " + ", ".join(f"{what} {took:.1f}" for what, took in seconds.items()) + ".",
    ]
    write_section("movielens", "\n\n".join(parts), ROOT / "docs" / "insight.md")


if __name__ == "__main__":
    main()
