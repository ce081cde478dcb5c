"""Opening a page in the browser of whoever sits at the terminal."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path


def somebody_looks() -> bool:
    """Return whether output goes to a terminal on a machine with a screen of its own, not over SSH."""
    if not sys.stdout.isatty() or "SSH_CONNECTION" in os.environ:
        return False
    # without a display Python would open a browser of text inside the terminal
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_page(path: Path) -> bool:
    """Open a page in the browser; return whether there was one."""
    try:
        return webbrowser.open(path.resolve().as_uri())
    except webbrowser.Error:
        return False
