"""What leaves the laboratory: the scorer and the artefact that carries it."""

from gatewise.serving.artefact import Artefact, Options, load_artefact, save_artefact
from gatewise.serving.scorer import Metrics, Scorer

__all__ = ["Artefact", "Metrics", "Options", "Scorer", "load_artefact", "save_artefact"]
