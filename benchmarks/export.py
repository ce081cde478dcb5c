"""What exporting MMoE on MovieLens gives: seconds, bytes, milliseconds a request, and what eight bits cost.

python benchmarks/export.py
python benchmarks/export.py --columns       # what the number of columns costs
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import gatewise as gw
from gatewise.export import EncodedForm, OnnxScorer, export_onnx, with_int8_embeddings
from gatewise.jobs import find_tables
from gatewise.ranker import Ranker

RECIPES = Path(__file__).parents[1] / "recipes"
ROWS, REPEATS = 200, 200


def milliseconds(work: Callable[[], Any]) -> float:
    """Return the median of many runs."""
    work()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)


def wide(numbers: int, categories: int) -> Ranker:
    """Return a ranker of so many made-up columns."""
    rng, rows = np.random.default_rng(0), 600
    table = {f"n{i}": rng.normal(size=rows) for i in range(numbers)}
    table |= {f"c{i}": rng.integers(0, 30, rows) for i in range(categories)}
    features = [*(gw.Numeric(f"n{i}") for i in range(numbers)), *(gw.Categorical(f"c{i}") for i in range(categories))]
    schema = gw.Schema(features=features, tasks=[gw.Binary("click")])
    return Ranker(schema, gw.MMoE(), epochs=1).fit(table | {"click": rng.integers(0, 2, rows)}, progress=False)


def by_columns() -> None:
    """Print what exporting takes by the number of columns."""
    # the first export of a process imports the exporter
    export_onnx(wide(1, 1).scorer, Path(tempfile.mkdtemp(), "model.onnx"))
    print("| numbers | categories | encoded, seconds of a core | raw |")
    print("|--:|--:|--:|--:|")
    for numbers, categories in ((8, 4), (80, 40), (160, 80), (400, 60)):
        scorer, seconds = wide(numbers, categories).scorer, []
        with tempfile.TemporaryDirectory() as folder:
            for inputs in ("encoded", "raw"):
                start = time.process_time()
                export_onnx(scorer, Path(folder, "model.onnx"), inputs=inputs)
                seconds.append(time.process_time() - start)
        print(f"| {numbers} | {categories} | {seconds[0]:.1f} | {seconds[1]:.1f} |", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    if "--columns" in sys.argv[1:]:
        by_columns()
        return
    recipe = gw.Recipe.read(RECIPES / "mmoe.yaml")
    tables = find_tables(recipe, RECIPES)
    ranker = Ranker.from_options(recipe.schema(), recipe).fit(tables.train, tables.valid, progress=False)
    full, rounded = ranker.scorer, with_int8_embeddings(ranker.scorer)
    request = tables.test.slice(0, ROWS)
    print("| file | seconds of a core | bytes | ms a request of 200 rows |")
    print("|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, scorer, inputs in (
            ("encoded", full, "encoded"),
            ("encoded, 8 bits", rounded, "encoded"),
            ("raw", full, "raw"),
        ):
            start = time.process_time()
            made = export_onnx(scorer, Path(folder, "model.onnx"), inputs=inputs)
            seconds = time.process_time() - start
            runs = OnnxScorer(made.path, scorer)
            feed = runs.form.feed_table(request)
            run = milliseconds(lambda session=runs.session, feed=feed: session.run(None, feed))
            print(f"| {name} | {seconds:.1f} | {made.size:,} | {run:.2f} |")
    form = EncodedForm(full)
    tensors = full.tensors(full.encode(request, labels=False))
    eager = milliseconds(lambda: full.model.score(tensors))
    print(f"\neager, one thread, {len(form.ports)} matrices of {ROWS} rows: {eager:.2f} ms\n")
    print("| prediction | metric | 32 bits | 8 bits |")
    print("|---|---|--:|--:|")
    before, after = full.evaluate(tables.test), rounded.evaluate(tables.test)
    for output, metric in (("liked", "auc"), ("liked", "log_loss"), ("rating", "rmse"), ("rating", "spearman")):
        print(f"| {output} | {metric} | {before[output][metric]:.6f} | {after[output][metric]:.6f} |")


if __name__ == "__main__":
    main()
