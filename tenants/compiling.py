"""From a tenant's files to its compiled form.

Compiling has the tool module described by another process (see ``tenants.describing``) and waits
for it, so it belongs on a thread.
"""

import sys
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import attrs

from migrations_of_config.chain import Chain
from tenants.compiled import Assistant, CompiledTenant, TokenIssuer, Upstream, packed
from tenants.describer import Described
from tenants.describing import DESCRIBER, Describer
from tenants.documents import FILE, Parsed, dotted, parse
from tenants.errors import Fault, InvalidTenantError
from tenants.hosted import hosted_tools
from tenants.knowledge.state import KnowledgeState, StateError, decode
from tenants.lines import line_of
from tenants.model import (
    DEFAULT_INSTRUCTIONS,
    AccessSettings,
    AssistantSettings,
    TenantDocument,
)
from tenants.rules import NO_INLINE_TOOLS, assistant_tables, at
from tenants.sources import KNOWLEDGE_STATE, Sources

LONGEST_INSTRUCTIONS = 256_000  # characters; OpenAI's API reference of assistants
_NO_TOOLS = Described()
_NO_TOOLS_HERE = Fault(FILE, "tools.isolation", NO_INLINE_TOOLS)


def compile_tenant(
    sources: Sources,
    *,
    private_upstreams: AbstractSet[str],
    inline_tools: bool = True,
    describer: Describer = DESCRIBER,
    chain: Chain | None = None,
) -> CompiledTenant:
    """Compile a tenant.

    Args:
        sources: its files.
        private_upstreams: hosts that an upstream may have though they are private.
        inline_tools: whether tool modules may run outside of cells.
        describer: imports its tool module, if it has one.
        chain: of the document's schema versions; None: the released one.

    Raises:
        InvalidTenantError: with everything that is wrong with all of its files.
    """
    text = sources.texts.get(FILE)
    if text is None:
        raise InvalidTenantError(sources.tenant_id, sources.faults)
    parsed = parse(
        text, directory=sources.tenant_id, private_upstreams=private_upstreams, chain=chain
    )
    refused = () if inline_tools or sources.module is None else (_NO_TOOLS_HERE,)
    module = _NO_TOOLS if refused else _described(sources, parsed.raw, describer)
    state, broken = _state(sources)
    faults = (*parsed.faults, *sources.faults, *_long_instructions(sources, parsed, text), *refused)
    faults += (*broken, *module.faults)
    if parsed.document is None or faults:
        raise InvalidTenantError(sources.tenant_id, _in_order(faults, text))
    return _tenant(sources, parsed.document, module, state)


def _in_order(faults: Iterable[Fault], text: str) -> tuple[Fault, ...]:
    """By file and line; those of the document's fields that have no line yet get theirs."""
    placed = [
        attrs.evolve(fault, line=line_of(text, tuple(fault.field.split("."))))
        if fault.file == FILE and fault.line is None and fault.field
        else fault
        for fault in faults
    ]
    return tuple(sorted(placed, key=lambda fault: (fault.file != FILE, fault.line or 0)))


def _described(sources: Sources, raw: Mapping[str, Any], describer: Describer) -> Described:
    tools = at(raw, "tools", {})
    if sources.module is None or tools.get("isolation") != "inline":
        return _NO_TOOLS  # Nobody allowed this code to run outside of a cell.
    offered = tools.get("functions")
    named = isinstance(offered, list) and all(isinstance(name, str) for name in offered)
    name, source = sources.module
    return describer.describe(source, name, tuple(offered) if named else None)


def _state(sources: Sources) -> tuple[KnowledgeState | None, tuple[Fault, ...]]:
    text = sources.texts.get(KNOWLEDGE_STATE)
    try:
        return (None if text is None else decode(text)), ()
    except StateError as error:
        return None, (Fault(KNOWLEDGE_STATE, "", str(error)),)


def _long_instructions(sources: Sources, parsed: Parsed, text: str) -> list[Fault]:
    faults = []
    for path, table in assistant_tables(parsed.raw).items():
        name = at(table, "instructions_file", DEFAULT_INSTRUCTIONS)
        if len(sources.texts.get(name, "")) > LONGEST_INSTRUCTIONS:
            field = (*path, "instructions_file")
            words = f"{name} is longer than {LONGEST_INSTRUCTIONS:,} characters: shorten it"
            faults.append(Fault(FILE, dotted(field), words, line_of(text, field)))
    return faults


def _tenant(
    sources: Sources,
    document: TenantDocument,
    module: Described,
    state: KnowledgeState | None,
) -> CompiledTenant:
    functions = tuple(map(sys.intern, module.functions))  # 10,000 tenants have few names
    hosted = hosted_tools(document, state)
    tools = b"[%b]" % b",".join((*module.functions.values(), *hosted))
    base_url = document.upstream.base_url
    return CompiledTenant(
        tenant_id=sources.tenant_id,
        display_name=document.display_name or sources.tenant_id,
        revision=sources.revision,
        assistants={
            alias: _assistant(alias, settings, document, sources, (functions, tools))
            for alias, settings in document.every_assistant().items()
        },
        upstream=Upstream(base_url.rstrip("/") if base_url else None, document.upstream.api_key),
        tool_module=packed(*sources.module) if sources.module else None,
        allowed_origins=frozenset(document.access.allowed_origins),
        expose_tool_calls=document.access.expose_tool_calls,
        public_chat=document.access.public_chat,
        token_issuer=_token_issuer(document.access),
    )


def _token_issuer(access: AccessSettings) -> TokenIssuer | None:
    return TokenIssuer(access.jwt_issuer, access.jwt_audience) if access.jwt_issuer else None


def _assistant(
    alias: str,
    settings: AssistantSettings,
    document: TenantDocument,
    sources: Sources,
    offered: tuple[tuple[str, ...], bytes],
) -> Assistant:
    functions, tools = offered
    return Assistant(
        id=settings.id,
        alias=alias,
        engine=settings.engine,
        model=sys.intern(document.upstream_model(settings.model)),
        instructions=sources.texts[settings.instructions_file],
        initial_message=settings.initial_message,
        temperature=settings.temperature,
        functions=functions,
        tools=tools,
        timeout_seconds=document.tools.timeout_seconds,
        max_rounds=document.tools.max_rounds,
    )
