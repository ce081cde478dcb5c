"""One encoder for each kind of feature.

Each first *prepares* a raw column (checks it, brings it to a known type), then *fits* on it and *encodes* it, so that
the training table is prepared only once. Of any other table ``encode_column`` encodes raw columns, with no more
preparation than they need.
"""

from gatewise.data.encoders.categorical import CategoricalEncoder
from gatewise.data.encoders.numeric import NumericEncoder
from gatewise.data.encoders.sequence import RaggedIds, SequenceEncoder
from gatewise.data.encoders.text import EncodedTexts, TextEncoder
from gatewise.data.encoders.vector import VectorEncoder

__all__ = [
    "CategoricalEncoder",
    "EncodedTexts",
    "NumericEncoder",
    "RaggedIds",
    "SequenceEncoder",
    "TextEncoder",
    "VectorEncoder",
]
