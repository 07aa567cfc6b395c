"""Where a server is, as a value: today a ws:// URL, later perhaps a socket path or TLS settings besides."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from harness.errors import UsageError

_DEFAULT_PORTS = {"ws": 80, "wss": 443}


@dataclass(frozen=True)
class Endpoint:
    """A server's address as the harness sees it and, where the server is a container, as its neighbours see it."""

    url: str
    network: str | None = None  #: the container network that it sits on
    network_url: str | None = None  #: its address there
    origin: str | None = None  #: the one that it lets in, if it looks at that (RFC 6455 10.2)

    @property
    def host(self) -> str:
        """The host of the URL, without brackets."""
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        """The port of the URL, or its scheme's default."""
        parts = urlsplit(self.url)
        return parts.port or _DEFAULT_PORTS[parts.scheme]

    @property
    def secure(self) -> bool:
        """Whether it is wss://."""
        return urlsplit(self.url).scheme == "wss"

    @property
    def resource(self) -> str:
        """The resource name of the opening request (RFC 6455 3)."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def authority(self) -> str:
        """The Host header's value."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def origin_lines(self) -> tuple[str, ...]:
        """The header line that says so, if any."""
        return (f"Origin: {self.origin}",) if self.origin else ()

    @property
    def on_this_host(self) -> bool:
        """Whether the URL names the machine that the harness runs on, by a loopback address or name."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            address = ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return address.is_loopback or address.is_unspecified

    def with_host(self, host: str) -> Endpoint:
        """The same server by another host name."""
        return replace(self, url=urlsplit(self.url)._replace(netloc=f"{host}:{self.port}").geturl())


def parse_url(url: str) -> Endpoint:
    """A ws:// or wss:// URL (RFC 6455 3); UsageError for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{url!r} is not a URL: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS:
        raise UsageError(f"{url!r} is not a WebSocket URL: it must begin with ws:// or wss://")
    if not parts.hostname or port == 0:
        raise UsageError(f"{url!r} names no host and port: write ws://host:port/path")
    if parts.fragment:
        raise UsageError(f"{url!r} has a fragment, which a WebSocket URL must not have (RFC 6455 3)")
    return Endpoint(url)
