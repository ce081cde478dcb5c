"""What a process does with its memory and threads, each in a fresh one: it lasts until the process ends."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")

MAPPED = """
import ctypes

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keep")]

libc = ctypes.CDLL(None)
libc.mallinfo2.restype, libc.malloc.restype = Info, ctypes.c_void_p

def mapped(megabytes):
    before = libc.mallinfo2().hblks
    libc.malloc(megabytes << 20)
    return libc.mallinfo2().hblks - before
"""


def said(script: str, **environment: str) -> str:
    """Return what a fresh process prints."""
    kept = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    done = subprocess.run(
        [sys.executable, "-c", script], env={**kept, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@glibc
def test_fit_leaves_the_allocator_as_it_was() -> None:
    script = f"""{MAPPED}
import gatewise as gw
schema = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click")])
table = {{"user": [1, 2] * 50, "click": [0, 1] * 50}}
ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1)
before = mapped(20)
ranker.fit(table)
print(before, mapped(20))
"""
    assert said(script) == "1 1"


@glibc
def test_a_tuned_process_keeps_what_it_frees() -> None:
    script = f"""{MAPPED}
import gatewise as gw
before = mapped(40)
gw.tune_process()
from gatewise.machine import freed_memory_is_kept
print(before, mapped(40), freed_memory_is_kept())
"""
    assert said(script) == "1 0 True"


@pytest.mark.parametrize(("given", "expected"), [({}, "1000"), ({"GOMP_SPINCOUNT": "77"}, "77")])
def test_a_tuned_process_says_how_threads_wait_before_torch_reads_it(given: dict[str, str], expected: str) -> None:
    script = """
import sys
import gatewise as gw
gw.tune_process()
from gatewise.machine import spin_count
print(spin_count(), "torch" in sys.modules)
"""
    assert said(script, **given) == f"{expected} False"


@pytest.mark.parametrize(
    ("command", "kept"), [("train", True), ("compare", True), ("demo", True), ("predict", False), ("evaluate", False)]
)
def test_the_commands_that_train_keep_memory(command: str, kept: bool, tmp_path: Path) -> None:
    # each ends at its first mistake, and was tuned before
    script = f"""
import sys
from gatewise.cli import main
from gatewise.machine import freed_memory_is_kept, spin_count
sys.argv = ["gatewise", {command!r}, *([] if {command!r} == "demo" else [{str(tmp_path / "none")!r}]), *({{
    "demo": ["--set", "nothing.at.all=1"], "predict": ["rows.csv", "-o", "out.csv"], "evaluate": ["rows.csv"],
}}.get({command!r}, []))]
try:
    main()
except SystemExit:
    pass
print(freed_memory_is_kept(), spin_count())
"""
    expected = kept and platform.libc_ver()[0] == "glibc"
    assert said(script) == f"{expected} 1000"


def test_one_thread_computes_and_reads() -> None:
    script = """
from gatewise.machine import use_threads
use_threads(1)
import pyarrow, torch
print(torch.get_num_threads(), pyarrow.cpu_count())
"""
    assert said(script) == "1 1"
