"""Whoever loads an artefact gets the old one or the new one, wherever the process that saves it is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.files import folders, replace_folder

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
FILE_EVENTS = ("open", "os.", "shutil.", "tempfile.", "ctypes.dlsym")


def die_at(operation: int, place: Path) -> None:
    """Kill this process at its n-th operation on files of a folder."""
    left, inside = [operation], str(place)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(FILE_EVENTS) and (event.startswith("ctypes") or inside in str(arguments)):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def in_child(work: Callable[[], None]) -> int:
    """Run something in a forked child; a negative number is the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture(scope="module")
def versions(feed: pa.Table, feed_schema: gw.Schema) -> list[tuple[gw.Ranker, pa.Table]]:
    """Return two rankers, and what each predicts."""
    made = []
    for seed in (0, 1):
        ranker = gw.Ranker(feed_schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1, lr=0.02, seed=seed)
        ranker.fit(feed.slice(0, 300))
        made.append((ranker, ranker.predict(feed.slice(0, 20))))
    return made


@pytest.mark.parametrize("exchanges", [True, False])
def test_killed_at_every_file_operation(versions, feed, tmp_path, monkeypatch, exchanges: bool) -> None:
    if not exchanges:
        monkeypatch.setattr(folders, "_exchange", lambda *_: False)
    (old, before), (new, after) = versions
    place, rows = tmp_path / "model", feed.slice(0, 20)
    old.save(place)
    found, operation, status = [], 0, -signal.SIGKILL
    while status == -signal.SIGKILL:
        status = in_child(lambda at=operation: (die_at(at, tmp_path), new.save(place))[1])
        found.append(gw.load(place).predict(rows))
        assert found[-1] in (before, after), f"killed at operation {operation}"
        if status == -signal.SIGKILL:
            old.save(place)  # the next one removes what the dead one left
            assert [path.name for path in tmp_path.iterdir()] == ["model"], f"killed at operation {operation}"
        operation += 1
    assert status == 0
    assert operation > 30
    assert found[-1] == after
    assert before in found
    assert after in found[:-1]


WRITER = """
import sys, time
import gatewise as gw
ranker, place, stop = gw.load(sys.argv[1]), sys.argv[2], time.monotonic() + float(sys.argv[3])
count = 0
print("ready", flush=True)
while time.monotonic() < stop:
    ranker.save(place)
    count += 1
print(count)
"""


@pytest.mark.parametrize("exchanges", [True, False])
def test_a_reader_beside_two_writers_sees_whole_versions(versions, feed, tmp_path, exchanges: bool) -> None:
    rows, place = feed.slice(0, 20), tmp_path / "model"
    for name, (ranker, _) in zip("ab", versions, strict=True):
        ranker.save(tmp_path / name)
    versions[0][0].save(place)
    script = WRITER
    if not exchanges:
        script = "from gatewise.files import folders; folders._exchange = lambda *_: False\n" + WRITER
    writers = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", script, str(tmp_path / name), str(place), "3"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    seen = set()
    while any(writer.poll() is None for writer in writers):
        predicted = gw.load(place).predict(rows)
        seen.add([expected == predicted for _, expected in versions].index(True))
    assert seen == {0, 1}
    for writer in writers:
        printed, _ = writer.communicate()
        assert int(printed) > 20
        assert writer.returncode == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "model"]


def test_what_a_living_process_writes_is_left_alone(tmp_path: Path) -> None:
    """A second writer does not take the first one's unfinished folder for a dead one's."""
    place = tmp_path / "model"

    def slowly(folder: Path) -> None:
        (folder / "first").write_text("1")
        replace_folder(place, lambda other: (other / "second").write_text("2") and None)
        assert (place / "second").read_text() == "2"
        (folder / "more").write_text("1")

    replace_folder(place, slowly)
    assert sorted(path.name for path in place.iterdir()) == ["first", "more"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "current").symlink_to("v1")
    replace_folder(tmp_path / "current", lambda folder: (folder / "new").write_text("x") and None)
    assert (tmp_path / "current").is_symlink()
    assert (tmp_path / "v1" / "new").read_text() == "x"


def test_everything_is_on_the_disk_before_it_is_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced, real = [], os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        real(descriptor)

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no /proc: cannot see what is synchronised")
    monkeypatch.setattr(os, "fsync", fsync)

    def write(folder: Path) -> None:
        (folder / "inner").mkdir()
        (folder / "inner" / "file").write_text("x")

    replace_folder(tmp_path / "model", write)
    inside = [Path(path).relative_to(tmp_path).parts[1:] for path in synced]
    assert {("inner", "file"), ("inner",), ()} <= set(inside)
    # the last is the folder that holds the name
    assert synced[-1] == str(tmp_path)


def test_an_old_process_takes_no_time_away(tmp_path: Path) -> None:
    """What is left of a dead process is removed, that of others and of other names is not."""
    left = [".model.abc.tmp", ".other.abc.tmp", "model.tmp", ".model.abc.bak"]
    for name in left:
        (tmp_path / name).mkdir()
    started = time.perf_counter()
    replace_folder(tmp_path / "model", lambda folder: None)
    assert time.perf_counter() - started < 30
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*left[1:], "model"])
