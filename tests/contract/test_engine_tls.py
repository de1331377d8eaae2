"""The transport trusts whom the machine trusts, or whom ``SSL_CERT_FILE`` names."""

import ssl
import subprocess

import pytest

from gateway.engines.errors import Cause, EngineError
from gateway.engines.responses import ResponsesEngine
from gateway.engines.transport import Transport
from tests.fakes.calls import make_call, read_all
from tests.fakes.upstream import Upstream, text_answer


@pytest.fixture
def certificate(require_program, tmp_path):
    """A certificate of this machine's address that nobody knows, and its key."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            require_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes",
            "-days", "1", "-subj", "/CN=upstream", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", key, "-out", certificate,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.fixture
async def upstream(certificate):
    """An upstream that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    async with Upstream(text_answer("hi"), tls=context) as server:
        yield server


async def test_a_named_authority_is_trusted(upstream, certificate, monkeypatch):
    """With its certificate in ``SSL_CERT_FILE`` an upstream is called."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    async with Transport() as transport:
        answer = await ResponsesEngine(transport).open(make_call(upstream.base_url, stream=False))

        events = await read_all(answer)

    assert events[-1].type == "response.completed"


async def test_an_unknown_authority_is_not(upstream):
    """Without it nothing is sent, and it is not tried again."""
    async with Transport() as transport:
        with pytest.raises(EngineError) as raised:
            await ResponsesEngine(transport).open(make_call(upstream.base_url))

    assert raised.value.cause is Cause.UNAVAILABLE
    assert not raised.value.retryable
    assert upstream.requests == []
