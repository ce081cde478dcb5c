"""Data sets and loaders of torch-rechub: rows as arrays, which batches are cut of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Subset
from typing_extensions import override

from gatewise.compat.fields import array_of, labels_of

Rows = dict[str, np.ndarray]


class TorchDataset(Dataset[tuple[dict[str, Any], Any]]):
    """Rows and labels."""

    def __init__(self, x: Mapping[str, Any], y: Any) -> None:
        super().__init__()
        self.x: Rows = {str(name): array_of(x, name) for name in x}
        self.y: np.ndarray = y if isinstance(y, np.ndarray) else np.asarray(y)

    @override
    def __getitem__(self, index: Any) -> tuple[dict[str, Any], Any]:
        return {name: values[index] for name, values in self.x.items()}, self.y[index]

    def __len__(self) -> int:
        return len(self.y)


class PredictDataset(Dataset[dict[str, Any]]):
    """Rows without labels."""

    def __init__(self, x: Mapping[str, Any]) -> None:
        super().__init__()
        self.x: Rows = {str(name): array_of(x, name) for name in x}

    @override
    def __getitem__(self, index: Any) -> dict[str, Any]:
        return {name: values[index] for name, values in self.x.items()}

    def __len__(self) -> int:
        return len(next(iter(self.x.values())))


class DataGenerator:
    """Makes loaders for training, validation and test."""

    def __init__(self, x: Mapping[str, Any], y: Any) -> None:
        self.dataset = TorchDataset(x, y)
        self.length = len(self.dataset)

    def generate_dataloader(
        self,
        x_val: Mapping[str, Any] | None = None,
        y_val: Any = None,
        x_test: Mapping[str, Any] | None = None,
        y_test: Any = None,
        split_ratio: Sequence[float] | None = None,
        batch_size: int = 16,
        num_workers: int = 0,  # noqa: ARG002
    ) -> tuple[Any, Any, Any]:
        """Return the loaders of training, validation and test rows; without rows, None.

        Args:
            x_val: rows for validation.
            y_val: their labels.
            x_test: rows for the test.
            y_test: their labels.
            split_ratio: shares of training and validation rows among those of the generator; the rest is for the test.
            batch_size: rows per batch.
            num_workers: ignored: rows are in memory.
        """
        if split_ratio is not None:
            parts = self._split(split_ratio)
        else:
            given = ((x_val, y_val), (x_test, y_test))
            parts = [self.dataset, *(None if x is None else TorchDataset(x, y) for x, y in given)]
        train, valid, test = (
            None if part is None else DataLoader(part, batch_size=batch_size, shuffle=place == 0)
            for place, part in enumerate(parts)
        )
        return train, valid, test

    def _split(self, ratio: Sequence[float]) -> list[Any]:
        train, valid = (int(self.length * share) for share in ratio[:2])
        order = torch.randperm(self.length).tolist()
        bounds = (slice(0, train), slice(train, train + valid), slice(train + valid, None))
        return [Subset(self.dataset, order[rows]) for rows in bounds]


def df_to_dict(data: Any) -> Rows:
    """Return the columns of a data frame as arrays by name."""
    return {name: np.array(data[name].tolist()) for name in data}


def rows_of(loader: Any, tasks: int) -> tuple[Rows, np.ndarray | None]:
    """Return all rows of a loader in order, and their labels ``[row, task]`` or None.

    Args:
        loader: one of :class:`DataGenerator`, or any other that gives ``(rows by name, labels)`` or rows by name.
        tasks: number of label columns.
    """
    dataset: Any = getattr(loader, "dataset", None)
    index: Any = slice(None)
    if isinstance(dataset, Subset):
        dataset, index = dataset.dataset, np.asarray(dataset.indices)
    if isinstance(dataset, TorchDataset):
        return {name: values[index] for name, values in dataset.x.items()}, labels_of(dataset.y[index], tasks)
    if isinstance(dataset, PredictDataset):
        return {name: values[index] for name, values in dataset.x.items()}, None
    return _collected(loader, tasks)


def _collected(loader: Any, tasks: int) -> tuple[Rows, np.ndarray | None]:
    rows, labels = [], []
    for x, y in _batches(loader):
        rows.append({name: array_of(x, name) for name in x})
        if y is not None:
            labels.append(labels_of(y, tasks))
    joined = {name: np.concatenate([batch[name] for batch in rows]) for name in rows[0]}
    return joined, np.concatenate(labels) if labels else None


def _batches(loader: Any) -> Iterator[tuple[Mapping[str, Tensor], Any]]:
    for batch in loader:
        x, y = batch if isinstance(batch, (tuple, list)) else (batch, None)
        yield x, y
