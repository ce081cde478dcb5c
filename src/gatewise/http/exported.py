"""An artefact as an ONNX model, made by a process of its own: the service goes on answering meanwhile.

What was made is kept in the user's cache, so that a service that was stopped serves again at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from gatewise.errors import ArtefactError, GatewiseError
from gatewise.files import write_atomically
from gatewise.serving.artefact import MANIFEST, load_artefact
from gatewise.version import __version__

PROGRAM = "from gatewise.http.exported import main; main()"
POLITENESS = 5
"""How far making a model steps back behind serving others."""


def exported(artefact: Path) -> bytes:
    """Return an artefact's predictions and gates as an ONNX model of encoded inputs.

    Raises:
        ArtefactError: the artefact is absent or damaged, or cannot be said in ONNX.
    """
    name = digest(artefact)
    path = _cache() / f"{name}.onnx"
    if path.exists() and _own(path):
        return path.read_bytes()
    with tempfile.TemporaryDirectory(prefix="gatewise-") as folder:
        made = Path(folder, "model.onnx")
        _make(artefact, made)
        model = made.read_bytes()
    if digest(artefact) != name:
        raise ArtefactError(f"artefact {str(artefact)!r}: was replaced while it was read; load it again")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, lambda temporary: (temporary.write_bytes(model), None)[1])
    except (ArtefactError, OSError):
        # a service runs as well where it may keep nothing
        pass
    return model


def _make(artefact: Path, target: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(artefact), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise ArtefactError(lines[-1])


def main() -> None:
    """Make a model: the arguments are an artefact and the file to be written."""
    from gatewise.export import onnx_bytes

    artefact, target = map(Path, sys.argv[1:])
    if hasattr(os, "nice"):
        os.nice(POLITENESS)
    try:
        model = onnx_bytes(load_artefact(artefact).scorer)
    except GatewiseError as error:
        sys.exit(str(error))
    target.write_bytes(model)


def digest(artefact: Path) -> str:
    """Tell artefacts apart, and what makes models of them; how an artefact did is no part of a model."""
    try:
        files = json.loads((artefact / MANIFEST).read_text(encoding="utf-8"))["files"]
        files = {name: found for name, found in files.items() if name != "metrics.json"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        # whoever loads it says what is wrong
        files = {}
    made_by = [__version__, version("torch"), version("onnxscript")]
    return hashlib.blake2b(json.dumps([files, made_by], sort_keys=True).encode(), digest_size=16).hexdigest()


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gatewise" / "onnx"


def _own(path: Path) -> bool:
    """Whether nobody else can have written the file."""
    if os.name != "posix":
        return True
    return all(p.stat().st_uid == os.getuid() and not p.stat().st_mode & 0o022 for p in (path, path.parent))
