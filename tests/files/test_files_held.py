from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import gatewise as gw
from gatewise.errors import ArtefactError
from gatewise.files import held, held_in_turn

HOLDER = """
import sys, time
from pathlib import Path
from gatewise.files import held
with held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def test_one_run_at_a_time_and_a_dead_one_holds_nothing(tmp_path: Path, make_ranker, feed) -> None:
    run = tmp_path / "run"
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(run)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        expected = f"run {str(run)!r}: process {holder.pid} is writing into it; wait, or choose another folder"
        with pytest.raises(ArtefactError) as refused:
            make_ranker(epochs=1).fit(feed, run_dir=run)
        assert str(refused.value) == expected
    finally:
        os.kill(holder.pid, signal.SIGKILL)
        holder.communicate()
    make_ranker(epochs=1).fit(feed, run_dir=run)
    assert sorted(path.name for path in run.iterdir()) == ["checkpoint.pt", "history.jsonl"]


def test_threads_are_others_and_blocks_within_are_not(tmp_path: Path) -> None:
    with held(tmp_path), held(tmp_path), ThreadPoolExecutor(1) as pool:

        def hold() -> None:
            with held(tmp_path):
                raise AssertionError("held twice")

        with pytest.raises(ArtefactError, match="is writing into it"):
            pool.submit(hold).result()
    with held(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_dead_runs_left_half_written_is_removed(tmp_path: Path) -> None:
    names = [".checkpoint.pt.abcd_123.tmp", ".mine.tmp", "data.abcd_123.tmp"]
    for name in names:
        (tmp_path / name).write_text("")
    with held(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(names[1:])


def test_a_folder_that_cannot_be_made(tmp_path: Path, make_ranker, feed) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtefactError, match=r"cannot write into '.*file': File exists"), held(tmp_path / "file"):
        pass
    with pytest.raises(gw.GatewiseError, match=r"Not a directory|File exists"):
        make_ranker(epochs=1).fit(feed, run_dir=tmp_path / "file" / "run")


def test_whoever_waits_has_its_turn(tmp_path: Path) -> None:
    said: list[str] = []
    order: list[str] = []

    def second() -> None:
        with held_in_turn(tmp_path / "run", said.append):
            order.append("second")

    with held(tmp_path / "run"):
        thread = threading.Thread(target=second)
        thread.start()
        while not said:
            time.sleep(0.01)
        time.sleep(0.3)
        order.append("first")
    thread.join(timeout=10)
    assert order == ["first", "second"]
    assert said == [said[0]]
    assert "is writing into it" in said[0]
