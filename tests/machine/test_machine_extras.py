"""Optional packages: what is listed is what pyproject.toml declares."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from gatewise.machine import extras as room
from gatewise.machine.extras import INCLUDES, PACKAGES, PURPOSES, extras

ROOT = Path(__file__).parents[2]
FOR_CONTRIBUTORS = {"dev"}


def test_every_extra_is_listed_with_its_packages() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(PACKAGES) == set(PURPOSES) == set(declared) - FOR_CONTRIBUTORS
    for name, packages in PACKAGES.items():
        names = {re.match(r"gatewise\[\w+\]|[\w.-]+", requirement)[0] for requirement in declared[name]}
        assert names == {*packages, *(f"gatewise[{part}]" for part in INCLUDES.get(name, ()))}


def test_what_is_missing_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = room.version

    def without_runtime(package: str) -> str:
        if package == "onnxruntime":
            raise room.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(room, "version", without_runtime)
    by_name = {extra.name: extra for extra in extras()}
    assert by_name["export"].missing == ["onnxruntime"]
    # what is part of another extra is missing there, too
    assert "onnxruntime" in by_name["serve"].missing
    assert by_name["export"].install == "pip install 'gatewise[export]'"
    assert by_name["export"].found["onnx"] == real("onnx")
