"""Kernels that come built in the wheel."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from gatewise.kernels import building, library, shipped
from gatewise.kernels.calls import Kernels

ROOT = Path(__file__).parents[2]
SAYS = """
import pathlib, gatewise
from gatewise.kernels import describe, library
print(pathlib.Path(gatewise.__file__).parent, describe(), library.in_use().why, sep="|")
"""

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or platform.machine() != "x86_64" or shutil.which("cc") is None,
    reason="needs Linux on x86_64 and a C compiler: apt-get install gcc libc6-dev",
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder as it is in a wheel."""
    folder = tmp_path_factory.mktemp("compiled")
    building.build_levels(folder)
    return folder


@pytest.fixture
def copied(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "compiled"))


def load(library: Path, path: Path) -> Path:
    assert library == path
    return path


def test_the_most_able_library_is_chosen_that_the_processor_runs() -> None:
    assert shipped.best_level(frozenset()) == "x86-64"
    assert shipped.best_level(frozenset({"avx", "avx2"})) == "x86-64"
    assert shipped.best_level(shipped.AVX2 | {"sse2"}) == "x86-64-v3"
    assert shipped.best_level(shipped.AVX2 | {"avx512f"}) == "x86-64-v3"
    assert shipped.best_level(shipped.NEEDS["x86-64-v4"]) == "x86-64-v4"
    assert "sse2" in shipped.processor_flags()


def test_what_was_built_is_loaded(copied: Path) -> None:
    level = shipped.best_level(shipped.processor_flags())
    assert shipped.load_shipped(load, copied) == (copied / f"kernels-{level}.so", f"built in the wheel for {level}")


def test_a_package_without_libraries_has_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        shipped.load_shipped(load, tmp_path)


def test_an_edited_source_never_runs_with_an_older_library(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "SOURCE", building.SOURCE + b"\n")
    with pytest.raises(OSError, match=r"was built from another kernels\.c"):
        shipped.load_shipped(load, copied)


def test_another_library_is_not_loaded(copied: Path) -> None:
    path = copied / building.library_name(shipped.best_level(shipped.processor_flags()))
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(OSError, match="in the wheel is not what was built"):
        shipped.load_shipped(load, copied)


def test_a_damaged_record_is_an_error_that_is_caught(copied: Path) -> None:
    (copied / building.RECORD).write_text("{")
    with pytest.raises(json.JSONDecodeError):
        shipped.load_shipped(load, copied)


def computed(kernels: Kernels) -> list[torch.Tensor]:
    """Return what each kernel makes of the same numbers."""
    draws = torch.Generator().manual_seed(3)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draws)

    ids = torch.randint(-1, 50, (300, 3), generator=draws, dtype=torch.int32)
    offsets = torch.tensor([0, 50, 0])
    gates, experts = drawn(300, 2, 5).softmax(2), drawn(300, 5, 19)
    x, weight, bias = drawn(300, 4, 13), drawn(4, 11, 13), drawn(4, 11)
    table, moments, step = drawn(100, 16), (drawn(100, 16), drawn(100, 16).abs()), (0.1, 0.9, 0.99, 1.0, 1e-8, 1.0, 0.0)
    y = kernels.group_linear(x, weight, bias, 0.0)
    found = [
        kernels.gather(ids, offsets, table, drawn(300, 2)),
        *kernels.sum_rows(ids, offsets, drawn(300, 48), 16),
        kernels.mix(gates, experts, 0.0),
        *kernels.mix_backward(gates, experts, 0.0, drawn(300, 2, 19)),
        y,
        *kernels.group_linear_backward(x, weight, y, 0.0, drawn(300, 4, 11), of_weights=True),
    ]
    kernels.adam_rows(table, moments, torch.arange(0, 100, 7), drawn(15, 16), step)
    kernels.adam(([table], [moments[0]], [moments[1]], [drawn(100, 16)]), step)
    return [tensor for tensor in (*found, table, *moments) if tensor is not None]


def test_every_level_computes_what_the_others_do(built: Path) -> None:
    able = {level for level in building.LEVELS if shipped.NEEDS[level] <= shipped.processor_flags()}
    found = {level: computed(library._load(path, path)) for level in able if (path := built / f"kernels-{level}.so")}
    for level, tensors in found.items():
        for ours, theirs in zip(tensors, found["x86-64"], strict=True):
            # products that are added without being rounded first differ in the last bits
            torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5, msg=level)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build both wheels of a copy of the project: with compiled kernels, and for any machine."""
    folder = tmp_path_factory.mktemp("wheels")
    project = folder / "project"
    shutil.copytree(ROOT / "src", project / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project / name)

    def wheel(name: str, **environment: str) -> Path:
        target = folder / name
        command = ["wheel", "--no-build-isolation", "--no-deps", "--quiet", "--wheel-dir", str(target), str(project)]
        done = subprocess.run(
            [sys.executable, "-m", "pip", *command],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        (found,) = target.iterdir()
        return found

    # the pure one needs no compiler
    return {"pure": wheel("pure", CC="/no/such/compiler"), "linux": wheel("linux", GATEWISE_BUILD_KERNELS="1")}


def said(wheel: Path, folder: Path, **environment: str) -> dict[str, Any]:
    """Return what a fresh process says that has the wheel, no compiler and an empty cache."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*pip, str(folder / "site"), str(wheel)], check=True, capture_output=True)
    (folder / "no-compiler").mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in ("CC", "GATEWISE_KERNELS")}
    paths = {
        "PATH": str(folder / "no-compiler"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "PYTHONPATH": str(folder / "site"),
    }
    done = subprocess.run(
        [sys.executable, "-c", SAYS], env={**kept, **paths, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not (folder / "cache").exists() or not list((folder / "cache").rglob("*.so"))
    return dict(zip(("package", "runs", "why"), done.stdout.strip().split("|"), strict=True))


def test_the_wheel_runs_compiled_kernels_where_there_is_no_compiler(wheels: dict[str, Path], tmp_path: Path) -> None:
    assert wheels["linux"].name.endswith("-py3-none-manylinux_2_17_x86_64.whl")
    level = shipped.best_level(shipped.processor_flags())
    package = tmp_path / "site" / "gatewise"
    assert said(wheels["linux"], tmp_path) == {
        "package": str(package),
        "runs": f"C ({package / 'kernels' / 'compiled' / f'kernels-{level}.so'})",
        "why": f"built in the wheel for {level}",
    }


def test_the_pure_wheel_holds_no_library_and_says_why_there_is_none(wheels: dict[str, Path], tmp_path: Path) -> None:
    assert wheels["pure"].name.endswith("-py3-none-any.whl")
    assert said(wheels["pure"], tmp_path)["runs"] == "torch: there is no C compiler 'cc'"
