"""The artefact: one folder that holds a trained ranker, to be loaded anywhere without the script that trained it.

    manifest.json        format, version, and size and SHA-256 of every other file
    schema.json          features and tasks
    encoder.json         vocabularies and statistics of the training table
    options.json         architecture, balancing, training, fusion
    weights.safetensors  the model's weights
    calibration.json     how probabilities are calibrated; empty where they are not
    metrics.json         how it did, and its training history

Loading reads JSON and tensors; nothing is executed. Saving writes a folder beside the target and renames it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from gatewise import declare
from gatewise.assembly import build_model, build_tasks
from gatewise.calibration import Calibration
from gatewise.data import TableEncoder
from gatewise.errors import ArtefactError, DeclarationError
from gatewise.serving.scorer import Scorer
from gatewise.version import __version__

FORMAT = 2
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
JSON_FILES = ("schema.json", "encoder.json", "options.json", "calibration.json", "metrics.json")
COMPACT = ("encoder.json", "calibration.json")
"""Files of long lists, which are not indented."""


@dataclass
class Artefact:
    """What an artefact holds.

    Attributes:
        scorer: encoder, model, tasks and calibration.
        options: architecture, balancing, training and fusion as they were declared.
        metrics: the history of the training and what was measured after it, as plain values.
    """

    scorer: Scorer
    options: declare.Options
    metrics: dict[str, Any] = field(default_factory=dict)


def save_artefact(artefact: Artefact, path: str | Path) -> None:
    """Write an artefact, whole or not at all; an artefact that was there before is replaced.

    Raises:
        ArtefactError: the folder cannot be written, or is something else than an artefact.
    """
    target = Path(path)
    if target.exists() and not _replaceable(target):
        raise ArtefactError(f"{str(target)!r} exists and is no artefact; it is left as it is")
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
        temporary.chmod(0o755)
        _write_files(artefact, temporary)
        _swap(temporary, target)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise ArtefactError(f"cannot save {str(target)!r}: {reason}; nothing was changed") from None
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def load_artefact(path: str | Path) -> Artefact:
    """Read an artefact onto the CPU.

    Raises:
        ArtefactError: it is absent, incomplete, damaged, or of a newer format; says which file and why.
    """
    folder = Path(path)
    contents = _read_checked(folder)
    try:
        schema = declare.Schema.from_dict(contents["schema.json"])
        options = declare.from_dict(declare.Options, contents["options.json"])
        encoder = TableEncoder.from_state(schema, contents["encoder.json"])
        tasks = build_tasks(schema, encoder.statistics)
        model = build_model(options.model, encoder.layout, tasks)
        _load_weights(model, folder / WEIGHTS)
        calibration = Calibration.from_state(tasks, contents["calibration.json"])
        scorer = Scorer(encoder, model.eval(), tasks, calibration, options.parsed_fusion)
    except (DeclarationError, ArtefactError) as error:
        raise ArtefactError(f"artefact {str(folder)!r}: {error}") from None
    return Artefact(scorer, options, contents["metrics.json"])


def _write_files(artefact: Artefact, folder: Path) -> None:
    scorer = artefact.scorer
    values = (
        scorer.encoder.schema.to_dict(),
        scorer.encoder.state(),
        declare.to_dict(artefact.options),
        scorer.calibration.state(),
        artefact.metrics,
    )
    for name, value in zip(JSON_FILES, values, strict=True):
        text = json.dumps(value, indent=None if name in COMPACT else 2, ensure_ascii=False, allow_nan=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")
    weights = {name: value.detach().cpu().contiguous() for name, value in scorer.model.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    listed = {name: _digest(folder / name) for name in (*JSON_FILES, WEIGHTS)}
    manifest = {"format": FORMAT, "gatewise": __version__, "files": listed}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _swap(fresh: Path, target: Path) -> None:
    """Put the fresh folder in the target's place; the old one is deleted last."""
    if not target.exists():
        fresh.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".old", dir=target.parent))
    target.rename(old / target.name)
    try:
        fresh.rename(target)
    except OSError:
        (old / target.name).rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _replaceable(target: Path) -> bool:
    return target.is_dir() and ((target / MANIFEST).is_file() or not any(target.iterdir()))


def _read_checked(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise ArtefactError(f"there is no artefact {str(folder)!r}")
    manifest = _read_json(folder, MANIFEST)
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ArtefactError(f"artefact {str(folder)!r} is damaged: {MANIFEST} lists no files")
    if manifest.get("format") != FORMAT:
        raise ArtefactError(
            f"artefact {str(folder)!r} has format {manifest.get('format')!r}, this version reads {FORMAT}: "
            f"it was written by gatewise {manifest.get('gatewise')}"
        )
    for name in (*JSON_FILES, WEIGHTS):
        if not (folder / name).is_file():
            raise ArtefactError(f"artefact {str(folder)!r} is incomplete: {name} is missing")
        if _reading(folder, name, _digest) != manifest["files"].get(name):
            raise ArtefactError(f"artefact {str(folder)!r} is damaged: {name} is not what was saved")
    return {name: _read_json(folder, name) for name in JSON_FILES}


def _read_json(folder: Path, name: str) -> Any:
    try:
        return json.loads(_reading(folder, name, lambda path: path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ArtefactError(f"artefact {str(folder)!r} is damaged: {name} is no JSON ({error})") from None


def _reading(folder: Path, name: str, read: Callable[[Path], Any]) -> Any:
    try:
        return read(folder / name)
    except FileNotFoundError:
        raise ArtefactError(f"{str(folder)!r} is no artefact: {name} is missing") from None
    except OSError as error:
        raise ArtefactError(f"artefact {str(folder)!r}: cannot read {name}: {error.strerror}") from None


def _load_weights(model: torch.nn.Module, path: Path) -> None:
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ArtefactError(f"{path.name} cannot be read: {error}") from None
    expected = model.state_dict()
    for name in sorted(expected.keys() | weights.keys()):
        shapes = [tuple(found[name].shape) if name in found else None for found in (expected, weights)]
        if shapes[0] != shapes[1]:
            raise ArtefactError(f"{path.name}: expected {name} of shape {shapes[0]}, found {shapes[1]}")
    model.load_state_dict(weights)


def _digest(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}
