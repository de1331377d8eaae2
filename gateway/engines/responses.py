"""The default engine: the Responses API, stateless, of OpenAI or of whoever else serves it."""

from functools import partial

from gateway.engines.exchange import Exchange
from gateway.engines.ports import Answer, Call
from gateway.engines.refusals import refusal
from gateway.engines.responses_answer import StreamedAnswer, WholeAnswer
from gateway.engines.responses_request import Preambles, body, headers
from gateway.engines.retrying import Retrying
from gateway.engines.transport import Transport


class ResponsesEngine:
    """``gateway.engines.ports.Engine`` over ``POST {base_url}/responses``.

    A call is opened again only until its response head has come: from then on a run exists, and
    a stream that ends before its first event is a failed one.

    Args:
        transport: open, and shared by all tenants.
    """

    def __init__(self, transport: Transport, retrying: Retrying | None = None) -> None:
        self._transport = transport
        self._retrying = retrying or Retrying()
        self._preambles = Preambles()

    async def open(self, call: Call) -> Answer:
        """See ``gateway.engines.ports.Engine``."""
        preamble = self._preambles.of(call.assistant)
        payload = body(preamble, call)
        exchange = await self._retrying.run(partial(self._attempt, call, payload))
        answer = StreamedAnswer if _streams(exchange, call) else WholeAnswer
        return answer(exchange, preamble.instructions)

    async def _attempt(self, call: Call, payload: bytes) -> Exchange:
        account = call.credential
        exchange = await self._transport.send(
            f"{account.base_url}/responses", headers(call), payload, stream=call.stream
        )
        if exchange.is_success:
            return exchange
        document = await exchange.read_refusal()
        raise refusal(exchange.status, exchange.headers, document, account.api_key)


def _streams(exchange: Exchange, call: Call) -> bool:
    """What came counts, not what was asked for: some upstreams know one form only."""
    content_type = exchange.headers.get("content-type", "").lower()
    if "text/event-stream" in content_type:
        return True
    return call.stream and "json" not in content_type
