"""Pictures carry the data that they are given."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure

import gatewise as gw
from gatewise import plots
from gatewise.analysis import (
    Ablation,
    Curves,
    GateUsage,
    Importance,
    Period,
    ReliabilityBin,
    Similarity,
    Slice,
    Verdict,
)
from gatewise.history import EpochRecord
from gatewise.metrics import AUC, PCOC, RMSE
from gatewise.plots.colours import ACCENT, BETTER, WORSE


@pytest.fixture
def ax() -> Axes:
    return Figure(layout="constrained").add_subplot()


def record(epoch: int, **changes: object) -> EpochRecord:
    train = {"click": {"loss": 1 / epoch, "weight": 0.5}, "stars": {"loss": 2 / epoch, "weight": 1.5}}
    valid = {"click": {"auc": 0.6 + epoch / 100}, "stars": {"r2": None if epoch == 2 else 0.1}}
    return EpochRecord(epoch, 0.1, 1.0, 10.0, train, valid, score=0.5, best=epoch == 2, **changes)


HISTORY = [
    record(
        epoch,
        conflict=[
            {"at": "representation", "tasks": ["click", "stars"], "cosine": epoch / 10, "norm_ratio": 2.0, "steps": 4},
            {"at": "experts", "tasks": ["click", "stars"], "cosine": None, "norm_ratio": None, "steps": 0},
        ],
        gates={
            "click": {"utilisation": [epoch / 4, 1 - epoch / 4], "relative_entropy": 0.9},
            "stars": {"utilisation": [1.0, 0.0], "relative_entropy": 0.1},
        },
    )
    for epoch in (1, 2, 3)
]


def drawn(ax: Axes) -> dict[str, list[float]]:
    """Return the numbers of every labelled line."""
    return {str(line.get_label()): list(line.get_ydata()) for line in ax.lines if line.get_label()[0] != "_"}


def cells(ax: Axes) -> np.ndarray:
    (mesh,) = ax.collections
    return np.ma.filled(mesh.get_array(), np.nan)


def names(ax: Axes, axis: str) -> list[str]:
    return [label.get_text() for label in getattr(ax, f"get_{axis}ticklabels")()]


def test_learning_curves_mark_the_epoch_that_was_kept(ax):
    plots.learning_curve(HISTORY, "stars", ax=ax)
    best, curve = ax.lines
    assert list(best.get_xdata()) == [2, 2]
    assert list(curve.get_xdata()) == [1, 2, 3]
    assert list(curve.get_ydata()) == pytest.approx([2, 1, 2 / 3])


def test_metrics_that_are_undefined_leave_gaps(ax):
    plots.learning_curve(HISTORY, "stars", "r2", ax=ax)
    np.testing.assert_equal(ax.lines[1].get_ydata(), [0.1, np.nan, 0.1])
    assert "r2" in ax.get_ylabel()


def test_task_weights_and_gates_are_a_line_each(ax):
    plots.task_weights(HISTORY, ax=ax)
    assert drawn(ax) == {"click": [0.5] * 3, "stars": [1.5] * 3}
    entropy = plots.gate_entropy(HISTORY, ax=Figure().add_subplot())
    assert drawn(entropy) == {"click": [0.9] * 3, "stars": [0.1] * 3}
    used = plots.utilisation(HISTORY, "click", ax=Figure().add_subplot())
    assert drawn(used) == {"expert 0": [0.25, 0.5, 0.75], "expert 1": [0.75, 0.5, 0.25]}


def test_conflict_is_a_line_for_every_two_tasks(ax):
    plots.gradient_conflict(HISTORY, ax=ax)
    assert drawn(ax) == {"click · stars": [0.1, 0.2, 0.3]}
    elsewhere = plots.gradient_conflict(HISTORY, "experts", ax=Figure().add_subplot())
    assert np.isnan(drawn(elsewhere)["click · stars"]).all()


def usage(weights: list[list[float]], value: str | None = None) -> GateUsage:
    matrix = np.array(weights)
    gates, experts = ("click", "stars"), ("expert 0", "expert 1", "expert 2")
    zeros = np.zeros(len(matrix))
    column = None if value is None else "hour"
    found = (matrix, zeros, zeros, zeros, matrix, matrix > 0)
    return GateUsage("experts", column, value, 9, gates, experts, *found, sparse=False)


def test_gates_show_weights_and_leave_out_what_they_do_not_reach(ax):
    plots.gates(usage([[0.7, 0.3, 0.0], [0.2, 0.3, 0.5]]), ax=ax)
    # colours are powers of two of an even share, which is a half for two experts and a third for three
    np.testing.assert_allclose(cells(ax), np.log2([[1.4, 0.6, np.nan], [0.6, 0.9, 1.5]]))
    assert names(ax, "y") == ["click", "stars"]
    assert (names(ax, "x"), ax.get_xlabel()) == (["0", "1", "2"], "expert")
    assert [text.get_text() for text in ax.texts] == ["0.70", "0.30", "0.20", "0.30", "0.50"]
    # the first row is on top
    assert ax.yaxis_inverted()


def test_experts_come_by_use_and_one_that_serves_one_task_is_marked(ax):
    plots.gates(usage([[0.1, 0.2, 0.7], [0.4, 0.5, 0.1]]), ax=ax)
    assert names(ax, "x") == ["2 ◆", "1", "0"]
    np.testing.assert_allclose(cells(ax)[0], [1.0, np.log2(0.6), -1.0])
    (mesh,) = ax.collections
    assert mesh.norm.vmin == -mesh.norm.vmax
    assert mesh.cmap(mesh.norm(-1.0))[:3] != mesh.cmap(mesh.norm(1.0))[:3]


def test_no_two_of_many_lines_look_alike(ax):
    train = {f"task {k}": {"loss": 1.0, "weight": 1.0} for k in range(20)}
    plots.task_weights([EpochRecord(1, 0.1, 1, 1, train)], ax=ax)
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in ax.lines}
    assert len(looks) == 20


def test_a_loss_that_is_a_metric_stands_beside_the_training_loss(ax):
    train = {"click": {"loss": 0.5, "weight": 1.0}, "stars": {"loss": 0.4, "weight": 1.0}}
    history = [EpochRecord(k, 0.1, 1, 1, train, {"click": {"log_loss": 0.6}, "stars": {"rmse": 2.0}}) for k in (1, 2)]
    assert drawn(plots.learning_curve(history, "click", ax=ax)) == {"training": [0.5] * 2, "validation": [0.6] * 2}
    alone = plots.learning_curve(history, "stars", ax=Figure().add_subplot())
    assert [list(line.get_ydata()) for line in alone.lines] == [[0.4, 0.4]]


def test_curves_draw_what_they_are_given(ax):
    found = Curves(
        [0, 0.2, 1], [0, 0.8, 1], [0.5, 1], [0.9, 0.3], [0, 0.5, 1], [0.7, 0.3], [0.2, 0.8], [0, 1], [0, 1], 0.3
    )
    for draw, xs, ys in (
        (plots.roc, found.false_positives, found.true_positives),
        (plots.precision_recall, found.recall, found.precision),
        (plots.gain, found.contacted, found.gained),
    ):
        line = draw(found, ax=Figure().add_subplot()).lines[-1]
        assert (list(line.get_xdata()), list(line.get_ydata())) == (xs, ys)
    zeros, ones = plots.scores(found, ax=ax).patches
    assert (list(zeros.get_data().values), list(ones.get_data().values)) == ([0.7, 0.3], [0.2, 0.8])


def test_days_of_one_year_are_written_without_it(ax):
    days = [Period(f"2024-05-0{k}", 10, 0.1 * k, 0.2) for k in (1, 2, 3)]
    plots.by_day(days, ax=ax)
    assert names(ax, "x") == ["05-01", "05-02", "05-03"]
    assert drawn(ax) == {"found": pytest.approx([0.1, 0.2, 0.3]), "predicted": [0.2] * 3}


def test_gates_by_slice_are_those_of_one_gate(ax):
    parts = [usage([[0.7, 0.2, 0.1], [0.6, 0.4, 0]], "3"), usage([[0.1, 0.2, 0.7], [0.5, 0.5, 0]], "4")]
    plots.gates_by_slice(parts, "stars", ax=ax)
    # the third expert is not reached by the gate
    np.testing.assert_allclose(cells(ax), [[0.6, 0.4], [0.5, 0.5]])
    assert names(ax, "x") == ["0", "1"]
    assert names(ax, "y") == ["3", "4"]


def test_ablation_writes_the_change_and_colours_what_it_means(ax):
    change = np.array([[-0.1, 0.4], [0.05, -0.2], [np.nan, 0.0]])
    experts, outputs = ("expert 0", "expert 1", "expert 2"), ("click", "stars")
    found = Ablation("experts", experts, outputs, ("auc", "rmse"), (True, False), np.array([0.7, 1.0]), change, 10)
    plots.ablation(found, ax=ax)
    # a higher RMSE is worse; each column has its own scale
    np.testing.assert_allclose(cells(ax), [[-1, -1], [0.5, 0.5], [np.nan, 0]])
    assert [text.get_text() for text in ax.texts] == ["-0.1000", "+0.4000", "+0.0500", "-0.2000", "+0.0000"]
    (mesh,) = ax.collections
    worse, better = (mesh.cmap(mesh.norm(value)) for value in (-1.0, 1.0))
    assert ([round(255 * part) for part in worse[:3]], [round(255 * part) for part in better[:3]]) == (
        [int(WORSE[k : k + 2], 16) for k in (1, 3, 5)],
        [int(BETTER[k : k + 2], 16) for k in (1, 3, 5)],
    )


def test_similarity_and_affinity_are_square(ax):
    cka = np.array([[1.0, np.nan], [np.nan, np.nan]])
    plots.similarity(Similarity("experts", ("a", "b"), cka, 10), ax=ax)
    np.testing.assert_allclose(cells(ax), cka)
    moved = plots.affinity([[0.1, None], [-0.2, 0.3]], ["click", "stars"], ax=Figure().add_subplot())
    np.testing.assert_allclose(cells(moved), [[0.1, np.nan], [-0.2, 0.3]])


def test_reliability_draws_shares_with_their_intervals_over_predictions(ax):
    parts = [ReliabilityBin(None, None, 10, 0.1, 0.2, 0.05, 0.4), ReliabilityBin(None, None, 10, 0.6, 0.5, 0.3, 0.7)]
    plots.reliability(parts, ax=ax, label="as predicted")
    plots.reliability(parts[:1], ax=ax, label="calibrated")
    first, second = (each for each in ax.containers if isinstance(each, ErrorbarContainer))
    line, _, (bars,) = first
    assert (list(line.get_xdata()), list(line.get_ydata())) == ([0.1, 0.6], [0.2, 0.5])
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [
        pytest.approx([0.05, 0.4]),
        pytest.approx([0.3, 0.7]),
    ]
    assert len(second[0].get_xdata()) == 1
    assert len([line for line in ax.lines if line.get_linestyle() == "--"]) == 1


def test_importance_has_the_greatest_drop_on_top_and_leaves_out_what_is_undefined(ax):
    def found(feature: str, drop: float | None) -> Importance:
        ends = (None, None) if drop is None else (drop - 0.01, drop + 0.02)
        return Importance("click", feature, "auc", 0.7, drop, *ends, (drop,))

    plots.importance([found("price", 0.1), found("user", 0.3), found("tab", None), found("age", -0.05)], ax=ax)
    (bars,) = (each for each in ax.containers if isinstance(each, BarContainer))
    assert [bar.get_width() for bar in bars] == [0.3, 0.1, -0.05]
    assert names(ax, "y") == ["user", "price", "age"]
    assert ax.yaxis_inverted()
    whiskers = next(each for each in ax.containers if isinstance(each, ErrorbarContainer))[2][0]
    assert whiskers.get_segments()[0][:, 0].tolist() == pytest.approx([0.29, 0.32])
    assert names(plots.importance([found("a", 0.1), found("b", 0.2)], limit=1), "y") == ["b"]


def test_slices_mark_the_worst_in_the_metrics_own_direction(ax):
    parts = [Slice("hour", str(h), 10, {"auc": v, "rmse": v, "pcoc": v}) for h, v in ((1, 0.6), (2, None), (3, 0.8))]
    plots.slices(parts, AUC, whole=0.7, ax=ax)
    whole, *points = ax.lines
    assert list(whole.get_xdata()) == [0.7, 0.7]
    assert [(list(p.get_xdata()), list(p.get_ydata()), p.get_color()) for p in points] == [
        ([0.6], [0], WORSE),
        ([0.8], [2], ACCENT),
    ]
    for metric, colours in ((RMSE, [ACCENT, WORSE]), (PCOC, [ACCENT, ACCENT])):
        assert [p.get_color() for p in plots.slices(parts, metric, ax=Figure().add_subplot()).lines] == colours


def test_seesaw_is_a_line_a_model_with_intervals(ax):
    def verdict(model: str, output: str, change: float | None) -> Verdict:
        ends = (None, None) if change is None else (change - 0.1, change + 0.2)
        return Verdict(model, output, "auc", change, *ends, [change], "no evidence")

    changes = {
        "MMoE": {output: verdict("MMoE", output, change) for output, change in (("click", 0.3), ("stars", -0.2))},
        "PLE": {output: verdict("PLE", output, change) for output, change in (("click", 0.1), ("stars", None))},
    }
    plots.seesaw(changes, ax=ax)
    mmoe, ple = (each for each in ax.containers if isinstance(each, ErrorbarContainer))
    assert list(mmoe[0].get_ydata()) == [0.3, -0.2]
    np.testing.assert_equal(ple[0].get_ydata(), [0.1, np.nan])
    assert mmoe[2][0].get_segments()[1][:, 1].tolist() == pytest.approx([-0.3, 0.0])
    assert names(ax, "x") == ["click", "stars"]


def test_names_are_shown_letter_by_letter(ax):
    odd = ["_hidden", "$x^2$", "<b>", "a_very_long_name_of_a_column_indeed"]
    history = [EpochRecord(1, 0.1, 1, 1, {name: {"loss": 1.0, "weight": 1.0} for name in odd})]
    plots.task_weights(history, ax=ax)
    ax.figure.draw_without_rendering()
    shown = [text.get_text() for text in ax.get_legend().get_texts()]
    assert len(shown) == 4
    assert [text.replace("\\$", "$").strip() for text in shown[:3]] == odd[:3]
    assert shown[3] == "a_very_long_n…olumn_indeed"


def test_a_ranker_is_drawn_without_axes_in_hand(fitted, feed):
    import matplotlib

    matplotlib.use("agg")
    axes = [
        gw.plots.learning_curve(fitted.history, "click", "auc"),
        gw.plots.reliability(fitted.reliability(feed)["click"]),
        gw.plots.slices(fitted.slices(feed, "tags")["click"], AUC),
    ]
    assert len({ax.figure for ax in axes}) == 3
    from matplotlib import pyplot

    pyplot.close("all")


def test_plots_are_imported_lazily_and_matplotlib_by_drawing():
    code = (
        "import sys, gatewise as gw\n"
        "assert 'gatewise.plots' not in sys.modules\n"
        "gw.plots.heat_map\n"
        "assert 'matplotlib' not in sys.modules\n"
        "sys.modules['matplotlib'] = None\n"
        "try: gw.plots.heat_map([[1.0]], ['a'], ['b'])\n"
        "except gw.GatewiseError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "drawing needs an optional package: pip install 'gatewise[report]'", done.stderr


def test_a_search_draws_every_trial_and_the_best_so_far() -> None:
    ax = plots.best_so_far([0.5, None, 0.4, 0.6])
    dots, line = ax.get_lines()
    assert dots.get_ydata()[0] == 0.5
    assert np.isnan(dots.get_ydata()[1])
    assert list(line.get_ydata()) == [0.5, 0.5, 0.5, 0.6]
    assert plots.best_so_far([]).get_xlabel() == "trial"
    bars = plots.option_importance({"training.lr": 0.2, "model.experts": 0.8})
    assert [text.get_text() for text in bars.get_yticklabels()] == ["model.experts", "training.lr"]
    assert [bar.get_width() for bar in bars.patches] == [0.8, 0.2]
