from __future__ import annotations

import pytest
import torch

from gatewise.errors import DeclarationError
from gatewise.training import choose_device


@pytest.fixture
def only_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("only_a_cpu")
def test_a_machine_with_a_cpu() -> None:
    assert choose_device() == choose_device("cpu") == torch.device("cpu")
    for name in ("cuda", "cuda:0", "mps", "meta"):
        with pytest.raises(DeclarationError, match=f"device '{name}': this machine has cpu$"):
            choose_device(name)


@pytest.mark.parametrize(("name", "hint"), [("cdua", "; did you mean 'cuda'"), ("gpu", ""), ("cuda:x", ""), ("", "")])
def test_an_unknown_device(name: str, hint: str) -> None:
    with pytest.raises(DeclarationError, match=f"device '{name}': unknown{hint}"):
        choose_device(name)


def test_a_machine_with_accelerators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device().type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert choose_device() == torch.device("cuda")
    assert choose_device("cuda:1") == torch.device("cuda:1")
    with pytest.raises(DeclarationError, match="device 'cuda:2': this machine has 2 CUDA devices"):
        choose_device("cuda:2")
