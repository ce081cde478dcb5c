"""Options of mixtures of shared experts, with one gate for all tasks or one gate per task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Annotated

from pydantic import AfterValidator, Field, Tag, model_validator
from typing_extensions import override

from gatewise.declare.architectures.architecture import Count
from gatewise.declare.architectures.gated import GatedArchitecture
from gatewise.declare.base import Dims, declaration, number_or_list
from gatewise.declare.experts import AnyExpert

HowManyOrWhich = Annotated[
    Annotated[Count, Tag("number")]
    | Annotated[Sequence[AnyExpert], AfterValidator(tuple), Field(min_length=1), Tag("list")],
    number_or_list,
]
"""A number of equal experts, or a list of declared experts."""


@declaration
class MixtureOfExperts(GatedArchitecture):
    """Base of mixtures whose experts all tasks share."""

    experts: HowManyOrWhich = field(default=8, kw_only=True)
    """Number of experts, all multi-layer perceptrons; or a list of experts of equal output width."""
    expert_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of each expert if ``experts`` is a number."""
    expert_norm: bool = field(default=False, kw_only=True)
    """Whether each expert's output is normalised before the mixture, so that only gates weigh experts."""
    levels: Count = field(default=1, kw_only=True)
    """Number of levels; the next level reads the mixtures of all tasks."""

    @property
    @override
    def experts_in_reach(self) -> int:
        return self.experts if isinstance(self.experts, int) else sum(expert.count for expert in self.experts)

    @model_validator(mode="after")
    def _experts_fit_each_other(self) -> MixtureOfExperts:
        if isinstance(self.experts, int):
            return self
        if self.levels > 1:
            raise ValueError(f"experts: a list fits one level, found levels {self.levels}")
        # the output width of a registered kind is known when it is built
        widths = [expert.width for expert in self.experts]
        if None in widths:
            return self
        for i, expert in enumerate(self.experts):
            if expert.width != self.experts[0].width:
                expected = f"{self.experts[0].width}, as experts[0] has"
                raise ValueError(f"experts[{i}]: expected output width {expected}, found {expert.width}")
        return self
