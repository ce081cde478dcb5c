"""From text to one vector: tokens of distinct texts, and the encoder that reads them.

Nothing here needs a library of language models: the encoder is any module that is called as those of ``transformers``
are.
"""

from gatewise.nn.texts.encoder import TextEncoder
from gatewise.nn.texts.texts import TextBatch, Texts

__all__ = ["TextBatch", "TextEncoder", "Texts"]
