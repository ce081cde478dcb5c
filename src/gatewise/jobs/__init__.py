"""Whole jobs as the command line runs them, without the printing."""

from gatewise.jobs.beside_trees import beside_trees, in_words, trees_for
from gatewise.jobs.compared import Comparison
from gatewise.jobs.comparison import COMPARISON, compare
from gatewise.jobs.demo import Demonstration, train_with_controls
from gatewise.jobs.export import ExportReport, export_files
from gatewise.jobs.fuse import fuse
from gatewise.jobs.in_turn import evaluate_in_turn
from gatewise.jobs.json_lines import JsonLines
from gatewise.jobs.look import check_absent, propose_if_possible, write_look, write_recipe
from gatewise.jobs.periods import periods_of
from gatewise.jobs.predict import predict_file
from gatewise.jobs.promotion import WORST, Judgement, Promotion, promote, roll_back
from gatewise.jobs.report import COMPARISON_REPORT, REPORT, afterwards, name_of, report_comparison, report_file
from gatewise.jobs.run_differences import Change, MetricChange, RunDifferences, compare_runs
from gatewise.jobs.run_record import RECORD, MainMetric, RunRecord, record_run
from gatewise.jobs.runs import Run, find_runs
from gatewise.jobs.tables import Tables, find_tables
from gatewise.jobs.train import RECIPE, train_recipe
from gatewise.jobs.trees import Trees, tuned_trees
from gatewise.jobs.update import Updated, update_run
from gatewise.serving import ARTEFACT

__all__ = [
    "ARTEFACT",
    "COMPARISON",
    "COMPARISON_REPORT",
    "RECIPE",
    "RECORD",
    "REPORT",
    "WORST",
    "Change",
    "Comparison",
    "Demonstration",
    "ExportReport",
    "JsonLines",
    "Judgement",
    "MainMetric",
    "MetricChange",
    "Promotion",
    "Run",
    "RunDifferences",
    "RunRecord",
    "Tables",
    "Trees",
    "Updated",
    "afterwards",
    "beside_trees",
    "check_absent",
    "compare",
    "compare_runs",
    "evaluate_in_turn",
    "export_files",
    "find_runs",
    "find_tables",
    "fuse",
    "in_words",
    "name_of",
    "periods_of",
    "predict_file",
    "promote",
    "propose_if_possible",
    "record_run",
    "report_comparison",
    "report_file",
    "roll_back",
    "train_recipe",
    "train_with_controls",
    "trees_for",
    "tuned_trees",
    "update_run",
    "write_look",
    "write_recipe",
]
