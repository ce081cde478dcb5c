"""Several processes, started by torchrun, train the model that one process trains."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_args

import pyarrow.parquet as pq
import pytest
import torch

from commands import Command, run
from gatewise import declare
from gatewise.cli.launch import _without
from gatewise.cli.launch import launch as start
from gatewise.errors import DeclarationError
from servers import free_port
from torchrun_program import table

PROGRAM = Path(__file__).parent / "torchrun_program.py"
ARCHITECTURES = get_args(get_args(declare.AnyArchitecture)[0])
RULES = [kind for cls in get_args(get_args(declare.AnyBalance)[0]) if (kind := cls().kind) != "tuned_static"]
CASES: dict[str, dict[str, Any]] = {rule: {"balance": rule} for rule in RULES}
CASES |= {
    "accumulated": {"accumulate": 3, "balance": "uncertainty"},
    "from disk": {"memory": 0, "batch_size": 70},
    "cosine": {"schedule": "cosine", "weight_decay": 0.01},
    "adagrad": {"optimizer": "adagrad", "embedding_update": "rowwise_adagrad"},
    "dense": {"embedding_update": "dense"},
    "ranking": {"schema": "ranked"},
    "half": {"precision": "bf16"},
    "moving average": {"ema": 0.9},
    "mean of epochs": {"average_last": 2, "epochs": 2},
}

PLAIN = ("single_task", "shared_bottom", "omoe", "cgc", "ple", "adatt", "stem", "cross_stitch")
TRUNKS: dict[str, dict[str, Any]] = {kind: {"model": {"kind": kind}} for kind in PLAIN} | {
    "facet_aware_moe": {"model": {"kind": "facet_aware_moe", "facet": "user"}},
    "pepnet": {"model": {"kind": "pepnet", "scenario": ["user"], "priors": ["x"]}},
    "aitm": {"model": {"kind": "aitm", "order": ["click", "buy", "stay"]}},
    # Adam makes much of the last digits of its gradients
    "home": {
        "optimizer": "sgd",
        "lr": 0.05,
        "model": {"kind": "home", "groups": {"act": ["click", "buy"], "time": ["stay"]}, "norm": "layer"},
    },
    "mose": {"model": {"kind": "mose"}, "schema": "apart"},
}
SHARDED = {f"{name} in shards": {**case, "tables": "shard"} for name, case in CASES.items() if name != "dense"}
# machines that have no folder in common
SHARDED |= {"from disk in folders apart": {**CASES["from disk"], "cache apart": True}}
# the table of tags, of another width, is whole in every process
SHARDED |= {"moving average in some shards": {**CASES["moving average"], "tables": ["user"]}}
HOST = {
    f"{name} in the host": {**CASES[name], "tables": "host"} for name in ("moving average", "gradnorm", "from disk")
}
# three pieces, of which two processes learn two and one
LEARNT = {"learnt in parts": {"memory": 0, "batch_size": 20_000, "rows": 140_000}}
OF_THREE = ("uncertainty", "gradnorm", "upgrad", "accumulated", "from disk", "ranking", "moving average")
"""Cases that three processes train, too: what is summed in each of them differs."""
RECIPE = """
data: {train: train.parquet, valid: valid.parquet}
features: [{kind: categorical, name: user, dim: 4}, {kind: numeric, name: x}]
tasks: [{kind: binary, name: click}]
model: {kind: mmoe, experts: 2, expert_dims: [8]}
training: {epochs: 1, batch_size: 64, lr: 0.01}
"""
JUMPS = ("half", "pcgrad")
"""Where the last digit of a sum decides more: rounding to bf16, and whether PCGrad takes two tasks to conflict."""


def written(cases: dict[str, Any], out: Path) -> tuple[tuple[str, str], dict[str, str]]:
    """Write cases, and return the program's arguments and environment."""
    out.mkdir(exist_ok=True)
    (out / "cases.json").write_text(json.dumps(cases))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "GATEWISE_CACHE": str(out / "cache")}
    return (str(out / "cases.json"), str(out)), environment


def launch_forked(ranks: int, cases: dict[str, Any], out: Path, *, dies: bool = False) -> None:
    """Launch as torchrun does, processes that need not import anything; if one dies the others are killed."""
    given, environment = written(cases, out)
    if ranks > 1:
        environment |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
        environment |= {"WORLD_SIZE": str(ranks), "LOCAL_WORLD_SIZE": str(ranks)}
    of_rank = [{"RANK": str(rank), "LOCAL_RANK": str(rank)} if ranks > 1 else {} for rank in range(ranks)]
    running = [Command(given, env=environment | own, program=PROGRAM) for own in of_rank]
    deadline = time.monotonic() + 200
    while all(each.poll() is None for each in running):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    if dies:
        for each in running:
            each.kill()
    ended = [each.communicate(timeout=100) for each in running]
    assert (-signal.SIGKILL in [each.returncode for each in running]) == dies, ended
    assert dies or not any(each.returncode for each in running), ended


def launch(ranks: int, cases: dict[str, Any], out: Path) -> Path:
    given, environment = written(cases, out)
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(ranks)]
    command = [sys.executable, *(torchrun if ranks > 1 else []), str(PROGRAM), *given]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert found.returncode == 0, found.stderr[-3000:]
    return out


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    return launch(1, CASES | TRUNKS | LEARNT, tmp_path_factory.mktemp("ranks") / "one")


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    some = {name: CASES[name] for name in OF_THREE}
    some |= {name: case for name, case in SHARDED.items() if name.removesuffix(" in shards") in OF_THREE}
    cases = {2: CASES | SHARDED | HOST | TRUNKS | LEARNT, 3: some}
    return {size: launch(size, some, tmp_path_factory.mktemp("ranks") / f"{size}") for size, some in cases.items()}


@pytest.mark.parametrize(("case", "size"), [*((case, 2) for case in CASES | TRUNKS), *((case, 3) for case in OF_THREE)])
def test_several_processes_are_one(case, size, one, several):
    folder = several[size]
    wanted = torch.load(one / f"{case}.0.pt")
    found = [torch.load(folder / f"{case}.{rank}.pt") for rank in range(size)]
    close = {"atol": 1e-5, "rtol": 1e-5}
    if case in JUMPS:
        close = {"atol": 1e-2, "rtol": 1e-1}
    for name, value in wanted.items():
        torch.testing.assert_close(found[0][name], value, **close)
        assert all(other[name].equal(found[0][name]) for other in found), name
    metrics = [json.loads((each / f"{case}.json").read_text()) for each in (one, folder)]
    for task, values in metrics[0].items():
        for metric, value in values.items():
            assert metrics[1][task][metric] == pytest.approx(value, abs=1e-2 if case in JUMPS else 2e-4), (task, metric)


@pytest.mark.parametrize(
    ("case", "size"), [*((case, 2) for case in SHARDED), *((f"{case} in shards", 3) for case in OF_THREE)]
)
def test_processes_share_tables(case, size, one, several):
    folder, alone = several[size], case.partition(" in ")[0]
    shared = {"in some shards": ("dim_4",), "in folders apart": ()}.get(
        case.removeprefix(f"{alone} "), ("dim_2", "dim_4")
    )
    wanted, found = torch.load(one / f"{alone}.0.pt"), torch.load(folder / f"{case}.0.pt")
    close = {"atol": 1e-2, "rtol": 1e-1} if alone in JUMPS else {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(found, wanted, **close)
    for rank in range(1, size):
        part = torch.load(folder / f"{case}.{rank}.pt")
        for name, value in found.items():
            if name.startswith("input_layer.tables.weights") and name.endswith(shared):
                torch.testing.assert_close(part[name], value[rank::size], atol=0, rtol=0)
            else:
                assert part[name].equal(value), name


@pytest.mark.parametrize("case", HOST)
def test_tables_in_the_host_give_the_same_weights(case, several):
    alone = case.removesuffix(" in the host")
    for rank in range(2):
        found, wanted = (torch.load(several[2] / f"{name}.{rank}.pt") for name in (case, alone))
        torch.testing.assert_close(found, wanted, atol=0, rtol=0)


def test_processes_learn_what_one_learns(one, several):
    case, parts = "learnt in parts", []
    for folder, size in ((one, 1), (several[2], 2)):
        parts.append([int((folder / f"{case}.{rank}.rows").read_text()) for rank in range(size)])
    assert parts == [[140_000], [2 * 65_536, 140_000 - 2 * 65_536]]
    for file in ("vocabularies.arrow", "encoder.json"):
        wanted, found = ((folder / f"{case} artefact" / file).read_bytes() for folder in (one, several[2]))
        assert found == wanted


def test_killed_processes_lead_to_the_same_weights(tmp_path):
    """Also where the number of processes changes in between."""
    common = {"balance": "uncertainty", "epochs": 2, "keep_optimizer": True, "ema": 0.9}
    cases = {"replicate": common, "shard": {**common, "tables": "shard"}}
    whole = tmp_path / "whole"
    launch_forked(2, cases, whole)
    killed = {name: {**case, "dies at": [27, 9]} for name, case in cases.items()}
    for name, case in killed.items():
        once, changed = tmp_path / name, tmp_path / f"{name} changed"
        launch_forked(2, {name: case}, once, dies=True)
        shutil.copytree(once, changed)
        # without a second death
        (once / f"{name} died 1").touch()
        launch_forked(2, {name: case}, once)
        assert_equal(name, whole, once, atol=0.0)
        for file in ("weights.safetensors", "training.safetensors"):
            written, wanted = (folder / f"{name} artefact" / file for folder in (once, whole))
            assert written.read_bytes() == wanted.read_bytes()
        assert not list((once / f"{name} run").glob(".gatewise-*"))
        if name == "shard":
            case["dies at"].append(5)
            launch_forked(1, {name: case}, changed, dies=True)
            launch_forked(2, {name: {**case, "tables": ["user"]}}, changed, dies=True)
            launch_forked(2, {name: case}, changed)
            assert_equal(name, whole, changed, atol=1e-5)
        left = {path.name for path in (once / f"{name} run").glob("shard-*")}
        assert len(left) == (2 if name == "shard" else 0)


def assert_equal(case: str, wanted: Path, found: Path, *, atol: float) -> None:
    weights = [torch.load(folder / f"{case}.0.pt") for folder in (wanted, found)]
    torch.testing.assert_close(*weights, atol=atol, rtol=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a recipe and its tables."""
    folder = tmp_path_factory.mktemp("recipe")
    pq.write_table(table(), folder / "train.parquet")
    pq.write_table(table(300, 1), folder / "valid.parquet")
    (folder / "recipe.yaml").write_text(RECIPE)
    return folder


def train(folder: Path, out: str, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    given = ("-o", folder / out, "--no-report", "--baseline", "none", *options)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROGRAM.parent), **variables}
    return run("train", folder / "recipe.yaml", *given, env=environment, timeout=200)


@pytest.fixture(scope="module")
def alone(folder):
    """The folder of a run that one process trained."""
    assert train(folder, "1", "--ranks", "1").returncode == 0
    return folder / "1"


def test_the_command_starts_the_processes(folder, alone):
    runs = {"1": json.loads((alone / "metrics.json").read_text())["valid"]}
    found = train(folder, "2", "--ranks", "2")
    assert found.returncode == 0, found.stderr[-2000:]
    runs["2"] = json.loads((folder / "2" / "metrics.json").read_text())["valid"]
    # one process writes and tells
    assert found.stderr.count("epoch 1/1") == 1
    assert found.stdout.count("artefact:") == 1
    for metric, value in runs["1"]["click"].items():
        assert runs["2"]["click"][metric] == pytest.approx(value, abs=2e-4)


def process_of(rank: int, run: Path) -> int | None:
    """Return the process that has this rank in the training of a run, if it is there."""
    for each in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            of_run = str(run).encode() in (each / "cmdline").read_bytes()
            if of_run and f"RANK={rank}".encode() in (each / "environ").read_bytes().split(b"\0"):
                return int(each.name)
    return None


def test_all_go_on_where_one_died(folder):
    # a checkpoint after every step
    settings = ("--set", "training.save_minutes=0", "--set", "training.epochs=2", "--set", "training.batch_size=20")
    assert train(folder, "whole", "--ranks", "2", *settings).returncode == 0
    with ThreadPoolExecutor() as pool:
        running = pool.submit(train, folder, "killed", "--ranks", "2", "--max-restarts", "2", *settings)
        for rank, saved in ((1, 3), (0, 9)):
            checkpoint, seen = folder / "killed" / "checkpoint.pt", set[int]()
            while len(seen) < saved and not running.done():
                with contextlib.suppress(FileNotFoundError):
                    seen.add(checkpoint.stat().st_mtime_ns)
                time.sleep(0.001)
            found = process_of(rank, folder / "killed")
            assert found is not None
            os.kill(found, signal.SIGKILL)
            while Path(f"/proc/{found}").exists():
                time.sleep(0.01)
        ended = running.result()
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "process 1 of 2 was ended by SIGKILL" in ended.stderr
    assert "process 0 of 2 was ended by SIGKILL" in ended.stderr
    assert "Traceback" not in ended.stderr
    wanted, weights = (folder / name / "artefact" / "weights.safetensors" for name in ("whole", "killed"))
    assert weights.read_bytes() == wanted.read_bytes()


def test_processes_evaluate_and_predict_in_turn(folder, alone):
    # several pieces, the last of them short, and more processes than the last round has pieces
    pq.write_table(table(150_000, 2), folder / "large.parquet")
    rows = folder / "large.parquet"
    found: dict[int, Any] = {}
    for ranks in (1, 2, 3):
        out = folder / f"predictions {ranks}.parquet"
        outputs = []
        for command in (("evaluate", alone, rows, "--json"), ("predict", alone, rows, "-o", out, "-k", "user")):
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            ended = run(*command, "--ranks", ranks, env=environment, timeout=200)
            assert ended.returncode == 0, ended.stderr
            outputs.append(ended)
        assert outputs[1].stderr.count("150,000 rows -> ") == 1
        found[ranks] = json.loads(outputs[0].stdout), pq.read_table(out)
    for metrics, predictions in (found[2], found[3]):
        assert predictions.equals(found[1][1])
        for metric, value in found[1][0]["click"].items():
            assert metrics["click"][metric] == pytest.approx(value, rel=1e-12)


def test_a_mistake_is_said_once(folder):
    found = train(folder, "mistake", "--ranks", "2", "--max-restarts", "2", "--set", "data.train=valid.csv")
    assert found.returncode == 1
    assert found.stderr.count("error:") == 1
    assert "restarts" not in found.stderr
    assert "Traceback" not in found.stderr


def test_every_trunk_is_trained_by_several_processes():
    assert {cls.__dataclass_fields__["kind"].default for cls in ARCHITECTURES} == {*TRUNKS, "mmoe"}


def test_a_launcher_within_a_launcher_is_refused(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(DeclarationError, match="--ranks: a launcher has started 2 processes already"):
        start(2, 0, Path())


def test_options_of_the_launch_are_not_handed_on():
    given = ["train", "r.yaml", "--ranks", "2", "-o", "x", "--max-restarts=3", "--resume"]
    assert _without(given) == ["train", "r.yaml", "-o", "x", "--resume"]
