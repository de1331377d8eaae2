"""``python -m bench.relay PORT``: the relay that most people would write first.

Litestar and AsyncOpenAI with the SDK's types; no store, no tenants, no logs. uvicorn serves it with
the gateway's options, so that the difference is the programs'.
"""

import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import uvicorn
from litestar import Litestar, Request, get, post
from litestar.response import Stream
from openai import AsyncOpenAI

from bench.prompts import INSTRUCTIONS, MODEL

_BACKLOG = 2048


class Message(msgspec.Struct):
    """What a client sends."""

    message: str


def create_app() -> Litestar:
    """The relay; its upstream and key are those of the environment."""
    client = AsyncOpenAI()

    @post("/chat", status_code=200)
    async def chat(request: Request[Any, Any, Any], data: Message) -> Stream | dict[str, Any]:
        if "text/event-stream" in request.headers.get("accept", ""):
            return Stream(_events(client, data.message), media_type="text/event-stream")
        response = await client.responses.create(
            model=MODEL, instructions=INSTRUCTIONS, input=data.message, store=False
        )
        return {"responses": [response.output_text], "status": response.status}

    return Litestar([chat, health], logging_config=None)


@get("/health")
async def health() -> dict[str, str]:
    """It serves."""
    return {"status": "ok"}


async def _events(client: AsyncOpenAI, message: str) -> AsyncIterator[bytes]:
    stream = await client.responses.create(
        model=MODEL, instructions=INSTRUCTIONS, input=message, store=False, stream=True
    )
    async for event in stream:
        yield f"event: {event.type}\ndata: {event.model_dump_json()}\n\n".encode()


def main() -> None:
    """Serve on the loopback address."""
    uvicorn.run(
        create_app(),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
    )


if __name__ == "__main__":
    main()
