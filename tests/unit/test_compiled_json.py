"""``compiled.json``: a compiled tenant as bytes and back."""

import json
import tracemalloc

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.compiled import Assistant, CompiledTenant, TokenIssuer, Upstream, packed
from tenants.compiled_json import FORMAT, decode, encode
from tenants.errors import BrokenObjectError
from tenants.keys import ApiKey, Keyring, digest_of, new_key
from tenants.model import SecretRef

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
SECRETS = st.builds(SecretRef, TEXT, TEXT)


@st.composite
def assistants(draw, alias):
    """An assistant of that alias."""
    return Assistant(
        id=draw(TEXT),
        alias=alias,
        engine=draw(TEXT),
        model=draw(TEXT),
        instructions=draw(TEXT),
        initial_message=draw(TEXT),
        temperature=draw(st.none() | st.floats(0, 2)),
        functions=tuple(draw(st.lists(TEXT, max_size=3))),
        tools=msgspec.json.encode(draw(st.lists(JSON, max_size=3))),
        timeout_seconds=draw(st.floats(0.1, 1e6)),
        max_rounds=draw(st.integers(1, 50)),
    )


@st.composite
def tenants(draw):
    """Any compiled tenant."""
    aliases = ["default", *draw(st.lists(TEXT.filter(lambda each: each != "default"), max_size=2))]
    return CompiledTenant(
        tenant_id=draw(TEXT),
        display_name=draw(TEXT),
        revision=draw(TEXT),
        assistants={alias: draw(assistants(alias)) for alias in aliases},
        upstream=Upstream(draw(st.none() | TEXT), draw(st.none() | SECRETS)),
        tool_module=draw(st.none() | st.builds(packed, TEXT, st.binary(max_size=100))),
        allowed_origins=frozenset(draw(st.lists(TEXT, max_size=3))),
        expose_tool_calls=draw(st.booleans()),
        public_chat=draw(st.booleans()),
        token_issuer=draw(st.none() | st.builds(TokenIssuer, TEXT, TEXT)),
    )


def facts(tenant: CompiledTenant) -> dict:
    """All that a tenant is, in comparable form; what is compressed is unpacked."""
    module = tenant.tool_module
    found = {field.name: getattr(tenant, field.name) for field in attrs.fields(CompiledTenant)}
    found["assistants"] = [(k, attrs.asdict(each)) for k, each in tenant.assistants.items()]
    found["tool_module"] = module and (module.file, module.source)
    return found


def least(**members) -> CompiledTenant:
    """A tenant with one assistant."""
    assistant = Assistant(
        "asst_a", "default", "responses", "m", "Be brief.", "Hi", None, (), b"[]", 5.0, 8
    )
    given = {"assistants": {"default": assistant}, "upstream": Upstream(), "tool_module": None}
    return CompiledTenant(
        **{
            "tenant_id": "acme",
            "display_name": "Acme",
            "revision": "0" * 64,
            "allowed_origins": frozenset(),
            "expose_tool_calls": False,
            **given,
            **members,
        }
    )


def without(path: str) -> bytes:
    """The least tenant's bytes with one member left out."""
    document = json.loads(encode(least()))
    *tables, last = path.split(".")
    table = document
    for name in tables:
        table = table[int(name) if name.isdecimal() else name]
    del table[last]
    return json.dumps(document).encode()


def changed(**members) -> bytes:
    """The least tenant's bytes with other members."""
    return json.dumps({**json.loads(encode(least())), **members}).encode()


@given(tenants())
def test_tenant_comes_back_as_it_was(tenant):
    """Everything that serving needs survives, and the same tenant gives the same bytes."""
    content = encode(tenant)
    back = decode(content)

    assert facts(back) == facts(tenant)
    assert encode(back) == content


def test_keys_are_never_written():
    """A revision holds no key, not even its hash."""
    key = new_key("acme")
    keyring = Keyring([ApiKey("key_1", digest_of(key), frozenset({"chat"}), 0)])

    content = encode(least(keys=keyring))

    assert digest_of(key).encode() not in content
    assert decode(content).keys.find(key, 1) is None


def test_newer_format_is_refused_by_its_number():
    """What this program would misread says which format it has."""
    with pytest.raises(BrokenObjectError) as raised:
        decode(changed(format=FORMAT + 1, assistants="of another shape"), "place/compiled.json")

    assert raised.value.name == "place/compiled.json"
    assert f"format {FORMAT + 1}" in raised.value.detail


def test_members_of_a_newer_program_are_passed_over():
    """An older program reads what a newer one added."""
    assert decode(changed(colour="red")).tenant_id == "acme"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        encode(least())[:-1],
        encode(least()) + b"{}",
        b"[" * 100_000,
        without("revision"),
        without("assistants.0.instructions"),
        changed(format="1"),
        changed(format=True),
        changed(assistants=[]),
        changed(assistants={}),
        changed(expose_tool_calls=1),
        changed(tool_module={"file": "tools.py", "source": "not base64!"}),
        changed(upstream={"base_url": 7, "api_key": None}),
        encode(least()).replace(b'"tools":[]', b'"tools":{}'),
        encode(least()).replace(b"Be brief.", b"\xed\xa0\x80"),
    ],
)
def test_what_is_no_compiled_tenant_is_refused(content):
    """Cut, altered or other bytes are one error, whatever is wrong with them."""
    with pytest.raises(BrokenObjectError):
        decode(content)


@given(st.binary(max_size=50), st.integers(0, 500))
def test_altered_bytes_give_a_tenant_or_the_error(noise, place):
    """Nothing that is written over a compiled tenant raises anything else."""
    content = bytearray(encode(least()))
    content[place : place + len(noise)] = noise

    try:
        decode(bytes(content))
    except BrokenObjectError as error:
        assert error.detail  # noqa: PT017  (either outcome is right)


def test_what_tenants_share_is_kept_once():
    """A thousand tenants read back are as small as a thousand that were compiled."""
    schema = msgspec.json.encode([{"type": "function", "name": "f", "description": "d" * 2_000}])
    one = attrs.evolve(
        least().default, tools=schema, functions=("f",), initial_message="Hello! " * 50
    )
    aliases = ["default", "research", "writing"]
    tenant = least(assistants={each: attrs.evolve(one, alias=each) for each in aliases})
    content = encode(tenant)
    decode(content)

    tracemalloc.start()
    kept = [decode(content) for _ in range(100)]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert size / len(kept) < 2 * len(schema)
