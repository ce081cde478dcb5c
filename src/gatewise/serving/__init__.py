"""The scorer, its artefact on disk, its growth by new values, and its change by new features, tasks and experts."""

from gatewise.serving.artefact import ARTEFACT, MANIFEST, Artefact, find_artefact, load_artefact, save_artefact
from gatewise.serving.changed import ModelChange, changed, with_members
from gatewise.serving.growth import grow
from gatewise.serving.scorer import Scorer

__all__ = [
    "ARTEFACT",
    "MANIFEST",
    "Artefact",
    "ModelChange",
    "Scorer",
    "changed",
    "find_artefact",
    "grow",
    "load_artefact",
    "save_artefact",
    "with_members",
]
