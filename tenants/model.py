"""A tenant as its files say it: frozen values, parsed once at the edge.

The attributes' names are the fields' names in ``tenant.toml``. A type of its own marks every value
that has a grammar; ``tenants.fields`` holds the grammars.
"""

import re
from collections.abc import Mapping
from typing import Literal, NewType

import attrs

SCHEMA_VERSION = 1
DEFAULT_ALIAS = "default"
LATEST = "latest"
DEFAULT_INSTRUCTIONS = "instructions.md"

TenantId = NewType("TenantId", str)
AssistantId = NewType("AssistantId", str)
AssistantAlias = NewType("AssistantAlias", str)
ModelAlias = NewType("ModelAlias", str)
ModelName = NewType("ModelName", str)
Name = NewType("Name", str)
InitialMessage = NewType("InitialMessage", str)
FilePath = NewType("FilePath", str)
ModulePath = NewType("ModulePath", str)
FilePattern = NewType("FilePattern", str)
FunctionName = NewType("FunctionName", str)
SecretName = NewType("SecretName", str)
HostName = NewType("HostName", str)
Url = NewType("Url", str)
Origin = NewType("Origin", str)
Temperature = NewType("Temperature", float)
Seconds = NewType("Seconds", float)
Rounds = NewType("Rounds", int)
Count = NewType("Count", int)
Dollars = NewType("Dollars", float)

_TENANT_ID = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_SECRET_VERSION = re.compile(r"[1-9][0-9]{0,17}")
_SECRET_NAME = re.compile(r"(?=.{1,63}\Z)[a-z0-9]+(-[a-z0-9]+)*")


def is_tenant_id(text: str) -> bool:
    """Whether this is a tenant's id: a DNS label (RFC 1123)."""
    return _TENANT_ID.fullmatch(text) is not None


def is_secret_name(text: str) -> bool:
    """Whether this is a secret's name: words of lower case and digits, joined by hyphens."""
    return _SECRET_NAME.fullmatch(text) is not None


def is_secret_version(text: str) -> bool:
    """Whether this names a version of a secret: a number from 1, or the latest."""
    return text == LATEST or _SECRET_VERSION.fullmatch(text) is not None


@attrs.frozen
class SecretRef:
    """Where a secret lives. Never the secret itself."""

    name: str
    version: str = LATEST


@attrs.frozen
class AssistantSettings:
    """``[assistant]``, or a table under ``[assistants]``."""

    id: AssistantId
    model: ModelName
    engine: Literal["responses", "chat_completions"] = "responses"
    instructions_file: FilePath = FilePath(DEFAULT_INSTRUCTIONS)
    initial_message: InitialMessage = InitialMessage("Hello! How can I help?")
    temperature: Temperature | None = None


@attrs.frozen
class FallbackSettings:
    """``[fallback]``: the model to take when the assistant's own is away."""

    model: ModelName


@attrs.frozen
class UpstreamSettings:
    """``[upstream]``: the tenant's own account."""

    base_url: Url | None = None
    api_key: SecretRef | None = None


@attrs.frozen
class McpSettings:
    """``[tools.mcp.NAME]``: a server of tools."""

    url: Url
    authorization: SecretRef | None = None
    allowed: tuple[Name, ...] = ()


@attrs.frozen
class ToolSettings:
    """``[tools]``.

    Args:
        functions: None: all of the module's ``TOOL_MAP``.
        timeout_seconds: for one call of a function.
        max_rounds: rounds of function calls in one run.
    """

    module: ModulePath | None = None
    functions: tuple[FunctionName, ...] | None = None
    hosted: tuple[Literal["file_search", "code_interpreter"], ...] = ()
    isolation: Literal["sandbox", "inline"] = "sandbox"
    timeout_seconds: Seconds = Seconds(20.0)
    max_rounds: Rounds = Rounds(8)
    allowed_hosts: tuple[HostName, ...] = ()
    secrets: tuple[SecretName, ...] = ()
    mcp: Mapping[Name, McpSettings] = attrs.field(factory=dict)


@attrs.frozen
class KnowledgeSettings:
    """``[knowledge]``: files that become a vector store."""

    vector_store: Name
    files: tuple[FilePattern, ...] = ()


@attrs.frozen
class LimitSettings:
    """``[limits]``; None is no limit."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    concurrent_runs: Count | None = None
    monthly_budget_usd: Dollars | None = None


@attrs.frozen
class AccessSettings:
    """``[access]``."""

    allowed_origins: tuple[Origin, ...] = ()
    public_chat: bool = False
    expose_tool_calls: bool = False
    jwt_issuer: str = ""
    jwt_audience: str = ""


@attrs.frozen
class TenantDocument:
    """All of ``tenant.toml``."""

    schema_version: int
    tenant_id: TenantId
    assistant: AssistantSettings
    display_name: Name | None = None
    assistants: Mapping[AssistantAlias, AssistantSettings] = attrs.field(factory=dict)
    models: Mapping[ModelAlias, ModelName] = attrs.field(factory=dict)
    fallback: FallbackSettings | None = None
    upstream: UpstreamSettings = attrs.field(factory=UpstreamSettings)
    tools: ToolSettings = attrs.field(factory=ToolSettings)
    knowledge: KnowledgeSettings | None = None
    limits: LimitSettings = attrs.field(factory=LimitSettings)
    access: AccessSettings = attrs.field(factory=AccessSettings)

    def every_assistant(self) -> dict[str, AssistantSettings]:
        """The assistants by alias, ``default`` first."""
        return {DEFAULT_ALIAS: self.assistant} | {str(k): v for k, v in self.assistants.items()}

    def upstream_model(self, name: str) -> str:
        """The upstream's name of a model that is named by itself or by an alias."""
        return self.models.get(ModelAlias(name), name)
