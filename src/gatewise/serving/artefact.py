"""The artefact: a folder with a trained ranker, which loads without the script that trained it.

    manifest.json        format, version, and size and SHA-256 of every other file
    schema.json          features and tasks
    encoder.json         statistics of the training table
    vocabularies.arrow   the values that were learnt from the training table
    options.json         architecture, balancing, training, fusion
    weights.safetensors  the model's weights
    seen.arrow           counts of values that wait for a row, and days; where a vocabulary remembers any
    training.safetensors state of balancing rule and optimiser, where there is one to keep; only for training further
    calibration.json     the calibrators of probabilities; empty without a calibration
    metrics.json         metrics, and the history of the training

Loading reads every file once, checks its bytes against the manifest, and makes the ranker from the checked bytes;
nothing is executed. Saving writes a folder beside the target, then exchanges the two in one step.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from gatewise import declare
from gatewise.assembly import build_model, build_tasks
from gatewise.calibration import Calibration
from gatewise.data import SEEN, VOCABULARIES, TableEncoder
from gatewise.errors import ArtefactError, DeclarationError
from gatewise.files import read_version, replace_folder
from gatewise.serving.bounds import check_sizes
from gatewise.serving.scorer import Scorer
from gatewise.serving.weights import check_values, check_weights, read_tensors, read_weights
from gatewise.version import __version__

FORMAT = 3
EARLIER = 2
"""The format whose ``encoder.json`` holds the vocabularies; it is read, too."""
MANIFEST = "manifest.json"
ARTEFACT = "artefact"
"""Name of the artefact's folder within the folder of its run."""
WEIGHTS = "weights.safetensors"
TRAINING = "training.safetensors"
OPTIONAL = (TRAINING, SEEN)
"""Files that only some artefacts have, and only training further reads."""
JSON_FILES = ("schema.json", "encoder.json", "options.json", "calibration.json", "metrics.json")
FILES = (*JSON_FILES, VOCABULARIES, WEIGHTS)
"""All files but the manifest that every artefact has."""
COMPACT = ("encoder.json", "calibration.json")
"""Files of long lists, which are not indented."""


@dataclass
class Artefact:
    """The content of an artefact.

    Attributes:
        scorer: encoder, model, tasks and calibration.
        options: the declared architecture, balancing, training and fusion.
        metrics: the history of the training and the metrics measured after it, as plain values.
        kept: the state that the training left behind, by name; not read unless it is asked for.
    """

    scorer: Scorer
    options: declare.Options
    metrics: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, torch.Tensor] = field(default_factory=dict)


def save_artefact(artefact: Artefact, path: str | Path) -> None:
    """Write an artefact, completely or not at all; an existing artefact is replaced.

    Raises:
        ArtefactError: the folder cannot be written, or exists and is not an artefact.
    """
    target = Path(path)
    try:
        replace_folder(target, partial(_write_files, artefact), _replaceable)
    except FileExistsError as error:
        if error.filename != str(target):
            # a parent of the target is a file
            raise ArtefactError(f"cannot save {str(target)!r}: {error.strerror}; nothing was changed") from None
        raise ArtefactError(f"{str(target)!r} exists and is not an artefact; it is left as it is") from None
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise ArtefactError(f"cannot save {str(target)!r}: {reason}; nothing was changed") from None


def load_artefact(path: str | Path, *, kept: bool = False) -> Artefact:
    """Return an artefact, with its model on the CPU.

    Args:
        path: of the folder.
        kept: whether to read the state for training further, too, which may be twice as large as the weights.

    Raises:
        ArtefactError: the artefact is absent, incomplete, damaged, or of a newer format; names the file and the reason.
    """
    folder = Path(path)
    try:
        names = (MANIFEST, *FILES, *(OPTIONAL if kept else ()))
        return read_version(folder, names, partial(_made, str(folder), kept))
    except (FileNotFoundError, NotADirectoryError):
        raise ArtefactError(f"there is no artefact {str(folder)!r}") from None
    except OSError as error:
        raise ArtefactError(f"artefact {str(folder)!r}: cannot be read: {error.strerror}") from None


def find_artefact(path: Path) -> Path:
    """Return the folder of an artefact, given this folder or that of its run."""
    inside = path / ARTEFACT
    return inside if not (path / MANIFEST).exists() and inside.is_dir() else path


def _made(name: str, kept: bool, files: dict[str, bytes]) -> Artefact:
    """Return the artefact made from the bytes of its files."""
    contents = _checked(name, files, FILES if not kept else (*FILES, *OPTIONAL))
    try:
        weights = read_weights(WEIGHTS, files[WEIGHTS])
        check_sizes("schema", contents["schema.json"], weights)
        check_sizes("options.model", _member(contents["options.json"], "model"), weights)
        schema = declare.Schema.from_dict(contents["schema.json"])
        options = declare.from_dict(declare.Options, contents["options.json"])
        encoder = TableEncoder.from_saved(schema, contents["encoder.json"], files.get(VOCABULARIES))
        if SEEN in files:
            encoder.remember(files[SEEN])
        tasks = build_tasks(schema, encoder.statistics)
        # shapes first: a model that does not match the file must not take memory
        with torch.device("meta"):
            check_weights(WEIGHTS, weights, build_model(options.model, encoder.layout, tasks))
        model = build_model(options.model, encoder.layout, tasks)
        model.load_state_dict(weights)
        calibration = Calibration.from_state(tasks, contents["calibration.json"])
        scorer = Scorer(encoder, model.eval(), tasks, calibration, options.parsed_fusion)
        metrics = _member(contents, "metrics.json")
        state = read_tensors(TRAINING, files[TRAINING]) if TRAINING in files else {}
    except (DeclarationError, ArtefactError) as error:
        raise ArtefactError(f"artefact {name!r}: {str(error).splitlines()[0]}") from None
    except Exception as error:  # valid files may still contradict each other, in ways that nobody foresees
        reason = str(error).splitlines()[0][:200] if str(error) else ""
        found = f"{type(error).__name__}: {reason}"
        raise ArtefactError(f"artefact {name!r}: its files do not belong together ({found})") from None
    return Artefact(scorer, options, metrics, state)


def _member(values: Any, name: str) -> dict[str, Any]:
    """Return a member of a mapping, which must be a mapping, too."""
    found = values.get(name) if isinstance(values, dict) else None
    if not isinstance(found, dict):
        raise ArtefactError(f"{name}: expected a mapping, found {type(found).__name__}")
    return found


def _write_files(artefact: Artefact, folder: Path) -> None:
    scorer = artefact.scorer
    learnt, vocabularies = scorer.encoder.saved()
    (folder / VOCABULARIES).write_bytes(vocabularies)
    remembered = scorer.encoder.remembered()
    if remembered is not None:
        (folder / SEEN).write_bytes(remembered)
    values = (
        scorer.encoder.schema.to_dict(),
        learnt,
        declare.to_dict(artefact.options),
        scorer.calibration.state(),
        artefact.metrics,
    )
    for name, value in zip(JSON_FILES, values, strict=True):
        text = json.dumps(value, indent=None if name in COMPACT else 2, ensure_ascii=False, allow_nan=False)
        (folder / name).write_text(text + "\n", encoding="utf-8")
    weights = {name: value.detach().cpu().contiguous() for name, value in scorer.model.state_dict().items()}
    check_values(WEIGHTS, weights)
    tensors = {WEIGHTS: weights}
    if artefact.kept:
        tensors[TRAINING] = {name: value.detach().cpu().contiguous() for name, value in artefact.kept.items()}
    for name, some in tensors.items():
        save_file(some, folder / name)
        # safetensors writes files for their owner only; give these files the permissions of the others
        shutil.copymode(folder / JSON_FILES[0], folder / name)
    written = (*FILES, *(name for name in OPTIONAL if (folder / name).exists()))
    listed = {name: _digest_of_file(folder / name) for name in written}
    manifest = {"format": FORMAT, "gatewise": __version__, "files": listed}
    parts = (scorer.encoder.schema, artefact.options)
    if registered := {kind: module for part in parts for kind, module in declare.registered_in(part).items()}:
        manifest["registered"] = registered
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _replaceable(target: Path) -> bool:
    return target.is_dir() and ((target / MANIFEST).is_file() or not any(target.iterdir()))


def _checked(artefact: str, files: dict[str, bytes], names: Sequence[str]) -> dict[str, Any]:
    """Return the content of the JSON files, after comparing all bytes of the named files with the manifest."""
    if MANIFEST not in files:
        raise ArtefactError(f"{artefact!r} is not an artefact: {MANIFEST} is missing")
    manifest = _json(artefact, MANIFEST, files[MANIFEST])
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
        raise ArtefactError(f"artefact {artefact!r} is damaged: {MANIFEST} lists no files")
    if manifest.get("format") not in (FORMAT, EARLIER):
        raise ArtefactError(
            f"artefact {artefact!r} has format {manifest.get('format')!r}, this version reads {EARLIER} and {FORMAT}: "
            f"it was written by gatewise {manifest.get('gatewise')}"
        )
    _check_registered(artefact, manifest.get("registered"))
    if manifest["format"] == EARLIER:
        # a file that the manifest does not list is not read
        files.pop(VOCABULARIES, None)
    absent = {VOCABULARIES} if manifest["format"] == EARLIER else set()
    for name in OPTIONAL:
        if name not in manifest["files"]:
            files.pop(name, None)
            absent.add(name)
    for name in (name for name in names if name not in absent):
        if name not in files:
            raise ArtefactError(f"artefact {artefact!r} is incomplete: {name} is missing")
        if digest_of(files[name]) != manifest["files"].get(name):
            raise ArtefactError(f"artefact {artefact!r} is damaged: {name} is not what was saved")
    return {name: _json(artefact, name, files[name]) for name in JSON_FILES}


def _check_registered(artefact: str, modules: Any) -> None:
    """Refuse an artefact with kinds that are not registered; name the import that registers them."""
    for kind, module in modules.items() if isinstance(modules, dict) else ():
        if not declare.is_registered(kind):
            raise ArtefactError(
                f"artefact {artefact!r} needs {kind[:80]!r}, which is not registered: import {str(module)[:80]} first"
            )


def _json(artefact: str, name: str, content: bytes) -> Any:
    try:
        return json.loads(content, parse_constant=_no_number, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise ArtefactError(f"artefact {artefact!r} is damaged: {name} is not JSON ({error})") from None


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _digest_of_file(path: Path) -> dict[str, Any]:
    """Return the entry of a file that may be larger than the memory."""
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}


def digest_of(content: bytes) -> dict[str, Any]:
    """Return the entry of a file in the manifest."""
    return {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
