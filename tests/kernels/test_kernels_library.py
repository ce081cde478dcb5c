from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gatewise.kernels import describe, library

needs_compiler = pytest.mark.skipif(
    library.library() is None, reason="needs a C compiler: apt-get install gcc libc6-dev"
)


def described(home: Path, **environment: str) -> str:
    """Say what a fresh process with its own cache runs on."""
    result = subprocess.run(
        [sys.executable, "-c", "from gatewise.kernels import describe; print(describe())"],
        env={**os.environ, "XDG_CACHE_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stderr == ""
    return result.stdout.strip()


@needs_compiler
def test_it_is_built_once_and_found_again(tmp_path: Path) -> None:
    first = described(tmp_path)
    (built,) = (tmp_path / "gatewise").iterdir()
    assert first == f"C ({built})"
    stamp = built.stat().st_mtime_ns
    # what was built serves without a compiler too
    assert described(tmp_path, CC="/no/such/compiler") == first
    assert built.stat().st_mtime_ns == stamp


def test_without_a_compiler_it_is_torch(tmp_path: Path) -> None:
    assert described(tmp_path, CC="/no/such/compiler") == "torch"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("script", ["exit 1", "echo broken > kernels.so; exit 0", "exit 0"])
def test_a_compiler_that_fails_is_no_error(tmp_path: Path, script: str) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755)
    assert described(tmp_path / "cache", CC=str(compiler)) == "torch"


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    assert described(tmp_path, GATEWISE_KERNELS="torch") == "torch"
    assert not list(tmp_path.iterdir())


@needs_compiler
def test_what_others_can_write_is_not_loaded(tmp_path: Path) -> None:
    described(tmp_path)
    (built,) = (tmp_path / "gatewise").iterdir()
    good = built.read_bytes()
    built.write_bytes(b"not ours")
    built.chmod(built.stat().st_mode | stat.S_IWOTH)
    assert described(tmp_path) == f"C ({built})"
    assert built.read_bytes() != b"not ours"
    assert len(built.read_bytes()) == len(good)


def test_this_process_says_what_it_runs_on() -> None:
    assert describe() == "torch" or describe().startswith("C (")
