"""AUC of the same scripts run by torch-rechub, DeepCTR-Torch and gatewise.compat, into the pages in docs/moving.

    python scripts/moving_results.py

20,000 drawn rows per layout, three seeds, one process; a quarter of an hour.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

import moving_layouts
import numpy as np
import torch
from results_page import ROOT, machine, write_section
from sklearn.metrics import roc_auc_score

ROWS, SEEDS, EPOCHS, BATCH = 20_000, (0, 1, 2), 6, 256
BELOW = 0.01
"""How far below the library's AUC ours may be."""
RECHUB = ("SharedBottom", "MMOE", "PLE", "AITM", "ESMM")
DEEPCTR = ("SharedBottom", "MMOE", "PLE", "ESMM")
KINDS = ["classification", "classification"]


def rechub(prefix: str, name: str, layout: moving_layouts.Layout, seed: int, folder: str) -> np.ndarray:
    """Return test predictions of what an example of torch-rechub does, with its imports from ``prefix``."""
    features, models, trainers, data = (
        import_module(f"{prefix}.{module}")
        for module in ("basic.features", "models.multi_task", "trainers", "utils.data")
    )
    torch.manual_seed(seed)
    (x, y), (x_val, y_val), (x_test, y_test) = layout.split()
    kinds = KINDS
    if name == "ESMM":
        kinds = [*KINDS, "classification"]
        y, y_val, y_test = (np.column_stack([own, own[:, 0] * own[:, 1]]) for own in (y, y_val, y_test))

    def sparse(names: list[str]) -> list[Any]:
        return [features.SparseFeature(each, layout.size(each), embed_dim=8) for each in names]

    used = sparse(layout.sparse) + [features.DenseFeature(each) for each in layout.dense]
    towers = [{"dims": [8]}, {"dims": [8]}]
    if name == "SharedBottom":
        model = models.SharedBottom(used, KINDS, bottom_params={"dims": [64]}, tower_params_list=towers)
    elif name == "MMOE":
        model = models.MMOE(used, KINDS, 4, expert_params={"dims": [32]}, tower_params_list=towers)
    elif name == "PLE":
        model = models.PLE(used, KINDS, 1, 2, 1, expert_params={"dims": [32]}, tower_params_list=towers)
    elif name == "AITM":
        model = models.AITM(used, 2, bottom_params={"dims": [32, 16]}, tower_params_list=towers)
    else:
        user, item = (sparse([s for s in layout.sparse if (s in layout.user) == mine]) for mine in (True, False))
        model = models.ESMM(user, item, cvr_params={"dims": [32, 16]}, ctr_params={"dims": [32, 16]})
    generator = data.DataGenerator(x, y)
    train, valid, _ = generator.generate_dataloader(x_val, y_val, x_test, y_test, batch_size=BATCH)
    params = {"lr": 1e-3, "weight_decay": 1e-5}
    trainer = trainers.MTLTrainer(model, kinds, optimizer_params=params, n_epoch=EPOCHS, model_path=folder)
    trainer.fit(train, valid)
    rows = torch.utils.data.DataLoader(data.PredictDataset(x_test), batch_size=4096)
    return np.array(trainer.predict(trainer.model, rows))


def deepctr(prefix: str, name: str, layout: moving_layouts.Layout, seed: int, _folder: str) -> np.ndarray:
    """Return test predictions of the example of DeepCTR-Torch, with its imports from ``prefix``."""
    inputs, models = (import_module(f"{prefix}.{module}") for module in ("inputs", "models"))
    (x, y), _, (x_test, _) = layout.split()
    columns = [inputs.SparseFeat(each, layout.size(each), 8) for each in layout.sparse]
    columns += [inputs.DenseFeat(each, 1) for each in layout.dense]
    made: dict[str, Any] = {"seed": seed, "task_names": ["cvr", "ctr"]}
    labels = y
    if name == "ESMM":
        made, labels = {"seed": seed}, np.column_stack([y[:, 1], y[:, 0] * y[:, 1]])
    model = getattr(models, name)(columns, **made)
    model.compile("adam", loss=["binary_crossentropy"] * 2, metrics=["binary_crossentropy"])
    names = inputs.get_feature_names(columns)
    model.fit({each: x[each] for each in names}, labels.astype(float), batch_size=BATCH, epochs=2, verbose=0)
    return model.predict({each: x_test[each] for each in names}, 4096)


def aucs(name: str, layout: moving_layouts.Layout, predictions: np.ndarray, library: str) -> list[float]:
    """Return the AUC of every prediction over all rows, as the libraries judge them."""
    _, _, (_, y) = layout.split()
    columns = [y[:, 0], y[:, 1]]
    if name == "ESMM":
        both = y[:, 0] * y[:, 1]
        columns = [y[:, 1], both] if library == "deepctr-torch" else [*columns, both]
    return [roc_auc_score(labels, predictions[:, i]) for i, labels in enumerate(columns)]


def compared(run: Callable[..., np.ndarray], library: str, models: tuple[str, ...], data: list[str]) -> list[str]:
    """Return the rows of a table, one per layout and model."""
    peer, ours = library.replace("-", "_"), f"gatewise.compat.{library.replace('-', '_')}"
    lines = []
    for layout_name in data:
        layout = moving_layouts.make(layout_name, ROWS)
        for name in models:
            found: dict[str, list[list[float]]] = {peer: [], ours: []}
            for seed in SEEDS:
                for prefix in found:
                    with tempfile.TemporaryDirectory() as folder, quiet():
                        predictions = run(prefix, name, layout, seed, folder)
                    found[prefix].append(aucs(name, layout, predictions, library))
            theirs, own = (np.mean(found[prefix], axis=0) for prefix in (peer, ours))
            worst = min(own - theirs)
            cells = [" / ".join(f"{value:.4f}" for value in values) for values in (theirs, own)]
            lines.append(f"| {layout_name} | {name} | {cells[0]} | {cells[1]} | {worst:+.4f} |")
            print(lines[-1], flush=True)
    return lines


@contextlib.contextmanager
def quiet() -> Any:
    """Keep what libraries print away."""
    with (
        warnings.catch_warnings(),
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stderr(nowhere),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


class Words(NamedTuple):
    """What a section says, in one language."""

    page: str
    measured: str
    judged: str
    head: str
    machine: str


ENGLISH = Words(
    "{library}.md",
    "AUC per output on the test rows, mean of seeds {seeds}; {rows:,} drawn rows per layout.",
    "Differences: mean {mean:+.4f}, smallest {smallest:+.4f}; {below} of {count} below -{limit}.",
    "| layout | model | {library} | gatewise.compat | smallest difference |",
    "Measured at {machine}.",
)
CHINESE = Words(
    "{library}.zh-CN.md",
    "测试行上每个输出的 AUC，取随机种子 {seeds} 的均值；每种数据布局随机生成 {rows:,} 行。",
    "差值：平均 {mean:+.4f}，最小 {smallest:+.4f}；低于 -{limit} 的有 {below} / {count} 项。",
    "| 数据布局 | 模型 | {library} | gatewise.compat | 最小差值 |",
    "测量环境：{machine}。",
)


def section(words: Words, library: str, lines: list[str]) -> str:
    """Return the text of a section."""
    gaps = [float(line.split("|")[-2]) for line in lines]
    said = {
        "library": library,
        "seeds": ", ".join(map(str, SEEDS)),
        "rows": ROWS,
        "mean": mean(gaps),
        "smallest": min(gaps),
        "below": sum(gap < -BELOW for gap in gaps),
        "count": len(gaps),
        "limit": BELOW,
        "machine": machine(),
    }
    measured, judged, head, where = (text.format(**said) for text in words[1:])
    table = "\n".join([head, "|---|---|---|---|---|", *lines])
    return f"    python scripts/moving_results.py\n\n{measured} {judged}\n\n{table}\n\n{where}\n"


def main() -> None:
    """Run the comparisons and write the sections."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dry", action="store_true", help="print the tables, write no page")
    parser.add_argument("--only", choices=["torch-rechub", "deepctr-torch"], help="one library alone")
    given = parser.parse_args()
    torch.set_num_threads(1)
    runs = {"torch-rechub": (rechub, RECHUB, [*moving_layouts.SHAPES]), "deepctr-torch": (deepctr, DEEPCTR, ["census"])}
    for library, (run, models, data) in runs.items():
        if given.only in (None, library):
            lines = compared(run, library, models, data)
            if not given.dry:
                for words in (ENGLISH, CHINESE):
                    page = ROOT / "docs" / "moving" / words.page.format(library=library)
                    write_section("auc", section(words, library, lines), page)


if __name__ == "__main__":
    main()
