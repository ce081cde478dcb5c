"""The first line of a training's progress says which kernels run."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

import gatewise as gw
from gatewise import ranker as module
from gatewise.kernels import in_use
from gatewise.progress import ProgressReporter, kernels_on

SCHEMA = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click")])


def test_the_first_line_is_about_kernels_and_stands_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()

    def reporter(tasks: list[str], **options: str) -> ProgressReporter:
        return ProgressReporter(tasks, Console(file=shown, width=200), **options)

    monkeypatch.setattr(module, "ProgressReporter", reporter)
    gw.Ranker(SCHEMA, epochs=2).fit({"user": [1, 2] * 50, "click": [0, 1] * 50}, progress=True)
    lines = [line for line in shown.getvalue().splitlines() if line]
    assert lines[0] == f"kernels: {in_use()}"
    assert sum("kernels" in line for line in lines) == 1


def test_on_an_accelerator_it_is_pytorch() -> None:
    assert kernels_on("cuda") == "PyTorch (the compiled ones are for the CPU, this is cuda)"
    assert kernels_on("cpu") == str(in_use())
