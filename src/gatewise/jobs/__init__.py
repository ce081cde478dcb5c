"""Whole jobs as the command line runs them, without the printing."""

from gatewise.jobs.compare import Contender, compare
from gatewise.jobs.predict import predict_file
from gatewise.jobs.tables import Tables, find_tables
from gatewise.jobs.train import ARTEFACT, find_artefact, train_recipe

__all__ = ["ARTEFACT", "Contender", "Tables", "compare", "find_artefact", "find_tables", "predict_file", "train_recipe"]
