"""From one number to a vector: by its position in bins, or by its sines and cosines.

A kind of embedding is one file with a module from ``[batch, feature]`` to ``[batch, feature, dim]``; every feature has
its own weights. Features with the same kind of embedding share one module, which is one batched product.
"""

from gatewise.nn.numbers.embedded import EmbeddedNumbers
from gatewise.nn.numbers.make import make_embeddings
from gatewise.nn.numbers.periodic import PeriodicEmbeddings
from gatewise.nn.numbers.piecewise_linear import PiecewiseLinearEmbeddings

__all__ = ["EmbeddedNumbers", "PeriodicEmbeddings", "PiecewiseLinearEmbeddings", "make_embeddings"]
