"""How often one address may try something, in bounded memory.

The generic cell rate algorithm: of each address one time is kept, until which it has used up what
it may do.
"""

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from gateway.http.errors import TooManyAttemptsError

_ADDRESSES = 10_000
_IPV6_PREFIX = 64  # what one customer of a provider has, or more (RFC 6177)


@attrs.frozen
class AttemptLimits:
    """How much one address may do.

    Args:
        burst: at once.
        refill_seconds: until one more.
    """

    burst: int = 20
    refill_seconds: float = 3.0


class Attempts:
    """Counts attempts by address, such as wrong credentials.

    Args:
        limits: of each address.
        clock: seconds that only rise.
    """

    def __init__(
        self, limits: AttemptLimits | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits or AttemptLimits()
        self._clock = clock
        self._spent_until: OrderedDict[str, float] = OrderedDict()

    def count(self, address: str) -> None:
        """Count one attempt.

        Args:
            address: of the client, see ``client_network``.

        Raises:
            TooManyAttemptsError: it may not try any more now; this attempt was not counted.
        """
        now, refill = self._clock(), self._limits.refill_seconds
        spent_until = max(self._spent_until.get(address, now), now) + refill
        wait = spent_until - now - self._limits.burst * refill
        if wait > 0:
            raise TooManyAttemptsError(wait)
        self._spent_until[address] = spent_until
        self._spent_until.move_to_end(address)
        if len(self._spent_until) > _ADDRESSES:
            self._spent_until.popitem(last=False)


def client_network(scope: Mapping[str, Any]) -> str:
    """Whom a connection comes from: an IPv4 address, or the /64 of an IPv6 one; else, nobody."""
    client = scope.get("client")
    if not client:
        return ""
    try:
        address = ipaddress.ip_address(client[0].partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_PREFIX), strict=False))
