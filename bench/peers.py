"""The servers that are measured side by side, in front of one simulator."""

import sys
from collections.abc import Callable, Mapping

import attrs

from bench import nginx
from bench.jobs import Answer
from bench.litellm import prepare as prepare_litellm
from bench.onboarding import tenant_id, write_tenants
from bench.prompts import (
    KEY,
    conversation_answer,
    http_post,
    relay_answer,
    responses_answer,
    responses_request,
)
from bench.site import Command, Site

FEW_TENANTS = 10


@attrs.frozen
class Peer:
    """One of the servers.

    Args:
        name: in the table.
        prepare: writes what it needs and says how it is started; raises ``MissingPeerError``.
        requests: whole HTTP requests for a message; several where the tenants take turns.
        answer: what a right answer looks like, by the number of deltas (0: unstreamed).
        ready: the path that answers 200 once it serves.
    """

    name: str
    prepare: Callable[[Site], Command]
    requests: Callable[[str, bool], list[bytes]]
    answer: Callable[[int], Answer]
    ready: str


def _gateway_command(site: Site) -> Command:
    """The gateway as it is served, with SQLite, metrics and logs, on the tenants of the site."""
    tenants = site.folder / "tenants"
    if not tenants.exists():
        write_tenants(tenants, FEW_TENANTS)
    return Command(
        (sys.executable, "-m", "gateway", "serve"),
        {
            "GATEWAY_PORT": str(site.port),
            "GATEWAY_TENANTS": f"dir:{tenants}",
            "GATEWAY_STORE": f"sqlite:{site.folder / 'gateway.db'}",
            **_account(site),
        },
    )


def _relay_command(site: Site) -> Command:
    return Command((sys.executable, "-m", "bench.relay", str(site.port)), _account(site))


def _account(site: Site) -> Mapping[str, str]:
    return {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": site.upstream}


def _gateway_requests(text: str, stream: bool) -> list[bytes]:  # noqa: FBT001 -- the type of Peer.requests
    return [
        http_post(f"/t/{tenant_id(index)}/chat", {"message": text}, stream=stream)
        for index in range(FEW_TENANTS)
    ]


def _responses_requests(text: str, stream: bool) -> list[bytes]:  # noqa: FBT001 -- as above
    return [responses_request(text, stream=stream)]


def _relay_requests(text: str, stream: bool) -> list[bytes]:  # noqa: FBT001 -- as above
    return [http_post("/chat", {"message": text}, stream=stream)]


GATEWAY = Peer("gateway", _gateway_command, _gateway_requests, conversation_answer, "/ready")
NGINX = Peer("nginx", nginx.prepare, _responses_requests, responses_answer, "/health")
RELAY = Peer("relay", _relay_command, _relay_requests, relay_answer, "/health")
LITELLM = Peer(
    "litellm", prepare_litellm, _responses_requests, responses_answer, "/health/liveliness"
)
