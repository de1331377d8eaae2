"""``compiled.json``: a compiled tenant as bytes and back; classes parallel to the compiled ones.

It holds all that serving needs, so that loading a tenant runs none of its code, but never a key:
keys change without a new revision. A reader passes over fields that it does not know; what it
would misread comes with another ``FORMAT``.
"""

import sys

import attrs
import msgspec

from tenants.compiled import Assistant, CompiledTenant, TokenIssuer, Upstream, packed
from tenants.errors import BrokenObjectError
from tenants.model import DEFAULT_ALIAS, SecretRef

FILE = "compiled.json"
FORMAT = 1


@attrs.frozen
class _Head:
    format: int


@attrs.frozen
class _Assistant:
    id: str
    alias: str
    engine: str
    model: str
    instructions: str
    initial_message: str
    temperature: float | None
    functions: tuple[str, ...]
    tools: msgspec.Raw
    timeout_seconds: float
    max_rounds: int


@attrs.frozen
class _Secret:
    name: str
    version: str


@attrs.frozen
class _Upstream:
    base_url: str | None
    api_key: _Secret | None


@attrs.frozen
class _Module:
    file: str
    source: bytes


@attrs.frozen
class _Issuer:
    issuer: str
    audience: str


@attrs.frozen
class _Tenant:
    format: int
    tenant_id: str
    display_name: str
    revision: str
    assistants: tuple[_Assistant, ...]
    upstream: _Upstream
    tool_module: _Module | None
    allowed_origins: tuple[str, ...]
    expose_tool_calls: bool
    public_chat: bool
    token_issuer: _Issuer | None


_head = msgspec.json.Decoder(_Head)
_tenant = msgspec.json.Decoder(_Tenant)
_tools = msgspec.json.Decoder(list[msgspec.Raw])


def encode(tenant: CompiledTenant) -> bytes:
    """A compiled tenant without its keys; the same value gives the same bytes."""
    key, module, issuer = tenant.upstream.api_key, tenant.tool_module, tenant.token_issuer
    stored = _Tenant(
        format=FORMAT,
        tenant_id=tenant.tenant_id,
        display_name=tenant.display_name,
        revision=tenant.revision,
        assistants=tuple(map(_stored_assistant, tenant.assistants.values())),
        upstream=_Upstream(
            tenant.upstream.base_url, _Secret(key.name, key.version) if key else None
        ),
        tool_module=_Module(module.file, module.source) if module else None,
        allowed_origins=tuple(sorted(tenant.allowed_origins)),
        expose_tool_calls=tenant.expose_tool_calls,
        public_chat=tenant.public_chat,
        token_issuer=_Issuer(issuer.issuer, issuer.audience) if issuer else None,
    )
    return msgspec.json.encode(stored)


def decode(content: bytes, name: str = FILE) -> CompiledTenant:
    """The compiled tenant that the bytes hold, without keys.

    Args:
        content: as ``encode`` gave it.
        name: of the object, for the error.

    Raises:
        BrokenObjectError: they hold none, or one of a newer program.
    """
    try:
        found = _head.decode(content).format
        if found > FORMAT:
            words = f"it has format {found}, and this program reads up to {FORMAT}: update it"
            raise BrokenObjectError(name, words)
        return _compiled(_tenant.decode(content))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise BrokenObjectError(name, f"it is not a compiled tenant: {error}") from None


def _stored_assistant(assistant: Assistant) -> _Assistant:
    return _Assistant(
        id=assistant.id,
        alias=assistant.alias,
        engine=assistant.engine,
        model=assistant.model,
        instructions=assistant.instructions,
        initial_message=assistant.initial_message,
        temperature=assistant.temperature,
        functions=assistant.functions,
        tools=msgspec.Raw(assistant.tools),
        timeout_seconds=assistant.timeout_seconds,
        max_rounds=assistant.max_rounds,
    )


def _compiled(stored: _Tenant) -> CompiledTenant:
    key, issuer = stored.upstream.api_key, stored.token_issuer
    shared: dict[bytes, bytes] = {}
    assistants = {sys.intern(each.alias): _assistant(each, shared) for each in stored.assistants}
    if DEFAULT_ALIAS not in assistants:
        raise ValueError(f"it has no assistant {DEFAULT_ALIAS}")
    return CompiledTenant(
        tenant_id=stored.tenant_id,
        display_name=stored.display_name,
        revision=stored.revision,
        assistants=assistants,
        upstream=Upstream(
            stored.upstream.base_url, SecretRef(key.name, key.version) if key else None
        ),
        tool_module=packed(stored.tool_module.file, stored.tool_module.source)
        if stored.tool_module
        else None,
        allowed_origins=frozenset(stored.allowed_origins),
        expose_tool_calls=stored.expose_tool_calls,
        public_chat=stored.public_chat,
        token_issuer=TokenIssuer(issuer.issuer, issuer.audience) if issuer else None,
    )


def _assistant(stored: _Assistant, shared: dict[bytes, bytes]) -> Assistant:
    """An assistant; what tenants, or the assistants of one, have in common is kept once."""
    tools = bytes(stored.tools)
    _tools.decode(tools)
    return Assistant(
        id=stored.id,
        alias=sys.intern(stored.alias),
        engine=sys.intern(stored.engine),
        model=sys.intern(stored.model),
        instructions=stored.instructions,
        initial_message=sys.intern(stored.initial_message),
        temperature=stored.temperature,
        functions=tuple(map(sys.intern, stored.functions)),
        tools=shared.setdefault(tools, tools),
        timeout_seconds=stored.timeout_seconds,
        max_rounds=stored.max_rounds,
    )
