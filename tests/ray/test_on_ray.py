"""Ray starts the processes of a training: a real cluster on this machine."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.errors import GatewiseError
from torchrun_program import table

pytest.importorskip("ray", reason="make test-ray installs it: pip install 'gatewise[ray]'")
RECIPE = """
data: {train: train.parquet, valid: valid.parquet}
features: [{kind: categorical, name: user, dim: 4}, {kind: numeric, name: x}]
tasks: [{kind: binary, name: click}]
model: {kind: mmoe, experts: 2, expert_dims: [8]}
training: {epochs: 2, batch_size: 20, lr: 0.01, save_minutes: 0}
cluster: {workers: 2, max_failures: 3}
"""


@pytest.fixture
def folder(tmp_path):
    pq.write_table(table(), tmp_path / "train.parquet")
    pq.write_table(table(300, 1), tmp_path / "valid.parquet")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    return tmp_path


def train(folder: Path, out: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gatewise", "train", "recipe.yaml", "-o", out, "--no-report", "--baseline", "none"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    how = {"env": environment, "cwd": folder, "capture_output": True, "text": True, "timeout": 200}
    return subprocess.run([*command, *options], **how)


def workers() -> set[int]:
    """Return the processes in which Ray trains."""
    found = set[int]()
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (each / "cmdline").read_bytes().startswith(b"ray::RayTrainWorker"):
                found.add(int(each.name))
    return found


def test_processes_that_die_lead_to_the_same_weights(folder):
    assert train(folder, "whole", "--ranks", "2", "--set", "cluster=null").returncode == 0
    with ThreadPoolExecutor() as pool:
        running = pool.submit(train, folder, "killed")
        checkpoint, killed = folder / "killed" / "checkpoint.pt", set[int]()
        for _ in range(2):
            # after some steps of this start
            saved, seen = set[int](), set[int]()
            while len(saved) < 4 and not running.done():
                with contextlib.suppress(FileNotFoundError):
                    saved.add(checkpoint.stat().st_mtime_ns)
                time.sleep(0.002)
            seen = workers()
            os.kill(max(seen - killed), signal.SIGKILL)
            killed |= seen
    ended = running.result()
    assert ended.returncode == 0, ended.stderr[-3000:]
    wanted, weights = (folder / name / "artefact" / "weights.safetensors" for name in ("whole", "killed"))
    assert weights.read_bytes() == wanted.read_bytes()
    assert "artefact:" in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("address", "why"),
    [("127.0.0.1:1", "Connection refused"), ("head", "expected an address such as ray://head:10001")],
)
def test_a_cluster_that_is_not_there(address, why):
    with pytest.raises(GatewiseError, match=rf"cluster: cannot join Ray at '{address}'.*{why}"):
        gw.on_ray(print, gw.Cluster(ray=address))
