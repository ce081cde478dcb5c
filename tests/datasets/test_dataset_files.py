from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import PurePosixPath

import pytest

from gatewise.datasets.files import Files
from gatewise.errors import TableError

CONTENT = {"top.csv": b"a\n1\n", "one/inner.csv": b"b\n2\n", "one/two/deep.csv": b"c\n3\n", "__MACOSX/top.csv": b"junk"}


def as_folder(path):
    for name, content in CONTENT.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def as_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in CONTENT.items():
            archive.writestr(name, content)
    return path


def as_tar(path):
    with tarfile.open(path, "w:gz") as archive:
        for name, content in CONTENT.items():
            entry = tarfile.TarInfo(f"./{name}")  # as `tar -czf x.tar.gz .` writes names
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.fixture(params=[(as_folder, "set"), (as_zip, "set.zip"), (as_tar, "set.tar.gz")], ids=["folder", "zip", "tar"])
def path(request, tmp_path):
    write, name = request.param
    return write(tmp_path / name)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_members_as_deep_as_asked(path, depth):
    names = ["one/inner.csv", "one/two/deep.csv", "top.csv"]
    members = Files(path, depth).members
    assert [str(member) for member in members] == [name for name in names if name.count("/") < depth]
    assert [Files(path, depth).read(member) for member in members] == [CONTENT[str(member)] for member in members]


def test_members_by_name(path):
    assert Files(path).named("inner.csv") == [PurePosixPath("one/inner.csv")]
    assert Files(path).named("inner") == []


def test_gzipped_members_are_unpacked(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"text"))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"text")[:-4])
    files = Files(tmp_path)
    assert files.read(PurePosixPath("a.csv.gz")) == b"text"
    with pytest.raises(TableError, match=r"cannot read b\.csv\.gz: Compressed file ended"):
        files.read(PurePosixPath("b.csv.gz"))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cut.tar.gz", "expected a whole tar.gz, found a damaged one"),
        ("cut.zip", "expected a whole zip, found a damaged one"),
        ("text.csv", "expected a folder, a zip or a tar"),
    ],
)
def test_what_is_no_archive(tmp_path, name, expected):
    whole = as_tar(tmp_path / "whole.tar.gz").read_bytes()
    (tmp_path / name).write_bytes(b"a,b\n" if name.endswith("csv") else whole[:40])
    with pytest.raises(TableError, match=rf"{name}: {expected}") as caught:
        Files(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_nothing_there(tmp_path):
    with pytest.raises(TableError, match="nowhere: no such folder, zip or tar"):
        Files(tmp_path / "nowhere")
