"""Who takes part: Gatewise in several variants and its peers, all behind one contract.

A contestant's module is imported in the contestant's own process only, so that no library counts towards another's
memory.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from contestants.contract import Contestant, Features, auc

OURS = "Gatewise"
RECHUB = "torch-rechub"
DEEPCTR = "DeepCTR-Torch"

ENTRIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    OURS: ("contestants.ours", "Ours", {}),
    f"{OURS}, batch norm": ("contestants.ours", "Ours", {"norm": "batch"}),
    f"{OURS}, dense Adam": ("contestants.ours", "Ours", {"embedding_update": "dense"}),
    f"{OURS}, compiled": ("contestants.ours", "Ours", {"compile": True}),
    RECHUB: ("contestants.rechub", "TorchRechub", {}),
    f"{RECHUB}, ids that occur": ("contestants.rechub", "TorchRechub", {"relabel": True}),
    DEEPCTR: ("contestants.deepctr", "DeepCTRTorch", {}),
}
"""Module, class and options by the name that stands in the tables."""


def enter(name: str) -> Contestant:
    """Return a contestant by name."""
    module, kind, options = ENTRIES[name]
    contestant: Contestant = getattr(import_module(module), kind)(**options)
    return contestant


__all__ = ["DEEPCTR", "ENTRIES", "OURS", "RECHUB", "Contestant", "Features", "auc", "enter"]
