"""End users' own tokens: which are believed, and what is asked of their issuer."""

import asyncio
import base64
import json
import time

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from gateway.identity.end_users import IssuedTokens
from gateway.identity.errors import IssuerUnavailableError, TokenRefusedError
from gateway.identity.fetching import PublicResolver
from gateway.identity.issuer_keys import KeyTimes
from tenants.compiled import TokenIssuer
from tests.fakes.identity_provider import AUDIENCE, identity_provider

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
async def provider():
    """The tenant's identity provider."""
    async with identity_provider() as running:
        yield running


@pytest.fixture
async def tokens():
    """What is under test; it asks an issuer again as often as it must."""
    checked = IssuedTokens({"127.0.0.1"}, KeyTimes(pause_seconds=0))
    yield checked
    await checked.close()


def issuer_of(provider, audience=AUDIENCE):
    """What the tenant's document says."""
    return TokenIssuer(provider.issuer, audience)


async def refused(tokens, provider, token):
    """Whether a token is refused, and nothing else goes wrong."""
    try:
        await tokens.read(token, issuer_of(provider))
    except TokenRefusedError:
        return True
    return False


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_a_token_says_who_its_user_is(tokens, provider, algorithm):
    """Each kind of key that is accepted is; the subject is the user."""
    provider.add_key("two", algorithm)

    found = await tokens.read(provider.token("two", sub="grace"), issuer_of(provider))

    assert found.user == "grace"
    assert found.expires_at == pytest.approx(time.time() + 600 + 300, abs=5)


async def test_one_of_several_audiences_is_enough(tokens, provider):
    """A token may be for others beside."""
    token = provider.token(aud=["other", AUDIENCE])

    assert (await tokens.read(token, issuer_of(provider))).user == "ada"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"aud": []},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\nb"},
        {"sub": "x" * 256},
        {"sub": 7},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"nbf": "yesterday"},
    ],
)
async def test_claims_must_be_right(tokens, provider, changes):
    """Another issuer, another audience, no user, no end: each alone refuses a token."""
    assert await refused(tokens, provider, provider.token(**changes))


@pytest.mark.parametrize(
    ("changes", "is_refused"),
    [
        ({"exp": -299}, False),
        ({"exp": -301}, True),
        ({"nbf": 299}, False),
        ({"nbf": 301}, True),
        ({"iat": 299}, False),
        ({"nbf": None, "iat": None}, False),
    ],
)
async def test_clocks_may_be_five_minutes_off(provider, changes, is_refused):
    """An issuer whose clock is up to 300 s ahead or behind is believed, and no further off."""
    now = int(time.time())
    tokens = IssuedTokens({"127.0.0.1"}, clock=lambda: now)
    times = {name: value and now + value for name, value in changes.items()}

    assert await refused(tokens, provider, provider.token(**times)) is is_refused
    await tokens.close()


def unsigned(claims, **head):
    """A token without a signature."""
    parts = (head, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts)
    return b".".join(part.rstrip(b"=") for part in encoded).decode() + "."


async def test_no_other_algorithm_counts(tokens, provider):
    """Neither none, nor a shared secret, also when that is the public key, nor other signatures."""
    key = provider.add_key("two", "RS256")
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    claims, head = provider.claims(), {"kid": "two"}
    hmac_key = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signing_input = unsigned(claims, alg="HS256", kid="two")[:-1]
    confused = base64.urlsafe_b64encode(hmac_key.sign(signing_input.encode(), pem)).rstrip(b"=")

    for token in (
        unsigned(claims, alg="none"),
        unsigned(claims, alg="None", kid="two"),
        unsigned(claims, alg="RS256", kid="two"),
        f"{signing_input}.{confused.decode()}",
        jwt.encode(claims, "s" * 64, "HS256", headers=head),
        jwt.encode(claims, key, "RS512", headers=head),
        jwt.encode(claims, key, "PS256", headers=head),
        jwt.encode(claims, key, "RS256", headers=head | {"crit": ["exp"], "exp": 1}),
    ):
        assert await refused(tokens, provider, token), token
    assert not await refused(tokens, provider, provider.token("two"))


async def test_a_key_is_used_as_it_is_meant(tokens, provider):
    """Keys for encryption, weak, symmetric, private ones and another's id sign nothing here."""
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is the point
    provider.add_key("weak", "RS256", weak)
    provider.add_key("sealing")
    provider.jwks[-1]["use"] = "enc"
    provider.add_key("other")
    provider.jwks.append({"kty": "oct", "kid": "oct", "k": "c2VjcmV0"})
    spilled = provider.add_key("spilled", "RS256")
    provider.jwks[-1] |= json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(spilled))
    provider.jwks += ["no key", {}, {"kty": "EC", "crv": "P-256", "kid": "x"}]
    _, key = provider._keys["one"]
    stolen_id = jwt.encode(provider.claims(), key, "ES256", headers={"kid": "other"})

    with pytest.warns(jwt.InsecureKeyLengthWarning):
        of_weak = provider.token("weak")

    for token in (of_weak, provider.token("sealing"), provider.token("spilled"), stolen_id):
        assert await refused(tokens, provider, token)
    assert not await refused(tokens, provider, provider.token("other"))


async def test_a_token_without_a_key_id_needs_the_only_key(tokens, provider):
    """Where the issuer has one key of the algorithm, the token need not name it."""
    _, key = provider._keys["one"]
    token = jwt.encode(provider.claims(), key, "ES256")

    assert not await refused(tokens, provider, token)
    provider.add_key("two")
    late = IssuedTokens({"127.0.0.1"})
    assert await refused(late, provider, token)
    await late.close()


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "é.é.é", "eyJhbGciOiJFUzI1NiJ9..", "x" * 9000, "agw_x"]
)
async def test_what_is_no_token_is_refused(tokens, provider, token):
    """Anything that is no JWT is refused, and nobody is asked about it."""
    assert await refused(tokens, provider, token)


async def test_keys_are_kept(tokens, provider):
    """However many tokens come, the issuer is asked once."""
    await asyncio.gather(*(tokens.read(provider.token(), issuer_of(provider)) for _ in range(20)))

    assert provider.asked == [DISCOVERY, "/keys"]


async def test_a_new_key_is_fetched_when_it_is_met(tokens, provider):
    """An issuer that rotates its keys is asked again at the first token of the new one."""
    await tokens.read(provider.token(), issuer_of(provider))
    provider.add_key("two")

    assert (await tokens.read(provider.token("two"), issuer_of(provider))).user == "ada"
    assert provider.asked == [DISCOVERY, "/keys"] * 2


async def test_made_up_keys_do_not_make_a_storm(provider):
    """Tokens that name keys which do not exist lead to one request in a while, not each to one."""
    tokens = IssuedTokens({"127.0.0.1"}, KeyTimes(pause_seconds=3600))
    await tokens.read(provider.token(), issuer_of(provider))
    _, key = provider._keys["one"]

    for number in range(50):
        token = jwt.encode(provider.claims(), key, "ES256", headers={"kid": f"x{number}"})
        assert await refused(tokens, provider, token)
    await tokens.close()

    assert len(provider.asked) == 2


async def test_a_key_that_is_withdrawn_is_forgotten(provider):
    """When its time is up the keys are asked for anew, and a withdrawn one opens nothing."""
    tokens = IssuedTokens({"127.0.0.1"}, KeyTimes(fresh_seconds=0, pause_seconds=0))
    assert not await refused(tokens, provider, provider.token())
    provider.add_key("two")
    provider.remove_key("one")

    assert await refused(tokens, provider, provider.token("one"))
    assert not await refused(tokens, provider, provider.token("two"))
    await tokens.close()


async def status_500(_request):
    """An issuer that is broken."""
    return web.Response(status=500)


async def elsewhere(_request):
    """An issuer that sends one on."""
    raise web.HTTPFound("http://169.254.169.254/")


async def no_json(_request):
    """An issuer behind somebody's login page."""
    return web.Response(text="<html>")


async def a_list(_request):
    """JSON of another shape."""
    return web.json_response([])


async def endless(request):
    """A document without an end."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(b" " * 65_536)


async def cut(request):
    """Half a document."""
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"keys":')
    request.transport.close()
    return response


async def too_many(_request):
    """More keys than anybody needs."""
    return web.json_response({"keys": [{}] * 101})


@pytest.mark.parametrize("path", [DISCOVERY, "/keys"])
@pytest.mark.parametrize("answer", [status_500, elsewhere, no_json, a_list, endless, cut, too_many])
async def test_a_broken_issuer_is_told_from_a_wrong_token(tokens, provider, path, answer):
    """Where its keys cannot be had, nothing is said of the token; later it is believed."""
    provider.answers[path] = answer
    with pytest.raises(IssuerUnavailableError):
        await tokens.read(provider.token(), issuer_of(provider))

    provider.answers.clear()

    assert not await refused(tokens, provider, provider.token())


async def test_a_broken_issuer_is_left_alone_for_a_while(provider):
    """While the issuer is broken it is asked now and then, not at every token."""
    provider.answers[DISCOVERY] = status_500
    tokens = IssuedTokens({"127.0.0.1"}, KeyTimes(pause_seconds=3600))

    for _ in range(20):
        with pytest.raises(IssuerUnavailableError):
            await tokens.read(provider.token(), issuer_of(provider))
    await tokens.close()

    assert provider.asked == [DISCOVERY]


async def test_known_keys_outlive_a_broken_issuer(provider):
    """An issuer that is away later does not lock out users whose keys are known."""
    tokens = IssuedTokens({"127.0.0.1"}, KeyTimes(fresh_seconds=0, pause_seconds=0))
    assert not await refused(tokens, provider, provider.token())
    provider.answers[DISCOVERY] = status_500

    assert not await refused(tokens, provider, provider.token())
    await tokens.close()


async def test_a_hanging_issuer_holds_up_nobody_whose_key_is_known(provider):
    """While one request waits for an issuer that does not answer, the others go on."""
    asked, over = asyncio.Event(), asyncio.Event()

    async def hanging(_request):
        asked.set()
        await over.wait()
        return web.Response(status=500)

    tokens = IssuedTokens({"127.0.0.1"}, KeyTimes(fresh_seconds=0, pause_seconds=0))
    assert not await refused(tokens, provider, provider.token())
    provider.answers[DISCOVERY] = hanging
    waiting = asyncio.ensure_future(tokens.read(provider.token(), issuer_of(provider)))
    await asked.wait()

    for _ in range(3):
        assert not await refused(tokens, provider, provider.token())

    assert not waiting.done()
    over.set()
    assert (await waiting).user == "ada"
    await tokens.close()


async def test_a_reason_says_nothing_of_the_token(tokens, provider):
    """What is logged of a refusal holds nothing that whoever sent the token has chosen."""
    _, key = provider._keys["one"]
    planted = jwt.encode(provider.claims(sub=7), key, "ES256", headers={"kid": "planted"})

    with pytest.raises(TokenRefusedError) as caught:
        await tokens.read(planted, issuer_of(provider))

    assert "planted" not in str(caught.value.reason)


async def test_the_discovery_document_must_be_the_issuers(tokens, provider):
    """A document that names another issuer is not believed (OpenID Connect Discovery, 4.3)."""
    provider.claimed_issuer = "https://evil.example"

    with pytest.raises(IssuerUnavailableError):
        await tokens.read(provider.token(), issuer_of(provider))


@pytest.mark.parametrize(
    "place", ["http://127.0.0.2/keys", "https://10.0.0.1/keys", "file:///x", 7]
)
async def test_keys_come_from_public_places(provider, place):
    """Neither the keys' place nor the issuer may lead inside, unless the operator lists it."""

    async def discovery(_request):
        return web.json_response({"issuer": provider.issuer, "jwks_uri": place})

    provider.answers[DISCOVERY] = discovery
    tokens = IssuedTokens({"127.0.0.1"})
    with pytest.raises(IssuerUnavailableError):
        await tokens.read(provider.token(), issuer_of(provider))
    await tokens.close()


async def test_a_public_name_must_not_lead_inside():
    """A name is judged by its addresses when it is used, unless the operator lists it."""
    judging, listed = PublicResolver(frozenset()), PublicResolver(frozenset({"localhost"}))

    with pytest.raises(OSError, match="localhost is not a public address"):
        await judging.resolve("localhost", 443)
    assert await listed.resolve("localhost", 443)


@pytest.mark.parametrize("issuer", ["http://127.0.0.1:1", "https://localhost", "https://10.1.2.3"])
async def test_an_issuer_inside_is_not_asked(provider, issuer):
    """Without the operator's word no private address is talked to."""
    tokens = IssuedTokens()

    with pytest.raises(IssuerUnavailableError):
        await tokens.read(provider.token(), TokenIssuer(issuer, AUDIENCE))
    await tokens.close()
