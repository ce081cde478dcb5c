"""Whole jobs as the command line runs them, without the printing."""

from gatewise.jobs.comparison import COMPARISON, Comparison, compare
from gatewise.jobs.controls import Contender, with_controls
from gatewise.jobs.fuse import Candidate, FusionFront, fuse
from gatewise.jobs.predict import predict_file
from gatewise.jobs.tables import Tables, find_tables
from gatewise.jobs.train import ARTEFACT, find_artefact, train_recipe

__all__ = [
    "ARTEFACT",
    "COMPARISON",
    "Candidate",
    "Comparison",
    "Contender",
    "FusionFront",
    "Tables",
    "compare",
    "find_artefact",
    "find_tables",
    "fuse",
    "predict_file",
    "train_recipe",
    "with_controls",
]
