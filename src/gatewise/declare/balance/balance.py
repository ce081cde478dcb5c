"""Base of the declarations of all balancing rules."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gatewise.declare.base import declaration


@declaration
class Balance:
    """Base of all balancing rules; has no options."""

    @property
    def needs_validation(self) -> bool:
        """Whether the rule follows the monitored metric and so needs a validation table."""
        return False

    @property
    def named_tasks(self) -> tuple[str, ...]:
        """Tasks that the options name."""
        return ()

    @property
    def declared_weights(self) -> Mapping[str, float]:
        """Fixed weights by task name; a task without an entry has weight 1."""
        return MappingProxyType({})
