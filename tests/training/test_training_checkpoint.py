from __future__ import annotations

import os
import pickle
import random
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from gatewise.errors import ArtefactError
from gatewise.training import load_checkpoint, save_checkpoint

STATE = {"fingerprint": "x", "model": {"w": torch.arange(50.0)}, "history": [{"lr": 0.1}], "best": None, "n": -(2**40)}


@contextmanager
def little_space(size: int) -> Iterator[None]:
    """Let no file grow beyond ``size`` bytes, as on a full disk."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "checkpoint.pt"
    save_checkpoint(path, STATE)
    state = load_checkpoint(path)
    assert torch.equal(state["model"].pop("w"), STATE["model"]["w"])
    assert state == {**STATE, "model": {}}
    assert [file.name for file in path.parent.iterdir()] == ["checkpoint.pt"]


def test_permissions_are_those_of_any_file(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "checkpoint.pt", STATE)
    (tmp_path / "other").touch()
    assert (tmp_path / "checkpoint.pt").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("numbers", [3_000, 4_000, 300_000])
def test_a_full_disk_leaves_the_earlier_checkpoint(numbers: int, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, STATE)
    before = path.read_bytes()
    with little_space(10_000), pytest.raises(ArtefactError, match=r"cannot write '.*checkpoint.pt': File too large"):
        save_checkpoint(path, {"a": torch.zeros(numbers), "b": torch.zeros(numbers)})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, pickle.PicklingError])
def test_whatever_stops_the_writing_leaves_the_earlier_checkpoint(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, STATE)
    before = path.read_bytes()

    def stopped(_: object, file: object) -> None:
        file.write(b"half of it")
        raise error

    monkeypatch.setattr(torch, "save", stopped)
    with pytest.raises(error):
        save_checkpoint(path, {})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_where_no_file_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "checkpoint.pt").mkdir(parents=True)
    for path in (tmp_path / "file" / "checkpoint.pt", tmp_path / "folder" / "checkpoint.pt"):
        with pytest.raises(ArtefactError, match="cannot write '") as raised:
            save_checkpoint(path, STATE)
        assert "\n" not in str(raised.value)
    assert [file.name for file in (tmp_path / "folder").iterdir()] == ["checkpoint.pt"]


def test_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"there is no checkpoint '.*none.pt' to resume from"):
        load_checkpoint(tmp_path / "none.pt")


def cut(raw: bytearray, draw: random.Random) -> bytearray:
    return raw[: draw.randrange(len(raw))]


def flip(raw: bytearray, draw: random.Random) -> bytearray:
    raw[draw.randrange(len(raw))] ^= 1 << draw.randrange(8)
    return raw


def overwrite(raw: bytearray, draw: random.Random) -> bytearray:
    start = draw.randrange(len(raw))
    raw[start : start + 20] = draw.randbytes(20)
    return raw


@pytest.mark.parametrize("damage", [cut, flip, overwrite])
def test_a_damaged_checkpoint_is_refused_or_whole(
    damage: Callable[[bytearray, random.Random], bytearray], tmp_path: Path
) -> None:
    path, draw = tmp_path / "checkpoint.pt", random.Random(0)
    save_checkpoint(path, STATE)
    raw, refused = path.read_bytes(), []
    for _ in range(200):
        path.write_bytes(damage(bytearray(raw), draw))
        try:
            state = load_checkpoint(path)
        except ArtefactError as error:
            refused.append(str(error))
        else:  # between the records of the file lies padding
            assert torch.equal(state["model"]["w"], STATE["model"]["w"])
    assert len(refused) > 100
    assert all(message.startswith(f"checkpoint {str(path)!r} ") and "\n" not in message for message in refused)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a checkpoint", bytes(1000)])
def test_other_files(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(content)
    with pytest.raises(ArtefactError, match="is damaged: "):
        load_checkpoint(path)
    with pytest.raises(ArtefactError, match="is damaged: "):
        load_checkpoint(tmp_path)


def test_a_checkpoint_of_something_else(tmp_path: Path) -> None:
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(ArtefactError, match="is damaged: expected a dict, found list"):
        load_checkpoint(tmp_path / "list.pt")
    with zipfile.ZipFile(tmp_path / "zip.pt", "w") as archive:
        archive.writestr("readme", "hello")
    with pytest.raises(ArtefactError, match="is damaged: "):
        load_checkpoint(tmp_path / "zip.pt")


class Malicious:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.mkdir, (str(self.target),)


def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path) -> None:
    path, target = tmp_path / "checkpoint.pt", tmp_path / "executed"
    torch.save({"fingerprint": "", "model": Malicious(target)}, path)
    with pytest.raises(ArtefactError, match="holds more than tensors and plain values: refused"):
        load_checkpoint(path)
    plain = tmp_path / "pickle.pt"
    plain.write_bytes(pickle.dumps(Malicious(target)))
    with pytest.raises(ArtefactError, match="is damaged: "):
        load_checkpoint(plain)
    assert not target.exists()
    torch.load(path, weights_only=False)
    assert target.exists()  # it would have been
