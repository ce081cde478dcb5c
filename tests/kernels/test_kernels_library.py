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


SAYS = "from gatewise.kernels import describe; print(describe())"


def described(home: Path, *, script: str = SAYS, cwd: Path | None = None, **environment: str) -> str:
    """Say what a fresh process with its own cache runs on."""
    result = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "XDG_CACHE_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
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
    assert described(tmp_path, CC="/no/such/compiler") == "torch: there is no C compiler '/no/such/compiler'"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("script", ["exit 1", "echo broken > kernels.so; exit 0", "exit 0"])
def test_a_compiler_that_fails_is_no_error(tmp_path: Path, script: str) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(f"#!/bin/sh\n{script}\n")
    compiler.chmod(0o755)
    assert described(tmp_path / "cache", CC=str(compiler)).startswith("torch: the build failed: ")


def test_the_compilers_own_words_say_what_failed(tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho kernels.c: In function >&2\necho 'kernels.c:1: error: no disk' >&2\nexit 1\n")
    compiler.chmod(0o755)
    said = described(tmp_path / "cache", CC=str(compiler))
    assert said == "torch: the build failed: kernels.c:1: error: no disk"


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    assert described(tmp_path, GATEWISE_KERNELS="torch") == "torch: switched off by GATEWISE_KERNELS=torch"
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
    assert describe().startswith(("torch: ", "C ("))


@needs_compiler
def test_whatever_the_umask_it_is_built_once(tmp_path: Path) -> None:
    script = "import os; os.umask(0o002); from gatewise.kernels import describe; print(describe())"
    first, second = (described(tmp_path, script=script) for _ in range(2))
    (built,) = (tmp_path / "gatewise").iterdir()
    assert first == second == f"C ({built})"
    assert not (built.stat().st_mode | built.parent.stat().st_mode) & (stat.S_IWGRP | stat.S_IWOTH)


@needs_compiler
@pytest.mark.parametrize("damage", ["cut off", "changed", "empty", "a link"])
def test_a_damaged_library_is_built_anew(tmp_path: Path, damage: str) -> None:
    described(tmp_path)
    (built,) = (tmp_path / "gatewise").iterdir()
    good = built.read_bytes()
    if damage == "a link":
        (tmp_path / "elsewhere.so").write_bytes(good)
        built.unlink()
        built.symlink_to(tmp_path / "elsewhere.so")
    else:
        changed = good[:-1] + bytes([good[-1] ^ 1])
        built.write_bytes({"cut off": good[:5000], "changed": changed, "empty": b""}[damage])
    assert described(tmp_path) == f"C ({built})"
    assert not built.is_symlink()
    assert built.read_bytes() == good


@needs_compiler
def test_without_a_cache_it_is_built_where_nobody_else_can_write_and_nothing_stays(tmp_path: Path) -> None:
    blocked, temporary = tmp_path / "file", tmp_path / "tmp"
    blocked.write_text("")
    temporary.mkdir()
    # what somebody else laid there under a name that can be guessed is not looked at
    script = (
        "import os, pathlib, stat, sys; tmp = pathlib.Path(os.environ['TMPDIR'])\n"
        "trap = tmp / f'gatewise-{os.getuid()}-{os.getpid()}'; trap.mkdir(mode=0o777)\n"
        "from gatewise.kernels import building, describe, library\n"
        "modes, real = [], building.build\n"
        "def build(folder, variant):\n"
        "    modes.append(stat.S_IMODE(folder.stat().st_mode)); return real(folder, variant)\n"
        "library.build = build\n"
        "said = describe(); assert modes == [0o700], modes; assert not list(trap.iterdir()); trap.rmdir(); print(said)"
    )
    found = described(blocked, script=script, TMPDIR=str(temporary))
    assert found.startswith(f"C ({temporary}/gatewise-")
    assert list(temporary.iterdir()) == []


@needs_compiler
def test_a_user_without_a_home_has_no_cache_and_no_error(tmp_path: Path) -> None:
    script = (
        "import pathlib\n"
        "def home(): raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.home = home\n"
        "from gatewise.kernels import describe; print(describe())"
    )
    # a relative one is none either, says the standard
    assert described(Path("relative"), script=script, TMPDIR=str(tmp_path)).startswith("C (")
    assert list(tmp_path.iterdir()) == []


@needs_compiler
def test_a_compiler_in_the_working_directory_is_not_run(tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\nexit 1\n")
    compiler.chmod(0o755)
    for path in (".", ""):
        assert described(tmp_path / "cache", cwd=tmp_path, PATH=path) == "torch: there is no C compiler 'cc'"
    assert not (tmp_path / "was-run").exists()
