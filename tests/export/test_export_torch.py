"""Programs of torch.export, read by a process that has no Gatewise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

import gatewise as gw
from gatewise.export import EncodedForm, export_torch

PROGRAM = """
import sys, warnings
sys.modules["gatewise"] = None
warnings.simplefilter("ignore")
import torch
said = {"gatewise.form": ""}
model = torch.export.load(sys.argv[1], extra_files=said).module()
inputs = torch.load(sys.argv[2], weights_only=True)
for rows in (len(inputs[0]), 1, 0):
    found = model(*(part[:rows] for part in inputs))
    assert all(len(column) == rows for column in found.values())
    if rows == len(inputs[0]):
        torch.save({name: column.detach() for name, column in found.items()}, sys.argv[3])
print(said["gatewise.form"])
"""


def test_a_program_predicts_the_same_in_a_fresh_process(tmp_path: Path, feed: pa.Table) -> None:
    schema = gw.Schema(
        features=[
            gw.Categorical("item", dim=4),
            gw.Sequence("tags", dim=4, pooling=gw.GRU(dim=3)),
            gw.Numeric("price", transform="log"),
        ],
        tasks=[gw.Binary("click"), gw.Regression("stars")],
    )
    options = {"epochs": 1, "fusion": "click * stars"}
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), **options).fit(feed, progress=False)
    export_torch(ranker.scorer, tmp_path / "model.pt2")
    form = EncodedForm(ranker.scorer)
    inputs = [torch.from_numpy(part) for part in form.feed_table(feed).values()]
    torch.save(inputs, tmp_path / "inputs")
    files = [str(tmp_path / name) for name in ("model.pt2", "inputs", "found")]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *files], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "encoded", done.stderr
    found, expected = torch.load(tmp_path / "found", weights_only=True), ranker.predict(feed)
    assert list(found) == ["click", "stars", "fused", "gates"]
    for name in expected.column_names:
        np.testing.assert_allclose(found[name].numpy(), expected[name].to_numpy(), rtol=1e-5, atol=1e-5)


FULL_DISK = """
import resource, sys, warnings
warnings.simplefilter("ignore")
import gatewise as gw
from gatewise.export import export_torch
scorer = gw.load(sys.argv[1]).scorer
# no file may grow beyond this: what a full disk does to a write
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    export_torch(scorer, sys.argv[2])
except gw.GatewiseError as error:
    print(error)
"""


def test_a_full_disk_is_one_clear_error(tmp_path: Path, fitted: gw.Ranker) -> None:
    fitted.save(tmp_path / "model")
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "model"), str(tmp_path / "program.pt2")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"cannot write {str(tmp_path / 'program.pt2')!r}: ")
    assert len(done.stdout.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
