"""``gatewise doctor`` says what runs here and why; it is no error that something is missing."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version

import numpy as np
import pytest
import torch

import gatewise as gw


def doctor(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from gatewise.cli import main; main()", "doctor", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_as_json_it_is_whole() -> None:
    found = json.loads(doctor("--json", GATEWISE_KERNELS="torch", OMP_NUM_THREADS="1", GOMP_SPINCOUNT="7"))
    assert found["versions"] == {
        "gatewise": gw.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "pyarrow": version("pyarrow"),
    }
    assert found["kernels"] == {"run": "PyTorch", "why": "switched off by GATEWISE_KERNELS=torch", "path": None}
    assert (found["threads"]["compute"], found["threads"]["GOMP_SPINCOUNT"]) == (1, "7")
    assert found["devices"][0].startswith("cpu")
    assert found["memory"]["can_keep_freed_memory"] == (platform.libc_ver()[0] == "glibc")
    assert {"name", "purpose", "found", "missing", "install"} == set(found["extras"][0])


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"GATEWISE_KERNELS": "torch"}, "kernels   PyTorch (switched off by GATEWISE_KERNELS=torch)"),
        ({"CC": "/no/such/compiler"}, "kernels   PyTorch (there is no C compiler '/no/such/compiler')"),
    ],
)
def test_it_says_why_no_compiled_kernels_run(environment: dict[str, str], said: str, tmp_path) -> None:
    lines = doctor(XDG_CACHE_HOME=str(tmp_path), **environment).splitlines()
    assert said in lines
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == [
        "versions", "kernels", "threads", "devices", "memory", "extras",
    ]  # fmt: skip
