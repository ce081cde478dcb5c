"""Whole jobs as the command line runs them, without the printing."""

from gatewise.jobs.comparison import COMPARISON, Comparison, compare
from gatewise.jobs.controls import Contender, with_controls
from gatewise.jobs.export import ExportReport, export_files
from gatewise.jobs.predict import predict_file
from gatewise.jobs.tables import Tables, find_tables
from gatewise.jobs.train import ARTEFACT, find_artefact, train_recipe

__all__ = [
    "ARTEFACT",
    "COMPARISON",
    "Comparison",
    "Contender",
    "ExportReport",
    "Tables",
    "compare",
    "export_files",
    "find_artefact",
    "find_tables",
    "predict_file",
    "train_recipe",
    "with_controls",
]
