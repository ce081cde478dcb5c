"""Write the MovieLens section of docs/results: five seeds of MMoE and its controls, beside simple predictors.

python scripts/movielens_results.py [--seeds 5]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from results_page import ROOT, machine, write_section

import gatewise as gw
from gatewise.jobs import find_tables
from gatewise.jobs.comparison import compare_models
from gatewise.metrics import auc, rmse

RECIPE = ROOT / "src" / "gatewise" / "recipes" / "movielens.yaml"

Row = dict[str, float]


def judged(test: pa.Table, liked: np.ndarray, rating: np.ndarray) -> Row:
    """Score two columns of predictions; a constant has an AUC of one half."""
    targets = {name: torch.from_numpy(test[name].to_numpy().astype(float)) for name in ("liked", "rating")}
    found = {
        "auc": auc(targets["liked"], torch.from_numpy(liked)),
        "rmse": rmse(targets["rating"], torch.from_numpy(rating)),
    }
    return {name: value for name, value in found.items() if value is not None}


def constant(train: pa.Table, test: pa.Table) -> Row:
    """Predict the training mean everywhere."""
    return judged(test, *(np.full(len(test), np.mean(train[name].to_numpy())) for name in ("liked", "rating")))


def training_means(train: pa.Table, test: pa.Table) -> Row:
    """Predict user mean + movie mean - global mean, all of the training rows."""

    def predict(label: str) -> np.ndarray:
        values = train[label].to_numpy().astype(float)
        total = np.full(len(test), -values.mean())
        for who in ("user_id", "movie_id"):
            ids = train[who].to_numpy()
            known, code = np.unique(ids, return_inverse=True)
            means = np.append(np.bincount(code, values) / np.bincount(code), values.mean())
            place = np.searchsorted(known, test[who].to_numpy())
            found = (place < len(known)) & (known[np.minimum(place, len(known) - 1)] == test[who].to_numpy())
            total += means[np.where(found, place, len(known))]
        return total

    return judged(test, predict("liked"), predict("rating"))


def means_so_far(train: pa.Table, test: pa.Table) -> Row:
    """Predict user mean + movie mean - global mean, the first two of all ratings before the one predicted."""
    mean = np.mean(train["rating"].to_numpy())
    parts = [test[f"{who}_mean"].fill_null(mean).to_numpy() for who in ("user", "movie")]
    return judged(test, parts[0] + parts[1], parts[0] + parts[1] - mean)


def learnt(recipe: gw.Recipe, seeds: int) -> dict[str, list[Row]]:
    """Train the recipe's model and its controls with several seeds."""
    with tempfile.TemporaryDirectory() as folder:
        found = compare_models(recipe.schema(), recipe, find_tables(recipe, ROOT), Path(folder), seeds=seeds, workers=1)
    rows: dict[str, list[Row]] = {}
    for name, metrics in found.metrics.items():
        columns = {"auc": metrics["liked"]["auc"].values, "rmse": metrics["rating"]["rmse"].values}
        rows[name] = [
            {metric: values[seed] for metric, values in columns.items() if values[seed] is not None}
            for seed in range(seeds)
        ]
    return rows


def table(rows: dict[str, list[Row]]) -> str:
    """Return a Markdown table of means and standard deviations."""
    lines = ["| model | liked: AUC | rating: RMSE |", "|---|---|---|"]
    for name, runs in rows.items():
        cells = [_cell([run[metric] for run in runs]) for metric in ("auc", "rmse")]
        lines.append(f"| {name} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    if len(values) == 1:
        return f"{values[0]:.4f}"
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"


def main() -> None:
    """Run everything and write the section."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    recipe = gw.Recipe.read(RECIPE)
    tables = find_tables(recipe, ROOT)
    assert isinstance(tables.train, pa.Table)
    assert isinstance(tables.test, pa.Table)
    rows = {
        "constant": [constant(tables.train, tables.test)],
        "user mean + movie mean (training rows)": [training_means(tables.train, tables.test)],
        "user mean + movie mean (all earlier ratings)": [means_so_far(tables.train, tables.test)],
        **learnt(recipe, seeds),
    }
    sizes = ", ".join(f"{part.num_rows:,} {name}" for name, part in tables.parts.items() if part is not None)
    write_section(
        "movielens",
        "## MovieLens: will they like it, and how many stars\n\n"
        f"`make results` (recipe `src/gatewise/recipes/movielens.yaml`; {seeds} seeds: mean ± standard deviation)\n\n"
        f"{machine()}. Rows, forward in time: {sizes}.\n\n"
        f"{table(rows)}\n\n"
        "The controls have as many parameters outside the embeddings as MMoE has (single task: each of the two).\n"
        "A constant has no order, so its AUC is one half.\n",
    )


if __name__ == "__main__":
    main()
