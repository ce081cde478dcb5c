"""Networks of other libraries for single tables: one model per output, since they know single tasks.

RealMLP with tuned defaults (Holzmüller et al., NeurIPS 2024; package ``pytabkit``) and TabM (Gorishniy et al., ICLR
2025; package ``tabm``, trained as its authors' example does). What is 0 or 1 is learnt as a class, all else as a
number by its square error, also counts, whose mean is what the Gini coefficient asks for (by their logarithm RealMLP
has lower ones on ``patients``), and ordinal labels, as levels. Ids are categories like any others; lists and texts are
left out.

Both take long on a CPU. A run has :data:`CAP` CPU seconds for all its outputs; what that changes stands in its remark.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

import gatewise as gw
from gatewise.tasks import MulticlassTask, Task, in_sample
from tables.table import Parts

CAP = 300.0
"""CPU seconds of a run, see ``--cap``."""
EPOCHS = 256
"""RealMLP's own number of epochs, which it always takes."""
VALUES = 64
"""TabM reads categories as a column per value; those of more values, such as ids, get embeddings here."""
WIDTHS, AT_LEAST = (512, 256, 128, 64), 12
"""TabM's own width, and those that it gets where not even so many epochs fit."""
LR, WEIGHT_DECAY, PATIENCE, BINS, EMBEDDING = 2e-3, 3e-4, 16, 48, 16


@dataclass(frozen=True)
class Part:
    """Rows of one part that have a label of one output.

    Attributes:
        categories: ``[row, feature]``, 0 for a value that is missing or that the training rows do not have.
        numbers: ``[row, feature]``, none missing.
        labels: ``[row]``.
    """

    categories: np.ndarray
    numbers: np.ndarray
    labels: np.ndarray

    def where(self, chosen: np.ndarray) -> Part:
        """Return the chosen rows."""
        return Part(self.categories[chosen], self.numbers[chosen], self.labels[chosen])


Learner = Callable[[Part, Part, Part, bool, int, float], tuple[np.ndarray, str]]
"""``learner(train, valid, test, binary, seed, seconds)``: predictions ``[row]`` of the test rows, and a remark."""


def learn(
    learner: Learner, schema: gw.Schema, parts: Parts, tasks: Sequence[Task], labels: Sequence[Tensor], seed: int
) -> tuple[dict[str, np.ndarray], str]:
    """Return predictions of all test rows by output, and what to know about them."""
    read, left_out = features(schema, parts)
    known = [in_sample(tasks, each) for each in labels]
    judged = {task.name: [task.judged(each) for each in known] for task in tasks}
    outputs = [(task, output) for task in tasks if not isinstance(task, MulticlassTask) for output in task.outputs]
    found, remarks, started = dict[str, np.ndarray](), [], time.process_time()
    for position, (task, output) in enumerate(outputs):
        left = max(CAP - (time.process_time() - started), 1.0) / (len(outputs) - position)
        columns = [part[output].double().numpy() for part in judged[task.name]]
        train, valid = (
            Part(*pair, column).where(~np.isnan(column)) for pair, column in zip(read[:2], columns[:2], strict=True)
        )
        binary = bool(np.isin(train.labels, (0.0, 1.0)).all())
        found[output], remark = learner(train, valid, Part(*read[2], columns[2]), binary, seed, left)
        remarks += [f"{output}: {remark}"] if remark else []
    words = [f"without {', '.join(left_out)}"] if left_out else []
    return found, "; ".join([*words, *remarks])


def features(schema: gw.Schema, parts: Parts) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[str]]:
    """Return the categories and numbers of every part, and the names of features that are left out.

    A missing number is the median, and a column of its own says so.
    """
    categories = [feature.name for feature in schema.features if isinstance(feature, gw.Categorical)]
    numbers = [feature.name for feature in schema.features if isinstance(feature, gw.Numeric)]
    left_out = [feature.name for feature in schema.features if feature.name not in {*categories, *numbers}]
    codes = {name: _codes(parts.train[name].to_pandas()) for name in categories}
    read = []
    for part in parts:
        coded = [part[name].to_pandas().map(codes[name]).fillna(0).to_numpy(np.int64) for name in categories]
        filled = []
        for name in numbers:
            train, values = (rows[name].to_pandas().to_numpy(np.float64) for rows in (parts.train, part))
            if np.isnan(train).any():
                filled.append(np.isnan(values) * 1.0)
            filled.append(np.where(np.isnan(values), np.nanmedian(train), values))
        read.append((_stacked(coded, part.num_rows, np.int64), _stacked(filled, part.num_rows, np.float32)))
    return read, left_out


def _codes(column: pd.Series) -> dict[Any, int]:
    """Return a code per value, the most frequent first, from 1."""
    return {value: code for code, value in enumerate(column.value_counts().index, 1)}


def _stacked(columns: list[np.ndarray], rows: int, dtype: Any) -> np.ndarray:
    return np.stack(columns, axis=1).astype(dtype) if columns else np.zeros((rows, 0), dtype)


def real_mlp(train: Part, valid: Part, test: Part, binary: bool, seed: int, seconds: float) -> tuple[np.ndarray, str]:
    """RealMLP-TD; for classes stopped by the cross-entropy without smoothing, which its authors advise for the AUC.

    Where its 256 epochs take longer than is left, it gets as many as fit, with its schedules over all of them.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pytabkit import RealMLP_TD_Classifier, RealMLP_TD_Regressor

    def fitted(epochs: int) -> Any:
        options = {"device": "cpu", "random_state": seed, "n_threads": torch.get_num_threads(), "n_epochs": epochs}
        model = (
            RealMLP_TD_Classifier(**options, use_ls=False, val_metric_name="cross_entropy")
            if binary
            else RealMLP_TD_Regressor(**options)
        )
        names = [f"c{i}" for i in range(train.categories.shape[1])]
        labels = [part.labels.astype(np.int64 if binary else np.float32) for part in (train, valid)]
        model.fit(_frame(train), labels[0], _frame(valid), labels[1], cat_col_names=names)
        return model

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        epochs = _epochs_within(seconds, fitted)
        model = fitted(epochs)
        found = model.predict_proba(_frame(test))[:, 1] if binary else model.predict(_frame(test)).reshape(-1)
    return found.astype(np.float64), "" if epochs == EPOCHS else f"cap of {CAP:.0f} s, {epochs} of {EPOCHS} epochs"


def _epochs_within(seconds: float, fitted: Callable[[int], Any]) -> int:
    """Return how many epochs fit into some seconds, measured by one and, where they are short, by five."""

    def taken(epochs: int) -> float:
        started = time.process_time()
        fitted(epochs)
        return time.process_time() - started

    first = taken(1)  # with what is not repeated in every epoch
    if first * EPOCHS < seconds or first * 50 > seconds:
        return min(EPOCHS, max(1, int(seconds / first) - 1))
    five = taken(5)
    return min(EPOCHS, int((seconds - 2 * first - five) / ((five - first) / 4)))


def _frame(part: Part) -> pd.DataFrame:
    categories = {f"c{i}": column for i, column in enumerate(part.categories.T)}
    return pd.DataFrame(categories | {f"n{i}": column for i, column in enumerate(part.numbers.T)})


def tabm(train: Part, valid: Part, test: Part, binary: bool, seed: int, seconds: float) -> tuple[np.ndarray, str]:
    """TabM with its package's defaults (32 members, piecewise-linear numbers), stopped by the validation loss.

    Categories of many values are embedded, as wide as numbers: with a column per value the first layer would be most of
    the model. Where few epochs of its own width fit into the seconds that are left, it is made narrower; then it is cut
    short.
    """
    torch.manual_seed(seed)
    random, started = np.random.default_rng(seed), time.process_time()
    cards = train.categories.max(axis=0, initial=0) + 1
    few, many = np.flatnonzero(cards <= VALUES), np.flatnonzero(cards > VALUES)
    codes = [torch.from_numpy(np.where(part.categories < cards, part.categories, 0)) for part in (train, valid, test)]
    normal = _normal_numbers(train, valid, test, seed)
    numbers = [torch.cat([each, part[:, many].float()], dim=1) for each, part in zip(normal, codes, strict=True)]
    data = [_rows(each, part[:, few]) for each, part in zip(numbers, codes, strict=True)]
    mean, scale = (0.0, 1.0) if binary else (float(train.labels.mean()), float(train.labels.std()) or 1.0)
    target, check = (torch.from_numpy((part.labels - mean) / scale).float() for part in (train, valid))
    loss = nn.functional.binary_cross_entropy_with_logits if binary else nn.functional.mse_loss
    size, model, width = _batch_size(len(target)), None, 0
    for width in WIDTHS:
        model = _model(normal[0], cards[few], cards[many], width)
        optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
        before = time.process_time()
        for _ in range(2):
            _step(model, optimizer, loss, data[0], target, random.choice(len(target), min(size, len(target)), False))
        step = (time.process_time() - before) / 2
        if step * math.ceil(len(target) / size) * AT_LEAST < seconds:
            break
    assert model is not None
    model = _model(normal[0], cards[few], cards[many], width)  # the steps that were timed are forgotten
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    best, state, since, epochs, cut = math.inf, model.state_dict(), 0, 0, False
    while since < PATIENCE and not cut:
        for chosen in np.array_split(random.permutation(len(target)), math.ceil(len(target) / size)):
            _step(model, optimizer, loss, data[0], target, chosen)
            if cut := time.process_time() - started > seconds:
                break
        epochs, since = epochs + 1, since + 1
        reached = _valid_loss(_predicted(model, data[1], binary), check, binary)
        if reached < best:
            best, since = reached, 0
            state = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    found = _predicted(model, data[2], binary).double().numpy() * scale + mean
    words = [f"width {width}"] if width != WIDTHS[0] else []
    words += [f"cut short in epoch {epochs}"] if cut else []
    return found, f"cap of {CAP:.0f} s, {', '.join(words)}" if words else ""


def _normal_numbers(train: Part, valid: Part, test: Part, seed: int) -> list[Tensor]:
    """Return the numbers as normal quantiles; those that are the same in all training rows are left out."""
    from sklearn.preprocessing import QuantileTransformer

    moving = [i for i, column in enumerate(train.numbers.T) if column.min() < column.max()]
    if not moving:
        return [torch.zeros(len(part.numbers), 0) for part in (train, valid, test)]
    quantiles = max(min(len(train.numbers) // 30, 1000), 10)
    transformer = QuantileTransformer(
        n_quantiles=quantiles, output_distribution="normal", subsample=10**9, random_state=seed
    )
    noise = np.random.default_rng(seed).normal(0, 1e-5, (len(train.numbers), len(moving)))
    transformer.fit(train.numbers[:, moving] + noise)
    parts = (train, valid, test)
    return [
        torch.from_numpy(transformer.transform(part.numbers[:, moving].astype(np.float64))).float() for part in parts
    ]


def _model(numbers: Tensor, few: np.ndarray, many: np.ndarray, width: int) -> nn.Module:
    """Return a model of numbers ``[row, feature]`` and, by their number of values, categories of few and of many."""
    from rtdl_num_embeddings import PiecewiseLinearEmbeddings, compute_bins
    from tabm import TabM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a number of two values has one bin
        bins = compute_bins(numbers, n_bins=min(BINS, len(numbers) - 1)) if numbers.shape[1] else []
        embedded, place = PiecewiseLinearEmbeddings, torch.linspace(0, 1, BINS)
        options = {"activation": False, "version": "B"}
        model = TabM.make(
            n_num_features=len(bins) + len(many),
            cat_cardinalities=few.tolist(),
            d_out=1,
            d_block=width,
            num_embeddings=embedded([*bins, *[place] * len(many)], EMBEDDING, **options)
            if len(bins) + len(many)
            else None,
        )
        if len(many):
            model.num_module = _Embedded(embedded(bins, EMBEDDING, **options) if bins else None, len(bins), many)
    return model


class _Embedded(nn.Module):
    """Embeddings of numbers, and of the codes beside them: ``[row, feature]`` to ``[row, feature, dim]``."""

    def __init__(self, numbers: nn.Module | None, count: int, values: np.ndarray) -> None:
        super().__init__()
        self.numbers, self.count = numbers, count
        self.tables = nn.ModuleList(nn.Embedding(int(size), EMBEDDING) for size in values)
        for table in self.tables:
            nn.init.uniform_(table.weight, -(EMBEDDING**-0.5), EMBEDDING**-0.5)
            nn.init.zeros_(table.weight[0])  # of values that the training rows do not have

    def forward(self, rows: Tensor) -> Tensor:
        first = [] if self.numbers is None else [self.numbers(rows[:, : self.count])]
        codes = rows[:, self.count :].long()
        return torch.cat([*first, *(table(codes[:, i : i + 1]) for i, table in enumerate(self.tables))], dim=1)


def _rows(numbers: Tensor, categories: Tensor) -> tuple[Tensor | None, Tensor | None]:
    return (numbers if numbers.shape[1] else None, categories if categories.shape[1] else None)


def _forward(model: nn.Module, rows: tuple[Tensor | None, Tensor | None], chosen: Any) -> Tensor:
    return model(*(None if each is None else each[chosen] for each in rows)).squeeze(-1)  # [row, member]


def _step(
    model: nn.Module, optimizer: Any, loss: Any, rows: tuple[Tensor | None, Tensor | None], target: Tensor, chosen: Any
) -> None:
    model.train()
    optimizer.zero_grad()
    found = _forward(model, rows, chosen)
    loss(found, target[chosen][:, None].expand_as(found)).backward()  # every member has a loss of its own
    optimizer.step()


@torch.inference_mode()
def _predicted(model: nn.Module, rows: tuple[Tensor | None, Tensor | None], binary: bool) -> Tensor:
    """Return the mean over members, of their probabilities or numbers, ``[row]``."""
    model.eval()
    length = next(len(each) for each in rows if each is not None)
    found = torch.cat([_forward(model, rows, slice(i, i + 1024)) for i in range(0, length, 1024)])
    return (found.sigmoid() if binary else found).mean(dim=1)


def _valid_loss(found: Tensor, target: Tensor, binary: bool) -> float:
    if binary:
        return float(nn.functional.binary_cross_entropy(found, target))
    return float(nn.functional.mse_loss(found, target))


def _batch_size(rows: int) -> int:
    """Return the batch size that the authors' experiments have for tables of this size."""
    sizes = {2_800: 32, 4_500: 64, 6_400: 128, 32_000: 256, 108_000: 512}
    return next((size for most, size in sizes.items() if rows < most), 1024)
