"""The scorer, its artefact on disk, and its growth by new values."""

from gatewise.serving.artefact import ARTEFACT, MANIFEST, Artefact, find_artefact, load_artefact, save_artefact
from gatewise.serving.growth import grow
from gatewise.serving.scorer import Scorer

__all__ = ["ARTEFACT", "MANIFEST", "Artefact", "Scorer", "find_artefact", "grow", "load_artefact", "save_artefact"]
