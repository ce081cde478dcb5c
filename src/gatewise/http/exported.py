"""An artefact as an ONNX model, exported in a separate process, so that the service answers meanwhile.

The model is kept in the user's cache, so that a restarted service serves it at once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from gatewise.errors import ArtefactError, GatewiseError
from gatewise.files import ours_alone, write_atomically
from gatewise.http import child
from gatewise.kernels.cache import cache_folder
from gatewise.progress import duration
from gatewise.serving import MANIFEST, load_artefact
from gatewise.version import __version__

POLITENESS = 5
"""Niceness of the process that exports a model, so that serving comes first."""
SUM = hashlib.sha256
SUM_BYTES = SUM().digest_size


def silent(_: str) -> None:
    """Say nothing."""


def exported(artefact: Path, tell: Callable[[str], None] = silent) -> bytes:
    """Return an artefact's predictions and gates as an ONNX model of encoded inputs.

    Args:
        artefact: folder of the artefact.
        tell: receives a line before the model is made, which takes seconds, and one after.

    Raises:
        ArtefactError: the artefact is absent or damaged, or cannot be expressed in ONNX.
    """
    name = digest(artefact)
    kept = _kept(name)
    if kept is not None:
        return kept
    began = time.monotonic()
    tell(f"making the ONNX model of {artefact}: once, and kept for the next start")
    with tempfile.TemporaryDirectory(prefix="gatewise-") as folder:
        made = Path(folder, "model.onnx")
        _make(artefact, made)
        model = made.read_bytes()
    if digest(artefact) != name:
        raise ArtefactError(f"artefact {str(artefact)!r}: was replaced while it was read; load it again")
    tell(f"made the ONNX model of {artefact}: {len(model) / 1e6:.1f} MB, in {duration(time.monotonic() - began)}")
    keep(name, model)
    return model


def _make(artefact: Path, target: Path) -> None:
    done = child.run(__name__, [str(artefact.absolute()), str(target)])
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"making its ONNX model ended with {done.returncode}"]
        raise ArtefactError(lines[-1])


def main() -> None:
    """Export a model: the arguments are an artefact and the file to write."""
    child.end_with_parent()
    from gatewise.export import onnx_bytes

    artefact, target = map(Path, sys.argv[1:])
    if hasattr(os, "nice"):
        os.nice(POLITENESS)
    try:
        model = onnx_bytes(load_artefact(artefact).scorer)
    except GatewiseError as error:
        sys.exit(str(error))
    except MemoryError:
        sys.exit(f"artefact {str(artefact)!r}: out of memory while its ONNX model was made")
    target.write_bytes(model)


def digest(artefact: Path) -> str:
    """Return a digest of an artefact's model and of the exporting packages; metrics do not count."""
    try:
        files = json.loads((artefact / MANIFEST).read_text(encoding="utf-8"))["files"]
        files = {name: found for name, found in files.items() if name != "metrics.json"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        # loading the artefact reports what is wrong
        files = {}
    made_by = [__version__, version("torch"), version("onnxscript")]
    return hashlib.blake2b(json.dumps([files, made_by], sort_keys=True).encode(), digest_size=16).hexdigest()


def _kept(name: str) -> bytes | None:
    """Return a cached model; None where it is damaged or another user could have written it."""
    folder = _cache()
    try:
        if folder is None or not ours_alone(folder.stat()):
            return None
        # the opened file is checked and read: its path may name another file a moment later
        with (folder / f"{name}.model").open("rb") as file:
            content = file.read() if ours_alone(os.fstat(file.fileno())) else b""
    except OSError:
        return None
    model = content[SUM_BYTES:]
    return model if model and SUM(model).digest() == content[:SUM_BYTES] else None


def keep(name: str, model: bytes) -> None:
    """Cache a model behind its checksum; a cache that cannot be written is not an error."""
    folder = _cache()
    if folder is None:
        return

    def write(temporary: Path) -> None:
        temporary.write_bytes(SUM(model).digest() + model)
        temporary.chmod(0o600)

    with contextlib.suppress(ArtefactError, OSError):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        write_atomically(folder / f"{name}.model", write)


def _cache() -> Path | None:
    home = cache_folder()
    return None if home is None else home / "onnx"
