"""What every metric promises alike: which rows count, what is refused, what comes back."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
import torch

import gatewise.metrics
from gatewise.errors import GatewiseError, ShapeError
from gatewise.metrics import (
    AUC,
    BRIER,
    ECE,
    GINI,
    LOG_LOSS,
    MAE,
    MSE,
    NORMALISED_ENTROPY,
    PCOC,
    PINBALL,
    POISSON_DEVIANCE,
    PR_AUC,
    R2,
    RMSE,
    SPEARMAN,
    TWEEDIE_DEVIANCE,
    Metric,
    metric_named,
)

THRESHOLDED = [metric_named(name) for name in ("accuracy", "precision", "recall", "f1")]

BINARY = [AUC, PR_AUC, LOG_LOSS, NORMALISED_ENTROPY, BRIER, PCOC, ECE, *THRESHOLDED]
NUMERIC = [RMSE, MSE, MAE, R2, PINBALL, POISSON_DEVIANCE, TWEEDIE_DEVIANCE, GINI]
EVERY = [*BINARY, *NUMERIC, SPEARMAN]

every_metric = pytest.mark.parametrize("metric", EVERY, ids=lambda metric: metric.name)
binary_metric = pytest.mark.parametrize("metric", BINARY, ids=lambda metric: metric.name)
numeric_metric = pytest.mark.parametrize("metric", NUMERIC, ids=lambda metric: metric.name)


def sample(rows: int = 500) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(7)
    targets = (torch.rand(rows, generator=generator) < 0.3).double()
    predictions = torch.rand(rows, generator=generator, dtype=torch.float64).mul(50).round().clamp(1, 50) / 50
    weights = torch.randint(0, 4, (rows,), generator=generator).double()
    return targets, predictions, weights


@every_metric
def test_returns_a_python_float(metric: Metric) -> None:
    assert type(metric.compute(*sample())) is float


@every_metric
def test_the_order_of_the_rows_does_not_matter(metric: Metric) -> None:
    targets, predictions, weights = sample()
    order = torch.randperm(500, generator=torch.Generator().manual_seed(8))
    expected = metric.compute(targets, predictions, weights)
    assert metric.compute(targets[order], predictions[order], weights[order]) == pytest.approx(expected, abs=1e-12)


@every_metric
def test_an_integer_weight_is_a_repeated_row(metric: Metric) -> None:
    targets, predictions, weights = sample()
    repeats = weights.long()
    expected = metric.compute(targets.repeat_interleave(repeats), predictions.repeat_interleave(repeats))
    assert metric.compute(targets, predictions, weights) == pytest.approx(expected, abs=1e-12)


@every_metric
def test_equal_weights_change_nothing(metric: Metric) -> None:
    targets, predictions, _ = sample()
    expected = metric.compute(targets, predictions)
    assert metric.compute(targets, predictions, torch.full((500,), 0.3)) == pytest.approx(expected, abs=1e-12)


@every_metric
@pytest.mark.parametrize("filler", [float("nan"), float("inf"), -7.0])
def test_a_row_of_zero_weight_may_hold_anything(metric: Metric, filler: float) -> None:
    targets, predictions, weights = sample()
    expected = metric.compute(targets, predictions, weights)
    masked = weights == 0
    filled = targets.masked_fill(masked, filler), predictions.masked_fill(masked, filler)
    assert metric.compute(*filled, weights) == expected


@every_metric
def test_all_rows_of_zero_weight_are_no_rows(metric: Metric) -> None:
    targets, predictions, _ = sample()
    assert metric.compute(targets, predictions, torch.zeros(500)) is None
    assert metric.compute(torch.tensor([]), torch.tensor([])) is None


@every_metric
def test_reads_strided_tensors_of_mixed_dtypes_with_gradients(metric: Metric) -> None:
    targets, predictions, _ = sample()
    expected = metric.compute(targets, predictions.float())
    strided = torch.stack([predictions.float(), predictions.float() + 1], dim=1).requires_grad_()[:, 0]
    assert metric.compute(targets.long(), strided) == expected


@every_metric
def test_changes_none_of_its_inputs(metric: Metric) -> None:
    given = sample()
    kept = [values.clone() for values in given]
    metric.compute(*given)
    assert all(torch.equal(values, copy) for values, copy in zip(given, kept, strict=True))


@every_metric
@pytest.mark.parametrize(
    ("shapes", "found"),
    [
        (((3,), (4,), None), r"targets \(3,\), predictions \(4,\)"),
        (((3, 1), (3, 1), None), r"targets \(3, 1\), predictions \(3, 1\)"),
        (((3,), (3, 1), None), r"targets \(3,\), predictions \(3, 1\)"),
        (((), (), None), r"targets \(\), predictions \(\)"),
        (((3,), (3,), (2,)), r"targets \(3,\), predictions \(3,\), weights \(2,\)"),
    ],
)
def test_refuses_other_shapes(metric: Metric, shapes: tuple[tuple[int, ...] | None, ...], found: str) -> None:
    tensors = [None if shape is None else torch.ones(shape) for shape in shapes]
    with pytest.raises(ShapeError, match=f"^{metric.name}: expected 1-D tensors of equal length, found {found}$"):
        metric.compute(*tensors)  # type: ignore[arg-type]


@every_metric
def test_refuses_two_devices(metric: Metric) -> None:
    with pytest.raises(ShapeError, match="expected tensors on one device, found targets on cpu, predictions on meta"):
        metric.compute(torch.ones(3), torch.ones(3, device="meta"))


@every_metric
@pytest.mark.parametrize("where", [0, 1])
def test_refuses_nan(metric: Metric, where: int) -> None:
    tensors = [torch.tensor([1.0, 0.0, 1.0]), torch.tensor([0.5, 0.1, 0.2])]
    tensors[where][1] = float("nan")
    name = ("targets", "predictions")[where]
    with pytest.raises(ShapeError, match=f"^{metric.name}: expected {name} without NaN, found NaN in 1 of 3 rows$"):
        metric.compute(*tensors)


@every_metric
@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_refuses_weights_that_are_none(metric: Metric, wrong: float) -> None:
    with pytest.raises(ShapeError, match=f"^{metric.name}: expected weights .*, found {wrong:g}$"):
        metric.compute(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.1]), torch.tensor([1.0, wrong]))


@binary_metric
@pytest.mark.parametrize("wrong", [0.5, 2.0, -1.0])
def test_refuses_targets_that_are_not_binary(metric: Metric, wrong: float) -> None:
    with pytest.raises(ShapeError, match=f"^{metric.name}: expected targets of 0 and 1, found {wrong:g}$"):
        metric.compute(torch.tensor([1.0, wrong]), torch.tensor([0.5, 0.1]))


@numeric_metric
@pytest.mark.parametrize("where", [0, 1])
def test_refuses_infinite_numbers(metric: Metric, where: int) -> None:
    tensors = [torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.1])]
    tensors[where][1] = -float("inf")
    name = ("targets", "predictions")[where]
    with pytest.raises(ShapeError, match=f"^{metric.name}: expected finite {name}, found -inf$"):
        metric.compute(*tensors)


@pytest.mark.parametrize("metric", [AUC, PR_AUC, R2, SPEARMAN, GINI], ids=lambda metric: metric.name)
def test_greater_is_better(metric: Metric) -> None:
    assert metric.better(0.8, 0.7)
    assert not metric.better(0.7, 0.8)
    assert not metric.better(0.7, 0.7)


@pytest.mark.parametrize("metric", [LOG_LOSS, BRIER, ECE, RMSE, MAE, PINBALL], ids=lambda metric: metric.name)
def test_smaller_is_better(metric: Metric) -> None:
    assert metric.better(0.7, 0.8)
    assert not metric.better(0.8, 0.7)
    assert not metric.better(0.7, 0.7)


def test_pcoc_has_no_better_direction() -> None:
    assert PCOC.greater_is_better is None
    with pytest.raises(GatewiseError, match="metric 'pcoc': expected one with a better direction, found none"):
        PCOC.better(1.0, 1.1)


def test_each_constant_bears_the_name_of_its_function() -> None:
    binary = ["auc", "pr_auc", "log_loss", "normalised_entropy", "brier", "pcoc", "ece"]
    numeric = ["rmse", "mse", "mae", "r2", "pinball", "poisson_deviance", "tweedie_deviance", "gini"]
    constants = [metric for metric in EVERY if metric not in THRESHOLDED]
    assert [metric.name for metric in constants] == [*binary, *numeric, "spearman"]
    for metric in constants:
        assert metric.compute is getattr(gatewise.metrics, metric.name)
        assert getattr(gatewise.metrics, metric.name.upper()) is metric


def test_imports_torch_and_the_standard_library_only() -> None:
    for path in Path(gatewise.metrics.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                modules = [node.module or "."]
            for module in modules:
                own = module == "gatewise.errors" or module.startswith("gatewise.metrics")
                assert own or module.split(".")[0] in {"torch", *sys.stdlib_module_names}, (path.name, module)
