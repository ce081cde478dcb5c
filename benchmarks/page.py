"""Pages of docs/results, kept by scripts/results_page.py, and what stands in it about machine and code."""

from __future__ import annotations

import subprocess
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent


def _load(path: Path) -> ModuleType:
    spec = spec_from_file_location(path.stem, path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


results_page = _load(ROOT / "scripts" / "results_page.py")
write_section = results_page.write_section


def machine() -> str:
    """Say which code ran where; code that is not committed is said to be so."""
    command = ["git", "status", "--porcelain", "src"]
    changed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    return results_page.machine() + f", {processor()}" + (", with changes not committed" if changed else "")


def processor() -> str:
    """Return the processor's name, where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "processor unknown"
