"""Synthetic data of the MMoE paper: two regressions with a chosen correlation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gatewise.errors import TableError

Floats = npt.NDArray[np.float64]

SCALE = 0.3
FREQUENCIES = 2 * np.pi * np.arange(1, 5)
PHASES = np.arange(1, 5) / 2
NOISE = 0.1


class RelatedTasks(NamedTuple):
    """Two tasks with weights ``[2, dim]`` that have a given cosine."""

    directions: Floats

    def labels(self, x: Floats) -> Floats:
        """Return the noiseless labels ``[row, 2]`` of rows ``[row, dim]``."""
        along = x @ self.directions.T
        waves = np.sin(along[..., np.newaxis] * FREQUENCIES + PHASES).sum(axis=-1)
        labels: Floats = along + waves
        return labels


def draw_tasks(cosine: float, dim: int = 100, seed: int = 0) -> RelatedTasks:
    r"""Return two random tasks whose weights have a given cosine.

    .. math:: w_1 = c u_1, \qquad w_2 = c \left(p u_1 + \sqrt{1 - p^2} \, u_2\right)

    where :math:`u_1, u_2` are random and orthonormal, and p is the cosine.

    Raises:
        TableError: the cosine is not between -1 and 1, or there are fewer than two dimensions.
    """
    if not -1 <= cosine <= 1:
        raise TableError(f"cosine: expected a number from -1 to 1, found {cosine:g}")
    if dim < 2:
        raise TableError(f"dim: expected 2 or more, found {dim}")
    basis, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(dim, 2)))
    first, second = basis.T
    return RelatedTasks(SCALE * np.stack([first, cosine * first + np.sqrt(1 - cosine**2) * second]))


def related_tasks(cosine: float, rows: int, *, dim: int = 100, seed: int = 0) -> pa.Table:
    r"""Return a table with two related regression tasks.

    .. math::
        y_k = w_k^\top x + \sum_{i=1}^{4} \sin(\alpha_i w_k^\top x + \beta_i) + \epsilon_k, \qquad
        x \sim N(0, I), \; \epsilon_k \sim N(0, 0.01)

    with :math:`w_k` as in :func:`draw_tasks`. The paper does not give c and :math:`\alpha, \beta`: c = 0.3,
    :math:`\alpha_i = 2 \pi i` and :math:`\beta_i = i / 2` give the label correlations of the paper's figure.

    Args:
        cosine: cosine of the tasks' weights; 1: equal tasks, up to noise.
        rows: number of rows.
        dim: width of x.
        seed: seed of tasks and rows.

    Returns:
        pa.Table: ``x``, a list of ``dim`` numbers per row, and the labels ``first`` and ``second``.

    Raises:
        TableError: as :func:`draw_tasks`.

    Example:
        >>> related_tasks(0.9, 5, dim=3).column_names
        ['x', 'first', 'second']

    References:
        Ma et al.: Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts. KDD 2018.
    """
    tasks = draw_tasks(cosine, dim, seed)
    rng = np.random.default_rng([seed, 1])
    x = rng.normal(size=(rows, dim))
    labels = tasks.labels(x) + NOISE * rng.normal(size=(rows, 2))
    columns = pa.FixedSizeListArray.from_arrays(pa.array(x.ravel()), dim)
    return pa.table({"x": columns, "first": labels[:, 0], "second": labels[:, 1]})
