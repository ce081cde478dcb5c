"""From label columns to numbers: one label encoder per kind of task, samples of tasks, weights and groups."""

from gatewise.data.labels.all_labels import known_labels, learn_labels, read_labels
from gatewise.data.labels.groups import encode_groups
from gatewise.data.labels.kinds import label_encoder
from gatewise.data.labels.label import LabelEncoder
from gatewise.data.labels.weights import encode_weights

__all__ = [
    "LabelEncoder",
    "encode_groups",
    "encode_weights",
    "known_labels",
    "label_encoder",
    "learn_labels",
    "read_labels",
]
