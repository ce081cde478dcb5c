"""From label columns to numbers: one label encoder per kind of task, samples of tasks, weights and groups."""

from gatewise.data.labels.all_labels import known_labels, learn_labels, read_labels
from gatewise.data.labels.beside import encode_groups, encode_weights, known_numbers
from gatewise.data.labels.kinds import label_encoder
from gatewise.data.labels.label import LabelEncoder

__all__ = [
    "LabelEncoder",
    "encode_groups",
    "encode_weights",
    "known_labels",
    "known_numbers",
    "label_encoder",
    "learn_labels",
    "read_labels",
]
