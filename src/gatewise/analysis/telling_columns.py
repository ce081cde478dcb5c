"""Columns whose slices a model predicts differently well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from gatewise.analysis.cuts import Cut
from gatewise.tasks import Judged, Predicted


def by_difference(predicted: Predicted, cuts: Sequence[Cut], least: int) -> dict[str, float]:
    r"""Return how far the slices of each column are apart, by column, the farthest first.

    For every output, the errors (label less prediction) and their sizes are standardised over all rows. Slices that
    are drawn by chance have sums s of n such errors with a mean square of n, so that

    .. math:: \frac{\sum_k s_k^2 / n_k - (K - 1)}{\sqrt{2 (K - 1)}}

    is about 0 for a column of K slices that says nothing. The result is the mean over outputs of what is above 0.

    Args:
        predicted: rows with predictions and labels.
        cuts: slices of the rows, by column in turn.
        least: fewest rows of a slice that counts.
    """
    errors = _errors(predicted.judged())
    by_column: dict[str, list[Tensor | slice]] = {}
    for column, _, rows in cuts:
        by_column.setdefault(str(column), []).append(rows)
    apart = {column: _apart(errors, slices, least) for column, slices in by_column.items()}
    return dict(sorted(apart.items(), key=lambda each: -each[1]))


def _errors(judged: Mapping[str, Judged]) -> Tensor:
    """Return ``[row, 2 * output]`` standardised errors and sizes of errors; NaN without a label."""
    found = []
    for rows in judged.values():
        if rows.predictions.dim() == 1:
            error = (rows.labels - rows.predictions).double().cpu()
        else:
            known = rows.labels.nan_to_num().long().clamp(0, rows.predictions.shape[1] - 1).unsqueeze(1)
            error = 1 - rows.predictions.gather(1, known).squeeze(1).double().cpu() + 0 * rows.labels
        found += [_standardised(error), _standardised(error.abs())]
    return torch.stack(found, dim=1)


def _standardised(values: Tensor) -> Tensor:
    known = values[~values.isnan()]
    spread = known.std(correction=0) if len(known) else torch.tensor(0.0)
    return (values - known.mean()) / spread if spread > 0 else torch.full_like(values, torch.nan)


def _apart(errors: Tensor, slices: Sequence[Tensor | slice], least: int) -> float:
    sums, counts = [], []
    for rows in slices:
        part = errors[rows]
        count = (~part.isnan()).sum(0)
        enough = count >= least
        sums.append(torch.where(enough, part.nansum(0).square() / count.clamp(min=1), 0.0))
        counts.append(enough)
    freedom = torch.stack(counts).sum(0) - 1  # [2 * output]
    excess = (torch.stack(sums).sum(0) - freedom) / (2 * freedom.clamp(min=1)).double().sqrt()
    return float(torch.where(freedom > 0, excess.clamp(min=0), 0.0).mean())
