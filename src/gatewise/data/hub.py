"""Language models by name: from the Hugging Face hub where it answers, else from the files that are here."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

HUB = "https://huggingface.co"
SECONDS = 3.0
"""How long the hub may take to accept a connection."""


def hub_options(source: str) -> dict[str, Any]:
    """Return the options for ``from_pretrained``: files of this machine only, where the hub cannot be reached.

    ``transformers`` tries an unreachable hub again and again, for about half a minute, before it looks into its cache.

    Args:
        source: a folder, or a name on the hub.
    """
    return {} if _is_path(source) or hub_answers() else {"local_files_only": True}


def _is_path(source: str) -> bool:
    """Whether the name can only be a folder: it is there, or names of models on the hub do not look like this."""
    return Path(source).is_dir() or source.startswith((".", "/", "~")) or source.count("/") > 1 or "\\" in source


def hub_answers() -> bool:
    """Return whether the hub, or the mirror in ``HF_ENDPOINT``, accepts connections; a proxy is trusted to."""
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return False
    address = urlsplit(os.environ.get("HF_ENDPOINT") or HUB)
    if {address.scheme, "all"} & getproxies().keys():
        return True
    try:
        port = address.port or (80 if address.scheme == "http" else 443)
        with socket.create_connection((address.hostname or "", port), timeout=SECONDS):
            return True
    except (OSError, ValueError):
        return False


def why_not(source: str, error: Exception) -> str:
    """Return in one line why a language model cannot be read."""
    if _is_path(source) and not Path(source).is_dir():
        return "there is no such folder"
    if not _is_path(source) and not hub_answers():
        hub = os.environ.get("HF_ENDPOINT") or HUB
        return f"{hub} cannot be reached, and the cache of this machine does not hold it: give a folder with its files"
    return str(error).strip().splitlines()[0]
