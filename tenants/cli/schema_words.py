"""What each field of ``tenant.toml`` means, for editors that show a schema's descriptions."""

from collections.abc import Mapping
from typing import Any

from tenants.model import (
    AccessSettings,
    AssistantSettings,
    FallbackSettings,
    KnowledgeSettings,
    LimitSettings,
    McpSettings,
    TenantDocument,
    ToolSettings,
    UpstreamSettings,
)

_TABLES: Mapping[type, Mapping[str, str]] = {
    TenantDocument: {
        "schema_version": "The version of this schema.",
        "tenant_id": "The tenant's id, a DNS label; the directory has the same name.",
        "assistant": "The assistant that answers where none is named.",
        "display_name": "The tenant's name as people see it; else its id.",
        "assistants": "Further assistants, by alias.",
        "models": "Aliases of models, so that a retired model is one line.",
        "fallback": "What to take when the assistant's own model is away.",
        "upstream": "The tenant's own account; else the operator's.",
        "tools": "What the assistants may call.",
        "knowledge": "Files that become a vector store.",
        "limits": "What the tenant may use.",
        "access": "Who may talk to the assistants, and what they see.",
    },
    AssistantSettings: {
        "id": "The assistant's id, kept from OpenAI where there was one.",
        "model": "The upstream's name of the model, or an alias from [models].",
        "engine": "How the model is called.",
        "instructions_file": "The file with the instructions, in the tenant's directory.",
        "initial_message": "How the assistant greets.",
        "temperature": "The sampling temperature; else the model's own.",
    },
    FallbackSettings: {"model": "The upstream's name of the model, or an alias from [models]."},
    UpstreamSettings: {
        "base_url": "The address of a server that speaks the engine's wire; https.",
        "api_key": "Where the key is: secret:NAME, never the key itself.",
    },
    McpSettings: {
        "url": "The address of the MCP server.",
        "authorization": "Where its credential is: secret:NAME.",
        "allowed": "The tools that may be called.",
    },
    ToolSettings: {
        "module": "The Python file with the functions, in the tenant's directory.",
        "functions": "The functions that are offered; else all of TOOL_MAP.",
        "hosted": "Tools that run upstream.",
        "isolation": "Where functions run: in a cell, or in a process that all tenants share.",
        "timeout_seconds": "For one call of a function.",
        "max_rounds": "Rounds of function calls in one run.",
        "allowed_hosts": "Hosts that functions may reach.",
        "secrets": "Secrets that functions may read.",
        "mcp": "MCP servers, by name.",
    },
    KnowledgeSettings: {
        "vector_store": "The vector store's name upstream.",
        "files": "Files of the tenant's directory; patterns may be named.",
    },
    LimitSettings: {
        "requests_per_minute": "Requests in a minute; else no limit.",
        "tokens_per_minute": "Tokens in a minute; else no limit.",
        "concurrent_runs": "Runs at the same time; else no limit.",
        "monthly_budget_usd": "US dollars in a calendar month; else no limit.",
    },
    AccessSettings: {
        "allowed_origins": "Origins of pages that may call from a browser.",
        "public_chat": "Whether the chat page lets anybody in.",
        "expose_tool_calls": "Whether end users see functions' arguments and outputs.",
        "jwt_issuer": "Who issues end users' own tokens; empty: nobody.",
        "jwt_audience": "For whom those tokens are.",
    },
}

WORDS: Mapping[tuple[Any, str], str] = {
    (kind, name): words for kind, table in _TABLES.items() for name, words in table.items()
}
