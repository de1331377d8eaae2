"""A bucket that fails: what passes is waited for, what does not is said with its remedy."""

import asyncio
import gzip
import json
import socket
import ssl
import subprocess
import threading
import time

import attrs
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.api_core import exceptions as refusals
from google.auth.exceptions import RefreshError

from tenants.registry.gcs import GcsObjects
from tenants.registry.gcs_calls import GcsCalls, Patience
from tenants.registry.objects import NEW, ObjectChangedError, ObjectsUnavailableError
from tests.fakes.gcs import (
    CLOSED,
    DRIPPING_BODY,
    FLIPPED_BODY,
    HALF_BODY,
    LOST_ANSWER,
    SILENT,
    Fault,
    fake_gcs,
    refusal,
)
from tests.fakes.upstream import Upstream, json_reply

POINTER = "tenants/acme/current.json"
ENDLESS = float("inf")
PATIENCE = Patience(
    answer_seconds=0.2, total_seconds=8, first_wait_seconds=0.01, longest_wait_seconds=0.05
)
HURRY = attrs.evolve(PATIENCE, total_seconds=0.4)
PASSING = {
    "408": refusal(408),
    "429": refusal(429),
    "500": refusal(500),
    "502": refusal(502),
    "503": refusal(503),
    "504": refusal(504),
    "closed": CLOSED,
}
USES = {
    "read": lambda objects: objects.read(POINTER),
    "changed": lambda objects: objects.changed(POINTER, 1),
    "write": lambda objects: objects.write(POINTER, b"2", expected=None),
    "delete": lambda objects: objects.delete(POINTER),
    "list": lambda objects: list(objects.list("tenants/*/current.json")),
}


@pytest.fixture
def gcs():
    """A Cloud Storage with one bucket."""
    with fake_gcs("tenants") as gcs:
        yield gcs


def objects_of(url: str, bucket: str = "tenants", patience: Patience = PATIENCE) -> GcsObjects:
    """An adapter without much patience."""
    return GcsObjects(bucket, "production", emulator=url, patience=patience)


@pytest.fixture
def objects(gcs):
    """An adapter that has one pointer."""
    objects = objects_of(gcs.url)
    objects.write(POINTER, b'{"revision": 1}', expected=NEW, labels={"revision": "1"})
    gcs.counts.clear()
    return objects


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_not_noticed(gcs, objects, fault, use):
    """Two failures in a row are tried again, and the third answer counts."""
    gcs.fail(PASSING[fault], times=2)

    found = USES[use](objects)

    assert found is None if use == "delete" else found
    assert gcs.counts[use] == 3


@pytest.mark.parametrize("use", ["read", "write"])
@pytest.mark.parametrize("fault", [SILENT, Fault(after_seconds=0.5)], ids=["silent", "slow"])
def test_slow_answer_is_not_waited_for(gcs, objects, fault, use):
    """A bucket that says nothing for too long is asked again."""
    gcs.fail(fault, times=2)

    assert USES[use](objects)
    assert gcs.counts[use] >= 3


@pytest.mark.parametrize("fault", [HALF_BODY, FLIPPED_BODY], ids=["half", "flipped"])
def test_broken_body_is_read_again(gcs, objects, fault):
    """Content that is cut or altered on its way is never handed on."""
    gcs.fail(fault, times=2)

    assert objects.read(POINTER).content == b'{"revision": 1}'
    assert gcs.counts["read"] == 3


@pytest.mark.parametrize(
    "fault", [HALF_BODY, FLIPPED_BODY, DRIPPING_BODY], ids=["half", "flipped", "dripping"]
)
def test_body_that_stays_broken_is_refused(gcs, fault):
    """In the end there is no content rather than a part of it, and in time."""
    objects = objects_of(gcs.url, patience=HURRY)
    objects.write(POINTER, b"x" * 10_000, expected=NEW)
    gcs.fail(fault, times=ENDLESS)
    started = time.monotonic()

    with pytest.raises(ObjectsUnavailableError, match="the bucket tenants "):
        objects.read(POINTER)

    assert time.monotonic() - started < 2 * HURRY.total_seconds + 1


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("fault", [refusal(500), CLOSED, SILENT], ids=["500", "closed", "silent"])
def test_patience_ends(gcs, fault, use):
    """What does not pass is given up in time, and the operator is told what to look at."""
    gcs.fail(fault, times=ENDLESS)
    started = time.monotonic()

    with pytest.raises(ObjectsUnavailableError) as raised:
        USES[use](objects_of(gcs.url, patience=HURRY))

    assert "Look at" in raised.value.detail
    assert "tenants" in raised.value.detail
    assert gcs.counts[use] >= 2
    assert time.monotonic() - started < HURRY.total_seconds + 1


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize(
    ("status", "words"), [(403, "Grant them roles/storage"), (412, "does not do what it is asked")]
)
def test_refusal_is_told_at_once(gcs, objects, use, status, words):
    """Credentials that may not are not tried again; the detail says what to grant.

    Nor is an answer that makes no sense, such as 412 where nothing was expected.
    """
    gcs.fail(refusal(status), times=ENDLESS)

    with pytest.raises(ObjectsUnavailableError, match=words):
        USES[use](objects)

    looked_whose_it_is = (use, status) == ("write", 412)
    assert gcs.counts.total() == 1 + looked_whose_it_is


def test_object_that_somebody_uploaded_compressed_is_read_as_it_is_stored(gcs, objects):
    """It is whole, so it is not taken for a bucket that fails; what it means is the reader's."""
    content = gzip.compress(b'{"revision": 1}')
    gcs.fill(f"production/{POINTER}", content=content, facts={"contentEncoding": "gzip"})

    assert objects.read(POINTER).content == content
    assert gcs.counts["read"] == 1


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (refusals.Unauthorized("scripted"), "Give it others"),
        (refusals.BadRequest("scripted"), "does not do what it is asked"),
        (RefreshError("scripted", retryable=True), "no token comes"),
        (RefreshError("scripted"), "Renew them"),
        (PermissionError("scripted"), "does not answer"),
    ],
)
def test_no_error_of_the_library_comes_through(gcs, error, remedy):
    """Whatever it raises is ours, with what was said and what to do."""

    def call(*_: object) -> None:
        raise error

    with pytest.raises(ObjectsUnavailableError, match=f"the bucket tenants .*{remedy}.*scripted"):
        GcsCalls("tenants", gcs.url, HURRY).ask(call)


@pytest.mark.parametrize("use", USES)
def test_bucket_that_is_not_there_is_no_empty_registry(gcs, use):
    """A wrong name is told, whatever is asked first."""
    with pytest.raises(ObjectsUnavailableError, match="other-bucket is not there"):
        USES[use](objects_of(gcs.url, "other-bucket"))


def test_bucket_is_not_looked_for_at_each_miss(gcs):
    """Asking for many objects that are not there asks for the bucket once."""
    objects = objects_of(gcs.url)

    assert [objects.read(f"tenants/t{number}/current.json") for number in range(20)] == [None] * 20
    assert (gcs.counts["read"], gcs.counts["list"]) == (20, 1)


@pytest.mark.parametrize("use", USES)
def test_nobody_there(use):
    """A server that is not there at all is told as such, in time, and without the call's URL."""
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        url = f"http://127.0.0.1:{chosen.getsockname()[1]}"

    with pytest.raises(ObjectsUnavailableError, match=r"does not answer.*refused") as told:
        USES[use](objects_of(url, patience=HURRY))

    assert "/storage/" not in str(told.value)


@pytest.mark.parametrize("url", ["ftp://localhost:1", "http://", "localhost:1"])
def test_address_that_is_none(url):
    """An emulator's address that cannot be used is told at once."""
    with pytest.raises(ObjectsUnavailableError, match="STORAGE_EMULATOR_HOST"):
        objects_of(url).read(POINTER)


def test_bucket_says_when_to_return(gcs, objects):
    """No request comes before the time that ``Retry-After`` names."""
    gcs.fail(refusal(429, retry_after="1"))
    started = time.monotonic()

    objects.read(POINTER)

    assert time.monotonic() - started > 1


def test_bucket_that_wants_too_long_a_wait_is_given_up(gcs, objects):
    """A wait beyond all patience is not begun."""
    gcs.fail(refusal(429, retry_after="3600"))

    with pytest.raises(ObjectsUnavailableError, match="asked too often"):
        objects.read(POINTER)

    assert gcs.counts["read"] == 1


@pytest.mark.parametrize("size", [1, 9 * 1024 * 1024])
def test_lost_answer_of_a_write_is_not_a_conflict(gcs, objects, size):
    """A writer knows its own write again, so it is neither refused nor done twice."""
    name = "tenants/acme/keys.json"
    gcs.fail(LOST_ANSWER, kind="write")

    generation = objects.write(name, b"x" * size, expected=NEW, labels={"keys": "1"})

    assert objects.read(name).generation == generation
    assert [(each.generation, each.labels) for each in objects.list(name)] == [
        (generation, {"keys": "1"})
    ]
    done = [status for kind, _, status in gcs.asked if kind == "write"].count(200)
    assert done == 1 + 1  # the pointer's and this one


def test_same_content_of_another_writer_is_a_conflict(gcs, objects):
    """What decides is who wrote, not what: of two equal writes one is told that it lost."""
    name = "tenants/acme/keys.json"
    gcs.fail(LOST_ANSWER, kind="write")
    lost = objects.write(name, b"same", expected=NEW)

    gcs.fail(CLOSED, kind="write")
    with pytest.raises(ObjectChangedError):
        objects_of(gcs.url).write(name, b"same", expected=NEW)

    assert objects.read(name).generation == lost


def test_object_that_is_written_too_often_is_written_in_the_end():
    """The service's limit for one object costs time and no change."""
    with fake_gcs("tenants", write_interval_seconds=0.1) as gcs:
        objects = objects_of(gcs.url)
        generation = NEW
        for number in range(4):
            generation = objects.write("changes.json", b"%d" % number, expected=generation)

        assert objects.read("changes.json").content == b"3"
        assert 429 in {status for _, _, status in gcs.asked}


def test_listing_goes_on_where_a_page_failed(gcs, objects):
    """A listing of many pages is whole and in order, though pages fail or hold nothing."""
    gcs.fill(*(f"production/tenants/t{number:05}/current.json" for number in range(2500)))
    gcs.fill(*(f"production/tenants/t00042/audit/{number}-1.json" for number in range(11000)))
    gcs.fail(refusal(500), kind="list", times=2)
    found = objects.list("tenants/t*/current.json")
    names = [next(found).name]
    gcs.fail(CLOSED, kind="list", times=2)

    names += [listed.name for listed in found]

    assert names == [f"tenants/t{number:05}/current.json" for number in range(2500)]
    assert gcs.counts["list"] > 4 + 3


def test_writer_that_dies_between_writes_leaves_what_it_wrote(gcs):
    """The fake lets so many writes through and closes every connection after."""
    objects = objects_of(gcs.url, patience=HURRY)
    gcs.fail_after_writes(1)
    objects.write("tenants/acme/keys.json", b"{}", expected=NEW)
    with pytest.raises(ObjectsUnavailableError):
        objects.write("changes.json", b"{}", expected=NEW)
    gcs.heal()

    assert [listed.name for listed in objects.list("**")] == ["tenants/acme/keys.json"]


def test_sixteen_threads_share_the_connections(gcs, objects, caplog):
    """Their connections are kept, and none is thrown away with a warning."""
    threads = [
        threading.Thread(target=lambda: [objects.read(POINTER) for _ in range(20)])
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert gcs.counts["read"] == 320
    assert caplog.records == []


def test_named_authority_is_trusted(require_program, tmp_path, monkeypatch):
    """With its certificate in ``SSL_CERT_FILE`` a server is asked, and without it is not."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            require_program("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes",
            "-days", "1", "-subj", "/CN=storage", "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", key, "-out", certificate,
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with fake_gcs("tenants", tls=context) as gcs:
        with pytest.raises(ObjectsUnavailableError, match="Set SSL_CERT_FILE"):
            objects_of(gcs.url, patience=HURRY).read(POINTER)

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert objects_of(gcs.url).read(POINTER) is None


@pytest.fixture
def account(tmp_path, monkeypatch):
    """A service account whose tokens come from an address of the test's choice."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    def write(token_uri: str) -> None:
        path = tmp_path / "account.json"
        facts = {
            "type": "service_account",
            "project_id": "p",
            "private_key": pem.decode(),
            "client_email": "gateway@p.iam.gserviceaccount.com",
            "token_uri": token_uri,
        }
        path.write_text(json.dumps(facts))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))

    return write


def test_credentials_that_are_not_there(tmp_path, monkeypatch):
    """A file of credentials that does not exist is told at once."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))

    with pytest.raises(ObjectsUnavailableError, match="Set GOOGLE_APPLICATION_CREDENTIALS"):
        GcsObjects("tenants").read(POINTER)


async def test_credentials_that_have_died(account):
    """Where no token is given for them, the bucket is not even asked."""
    async with Upstream(json_reply({"error": "invalid_grant"}, 400)) as tokens:
        account(f"{tokens.base_url}/token")
        objects = GcsObjects("tenants", patience=HURRY)
        with pytest.raises(ObjectsUnavailableError, match="Renew them"):
            await asyncio.to_thread(objects.read, POINTER)


def test_tokens_that_do_not_come(account):
    """A server of tokens that is away is told as such."""
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        account(f"http://127.0.0.1:{chosen.getsockname()[1]}/token")
    with pytest.raises(ObjectsUnavailableError, match="no token comes"):
        GcsObjects("tenants", patience=HURRY).read(POINTER)
