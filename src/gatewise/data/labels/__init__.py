"""From label columns to numbers: one label encoder per kind of task, samples of tasks, weights and groups."""

from gatewise.data.labels.ages import AsOf, Moments, at, newest, read_at, times_of_labels
from gatewise.data.labels.all_labels import (
    absorb_labels,
    known_labels,
    label_columns,
    label_places,
    learn_labels,
    read_labels,
)
from gatewise.data.labels.beside import (
    encode_groups,
    encode_weights,
    hash_groups,
    known_numbers,
    some_weigh,
    warn_of_zeros,
)
from gatewise.data.labels.kept import combined, weights_of_kept
from gatewise.data.labels.kinds import label_encoder
from gatewise.data.labels.label import LabelEncoder
from gatewise.data.labels.periods import Period, period_of
from gatewise.data.labels.samples import Contradictions

__all__ = [
    "AsOf",
    "Contradictions",
    "LabelEncoder",
    "Moments",
    "Period",
    "absorb_labels",
    "at",
    "combined",
    "encode_groups",
    "encode_weights",
    "hash_groups",
    "known_labels",
    "known_numbers",
    "label_columns",
    "label_encoder",
    "label_places",
    "learn_labels",
    "newest",
    "period_of",
    "read_at",
    "read_labels",
    "some_weigh",
    "times_of_labels",
    "warn_of_zeros",
    "weights_of_kept",
]
