"""Errors for clients: one line in ``{"error": ...}``, and a status that says whose fault it was."""

from __future__ import annotations

from gatewise.errors import GatewiseError


class RequestError(GatewiseError):
    """A request that cannot be answered.

    Attributes:
        status: the HTTP status of the answer.
    """

    def __init__(self, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.status = status
