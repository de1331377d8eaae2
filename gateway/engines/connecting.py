"""Making connections: names, hosts of several addresses, proxies, TLS."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, TypeVar, cast

import aiohappyeyeballs

from gateway.engines.connection import Connection
from gateway.engines.failures import failure_to_connect
from gateway.engines.targets import Peer, Target
from gateway.engines.tunnel import Tunnel

Address: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
P = TypeVar("P", bound=asyncio.Protocol)

_NAME_SECONDS = 60
_MOST_NAMES = 1024
_NEXT_ADDRESS_SECONDS = 0.25


class Connector:
    """Makes connections.

    Args:
        trust: whose certificates are believed.
        connect_seconds: what one may take.
    """

    def __init__(self, trust: ssl.SSLContext, connect_seconds: float) -> None:
        self._trust = trust
        self._connect_seconds = connect_seconds
        self._names: dict[Peer, tuple[float, Sequence[Address]]] = {}

    async def connect(self, target: Target, make: Callable[[], Connection]) -> Connection:
        """A connection over which a target may be asked.

        Raises:
            EngineError: none could be made.
        """
        try:
            async with asyncio.timeout(self._connect_seconds):
                if target.tunnel and target.proxy is not None:
                    return await self._tunnelled(target, target.proxy, make())
                return await self._dialled(target.proxy or target.peer, make)
        except OSError as error:
            raise failure_to_connect(error) from None

    async def _tunnelled(self, target: Target, proxy: Peer, connection: Connection) -> Connection:
        """A connection that goes through a proxy, which does not see what it carries."""
        tunnel = await self._dialled(proxy, Tunnel)
        try:
            through = await tunnel.through(target.tunnel)
            loop = asyncio.get_running_loop()
            secured = await loop.start_tls(
                through, connection, self._trust, server_hostname=target.peer.host
            )
        except BaseException:
            tunnel.close()
            raise
        connection.connection_made(cast("asyncio.BaseTransport", secured))
        return connection

    async def _dialled(self, peer: Peer, make: Callable[[], P]) -> P:
        taken = await aiohappyeyeballs.start_connection(
            await self._addresses(peer), happy_eyeballs_delay=_NEXT_ADDRESS_SECONDS, interleave=1
        )
        try:
            _, protocol = await asyncio.get_running_loop().create_connection(
                make,
                sock=taken,
                ssl=self._trust if peer.secure else None,
                server_hostname=peer.host if peer.secure else None,
            )
        except BaseException:
            taken.close()
            raise
        return protocol

    async def _addresses(self, peer: Peer) -> Sequence[Address]:
        """A host's addresses, asked for once a minute."""
        until, addresses = self._names.get(peer, (0.0, ()))
        if until < time.monotonic():
            addresses = await asyncio.get_running_loop().getaddrinfo(
                peer.host, peer.port, type=socket.SOCK_STREAM
            )
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            self._names[peer] = (time.monotonic() + _NAME_SECONDS, addresses)
        return addresses
