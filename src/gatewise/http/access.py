"""Access control: by host name, by the origin of the page that sends a request, and by token."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gatewise.errors import DeclarationError
from gatewise.http.errors import RequestError

SHORTEST = 16
"""Least number of characters of a token."""
READING = frozenset({"GET", "HEAD", "OPTIONS"})
ADMINISTRATION = "/v2/repository/models/"
METRICS = "/metrics"
OPEN = ("/v2/health/live", "/v2/health/ready", "/")
"""Paths that need no token: health checks of load balancers, and the page, which holds nothing of a model."""


@dataclass(frozen=True)
class Access:
    """The access rules of a service.

    A request's ``Host`` must be an address, ``localhost`` or an allowed name, so that a foreign page whose name was
    made to point to this service (DNS rebinding) is refused. A page of another origin may read, and nothing else.

    Attributes:
        hosts: names of the service; ``*.example.com`` allows all names below it, ``*`` any name.
        admin: whether models may be loaded and unloaded over HTTP.
        token: the token for administration and metrics, sent as ``Authorization: Bearer TOKEN``.
        everywhere: whether all paths but health and the page need the token.
    """

    hosts: tuple[str, ...] = ()
    admin: bool = True
    token: str | None = None
    everywhere: bool = False

    def check(self, method: str, path: str, headers: Mapping[bytes, bytes]) -> None:
        """Refuse a request that is not allowed.

        Raises:
            RequestError: with 421 where the host name is not allowed, 403 where the page or administration is not
                allowed, and 401 where the token is absent or wrong.
        """
        host = headers.get(b"host", b"").decode("latin-1")
        if host and not self.allows(name_of(host)):
            raise RequestError(f"Host: {host!r:.80} is not served; allow it with --allowed-host", 421)
        origin = headers.get(b"origin")
        if origin is not None and method not in READING:
            self._check_origin(origin.decode("latin-1"), host)
        administration = path.startswith(ADMINISTRATION)
        if administration and not self.admin:
            raise RequestError(
                "administration over HTTP is off: start the service with --admin, or send it SIGHUP", 403
            )
        guarded = administration or path == METRICS or (self.everywhere and path not in OPEN)
        if guarded and self.token is not None:
            self._check_token(headers.get(b"authorization", b""), self.token)

    def allows(self, name: str) -> bool:
        """Whether the service may be called by a host name."""
        if name == "localhost" or _is_address(name):
            return True
        return any(
            allowed in ("*", name) or (allowed.startswith("*.") and name.endswith(allowed[1:]))
            for allowed in self.hosts
        )

    def _check_origin(self, origin: str, host: str) -> None:
        try:
            from_host = urlsplit(origin).netloc.lower()
        except ValueError:
            from_host = ""
        # a page of another port of this machine is of another origin
        known = name_of(from_host) in self.hosts and not is_loopback(name_of(from_host))
        if not from_host or (from_host != host.lower() and not known):
            raise RequestError(f"Origin: a page of {origin!r:.80} may not ask this", 403)

    def _check_token(self, shown: bytes, token: str) -> None:
        kind, _, value = shown.partition(b" ")
        if kind.lower() != b"bearer" or not hmac.compare_digest(value.strip(), token.encode()):
            raise RequestError("Authorization: expected the token of this service, as in 'Bearer TOKEN'", 401)


def name_of(host: str) -> str:
    """Return the name or address of a ``Host`` header, without its port."""
    host = host.strip().lower()
    name, colon, port = host.rpartition(":")
    if colon and (port.isdecimal() or not port):
        host = name
    if host.startswith("[") and host.endswith("]"):
        return host[1:-1]
    return host.removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether an address or name to listen on can be reached from this machine alone."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def access_of(host: str, allowed: Iterable[str], admin: bool | None, token: str | None, *, everywhere: bool) -> Access:
    """Return the access rules of a service that listens on a host.

    Args:
        host: the address or name.
        allowed: further names.
        admin: whether models may be loaded and unloaded; None: where only this machine can ask, or a token
            is needed.
        token: the token, if there is one.
        everywhere: whether all paths but health and the page need the token.
    """
    names = tuple(dict.fromkeys(name_of(name) for name in (host, *allowed)))
    return Access(names, (is_loopback(host) or token is not None) if admin is None else admin, token, everywhere)


def read_token(path: Path) -> str:
    """Return the token in a file.

    Raises:
        DeclarationError: the file cannot be read, or its text is not a single line that is long enough.
    """
    try:
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII text"
        raise DeclarationError(f"--token-file: cannot read {str(path)!r}: {reason}") from None
    if len(token) < SHORTEST or len(token.split()) != 1:
        raise DeclarationError(f"--token-file: expected {SHORTEST} characters or more without spaces in {str(path)!r}")
    return token


def headers_of(scope: MutableMapping[str, Any]) -> dict[bytes, bytes]:
    """Return the headers of a request, by name.

    Raises:
        RequestError: there are two ``Host`` headers.
    """
    given: list[tuple[bytes, bytes]] = scope["headers"]
    found = dict(given)
    if len(found) < len(given) and sum(name == b"host" for name, _ in given) > 1:
        raise RequestError("Host: is there twice", 400)
    return found
