"""A server of a few JSON answers, for who asks another program something small."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Mapping[tuple[str, str], tuple[int, Any]]
"""By method and path: a status and what is sent as JSON."""


class JsonServer:
    """What it answers, and what it was asked.

    Attributes:
        url: such as ``http://127.0.0.1:4711``.
        asked: method, path and the ``Authorization`` of each request.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = dict(answers)
        self.asked: list[tuple[str, str, str]] = []
        self.url = ""


@contextmanager
def json_server(answers: Answers) -> Iterator[JsonServer]:
    """Serve on a free loopback port; what is not named answers 404."""
    state = JsonServer(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append((self.command, self.path, self.headers.get("authorization", "")))
            status, value = state.answers.get((self.command, self.path), (404, {"detail": "none"}))
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_DELETE = do_GET  # noqa: N815  (http.server's own form)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
