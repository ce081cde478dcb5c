"""Trainings in several processes, one of which is killed with SIGKILL at a random moment.

    python scripts/torture/processes.py [kills] [--shard] [--ray]

Each training is started with as many restarts as it needs. Prints how many ended with the weights of the training that
was never killed (all), and after how many of its checkpoints they were killed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from gatewise.training.run_folder import CHECKPOINT
from training import write_log

RECIPE = """
data: {train: log.parquet, valid: valid.parquet}
features:
  - {kind: categorical, name: user, dim: 4, min_count: 2}
  - {kind: categorical, name: item, dim: 4}
  - {kind: numeric, name: age}
  - {kind: sequence, name: tags, dim: 2}
tasks: [{kind: binary, name: click}, {kind: binary, name: buy, after: click}, {kind: regression, name: stay}]
model: {kind: mmoe, experts: 3, expert_dims: [16], tower_dims: [8], dropout: 0.1}
balance: uncertainty
training: {epochs: 2, batch_size: 256, lr: 0.001, schedule: cosine, clip_norm: 1.0, save_minutes: 0.002, seed: 3}
"""


def start(home: Path, out: str, options: list[str]) -> subprocess.Popen[bytes]:
    """Start a training whose output goes into a file."""
    command = [sys.executable, "-m", "gatewise", "train", "recipe.yaml", "-o", out, "--no-report", "--baseline", "none"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with (home / f"{out}.log").open("wb") as said:
        return subprocess.Popen([*command, *options], cwd=home, env=environment, stdout=said, stderr=said)


def processes_of(home: Path, out: str, *, ray: bool) -> list[int]:
    """Return the processes that train."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            line = (each / "cmdline").read_bytes()
            if ray:
                mine = line.startswith(b"ray::RayTrainWorker")
            else:
                mine = f"{out}\0".encode() in line and b"\nRANK=" in (each / "environ").read_bytes().replace(
                    b"\0", b"\n"
                )
                mine = mine and (each / "cwd").resolve() == home.resolve()
            if mine:
                found.append(int(each.name))
    return found


def saves(run: Path, process: subprocess.Popen[bytes], most: float = math.inf) -> int:
    """Return how many checkpoints a training has written, once it has ended or there are so many."""
    seen = set[int]()
    while len(seen) < most and process.poll() is None:
        with contextlib.suppress(FileNotFoundError):
            seen.add((run / CHECKPOINT).stat().st_mtime_ns)
        time.sleep(0.002)
    return len(seen)


def digest(run: Path) -> str:
    """Return the SHA-256 of the weights."""
    return hashlib.sha256((run / "artefact" / "weights.safetensors").read_bytes()).hexdigest()


def torture(kills: int, options: list[str], *, ray: bool, seed: int) -> tuple[int, list[str]]:
    """Return how many killed trainings have the right weights, and when they were killed."""
    draw, right, when = random.Random(seed), 0, []
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        (home / "recipe.yaml").write_text(RECIPE)
        write_log(home / "log.parquet", 40_000)
        write_log(home / "valid.parquet", 2_000)
        process = start(home, "whole", options)
        whole = saves(home / "whole", process)
        if process.wait():
            sys.exit((home / "whole.log").read_text())
        wanted = digest(home / "whole")
        for number in range(kills):
            out, after = f"run{number}", draw.randint(1, whole - 1)
            process = start(home, out, options)
            saves(home / out, process, after)
            if found := processes_of(home, out, ray=ray):
                os.kill(draw.choice(found), signal.SIGKILL)
            when.append(f"{after}" if found else "ended before")
            if process.wait():
                print((home / f"{out}.log").read_text(), file=sys.stderr)
            else:
                right += digest(home / out) == wanted
    return right, [f"{each} of {whole}" for each in when]


def main() -> None:
    """Kill trainings, and print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kills", type=int, nargs="?", default=10)
    parser.add_argument("--shard", action="store_true", help="tables are dealt to the processes")
    parser.add_argument("--ray", action="store_true", help="on a Ray cluster of this machine")
    given = parser.parse_args()
    options = ["--ranks", "2", "--max-restarts", "3", *(["--ray"] if given.ray else [])]
    options += ["--set", "training.tables=shard"] if given.shard else []
    right, when = torture(given.kills, options, ray=given.ray, seed=int(time.time()))
    print(f"{right} of {given.kills} have the weights of a training that was never killed")
    print(f"killed after checkpoint {', '.join(when)}")
    sys.exit(right != given.kills)


if __name__ == "__main__":
    main()
