"""Whole models as one module each, for people who have tensors and want no schema: nothing around the layers."""

from gatewise.nn.standalone.facet_aware import FacetAwareMoEModel
from gatewise.nn.standalone.mmoe import MMoEModel
from gatewise.nn.standalone.recommendation import MMoERecommendationModel

__all__ = ["FacetAwareMoEModel", "MMoEModel", "MMoERecommendationModel"]
