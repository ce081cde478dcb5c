"""Whole models as single modules, and single parts as modules, for users who have tensors and no schema."""

from gatewise.nn.standalone.facet_aware import FacetAwareMoEModel
from gatewise.nn.standalone.mmoe import MMoEModel
from gatewise.nn.standalone.networks import GateNetwork, TowerNetwork
from gatewise.nn.standalone.recommendation import MMoERecommendationModel

__all__ = ["FacetAwareMoEModel", "GateNetwork", "MMoEModel", "MMoERecommendationModel", "TowerNetwork"]
