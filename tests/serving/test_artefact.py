"""The artefact: whole or not at all, checked on loading, never executed."""

from __future__ import annotations

import importlib.util
import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file, save_file

import gatewise as gw
from gatewise.data.vocabularies import stored
from gatewise.errors import ArtefactError
from gatewise.serving import artefact as module

FILES = {
    "manifest.json",
    "schema.json",
    "encoder.json",
    "vocabularies.arrow",
    "options.json",
    "calibration.json",
    "metrics.json",
    "weights.safetensors",
    "training.safetensors",
}


@pytest.fixture
def saved(fitted, tmp_path: Path) -> Path:
    fitted.save(tmp_path / "model")
    return tmp_path / "model"


def refusal(path: Path) -> str:
    with pytest.raises(ArtefactError) as caught:
        gw.load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_what_was_saved_comes_back(fitted, saved, feed):
    loaded = gw.load(saved)
    assert {path.name for path in saved.iterdir()} == FILES
    assert loaded.schema == fitted.schema
    assert loaded.options == fitted.options
    assert loaded.history == fitted.history
    assert loaded.predict(feed) == fitted.predict(feed)
    assert loaded.evaluate(feed) == fitted.evaluate(feed)
    assert (loaded.gates(feed) == fitted.gates(feed)).all()


def test_a_loaded_ranker_is_saved_again_byte_for_byte(saved, tmp_path):
    gw.load(saved).save(tmp_path / "again")
    for name in FILES:
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes()


@pytest.mark.parametrize("mask", [0o022, 0o027, 0o077])
def test_permissions_are_those_of_any_file(fitted, tmp_path, mask):
    before = os.umask(mask)
    try:
        fitted.save(tmp_path / "model")
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "model").iterdir()} == {0o666 & ~mask}


def test_all_files_but_the_weights_and_the_vocabularies_are_json(saved):
    for name in FILES - {"weights.safetensors", "training.safetensors", "vocabularies.arrow"}:
        json.loads((saved / name).read_text(encoding="utf-8"))


def test_saving_again_replaces_the_artefact_and_leaves_nothing_beside_it(saved, make_ranker, feed):
    other = make_ranker(epochs=1, seed=9).fit(feed)
    other.save(saved)
    assert gw.load(saved).predict(feed) == other.predict(feed)
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


def test_something_else_is_never_replaced(fitted, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(ArtefactError, match="is not an artefact; it is left as it is"):
        fitted.save(tmp_path / "mine")
    (tmp_path / "file").write_text("text")
    with pytest.raises(ArtefactError, match="is not an artefact"):
        fitted.save(tmp_path / "file")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    assert (tmp_path / "file").read_text() == "text"


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_missing_file_is_named(saved, name):
    (saved / name).unlink()
    assert name in refusal(saved)


@pytest.mark.parametrize("name", sorted(FILES - {"manifest.json"}))
def test_a_damaged_file_is_named(saved, name):
    data = bytearray((saved / name).read_bytes())
    data[len(data) // 2] ^= 1
    (saved / name).write_bytes(data)
    assert f"is damaged: {name} is not what was saved" in refusal(saved)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": 3}', "\0\0"])
def test_a_damaged_manifest_is_one_clear_error(saved, text):
    (saved / "manifest.json").write_text(text)
    assert "manifest.json" in refusal(saved)


def test_a_newer_format_is_refused_by_number(saved):
    manifest = json.loads((saved / "manifest.json").read_text())
    (saved / "manifest.json").write_text(json.dumps(manifest | {"format": 99, "gatewise": "9.0"}))
    assert "has format 99, this version reads 2 and 3: it was written by gatewise 9.0" in refusal(saved)


def resign(folder: Path, name: str, content: str | bytes) -> None:
    """Change a file and make the manifest agree, as someone who wants to fool the loader would."""
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name] = module.digest_of((folder / name).read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_contents_that_do_not_fit_each_other_are_refused(saved):
    schema = json.loads((saved / "schema.json").read_text())
    schema["features"][0]["dim"] = 5
    resign(saved, "schema.json", json.dumps(schema))
    assert "weights.safetensors: expected input_layer" in refusal(saved)


def test_an_encoder_that_does_not_fit_the_schema_is_refused(saved):
    encoder = json.loads((saved / "encoder.json").read_text())
    del encoder["vocabularies"]["item"]
    resign(saved, "encoder.json", json.dumps(encoder))
    assert "vocabularies.arrow: column 'item' belongs to no vocabulary" in refusal(saved)
    learnt = stored.read((saved / "vocabularies.arrow").read_bytes())
    del learnt["item"]
    resign(saved, "vocabularies.arrow", stored.written(learnt))
    assert "does not fit the schema" in refusal(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda users: users[:2], "column 'user': expected 40 values of type int64, found 2 values of type int64"),
        (lambda users: pa.concat_arrays([users[:39], users[:1]]), "column 'user' holds a value twice"),
        (lambda users: pa.concat_arrays([users[:39], pa.nulls(1, pa.int64())]), "column 'user' holds a null"),
        (lambda users: users.cast(pa.large_string()), "expected 40 values of type int64, found 40 values of type larg"),
        (lambda users: users.cast(pa.float64()), " cannot be read: expected a list in every column"),
        (lambda users: None, "expected a column 'user', found none"),
    ],
)
def test_learnt_values_that_nothing_learnt_are_refused(saved, change, message):
    learnt = stored.read((saved / "vocabularies.arrow").read_bytes())
    changed = {**learnt, "user": change(learnt["user"])}
    kept = {name: values for name, values in changed.items() if values is not None}
    resign(saved, "vocabularies.arrow", stored.written(kept))
    found = refusal(saved)
    assert "vocabularies.arrow" in found
    assert message in found


def test_learnt_values_of_nobody_are_refused(saved):
    learnt = stored.read((saved / "vocabularies.arrow").read_bytes())
    resign(saved, "vocabularies.arrow", stored.written({**learnt, "more": pa.array([1])}))
    assert "vocabularies.arrow: column 'more' belongs to no vocabulary" in refusal(saved)


@pytest.mark.parametrize("content", [b"", b"{}", b"ARROW1\0\0", pickle.dumps(3)])
def test_what_is_no_arrow_file_is_refused(saved, content):
    resign(saved, "vocabularies.arrow", content)
    assert "vocabularies.arrow cannot be read" in refusal(saved)


def test_a_ranker_that_is_not_calibrated_has_an_empty_calibration(saved):
    assert json.loads((saved / "calibration.json").read_text()) == {}
    assert not gw.load(saved).calibrated


def test_a_calibration_comes_back(saved, feed):
    calibrated = gw.load(saved).calibrate(feed)
    calibrated.save(saved)
    loaded = gw.load(saved)
    assert loaded.predict(feed, calibrated=True) == calibrated.predict(feed, calibrated=True)
    assert loaded.predict(feed, calibrated=True) != loaded.predict(feed)
    assert loaded.evaluate(feed, calibrated=True) == calibrated.evaluate(feed, calibrated=True)


def test_a_calibration_of_other_tasks_is_refused(saved):
    resign(saved, "calibration.json", json.dumps({"stars": {"method": "platt", "slope": 1.0, "intercept": 0.0}}))
    assert "calibration: 'stars' is no probability" in refusal(saved)


def test_unknown_options_are_refused(saved):
    schema = json.loads((saved / "schema.json").read_text())
    schema["features"][0]["module"] = "os"
    resign(saved, "schema.json", json.dumps(schema))
    assert "features[0].module: unknown option" in refusal(saved)


def test_weights_that_are_a_pickle_are_not_executed(saved, tmp_path):
    class Attack:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    (saved / "weights.safetensors").write_bytes(pickle.dumps(Attack()))
    manifest = json.loads((saved / "manifest.json").read_text())
    manifest["files"]["weights.safetensors"] = module.digest_of((saved / "weights.safetensors").read_bytes())
    (saved / "manifest.json").write_text(json.dumps(manifest))
    assert "weights.safetensors cannot be read" in refusal(saved)
    assert not (tmp_path / "executed").exists()


def rewrite(folder: Path, change) -> None:
    """Change tensors and make the manifest agree."""
    tensors = load_file(folder / "weights.safetensors")
    change(tensors)
    save_file(tensors, folder / "weights.safetensors")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["weights.safetensors"] = module.digest_of((folder / "weights.safetensors").read_bytes())
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t["towers.bias"].fill_(torch.nan), "towers.bias holds a value that is not finite"),
        (lambda t: t["towers.bias"].fill_(-torch.inf), "towers.bias holds a value that is not finite"),
        (lambda t: t["towers.bias"].fill_(1e30), "towers.bias holds a value that is not finite, or beyond 1e+12"),
        (lambda t: t.update({"towers.bias": t["towers.bias"].double()}), "expected towers.bias to be float32 of shape"),
        (lambda t: t.update(more=torch.zeros(3)), "expected more to be absent, found float32 of shape (3,)"),
        (lambda t: t.pop("towers.bias"), "expected towers.bias to be float32 of shape (2,), found absent"),
    ],
)
def test_tensors_that_no_training_leaves_behind_are_refused(saved, change, message):
    rewrite(saved, change)
    assert message in refusal(saved)


def test_what_could_not_be_loaded_is_not_saved(saved, feed):
    ranker = gw.load(saved)
    with torch.no_grad():
        ranker.scorer.model.towers.bias.fill_(torch.nan)
    with pytest.raises(ArtefactError, match=r"towers.bias holds a value that is not finite"):
        ranker.save(saved)
    assert gw.load(saved).predict(feed).num_rows == feed.num_rows


@pytest.mark.parametrize(
    ("path", "number"),
    [(("model", "experts"), 10**9), (("model", "expert_dims"), [10**9]), (("model", "levels"), 10**9)],
)
def test_what_the_file_does_not_hold_is_refused_before_it_is_built(saved, path, number):
    options = json.loads((saved / "options.json").read_text())
    options[path[0]][path[1]] = number
    resign(saved, "options.json", json.dumps(options))
    started = time.perf_counter()
    assert f"options.model.{path[1]}" in refusal(saved)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize("text", ["NaN", "1e999", "-Infinity"])
def test_numbers_that_are_none_are_not_json(saved, text):
    metrics = json.dumps(json.loads((saved / "metrics.json").read_text()) | {"more": 1.5}).replace("1.5", text)
    resign(saved, "metrics.json", metrics)
    assert "metrics.json is not JSON" in refusal(saved)


def test_a_history_that_is_none_is_named(saved):
    metrics = json.loads((saved / "metrics.json").read_text())
    metrics["history"][0]["epoch"] = "first"
    resign(saved, "metrics.json", json.dumps(metrics))
    assert "metrics.json: history.0.epoch" in refusal(saved)


def test_mutations_are_refused_in_one_line_or_predict():
    """The short form of ``scripts/torture/artefacts.py``."""
    path = Path(__file__).parents[2] / "scripts" / "torture" / "artefacts.py"
    spec = importlib.util.spec_from_file_location("torture_artefacts", path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    found, slowest = script.torture(300, seed=1)
    assert found.keys() == {"refused", "loaded"}, found
    assert found["refused"] > found["loaded"] > 10
    assert slowest < 5


def test_no_artefact_at_all(tmp_path):
    assert refusal(tmp_path / "nowhere").startswith("there is no artefact")
    assert "is not an artefact: manifest.json is missing" in refusal(tmp_path)


def test_an_unfitted_ranker_cannot_be_saved(make_ranker, tmp_path):
    with pytest.raises(gw.GatewiseError, match="not fitted"):
        make_ranker().save(tmp_path / "model")
    assert not (tmp_path / "model").exists()


FULL_DISK = """
import resource, sys
import gatewise as gw
ranker = gw.load(sys.argv[1])
{change}
# no file may grow beyond this: what a full disk does to a write
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
try:
    ranker.save(sys.argv[3])
except gw.GatewiseError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [100, 1500])
def test_a_full_disk_leaves_the_old_artefact_and_nothing_else(saved, limit):
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    script = FULL_DISK.format(change="ranker.metrics = {'changed': True}")
    command = [sys.executable, "-c", script, str(saved), str(limit), str(saved)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "cannot save" in printed
    assert "nothing was changed" in printed
    assert {path.name: path.read_bytes() for path in saved.iterdir()} == before
    assert [path.name for path in saved.parent.iterdir()] == ["model"]


def test_a_folder_that_cannot_be_made_is_one_clear_error(fitted, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArtefactError, match=r"cannot save .*: (Not a directory|File exists); nothing was changed"):
        fitted.save(tmp_path / "file" / "model")
