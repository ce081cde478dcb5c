"""Whole jobs as the command line runs them, without the printing."""

from gatewise.jobs.comparison import COMPARISON, Comparison, compare
from gatewise.jobs.controls import Contender, with_controls
from gatewise.jobs.predict import predict_file
from gatewise.jobs.tables import Tables, find_tables
from gatewise.jobs.train import ARTEFACT, find_artefact, train_recipe
from gatewise.jobs.trees import Trees, tuned_trees

__all__ = [
    "ARTEFACT",
    "COMPARISON",
    "Comparison",
    "Contender",
    "Tables",
    "Trees",
    "compare",
    "find_artefact",
    "find_tables",
    "predict_file",
    "train_recipe",
    "tuned_trees",
    "with_controls",
]
