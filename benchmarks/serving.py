"""Serving over HTTP: requests a second beside a naive service, while models are reloaded, and where the time goes.

python benchmarks/serving.py
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import gatewise as gw
from gatewise.datasets import movielens, split_by_time
from gatewise.declare import Recipe
from page import machine
from quiet import TOO_MUCH, busy_share
from reporting import digits, say, spread, table

COMMAND = "make bench PARTS=serving"
HERE = Path(__file__).resolve().parent
RECIPE = HERE.parent / "src" / "gatewise" / "recipes" / "movielens.yaml"
CANDIDATES = 200
USERS = 32
CONNECTIONS = 8
CORES = 2
RELOADS = 10
QUICK = {"seconds": 1, "rounds": 1, "epochs": 1}

ITEM = ("movie_id", "genres", "year", "movie_count", "movie_mean")
CONTEXT = ("user_id", "hour", "weekday", "user_count", "user_mean", "movie_age")
NAIVE, VALUES, IDS = "naive", "candidates as values", "candidates as ids of the item table"
STAGES = {
    "parse": "JSON to values, checked",
    "encode": "values to ids and floats",
    "infer": "waiting for the model, and its work",
    "sort": "order, and the answer as values",
    "write": "values to JSON",
}


def make_artefacts(folder: Path, epochs: int) -> pa.Table:
    """Train two models of the packaged recipe and save them; return the rows that requests are made of."""
    recipe = Recipe.read(RECIPE, [f"training.epochs={epochs}"])
    train, valid, test = split_by_time(movielens(), "timestamp", 0.1, 0.1)
    for seed in (0, 1):
        ranker = gw.Ranker(recipe.schema(), recipe.model, balance=recipe.balance, epochs=epochs, lr=2e-3, seed=seed)
        ranker.fit(train, valid, progress=False).save(folder / f"model{seed}")
    return test


def write_bodies(folder: Path, test: pa.Table) -> dict[str, Path]:
    """Write the requests of every service, one a line, and the item table."""
    rows = test.to_pylist()
    items = {row["movie_id"]: {name: row[name] for name in ITEM} for row in rows}
    pq.write_table(pa.Table.from_pylist(list(items.values())), folder / "items.parquet")
    users = {row["user_id"]: {name: row[name] for name in CONTEXT} for row in rows}
    known, bodies = list(items.values()), {NAIVE: [], VALUES: [], IDS: []}
    for place, context in enumerate(islice(users.values(), USERS)):
        chosen = [known[(place * 37 + step) % len(known)] for step in range(CANDIDATES)]
        bodies[NAIVE].append({"rows": [{**context, **item} for item in chosen]})
        bodies[VALUES].append({"context": context, "candidates": chosen})
        bodies[IDS].append({"context": context, "candidates": [item["movie_id"] for item in chosen]})
    paths = {name: folder / f"{place}.jsonl" for place, name in enumerate(bodies)}
    for name, path in paths.items():
        path.write_text("".join(json.dumps(body) + "\n" for body in bodies[name]))
    return paths


@contextmanager
def running(*command: object) -> Iterator[str]:
    """Run a service on a free port until the block is left, and return its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [str(port if word == "PORT" else word) for word in command]
    process = subprocess.Popen([sys.executable, *words], stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    while process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/v2/health/ready")
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError(f"a service ended with {process.returncode}")


def post(url: str, body: str = "") -> Any:
    """Return the answer to a request."""
    request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))


def start_wrk(url: str, bodies: Path, seconds: int, connections: int) -> subprocess.Popen[str]:
    """Start asking."""
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", HERE / "wrk.lua"]
    environment = {**os.environ, "BODIES": str(bodies)}
    return subprocess.Popen(["wrk", *options, f"{url}/rank"], env=environment, stdout=subprocess.PIPE, text=True)


def asked(url: str, bodies: Path, seconds: int, connections: int = CONNECTIONS) -> dict[str, float]:
    """Ask for some seconds, and return what came of it."""
    return result(start_wrk(url, bodies, seconds, connections))


def result(wrk: subprocess.Popen[str]) -> dict[str, float]:
    """Return what came of asking; a request that failed is an error."""
    output, _ = wrk.communicate()
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    if found["refused"] or found["broken"]:
        raise RuntimeError(f"requests failed: {found}")
    return found


def check_same(urls: dict[str, str], bodies: dict[str, Path]) -> None:
    """Make sure that all services say the same of the first request."""
    answers = {name: post(f"{url}/rank", bodies[name].read_text().splitlines()[0]) for name, url in urls.items()}
    naive = {one["index"]: one["liked"] for one in answers.pop(NAIVE)}
    for name, answer in answers.items():
        worst = max(abs(one["scores"]["liked"] - naive[one["index"]]) for one in answer["candidates"])
        if worst > 1e-5:
            raise RuntimeError(f"{name}: scores differ by {worst}")


def stages(url: str, bodies: Path, seconds: int) -> list[list[str]]:
    """Return where the time of a request goes that is alone, and how long the client waited."""
    before, found = _sums(url), asked(url, bodies, seconds, connections=1)
    after = _sums(url)
    spent = {name: 1e3 * (after[name] - before[name]) / found["requests"] for name in after}
    whole = spent.pop("whole")
    mean = 1e3 * found["seconds"] / found["requests"]
    rows = [[name, meaning, spent[name]] for name, meaning in STAGES.items()]
    rows.append(["rest of the handler", "reading the body, limits, metrics", whole - sum(spent.values())])
    rows.append(["around it", "HTTP (uvicorn, FastAPI), the network, the client", mean - whole])
    rows.append(["**all**", "", mean])
    return [[name, meaning, f"{digits(taken)} ms"] for name, meaning, taken in rows]


def _sums(url: str) -> dict[str, float]:
    text = urllib.request.urlopen(f"{url}/metrics").read().decode()
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    found = {name: float(lines[f'gatewise_stage_seconds_sum{{stage="{name}"}}']) for name in STAGES}
    return found | {"whole": float(lines.get('gatewise_request_seconds_sum{path="/rank"}', 0))}


def reloaded(url: str, folder: Path, bodies: Path) -> dict[str, float]:
    """Replace the model ten times while it is asked, and return what came of the requests."""
    wrk = start_wrk(url, bodies, 600, CONNECTIONS)
    started = time.monotonic()
    for turn in range(RELOADS):
        fresh, target = folder / "fresh", folder / "served"
        shutil.copytree(folder / f"model{(turn + 1) % 2}", fresh)
        old = target.rename(folder / "old")
        fresh.rename(target)
        shutil.rmtree(old)
        post(f"{url}/v2/repository/models/served/load")
    taken = time.monotonic() - started
    # wrk reports what it has when it is interrupted
    wrk.send_signal(2)
    return result(wrk) | {"taken": taken}


def section(seconds: int = 10, rounds: int = 5, epochs: int = 3) -> str:
    """Measure and return the section."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    share = busy_share()
    busy = f"\nOther work took {share:.0%} of the processors when this began.\n" if share > TOO_MUCH else ""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        # what was exported before is not to shorten a reload
        os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
        say("two models are trained")
        bodies = write_bodies(folder, make_artefacts(folder, epochs))
        shutil.copytree(folder / "model0", folder / "served")
        serve = ("-c", "from gatewise.cli import main; main()", "serve", folder / "served", "--port", "PORT")
        items = ("--items", folder / "items.parquet", "--item-key", "movie_id")
        ours = stack.enter_context(running(*serve, *items))
        urls = {NAIVE: stack.enter_context(running(HERE / "naive_service.py", folder / "model0", "PORT"))}
        urls |= {VALUES: ours, IDS: ours}
        check_same(urls, bodies)
        found = _measured(urls, bodies, seconds, rounds)
        say("where the time goes")
        spent = stages(ours, bodies[VALUES], seconds)
        say(f"{RELOADS} reloads under load")
        return _written(found, spent, reloaded(ours, folder, bodies[VALUES]), seconds, rounds) + busy


def _measured(
    urls: dict[str, str], bodies: dict[str, Path], seconds: int, rounds: int
) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in urls}
    for name, url in urls.items():
        asked(url, bodies[name], min(seconds, 2))
    for turn in range(1, rounds + 1):
        for name, url in urls.items():
            one = asked(url, bodies[name], seconds)
            found[name].append(one)
            say(f"round {turn}/{rounds}: {name}, {one['requests'] / one['seconds']:,.0f} a second")
    return found


def _written(
    found: dict[str, list[dict[str, float]]],
    spent: list[list[str]],
    reload: dict[str, float],
    seconds: int,
    rounds: int,
) -> str:
    rates = {name: [one["requests"] / one["seconds"] for one in of_name] for name, of_name in found.items()}
    lines = []
    for name, of_name in found.items():
        ratio = median(own / naive for own, naive in zip(rates[name], rates[NAIVE], strict=True))
        times = [f"{digits(median(one[part] for one in of_name))} ms" for part in ("p50", "p99")]
        lines.append([name, spread(rates[name]), f"{digits(ratio, 2)}x", *times])
    header = ["", "requests/s", "beside naive", "p50", "p99"]
    during = [f"{digits(reload[part])} ms" for part in ("p50", "p99")]
    return (
        f"## Serving\n\n`{COMMAND}`; {machine()}; wrk with {CONNECTIONS} connections and the service on the same "
        f"{CORES} cores; {CANDIDATES} candidates a request, {USERS} users in turn; median of {rounds} rounds of "
        f"{seconds} seconds and their range, services alternating.\n\n"
        "The model is that of the packaged MovieLens recipe (11 features, MMoE with 8 experts, two tasks). The naive "
        "service is [naive_service.py](../../benchmarks/naive_service.py): FastAPI, a pydantic model a row, "
        "`Ranker.predict`. All give the same scores within 1e-5.\n\n"
        f"{table(header, lines)}\n"
        f"While the model was replaced {RELOADS} times, by two others in turn, in {reload['taken']:.0f} seconds: "
        f"{reload['requests']:,.0f} requests, {reload['refused'] + reload['broken']:.0f} failed, p50 {during[0]}, "
        f"p99 {during[1]}.\n\n"
        "Where the time of a request with values goes that is alone (means, from the service's own `/metrics`):\n\n"
        f"{table(['', '', 'time'], spent)}"
    )


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    print(section(**vars(parser.parse_args())))


if __name__ == "__main__":
    main()
