"""Write the balancing section of docs/results: every rule on two real problems, beside static.

python scripts/balance_results.py [--seeds 3] [--data FOLDER]

Every training is kept in runs/balance_results: an interrupted run goes on from there.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow.compute as pc
from published_data import published
from results_page import ROOT, machine, write_section

import gatewise as gw
from gatewise.analysis import Verdict
from gatewise.data import TableEncoder
from gatewise.jobs import Comparison, Tables, find_tables
from gatewise.jobs.comparison import compare_contestants
from gatewise.jobs.contestants import Contestant, Models
from gatewise.jobs.line_up import SINGLE_TASK, line_up

RECIPES = ROOT / "src" / "gatewise" / "recipes", ROOT / "recipes" / "datasets"
KEPT = ROOT / "runs" / "balance_results"
ADVICE = ROOT / "docs" / "balancing.md"
SAMPLES = 300
STATIC = "static"
RULES = (
    *(STATIC, "tuned_static", "uncertainty", "constrained_uncertainty", "soft_uncertainty", "dwa", "rlw"),
    *("geometric_mean", "imtl_l", "smooth_tchebycheff", "famo", "gradnorm", "metabalance", "db_mtl", "mgda", "pcgrad"),
    *("upgrad", "dualproj", "cagrad", "imtl_g", "aligned_mtl", "nash_mtl", "fairgrad"),
)
KUAIRAND_TASKS, FIRST_DAY = ("click", "like", "comment", "play_time"), 20220430
NOTES = """\
All rules have the options that their declarations give them, and everything else is the recipe's: model, rate of
learning, stopping by the mean over tasks. None was tuned here but `tuned_static`, whose search is in its seconds. In
brackets the mean difference to static with the same seeds, and the interval of {level:.0%} in which it lies when the
test rows are drawn anew{groups}, {samples} times; bold where that leaves out 0. It holds for the models that were
trained and not for other seeds; and of {verdicts} such intervals, {chance:.0f} would leave out 0 if nothing differed.
$\\Delta_m$ is the mean over tasks of the relative difference to static, or to single-task models, mean ± deviation over
the seeds; where a metric is near 0, as R2 often is, little makes a large share. Seconds are of training on a machine
that does other work as well: [what rules cost](../balancing.md#what-they-cost) is measured with care."""


@dataclass(frozen=True)
class Problem:
    """What all rules are tried on.

    Attributes:
        name: its heading.
        about: says what the rows are.
        recipe: model, tasks and training.
        tables: rows to learn from, to stop on and to judge on.
    """

    name: str
    about: str
    recipe: gw.Recipe
    tables: Tables

    def competing(self, encoder: TableEncoder, _options: gw.declare.Options) -> list[Contestant]:
        """Return the recipe's model with every rule, and the single-task models of its size."""
        model, *controls = line_up(self.recipe.schema(), self.recipe, encoder)
        (part,) = model.parts
        of_rules = [replace(part.options, balance=rule) for rule in RULES]
        found = [Models(rule, (replace(part, options=options),)) for rule, options in zip(RULES, of_rules, strict=True)]
        return [*found, *(control for control in controls if control.name == SINGLE_TASK)]

    def compared(self, seeds: int, workers: int) -> Comparison:
        """Train what is missing, and compare all with static."""
        folder = KEPT / self.name.split(":")[0].lower()
        where = (self.recipe.schema(), self.recipe, self.tables, folder, self.competing, STATIC)
        return compare_contestants(*where, seeds=seeds, samples=SAMPLES, workers=workers)


def problems(kuairand: Path) -> list[Problem]:
    """Return MovieLens, and some days and tasks of KuaiRand."""
    movielens = gw.Recipe.read(RECIPES[0] / "movielens.yaml")
    days = gw.Recipe.read(RECIPES[1] / "kuairand.yaml", [f"data.path={kuairand.resolve()}"])
    days = replace(days, tasks=[task for task in days.tasks if task.name in KUAIRAND_TASKS])
    tables = find_tables(days, ROOT)
    train = tables.train.filter(pc.greater_equal(tables.train["date"], FIRST_DAY))
    tables = replace(tables, train=train)
    shares = ", ".join(
        f"{task.name} {pc.mean(train[task.name]).as_py():.2%}" for task in days.tasks if isinstance(task, gw.Binary)
    )
    return [
        Problem(
            "MovieLens: two tasks that ask nearly the same",
            "Recipe `src/gatewise/recipes/movielens.yaml`.",
            movielens,
            find_tables(movielens, ROOT),
        ),
        Problem(
            "KuaiRand: four tasks, two of them rare",
            f"Recipe `recipes/datasets/kuairand.yaml`, the training days from 30 April on. Share of ones: {shares}.",
            days,
            tables,
        ),
    ]


def section(found: list[tuple[Problem, Comparison]]) -> str:
    """Return the section of what was found."""
    level, verdicts = found[0][1].level, sum(len(comparison.verdicts) for _, comparison in found)
    chance = {"verdicts": verdicts, "chance": verdicts * (1 - level)}
    notes = NOTES.format(level=level, samples=SAMPLES, groups=", of KuaiRand whole users", **chance)
    parts = [f"## Balancing rules on real data\n\n`make balance`\n\n{machine()}.", notes]
    for problem, comparison in found:
        sizes = ", ".join(f"{part.num_rows:,} {name}" for name, part in problem.tables.parts.items())
        seeds = "1 seed" if len(comparison.seeds) == 1 else f"{len(comparison.seeds)} seeds: mean ± standard deviation"
        rows = f"Rows, forward in time: {sizes}; {seeds}."
        parts += [f"### {problem.name}\n\n{problem.about} {rows}", table(comparison), in_words(comparison)]
    return "\n\n".join(parts)


def summary(found: list[tuple[Problem, Comparison]]) -> str:
    """Return what the advice on balancing says of it."""
    parts = []
    for problem, comparison in found:
        count = len(comparison.seeds)
        seeds = f"{count} seed{'s' if count > 1 else ''}"
        parts.append(f"{problem.name} ({seeds}):\n\n{in_words(comparison)}")
    return "\n\n".join(parts)


def table(found: Comparison) -> str:
    """Return a Markdown table, a line a rule."""
    metrics = main_metrics(found)
    heads = [f"{output}: {metric}" for output, metric in metrics.items()]
    head = ["", *heads, "$\\Delta_m$ over static, %", "over single task, %", "seconds"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    for who in found.metrics:
        cells = [_cell(found, who, output, metric) for output, metric in metrics.items()]
        gains = [_spread(gains_of(found, who, other)) if who != other else "" for other in (STATIC, SINGLE_TASK)]
        lines.append([who if who == SINGLE_TASK else f"`{who}`", *cells, *gains, f"{found.cost[who].seconds:.0f}"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main_metrics(found: Comparison) -> dict[str, str]:
    """Return by which metric each output is summed up; of all of these the greater is the better."""
    return {output: verdict.metric for output, verdict in next(iter(found.seesaw.values())).items()}


def gains_of(found: Comparison, who: str, other: str) -> list[float]:
    """Return, for every seed, the mean over outputs of the relative difference of two contestants."""

    def values(name: str) -> list[Sequence[float | None]]:
        return [found.metrics[name][output][metric].values for output, metric in main_metrics(found).items()]

    pairs = zip(values(who), values(other), strict=True)
    relative = [[(ours - theirs) / abs(theirs) for ours, theirs in zip(*pair, strict=True)] for pair in pairs]
    return [100 * statistics.fmean(of_seed) for of_seed in zip(*relative, strict=True)]


def in_words(found: Comparison) -> str:
    """Say which rules differ from static, and on which outputs: by the interval, and with every seed."""
    lines, sure = [], "and with every seed" if len(found.seeds) > 1 else "with one seed"
    for word, meaning in (("helps", "Better than static"), ("hurts", "Worse than static")):
        rules: dict[str, list[str]] = {}
        for verdict in found.verdicts:
            if verdict.verdict == word and verdict.contestant in RULES and _agreed(verdict):
                rules.setdefault(verdict.output, []).append(f"`{verdict.contestant}`")
        text = "; ".join(f"{output}: {', '.join(names)}" for output, names in rules.items())
        lines.append(f"- {meaning}, the whole interval {sure}: {text or 'none'}.")
    gains = {rule: statistics.fmean(gains_of(found, rule, STATIC)) for rule in RULES if rule != STATIC}
    best, worst = max(gains, key=gains.__getitem__), min(gains, key=gains.__getitem__)
    ends, seen = [f"{gains[rule]:+.2f} % (`{rule}`)" for rule in (worst, best)], (gains["tuned_static"], gains["rlw"])
    lines.append(
        f"- $\\Delta_m$ over static, the mean over seeds: from {' to '.join(ends)}; `tuned_static` {seen[0]:+.2f} %, "
        f"`rlw`, which is chance, {seen[1]:+.2f} %."
    )
    return "\n".join(lines)


def _agreed(verdict: Verdict) -> bool:
    """Whether the change with every seed has the sign of their mean."""
    assert verdict.change is not None
    return all(change is not None and change * verdict.change > 0 for change in verdict.by_seed)


def _cell(found: Comparison, who: str, output: str, metric: str) -> str:
    spread = _spread(found.metrics[who][output][metric].values, digits=4)
    if who == STATIC:
        return spread
    return f"{spread} ({_difference(found.seesaw[who][output])})"


def _difference(verdict: Verdict) -> str:
    change, *ends = (f"{value:+.4f}" for value in (verdict.change, verdict.low, verdict.high))
    text = f"{change}: {' to '.join(ends)}"
    return f"**{text}**" if verdict.verdict in ("helps", "hurts") else text


def _spread(values: Sequence[float], digits: int = 2) -> str:
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def main() -> None:
    """Run everything and write the section."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    found = [
        (problem, problem.compared(given.seeds, given.workers))
        for problem in problems(published(given.data, "kuairand_pure", "KuaiRand-Pure"))
    ]
    write_section("balancing", section(found))
    write_section("balancing-summary", summary(found), ADVICE)


if __name__ == "__main__":
    main()
