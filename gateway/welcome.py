"""What a person who starts the gateway is told once it serves."""

import json
import shlex
import socket
import sys
from collections.abc import Sequence

import attrs
import uvicorn

from gateway.app import Gateway
from gateway.serving import Server

_SHOWN = 5
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - told apart, not bound to


@attrs.frozen
class Welcome:
    """Where the gateway is, and how to talk to it.

    Args:
        tenants: their ids; None: they are in a bucket, which is not listed.
        upstream: what answers, in a few words.
        internal_port: where the operator's routes are; None: beside the tenants'.
    """

    host: str
    port: int
    tenants: Sequence[str] | None
    default_tenant: str | None
    upstream: str
    internal_port: int | None = None

    def __str__(self) -> str:
        lines = [
            f"Assistant gateway on {self.url}",
            f"  tenants    {self._tenants()}",
            f"  default    {self.default_tenant or 'none: name one by /t/<tenant> or X-Tenant-ID'}",
            f"  upstream   {self.upstream}",
            f"  API        {self.url}/docs",
            f"  state      {self.url}/ready  {self._at(self.internal_port or self.port)}/metrics",
        ]
        if command := self.command():
            lines += ["Try it:", f"  {command}"]
        return "\n".join(lines)

    @property
    def url(self) -> str:
        """The base URL, for a client on this machine."""
        return self._at(self.port)

    def command(self) -> str | None:
        """A curl line that works as pasted; None where there is no tenant to talk to."""
        known = [self.default_tenant] if self.tenants is None else self.tenants
        if self.default_tenant and self.default_tenant in known:
            path = "/chat"
        elif self.tenants:
            path = f"/t/{self.tenants[0]}/chat"
        else:
            return None
        body = json.dumps({"message": "Hello, who are you?"})
        return shlex.join(
            ["curl", "-sS", f"{self.url}{path}", "-H", "content-type: application/json", "-d", body]
        )

    def _at(self, port: int) -> str:
        host = _ANYWHERE.get(self.host, self.host)
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def _tenants(self) -> str:
        if self.tenants is None:
            return f"{self.url}/t/<tenant>, each loaded at its first request"
        if not self.tenants:
            return "none yet: add a directory to the registry"
        shown = "  ".join(f"{self.url}/t/{tenant}" for tenant in self.tenants[:_SHOWN])
        more = len(self.tenants) - _SHOWN
        return f"{shown}  and {more} more" if more > 0 else shown


class WelcomingServer(Server):
    """Tells where it is once it serves. On stderr, since the log may have stdout.

    Args:
        welcome: what it tells.
    """

    def __init__(
        self, config: uvicorn.Config, gateway: Gateway, grace_seconds: float, welcome: Welcome
    ) -> None:
        super().__init__(config, gateway, grace_seconds)
        self._welcome = welcome

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """See ``Server``."""
        await super().startup(sockets)
        sys.stderr.write(f"{self._welcome}\n")
        sys.stderr.flush()
