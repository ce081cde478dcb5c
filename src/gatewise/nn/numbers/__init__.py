"""From one number to a vector: by the bin that it falls into, or by its sines and cosines.

A way is one file with a module from ``[batch, feature]`` to ``[batch, feature, dim]``, with weights of every feature's
own. Features that are embedded alike go through one module: one batched product.
"""

from gatewise.nn.numbers.embedded import EmbeddedNumbers
from gatewise.nn.numbers.make import make_embeddings
from gatewise.nn.numbers.periodic import PeriodicEmbeddings
from gatewise.nn.numbers.piecewise_linear import PiecewiseLinearEmbeddings

__all__ = ["EmbeddedNumbers", "PeriodicEmbeddings", "PiecewiseLinearEmbeddings", "make_embeddings"]
