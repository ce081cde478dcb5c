"""Which embedding tables the processes of a training share."""

from __future__ import annotations

from collections.abc import Sequence

from gatewise.errors import DeclarationError
from gatewise.layout import EmbeddingField


def shared_matrices(fields: Sequence[EmbeddingField], tables: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of the matrices whose rows are dealt to processes.

    Args:
        fields: all embedding tables; those of one width are one matrix.
        tables: as :attr:`gatewise.declare.Training.tables`.

    Raises:
        DeclarationError: a named feature has no table that is trained.
    """
    if tables in ("replicate", "host"):
        return ()
    trained = {field.name: field.matrix for field in fields if not field.frozen}
    if tables == "shard":
        return tuple(dict.fromkeys(trained.values()))
    for name in tables:
        if name not in trained:
            known = ", ".join(trained) or "none"
            raise DeclarationError(
                f"training.tables: feature {name!r} has no table that is trained; these have one: {known}"
            )
    return tuple(dict.fromkeys(trained[name] for name in tables))
