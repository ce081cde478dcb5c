"""Models take each other's place while requests are answered; what fails leaves what was there."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from gatewise.cli import main
from gatewise.http.exported import exported
from gatewise.jobs import promote, roll_back
from gatewise.promoted import Pointer, Promoted

USER = 10_000_000_003
ROWS = [{"user": USER, "item": f"i{i}", "tags": "a", "price": 2.0} for i in range(20)]


@pytest.fixture
def models(shelf, tmp_path) -> Path:
    """Return a folder of models that may be changed: ``feed/1``."""
    shutil.copytree(shelf.folder / "first", tmp_path / "models" / "feed" / "1")
    return tmp_path / "models"


def stars(url: str, **asked: object) -> list[float]:
    answer = httpx.post(f"{url}/predict", json={"rows": ROWS, **asked}, timeout=30)
    assert answer.status_code == 200, answer.text
    return [row["stars"] for row in answer.json()["rows"]]


def replace(target: Path, source: Path) -> None:
    """Put another artefact in the place of one, as ``Ranker.save`` does."""
    fresh = target.with_name(".fresh")
    shutil.copytree(source, fresh)
    old = target.rename(target.with_name(".old"))
    fresh.rename(target)
    shutil.rmtree(old)


def load(url: str, name: str = "feed") -> httpx.Response:
    return httpx.post(f"{url}/v2/repository/models/{name}/load", timeout=60)


def asked_all_the_time(url: str, stop: threading.Event) -> tuple[set[tuple[float, ...]], list[str]]:
    """Ask until told to stop; return all the answers that came, and the failures."""
    answers: set[tuple[float, ...]] = set()
    failures: list[str] = []
    with httpx.Client(base_url=url, timeout=30) as client:
        while not stop.is_set():
            try:
                answer = client.post("/predict", json={"rows": ROWS})
            except httpx.HTTPError as error:
                failures.append(repr(error))
                continue
            if answer.status_code == 200:
                answers.add(tuple(row["stars"] for row in answer.json()["rows"]))
            else:
                failures.append(answer.text)
    return answers, failures


def test_a_model_that_is_in_use_is_replaced_changed_damaged_unloaded_and_versioned(shelf, models, serving):
    with serving("--models", models) as running:
        _replaced_under_load(shelf, models, running.url)
        _damaged(shelf, models, running)
        _versions(shelf, models, running)
        _unloaded(running)


def _replaced_under_load(shelf, models: Path, url: str) -> None:
    first = tuple(stars(url))
    stop = threading.Event()
    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(asked_all_the_time, url, stop) for _ in range(4)]
        try:
            for turn in range(10):
                replace(models / "feed" / "1", shelf.folder / ("second" if turn % 2 == 0 else "first"))
                assert load(url).json() == {"loaded": [{"name": "feed", "version": "1"}]}
                assert (tuple(stars(url)) == first) == (turn % 2 == 1)
        finally:
            stop.set()
        found = [client.result() for client in clients]
    assert [failures for _, failures in found] == [[]] * 4
    # every answer was of one model or of the other
    assert len(set().union(*(answers for answers, _ in found))) == 2


def _damaged(shelf, models: Path, running) -> None:
    before, weights = stars(running.url), models / "feed" / "1" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8] + bytes(8))
    answer = load(running.url)
    assert answer.status_code == 409
    assert "damaged: weights.safetensors is not what was saved; what was served is served on" in answer.json()["error"]
    assert stars(running.url) == before
    index = running.client.post("/v2/repository/index").json()
    assert [(one["state"], "damaged" in one["reason"]) for one in index] == [("READY", True)]
    replace(models / "feed" / "1", shelf.folder / "second")
    running.process.send_signal(signal.SIGHUP)
    until = time.monotonic() + 30
    while stars(running.url) == before:
        assert time.monotonic() < until, "SIGHUP loads nothing"
        time.sleep(0.05)


def _versions(shelf, models: Path, running) -> None:
    old = stars(running.url)
    shutil.copytree(shelf.folder / "first", models / "feed" / "10")
    assert load(running.url).status_code == 200
    # 10 is above 1 and above 9, though not by letters
    assert stars(running.url) == stars(running.url, version="10") != old
    assert stars(running.url, version="1") == old
    assert running.client.get("/v2/models/feed").json()["versions"] == ["1", "10"]
    shutil.rmtree(models / "feed" / "10")
    assert load(running.url).status_code == 200
    assert stars(running.url) == old
    assert running.client.get("/v2/models/feed/versions/10").status_code == 404


def _unloaded(running) -> None:
    assert running.client.post("/v2/repository/models/feed/unload").json() == {"unloaded": "feed"}
    assert running.client.get("/v2/health/ready").status_code == 503
    assert running.client.get("/v2/models/feed/ready").status_code == 404
    states = [one["state"] for one in running.client.post("/v2/repository/index").json()]
    assert states == ["UNAVAILABLE"]
    assert load(running.url).status_code == 200
    assert running.client.get("/v2/models/feed/ready").status_code == 200
    answer = load(running.url, "feet")
    assert (answer.status_code, answer.json()["error"]) == (404, "model 'feet': there is none; did you mean 'feed'?")


def test_a_service_that_is_killed_serves_again_and_one_that_is_stopped_answers_first(shelf, serving, free_port):
    port = free_port()
    with serving(f"first={shelf.folder / 'first'}", port=port) as running:
        before, stop = stars(running.url), threading.Event()
        with ThreadPoolExecutor(2) as pool:
            clients = [pool.submit(asked_all_the_time, running.url, stop) for _ in range(2)]
            time.sleep(0.3)
            running.process.kill()
            running.process.wait()
            stop.set()
            assert all(client.result()[0] for client in clients)
    kept = {path.name: path.read_bytes() for path in (shelf.cache / "gatewise" / "onnx").iterdir()}
    with serving(f"first={shelf.folder / 'first'}", port=port) as running:
        assert stars(running.url) == before
        _stopped_while_asked(running)
    assert {path.name: path.read_bytes() for path in (shelf.cache / "gatewise" / "onnx").iterdir()} == kept


def _stopped_while_asked(running) -> None:
    """A request whose body is still on its way when the service is asked to stop is answered."""
    started, closed = threading.Event(), threading.Event()

    def slowly():
        text = json.dumps({"rows": ROWS}).encode()
        yield text[:10]
        started.set()
        closed.wait(20)
        yield text[10:]

    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(httpx.post, f"{running.url}/predict", content=slowly(), timeout=30)
        started.wait()
        running.process.send_signal(signal.SIGTERM)
        _until_it_is_closed(running.url)
        closed.set()
        assert late.result().status_code == 200
    assert running.process.wait(timeout=30) in (0, -signal.SIGTERM)


def _until_it_is_closed(url: str) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            # what comes while the service leaves is answered, or finds nobody
            httpx.get(f"{url}/v2")
        except httpx.TransportError:
            return
    raise AssertionError("the service goes on taking connections")


def test_what_cannot_be_served_ends_with_one_line(shelf, tmp_path, monkeypatch, capsys, free_port):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    taken = socket.create_server(("127.0.0.1", 0))
    first, items = shelf.folder / "first", shelf.folder / "items.parquet"
    for arguments, message in (
        (["nowhere"], "model 'nowhere': there is no artefact 'nowhere'"),
        ([], "serve: name an artefact, a folder of them with --models, or --watch a folder of runs"),
        (["--models", tmp_path / "empty"], "no NAME/VERSION in it is an artefact"),
        ([first, "--items", items], "serve: --items and --item-key belong together"),
        ([first, "--items", items, "--item-key", "itm"], "no column 'itm'; did you mean 'item'?"),
        ([first, "--limit", "candidate=5"], "candidate: unknown option; did you mean 'candidates'?"),
        ([first, "--limit", "candidates=many"], "candidates: input should be a valid integer"),
        ([first, f"first={first}"], "two models are called 'first'"),
        ([first, "--port", taken.getsockname()[1]], "cannot listen on 127.0.0.1 port"),
    ):
        port = [] if "--port" in arguments else ["--port", free_port()]
        monkeypatch.setattr(sys, "argv", ["gatewise", "serve", *map(str, [*arguments, *port])])
        with pytest.raises(SystemExit) as ended:
            main()
        errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
        assert (ended.value.code, len(errors)) == (1, 1)
        assert message in errors[0]
    taken.close()


def test_what_is_promoted_takes_the_place_of_what_is_served(shelf, tmp_path, serving, monkeypatch):
    runs = tmp_path / "runs"
    # where the cache of the service is: clients that ask without a pause leave little of a busy machine for an export
    monkeypatch.setenv("XDG_CACHE_HOME", str(shelf.cache))
    for name in ("first", "second"):
        shutil.copytree(shelf.folder / name, runs / name)
        exported(runs / name)
    promote(runs / "first")
    with serving("--watch", f"feed={runs}") as running:
        stop, url = threading.Event(), running.url
        first = Pointer.read(runs).current.version
        assert running.client.post("/predict", json={"rows": ROWS}).json()["version"] == first
        with ThreadPoolExecutor(2) as pool:
            clients = [pool.submit(asked_all_the_time, url, stop) for _ in range(2)]
            try:
                second = promote(runs / "second", table=shelf.folder / "rows.parquet", worst=100).version
                _wait_for(url, second)
                # what cannot be loaded leaves what is served
                Pointer.read(runs).forward(Promoted("second", "0" * 64, "")).write(runs, Pointer.read(runs))
                time.sleep(2.5)
                assert _version(url) == second
                for _ in range(2):
                    now, _ = roll_back(runs)
                assert now.version == first
                _wait_for(url, first)
            finally:
                stop.set()
            found = [client.result() for client in clients]
        assert [failures for _, failures in found] == [[]] * 2
        assert len(set().union(*(answers for answers, _ in found))) == 2
        figures = running.client.get("/metrics").text
        for version in (first, second):
            assert f'gatewise_answers_total{{model="feed",version="{version}"}}' in figures
        assert f'gatewise_model_loaded_seconds{{model="feed",version="{first}"}}' in figures
        assert f'gatewise_model_loaded_seconds{{model="feed",version="{second}"}}' not in figures
        assert running.client.post("/v2/repository/models/feed/unload").status_code == 200
        time.sleep(1.5)
        assert running.client.get("/v2/health/ready").status_code == 503
        running.process.terminate()
        running.process.wait(60)
        said = running.process.stderr.read()
    assert f"feed version {second}: took the place of what was served" in said
    assert said.count("is not what was promoted as second@00000000; what was served is served on") == 1


def _version(url: str) -> str:
    return httpx.post(f"{url}/predict", json={"rows": ROWS}, timeout=30).json()["version"]


def _wait_for(url: str, version: str) -> None:
    until = time.monotonic() + 300
    while _version(url) != version:
        assert time.monotonic() < until, f"{version} was promoted and is not served"
        time.sleep(0.5)


def test_a_folder_in_which_nothing_was_promoted(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gatewise", "serve", "--watch", str(tmp_path)])
    with pytest.raises(SystemExit):
        main()
    assert f"nothing was promoted there yet: gatewise promote RUN --to {tmp_path}" in capsys.readouterr().err
