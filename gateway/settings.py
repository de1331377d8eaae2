"""Settings: read once from the environment, all faults at once, frozen from then on."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import attrs

from gateway import variables
from gateway.variables import Network, RefusedError
from tenants import dotenv
from tenants.registry.places import RegistryPlace
from tenants.secrets.places import SecretPlace

# What Kubernetes injects into each container of a namespace with a Service called `gateway`.
_INJECTED = re.compile(r"GATEWAY_SERVICE_.*|GATEWAY_PORT_\d+_(TCP|UDP|SCTP)(_.*)?")
_OTEL_SWITCH = re.compile(r"OTEL_(\w+_)?(ENDPOINT|EXPORTER)")
_SHORTEST_ADMIN_KEY = 16
_VARIABLE = "variable"
_PARSE = "parse"


@attrs.frozen
class SettingFault:
    """One variable that cannot be used.

    Args:
        variable: its name.
        message: what is wrong with it.
        remedy: how to mend it.
    """

    variable: str
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.message}. {self.remedy}."


@attrs.frozen
class SettingsError(Exception):
    """The environment cannot be used; carries everything that is wrong with it."""

    faults: tuple[SettingFault, ...]

    def __str__(self) -> str:
        return "\n".join(str(fault) for fault in self.faults)


def _setting(variable: str, parse: Callable[[str], Any], default: Any, **options: Any) -> Any:  # noqa: ANN401 - the field's own annotation says its type, as with attrs.field
    return attrs.field(default=default, metadata={_VARIABLE: variable, _PARSE: parse}, **options)


@attrs.frozen
class Settings:
    """How this process runs; ``docs/settings.md`` says what each variable means.

    Args:
        tenants: where the tenants are.
        tenants_copies: the directory of last good copies, where ``tenants`` is a bucket.
        storage_emulator: the URL of a server in Cloud Storage's place.
        secrets: where tenants' secrets are; ``env`` means ``tenant_secrets``.
        secret_manager_emulator: ``host:port`` of a server in Secret Manager's place.
        store: the SQLite file.
        openai_api_key: None: the simulator is the upstream.
        session_secrets: the first signs session tokens, each is accepted; none: in development one
            is made at start, in production there are no sessions.
        admin_keys: each opens the operator's API; none: there is no such API.
        log_format: ``json`` or ``keyvalue``; None: JSON unless the stream is a terminal.
        tenant_secrets: the ``AGW_…`` variables, as they are.
    """

    environment: str = _setting(
        "ENVIRONMENT", variables.one_of("development", "production"), "development"
    )
    host: str = _setting("GATEWAY_HOST", variables.host, "127.0.0.1")
    port: int = _setting("GATEWAY_PORT", variables.port, 8000)
    tenants: RegistryPlace = _setting(
        "GATEWAY_TENANTS", variables.registry, RegistryPlace("dir", "./examples/tenants")
    )
    tenants_copies: Path = _setting(
        "GATEWAY_TENANTS_COPIES", variables.directory, Path(".data/tenants")
    )
    secrets: SecretPlace = _setting("GATEWAY_SECRETS", variables.secret_store, SecretPlace())
    store: Path = _setting("GATEWAY_STORE", variables.store, Path(".data/gateway.db"))
    default_tenant: str | None = _setting("GATEWAY_DEFAULT_TENANT", variables.tenant_id, None)
    internal_port: int = _setting("GATEWAY_INTERNAL_PORT", variables.port, 9090)
    trusted_proxies: tuple[Network, ...] = _setting(
        "GATEWAY_TRUSTED_PROXIES", variables.comma_list(variables.network), ()
    )
    private_upstreams: frozenset[str] = _setting(
        "GATEWAY_PRIVATE_UPSTREAMS", variables.upstream_hosts, frozenset()
    )
    workers: int = _setting("GATEWAY_WORKERS", variables.workers, 1)
    reload: bool = _setting("GATEWAY_RELOAD", variables.switch, default=False)
    tool_isolation: str = _setting(
        "GATEWAY_TOOL_ISOLATION", variables.one_of("required", "best-effort"), "best-effort"
    )
    require_keys: bool = _setting("GATEWAY_REQUIRE_KEYS", variables.switch, default=False)
    session_secrets: tuple[str, ...] = _setting(
        "GATEWAY_SESSION_SECRET", variables.signing_secrets, (), repr=False
    )
    admin_keys: tuple[str, ...] = _setting(
        "GATEWAY_ADMIN_KEY", variables.operator_keys, (), repr=False
    )
    openai_api_key: str | None = _setting("OPENAI_API_KEY", variables.secret, None, repr=False)
    openai_base_url: str = _setting(
        "OPENAI_BASE_URL", variables.base_url, "https://api.openai.com/v1"
    )
    storage_emulator: str | None = _setting("STORAGE_EMULATOR_HOST", variables.base_url, None)
    secret_manager_emulator: str | None = _setting(
        "SECRET_MANAGER_EMULATOR_HOST", variables.address, None
    )
    log_level: str = _setting(
        "LOGGING_LEVEL",
        variables.one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
        "INFO",
    )
    log_format: str | None = _setting("LOG_FORMAT", variables.one_of("json", "keyvalue"), None)
    log_stream: str = _setting("STREAM", variables.one_of("stdout", "stderr"), "stdout")
    heartbeat_seconds: float = _setting("SSE_HEARTBEAT_INTERVAL", variables.seconds, 15.0)
    retry_ms: int = _setting("SSE_RETRY_INTERVAL", variables.milliseconds, 5000)
    max_stream_seconds: float = _setting("SSE_MAX_CONNECTION_DURATION", variables.seconds, 3600.0)
    tenant_secrets: Mapping[str, str] = attrs.field(factory=dict, repr=False)

    @property
    def inline_tools(self) -> bool:
        """Whether tenants' tool modules may run outside of cells."""
        return self.tool_isolation == "best-effort"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Self:
        """Read every variable.

        Args:
            environ: such as ``os.environ``, with what ``with_dotenv`` adds to it.

        Raises:
            SettingsError: with everything that is wrong.
        """
        given = _for_production(_given(environ))
        faults = [*_unknown(given), *_unbuilt(given), *_contradictions(given)]
        faults += _unfit_for_production(given)
        values: dict[str, Any] = {}
        for field in attrs.fields(cls):
            if field.metadata and (text := given.get(field.metadata[_VARIABLE])):
                try:
                    values[field.name] = field.metadata[_PARSE](text)
                except RefusedError as error:
                    faults.append(_fault(field.metadata[_VARIABLE], error))
        if faults:
            raise SettingsError(tuple(faults))
        secrets = {name: text for name, text in environ.items() if name.upper().startswith("AGW_")}
        return cls(**values, tenant_secrets=secrets)


ACTED_ON: Mapping[str, "attrs.Attribute[Any]"] = {
    field.metadata[_VARIABLE]: field for field in attrs.fields(Settings) if field.metadata
}
UNBUILT: Mapping[str, Callable[[str], Any]] = {
    "GATEWAY_REDIS_URL": variables.not_built("limits and events shared through Redis are"),
}
ALIASES: Mapping[str, str] = {"CLIENT_ID": "GATEWAY_DEFAULT_TENANT"}
_KNOWN = [name for name in (*ACTED_ON, *UNBUILT) if name.startswith("GATEWAY_")]


def with_dotenv(environ: Mapping[str, str], path: Path) -> dict[str, str]:
    """See ``tenants.dotenv.with_dotenv``.

    Raises:
        SettingsError: the file cannot be read or has lines that say nothing.
    """
    try:
        return dotenv.with_dotenv(environ, path)
    except dotenv.DotenvError as error:
        raise SettingsError(tuple(SettingFault(*fault) for fault in error.faults)) from None


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """What the environment says: trimmed, and without what Kubernetes injects."""
    given = {name: text.strip() for name, text in environ.items() if not _INJECTED.fullmatch(name)}
    if given.get("GATEWAY_PORT", "").startswith(("tcp://", "udp://", "sctp://")):
        del given["GATEWAY_PORT"]
    for alias, name in ALIASES.items():
        if given.get(alias) and not given.get(name):
            given[name] = given[alias]
    return given


def _is_production(given: Mapping[str, str]) -> bool:
    return given.get("ENVIRONMENT", "").lower() == "production"


def _for_production(given: dict[str, str]) -> dict[str, str]:
    """With production's own defaults for what is not set."""
    if not _is_production(given):
        return given
    defaults = {"GATEWAY_REQUIRE_KEYS": "true", "GATEWAY_TOOL_ISOLATION": "required"}
    if bucket := given.get("BUCKET_ID"):
        defaults["GATEWAY_TENANTS"] = f"gs://{bucket}"
    if project := given.get("PROJECT_ID"):
        defaults["GATEWAY_SECRETS"] = f"gcp:{project}"
    return defaults | {name: text for name, text in given.items() if text}


def _unfit_for_production(given: Mapping[str, str]) -> Iterator[SettingFault]:
    if not _is_production(given):
        return
    if not given.get("GATEWAY_TENANTS"):
        message = "is not set, and neither is BUCKET_ID, so production has no registry of tenants"
        yield SettingFault("GATEWAY_TENANTS", message, "Use gs://BUCKET/PREFIX or dir:PATH")
    if not given.get("GATEWAY_SECRETS"):
        message = "is not set, and neither is PROJECT_ID, so production has no store of secrets"
        yield SettingFault("GATEWAY_SECRETS", message, "Use gcp:PROJECT, dir:PATH or env")
    if given["GATEWAY_REQUIRE_KEYS"].lower() in variables.OFF:
        message = "is false, and production never serves without tenants' API keys"
        yield SettingFault("GATEWAY_REQUIRE_KEYS", message, "Unset it")
    keys = given.get("GATEWAY_ADMIN_KEY", "").split(",")
    if any(0 < len(key.strip()) < _SHORTEST_ADMIN_KEY for key in keys):
        message = f"has a key of less than {_SHORTEST_ADMIN_KEY} characters, which can be guessed"
        yield SettingFault("GATEWAY_ADMIN_KEY", message, "Make one by: openssl rand -hex 32")
    fields = attrs.fields(Settings)
    port = given.get("GATEWAY_PORT") or str(fields.port.default)
    internal_port = given.get("GATEWAY_INTERNAL_PORT") or str(fields.internal_port.default)
    if port == internal_port != "0":
        message = "is tenants' port too, and the operator's routes never answer beside theirs"
        yield SettingFault("GATEWAY_INTERNAL_PORT", message, "Name another one, such as 9090")
    if not given.get("OPENAI_API_KEY"):
        message = "is not set, so the simulator would answer, which production never lets it"
        yield SettingFault("OPENAI_API_KEY", message, "Set it to the operator's key")


def _fault(variable: str, error: RefusedError) -> SettingFault:
    return SettingFault(variable, error.message, error.remedy)


def _unknown(given: Mapping[str, str]) -> Iterator[SettingFault]:
    for name in given:
        if name.startswith("GATEWAY_") and name not in _KNOWN:
            nearest = difflib.get_close_matches(name, _KNOWN, n=1, cutoff=0)[0]
            yield SettingFault(name, "is no setting", f"Did you mean {nearest}? Else unset it")


def _unbuilt(given: Mapping[str, str]) -> Iterator[SettingFault]:
    checks = dict(UNBUILT)
    if given.get("OTEL_SDK_DISABLED", "").lower() != "true":
        checks |= {name: variables.otel_switch for name in given if _OTEL_SWITCH.fullmatch(name)}
    for name, check in checks.items():
        try:
            if text := given.get(name):
                check(text)
        except RefusedError as error:
            yield _fault(name, error)


def _contradictions(given: Mapping[str, str]) -> Iterator[SettingFault]:
    for alias, name in ALIASES.items():
        if given.get(alias) and given[alias] != given[name]:
            yield SettingFault(alias, f"says something else than {name}", "Unset one of the two")
    if given.get("OPENAI_BASE_URL") and not given.get("OPENAI_API_KEY"):
        yield SettingFault(
            "OPENAI_BASE_URL",
            "is set without OPENAI_API_KEY, so the simulator would answer in its place",
            "Set OPENAI_API_KEY too; to an upstream that asks for none, any word will do",
        )
