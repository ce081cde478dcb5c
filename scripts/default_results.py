"""Write the section of docs/results about the defaults beside recipes that were tuned by hand, on the same rows.

python scripts/default_results.py [--seeds 3] [--data FOLDER] [--recipes NAME ...]

Every training is kept in runs/default_results: an interrupted run goes on from there.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from published_data import as_published, published
from results_page import ROOT, machine, write_section

import gatewise as gw
from gatewise.analysis import Verdict
from gatewise.data import TableEncoder
from gatewise.declare import Options
from gatewise.jobs import Comparison, find_tables
from gatewise.jobs.comparison import compare_contestants
from gatewise.jobs.contestants import Contestant, Models, Part

RECIPES = {
    "movielens": (ROOT / "src" / "gatewise" / "recipes" / "movielens.yaml", None),
    "kuairand": (ROOT / "recipes" / "datasets" / "kuairand.yaml", ("kuairand_pure", "KuaiRand-Pure")),
    "census_income": (ROOT / "recipes" / "datasets" / "census_income.yaml", ("census_kdd", "census")),
    "census_education": (ROOT / "recipes" / "datasets" / "census_education.yaml", ("census_kdd", "census")),
}
"""By name the recipe, and where its files lie: in GATEWISE_DATA, or in the folder of one's own."""
KEPT = ROOT / "runs" / "default_results"
TUNED, DEFAULT = "recipe", "default"
INTRO = """## The default beside tuned recipes

`python scripts/default_results.py`, {seeds} seeds ({machine}): a recipe whose model, balance and training were
tuned for its table by hand, and the same features and tasks without a single option. Metrics are those of the test
rows, the mean over seeds; a difference has the 95 % interval over test rows that are drawn anew.

| recipe | output | metric | tuned | default | default less tuned | |
| --- | --- | --- | ---: | ---: | ---: | --- |
"""


def recipe_of(name: str, data: Path | None) -> gw.Recipe:
    """Return a recipe for the data that is there."""
    path, files = RECIPES[name]
    if files is None:
        return gw.Recipe.read(path)
    folder = published(data, *files).resolve()
    return as_published(gw.Recipe.read(path, [f"data.path={folder}"]), folder)


def compared(name: str, seeds: int, data: Path | None) -> Comparison:
    """Train a recipe as it is tuned and with the defaults, with several seeds."""
    recipe = recipe_of(name, data)
    tables, schema = find_tables(recipe, ROOT), recipe.schema()
    tasks = tuple(task.name for task in schema.tasks)
    tuned = Options(model=recipe.model, balance=recipe.balance, training=recipe.training)

    def competing(_encoder: TableEncoder, _known: Options) -> list[Contestant]:
        return [Models(TUNED, (Part(schema, tuned, tasks),)), Models(DEFAULT, (Part(schema, Options(), tasks),))]

    return compare_contestants(schema, tuned, tables, KEPT / name, competing, TUNED, seeds=seeds, workers=1)


def row(name: str, found: Comparison, verdict: Verdict) -> str:
    """Return a line of the table: an output by its main metric."""
    means = [fmean(found.metrics[who][verdict.output][verdict.metric].values) for who in (TUNED, DEFAULT)]
    known = [verdict.change, verdict.low, verdict.high]
    change = "undefined" if None in known else "{:+.4f} ({:+.4f} to {:+.4f})".format(*known)
    word = {"helps": "better", "hurts": "worse"}.get(verdict.verdict, verdict.verdict)
    return f"| `{name}` | {verdict.output} | {verdict.metric} | {means[0]:.4f} | {means[1]:.4f} | {change} | {word} |"


def section(found: dict[str, Comparison], seeds: int) -> str:
    """Return the section about some recipes."""
    lines = [row(name, each, verdict) for name, each in found.items() for verdict in each.verdicts]
    return INTRO.format(seeds=seeds, machine=machine()) + "\n".join(lines) + "\n"


def main(given: Sequence[str] | None = None) -> None:
    """Compare the recipes and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--recipes", nargs="+", default=[*RECIPES], choices=RECIPES)
    arguments = parser.parse_args(given)
    found = {name: compared(name, arguments.seeds, arguments.data) for name in arguments.recipes}
    write_section("defaults", section(found, arguments.seeds))


if __name__ == "__main__":
    main()
