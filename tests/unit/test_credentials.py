"""The grammar of keys and of the places that a request carries credentials in."""

import base64

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.door.credentials import presented
from gateway.http.entrance import ENTRANCE, Entrance
from gateway.identity.errors import TokenRefusedError
from gateway.identity.ports import SessionClaims
from gateway.identity.session_tokens import SignedSessions
from tenants.keys import ApiKey, Keyring, digest_of, new_key, tenant_of

TENANTS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)
TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1)
SESSIONS = SignedSessions(["s" * 32])


def brought(*headers, path="/start", query=b""):
    """What a request with these headers brings."""
    found = Entrance("c", path, (), lambda _: None, headers)
    return presented({ENTRANCE: found, "path": path, "query_string": query})


@given(TENANTS)
def test_a_key_names_its_tenant(tenant_id):
    """Whatever the tenant's id, its keys name it and no two are the same."""
    one, other = new_key(tenant_id), new_key(tenant_id)

    assert tenant_of(one) == tenant_of(other) == tenant_id
    assert one != other


@given(TENANTS, st.data())
def test_a_mistyped_key_is_no_key(tenant_id, data):
    """A key with one character changed, left out or added names nobody and opens nothing."""
    key = new_key(tenant_id)
    ring = Keyring([ApiKey("key_1", digest_of(key), frozenset({"chat"}), 0)])
    place = data.draw(st.integers(0, len(key) - 1))
    letter = data.draw(st.characters(min_codepoint=33, max_codepoint=126))
    changed = [key[:place] + letter + key[place + 1 :], key[:place] + key[place + 1 :]]
    changed.append(key[:place] + letter + key[place:])

    for text in changed:
        if text != key:
            assert tenant_of(text) is None
            assert ring.find(text, 0) is None
    assert ring.find(key, 0) is not None


@given(st.text())
def test_no_text_makes_reading_a_key_fail(text):
    """Whatever somebody sends as a key, the answer is a tenant or none."""
    ring = Keyring([ApiKey("key_1", "0" * 64, frozenset({"chat"}), 0)])

    assert tenant_of(text) is None or text.startswith("agw_")
    assert ring.find(text, 0) is None
    assert SESSIONS.tenant_of(text) is None or "." in text


def in_base64(content):
    """As the parts of a token are written."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


DEEP = b'{"ten": "acme", "sub": "a", "exp": 1, "alg": ' + b"[" * 1200 + b"]" * 1200 + b"}"
ODD = st.sampled_from([b"", b"[]", b"null", b"\xff", b"{" * 1500, DEEP]) | st.binary()
PARTS = ODD.map(in_base64) | st.text(max_size=20)


@given(st.lists(PARTS, max_size=4))
def test_no_text_makes_reading_a_token_fail(parts):
    """Whatever somebody sends as a session's token, it is refused, and names at most a text."""
    token = "ags_" + ".".join(parts)

    assert isinstance(SESSIONS.tenant_of(token), str | None)
    with pytest.raises(TokenRefusedError):
        SESSIONS.read(token)


def test_a_token_is_nested_too_deeply_to_be_read():
    """Under our own signature too, what overflows a reader's stack is no token."""
    token = "ags_" + jwt.PyJWS().encode(DEEP, "s" * 32, "HS256")

    assert len(token) < 4096
    assert SESSIONS.tenant_of(token) is None
    with pytest.raises(TokenRefusedError):
        SESSIONS.read(token)


def test_a_token_has_a_greatest_length():
    """More than any token of ours has is not looked at."""
    token = SESSIONS.sign(SessionClaims("acme", "a" * 4096, 2**33))

    with pytest.raises(TokenRefusedError):
        SESSIONS.read(token)


@given(st.lists(st.tuples(st.sampled_from([b"authorization", b"x-api-key"]), st.binary())))
def test_no_header_makes_reading_fail(headers):
    """Whatever bytes the headers hold, what comes out is texts."""
    found = brought(*headers, path="/ws/chat", query=b"token=%ff%00&token")

    assert all(text.startswith(("agw_", "ags_")) for text in found.ours)
    assert all(found.others)


@given(TEXTS)
def test_each_place_gives_the_same_text(text):
    """A key reads the same out of each header, and once where several hold it."""
    key = "agw_" + text
    password = base64.b64encode(f"anybody:{key}".encode())
    ways = (
        (b"authorization", f"Bearer {key}".encode()),
        (b"authorization", b"Basic " + password),
        (b"x-api-key", key.encode()),
    )

    assert [brought(way).ours for way in ways] == [(key,)] * 3
    assert brought(*ways).ours == (key,)


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("/ws/chat", True),
        ("/stream", True),
        ("/runs/run_1/events", True),
        ("/runs/run_1", False),
        ("/runs/a/b/events", False),
        ("/runs//events", False),
        ("/x/ws/chat", False),
        ("/chat", False),
        ("/sessions", False),
        ("/", False),
    ],
)
def test_a_query_counts_in_three_places(path, counts):
    """Elsewhere a token in the query is no credential."""
    assert bool(brought(path=path, query=b"a=1&token=ags_x").ours) is counts


@given(
    st.builds(
        SessionClaims,
        tenant_id=TENANTS,
        user=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=255),
        expires_at=st.integers(0, 2**40),
        key_id=st.none() | TEXTS,
        thread_id=st.none() | TEXTS,
        origin=st.none() | TEXTS,
    )
)
def test_a_token_says_what_was_signed(claims):
    """What goes into a token comes out, and nobody else's signature will do."""
    token = SESSIONS.sign(claims)

    assert token.isascii()
    assert SESSIONS.read(token) == claims
    assert SESSIONS.tenant_of(token) == claims.tenant_id
    assert SignedSessions(["o" * 32, "s" * 32]).read(token) == claims


def test_a_token_fits_into_a_url():
    """With everything in it that may be, a token stays below what proxies take."""
    claims = SessionClaims(
        "a" * 63, "ü" * 255, 2**33, "key_" + "k" * 16, "thread_" + "t" * 32, f"https://{'o' * 60}"
    )

    assert len(SESSIONS.sign(claims)) < 1200
