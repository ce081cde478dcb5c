"""Pictures on matplotlib axes of the results of analysis and training, for notebooks and for the report.

Every function takes plain data and, if wanted, the axes to draw on (by default those of a new figure), and returns the
axes. Needs the extra ``report``.

- A training, from ``ranker.history``: :func:`learning_curve`, :func:`task_weights`, :func:`gradient_conflict`,
  :func:`gate_entropy`, :func:`utilisation`.
- Gates and experts: :func:`gates`, :func:`gates_by_slice`, :func:`similarity`, :func:`gradient_routing`,
  :func:`routed_weights`, :func:`ablation`.
- Predictions: :func:`reliability`, :func:`importance`, :func:`slices`; of a probability :func:`roc`,
  :func:`precision_recall`, :func:`gain`, :func:`scores`; by time :func:`by_day`.
- A comparison: :func:`seesaw`, :func:`affinity`. A search for weights: :func:`fusion_front`. A search for
  options: :func:`best_so_far`, :func:`front`, :func:`option_importance`.
- Any matrix: :func:`heat_map`. Labels over time: :func:`periods`. A backtest: :func:`day_by_day`.

Example:
    >>> import gatewise as gw
    >>> table = {"user": [1, 2] * 50, "click": [0, 1] * 50}
    >>> schema = gw.Schema(features=[gw.Categorical("user", dim=2)], tasks=[gw.Binary("click")])
    >>> ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=3).fit(table)
    >>> gw.plots.learning_curve(ranker.history, "click").get_ylabel()
    'training loss'
"""

from gatewise.plots.curves import by_day, gain, precision_recall, roc, scores
from gatewise.plots.day_by_day import day_by_day
from gatewise.plots.experts import ablation, gradient_routing, routed_weights, similarity
from gatewise.plots.front import front
from gatewise.plots.fusion import fusion_front
from gatewise.plots.gates import gate_entropy, gates, gates_by_slice, utilisation
from gatewise.plots.heat_map import heat_map
from gatewise.plots.history import conflict_cosines, gradient_conflict, learning_curve, task_weights, validation_loss
from gatewise.plots.importance import importance
from gatewise.plots.periods import periods
from gatewise.plots.reliability import reliability
from gatewise.plots.search import best_so_far, option_importance
from gatewise.plots.seesaw import affinity, seesaw
from gatewise.plots.slices import slices

__all__ = [
    "ablation",
    "affinity",
    "best_so_far",
    "by_day",
    "conflict_cosines",
    "day_by_day",
    "front",
    "fusion_front",
    "gain",
    "gate_entropy",
    "gates",
    "gates_by_slice",
    "gradient_conflict",
    "gradient_routing",
    "heat_map",
    "importance",
    "learning_curve",
    "option_importance",
    "periods",
    "precision_recall",
    "reliability",
    "roc",
    "routed_weights",
    "scores",
    "seesaw",
    "similarity",
    "slices",
    "task_weights",
    "utilisation",
    "validation_loss",
]
