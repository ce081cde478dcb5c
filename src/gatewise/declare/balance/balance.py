"""What all balancing rules declare."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gatewise.declare.base import declaration


@declaration
class Balance:
    """What all balancing rules have in common; none of it is an option."""

    @property
    def needs_validation(self) -> bool:
        """Whether the rule follows the monitored metric, so that there must be a validation table."""
        return False

    @property
    def named_tasks(self) -> tuple[str, ...]:
        """Tasks that the options name."""
        return ()

    @property
    def declared_weights(self) -> Mapping[str, float]:
        """Weights of tasks that stay as they are, by name; a task that is not there has 1."""
        return MappingProxyType({})
