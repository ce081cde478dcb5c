"""Layers, tasks, balancing and the loop need torch and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import builtins, importlib.abc, sys

BLOCKED = {"pydantic", "pydantic_core", "pyarrow", "yaml", "typer", "rich", "safetensors"}

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} is not installed here")

real = builtins.__import__

def guarded(name, globals=None, locals=None, fromlist=(), level=0):
    importer, root = (globals or {}).get("__name__") or "", name.partition(".")[0]
    if importer.partition(".")[0] == "gatewise" and level == 0:
        if root not in {"torch", "typing_extensions", "gatewise"} and root not in sys.stdlib_module_names:
            raise ImportError(f"{importer} imports {name}")
    return real(name, globals, locals, fromlist, level)

sys.meta_path.insert(0, Blocker())
builtins.__import__ = guarded

import torch
import gatewise.balance, gatewise.calibration, gatewise.metrics, gatewise.nn, gatewise.tasks, gatewise.training
from gatewise.layout import EmbeddingField, Layout, ListColumn
from gatewise.nn import *
from gatewise.tasks import BinaryTask, RegressionTask
from gatewise.training import *

rows = 64
layout = Layout((EmbeddingField("user", 9, 4),), (("user", 0),), (ListColumn("seen", 0, "mean"),), ("age",))
table = TensorTable(
    torch.randint(0, 9, (rows, 1)),
    (Ragged(torch.randint(0, 9, (2 * rows,)), 2 * torch.arange(rows + 1)),),
    torch.randn(rows, 1),
    torch.stack([torch.rand(rows).round(), torch.randn(rows)], dim=1).double(),
)
layer = InputLayer(layout)
model = MultiTaskModel(layer, MMoE(layer.output_dim, 2, experts=2, expert_dims=(4,)), Towers(2, 4, ()))
tasks = [BinaryTask("click"), RegressionTask("dwell")]
rule = gatewise.balance.Uncertainty([task.uncertainty_factor for task in tasks])
optimizer = make_optimizer("adamw", model, rule, lr=0.01)
trainer = Trainer(model, tasks, balance=rule, optimizer=optimizer, epochs=2, batch_size=16, run_dir=Path(sys.argv[1]))
history = trainer.fit(table, table)
assert len(history) == 2 and history[-1].valid["click"]["auc"] is not None
MMoEModel(input_dim=3)(torch.randn(2, 3))
loaded = {name.partition(".")[0] for name in sys.modules}
assert not loaded & BLOCKED, loaded & BLOCKED
print("trained")
"""


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = script.replace("import torch\n", "import torch\nfrom pathlib import Path\n", 1)
    return subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False)


def test_training_needs_torch_alone(tmp_path: Path) -> None:
    done = run(SCRIPT, tmp_path)
    assert (done.returncode, done.stdout.strip()) == (0, "trained"), done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.pt", "history.jsonl"}


@pytest.mark.parametrize("module", ["gatewise.data", "gatewise.declare"])
def test_the_guard_guards(module: str, tmp_path: Path) -> None:
    head = SCRIPT.partition("import torch\n")[0]
    assert "ImportError" in run(head + f"import {module}", tmp_path).stderr
