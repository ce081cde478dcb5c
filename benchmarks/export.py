"""What exporting MMoE on MovieLens gives: seconds, bytes, milliseconds a request, and what eight bits cost.

python benchmarks/export.py
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def main() -> None:
    torch.set_num_threads(1)
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
