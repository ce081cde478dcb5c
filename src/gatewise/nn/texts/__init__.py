"""From a text to one vector: tokens of distinct texts, and the encoder that reads them.

No library of language models is needed here: the encoder is any module with the call signature of ``transformers``.
"""

from gatewise.nn.texts.encoder import TextEncoder
from gatewise.nn.texts.texts import TextBatch, Texts

__all__ = ["TextBatch", "TextEncoder", "Texts"]
