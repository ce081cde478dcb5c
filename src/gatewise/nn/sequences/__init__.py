"""Poolings: from a sequence of vectors to one vector.

A kind of pooling is one file with a module from :class:`Padded` to ``[batch, output_dim]``. Padding does not change
the output, and an empty sequence gives zeros.
"""

from gatewise.nn.sequences.joined import ProjectedAttention
from gatewise.nn.sequences.make import make_pooling
from gatewise.nn.sequences.padded import Padded
from gatewise.nn.sequences.plain import PlainPooling
from gatewise.nn.sequences.recurrent import RecurrentPooling
from gatewise.nn.sequences.target_attention import TargetAttention
from gatewise.nn.sequences.transformer import TransformerPooling
from gatewise.nn.sequences.weighted import WeightedPooling

__all__ = [
    "Padded",
    "PlainPooling",
    "ProjectedAttention",
    "RecurrentPooling",
    "TargetAttention",
    "TransformerPooling",
    "WeightedPooling",
    "make_pooling",
]
