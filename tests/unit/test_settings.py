"""The environment becomes settings, or everything that is wrong with it."""

import ipaddress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.settings import ACTED_ON, Settings, SettingsError, with_dotenv
from tenants.registry.places import RegistryPlace
from tenants.secrets.places import SecretPlace


def faults_of(environ):
    """The faults of an environment, by variable."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment(environ)
    return {fault.variable: fault for fault in caught.value.faults}


def test_an_empty_environment_gives_the_contracts_defaults():
    """Without any variable the example tenants are served from this machine alone."""
    settings = Settings.from_environment({})

    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.tenants == RegistryPlace("dir", "./examples/tenants")
    assert settings.store == Path(".data/gateway.db")
    assert settings.secrets == SecretPlace()
    assert settings.openai_api_key is None
    assert settings.openai_base_url == "https://api.openai.com/v1"
    assert (settings.heartbeat_seconds, settings.retry_ms, settings.max_stream_seconds) == (
        15,
        5000,
        3600,
    )
    assert (settings.log_level, settings.log_format, settings.log_stream) == (
        "INFO",
        None,
        "stdout",
    )


def test_every_variable_is_read():
    """Each variable that is acted on changes the settings."""
    environ = {
        "ENVIRONMENT": "Development",
        "GATEWAY_HOST": "[::1]",
        "GATEWAY_PORT": " 9000 ",
        "GATEWAY_TENANTS": "gs://acme-tenants/production/",
        "GATEWAY_TENANTS_COPIES": "/var/lib/copies",
        "GATEWAY_SECRETS": "dir:/run/secrets",
        "GATEWAY_STORE": "sqlite:/var/lib/gateway.db",
        "GATEWAY_DEFAULT_TENANT": "acme",
        "GATEWAY_INTERNAL_PORT": "9191",
        "GATEWAY_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
        "GATEWAY_PRIVATE_UPSTREAMS": "Ollama, 10.1.2.3,[fd00::1]",
        "GATEWAY_WORKERS": "1",
        "GATEWAY_RELOAD": "yes",
        "GATEWAY_TOOL_ISOLATION": "required",
        "GATEWAY_REQUIRE_KEYS": "true",
        "GATEWAY_SESSION_SECRET": f"{'n' * 32}, {'o' * 32}",
        "GATEWAY_ADMIN_KEY": "new-operator-key, old",
        "OPENAI_API_KEY": "sk-planted\n",
        "OPENAI_BASE_URL": "http://localhost:11434/v1/",
        "STORAGE_EMULATOR_HOST": "http://localhost:4443/",
        "SECRET_MANAGER_EMULATOR_HOST": "localhost:9090",
        "LOGGING_LEVEL": "debug",
        "LOG_FORMAT": "keyvalue",
        "STREAM": "stderr",
        "SSE_HEARTBEAT_INTERVAL": "0.5",
        "SSE_RETRY_INTERVAL": "100",
        "SSE_MAX_CONNECTION_DURATION": "60",
    }

    settings = Settings.from_environment(environ)

    assert set(environ) == set(ACTED_ON)
    assert settings == Settings(
        environment="development",
        host="::1",
        port=9000,
        tenants=RegistryPlace("gs", "acme-tenants", "production"),
        tenants_copies=Path("/var/lib/copies"),
        secrets=SecretPlace("dir", "/run/secrets"),
        storage_emulator="http://localhost:4443",
        secret_manager_emulator="localhost:9090",
        store=Path("/var/lib/gateway.db"),
        default_tenant="acme",
        internal_port=9191,
        trusted_proxies=(ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1/128")),
        private_upstreams=frozenset({"ollama", "10.1.2.3", "fd00::1"}),
        workers=1,
        reload=True,
        tool_isolation="required",
        require_keys=True,
        session_secrets=("n" * 32, "o" * 32),
        admin_keys=("new-operator-key", "old"),
        openai_api_key="sk-planted",
        openai_base_url="http://localhost:11434/v1",
        log_level="DEBUG",
        log_format="keyvalue",
        log_stream="stderr",
        heartbeat_seconds=0.5,
        retry_ms=100,
        max_stream_seconds=60,
    )


def test_all_faults_come_at_once_each_with_its_remedy():
    """One start tells everything that is wrong, not the first thing only."""
    faults = faults_of(
        {"GATEWAY_PORT": "http", "LOGGING_LEVEL": "loud", "GATEWAY_TENANT": "x", "STREAM": "file"}
    )

    assert set(faults) == {"GATEWAY_PORT", "LOGGING_LEVEL", "GATEWAY_TENANT", "STREAM"}
    assert all(fault.message and fault.remedy for fault in faults.values())


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("GATEWAY_TENANT", "GATEWAY_TENANTS"),
        ("GATEWAY_DEFAULT_TENNANT", "GATEWAY_DEFAULT_TENANT"),
        ("GATEWAY_REDIS", "GATEWAY_REDIS_URL"),
        ("GATEWAY_X", "GATEWAY_"),
    ],
)
def test_an_unknown_name_is_told_its_nearest(typo, meant):
    """A misspelt variable is a fault that names the variable that was meant, even when empty."""
    assert meant in faults_of({typo: ""})[typo].remedy


def test_what_kubernetes_injects_is_ignored():
    """A Service called gateway puts variables into every container; they are not settings."""
    settings = Settings.from_environment(
        {
            "GATEWAY_PORT": "tcp://10.0.0.7:80",
            "GATEWAY_SERVICE_HOST": "10.0.0.7",
            "GATEWAY_SERVICE_PORT": "80",
            "GATEWAY_SERVICE_PORT_HTTP": "80",
            "GATEWAY_PORT_80_TCP": "tcp://10.0.0.7:80",
            "GATEWAY_PORT_80_TCP_ADDR": "10.0.0.7",
        }
    )

    assert settings.port == 8000


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEWAY_STORE", "postgresql://gateway:hunter2@db/gateway"),
        ("GATEWAY_REDIS_URL", "redis://:hunter2@redis"),
        ("GATEWAY_WORKERS", "2"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
    ],
)
def test_what_is_not_built_is_refused(variable, value):
    """A setting that this version would ignore stops the start instead, and is not quoted."""
    fault = faults_of({variable: value})[variable]

    assert "not part of this version" in fault.message
    assert "hunter2" not in str(fault)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEWAY_REQUIRE_KEYS", "false"),
        ("GATEWAY_REDIS_URL", ""),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_SERVICE_NAME", "gateway"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/key.json"),
        ("PROJECT_ID", "p"),
    ],
)
def test_what_asks_for_nothing_is_harmless(variable, value):
    """Variables that say what is so anyway do not stop the start."""
    assert Settings.from_environment({variable: value}) == Settings()


def test_a_disabled_opentelemetry_may_keep_its_endpoint():
    """OTEL_SDK_DISABLED=true switches off whatever else is set."""
    Settings.from_environment({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "x"})


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GATEWAY_PORT", "65536"),
        ("GATEWAY_PORT", "-1"),
        ("GATEWAY_PORT", "٨٠٠٠"),
        ("GATEWAY_HOST", "http://localhost"),
        ("GATEWAY_TENANTS", "./examples"),
        ("GATEWAY_TENANTS", "dir:"),
        ("GATEWAY_TENANTS", "gs://Acme"),
        ("GATEWAY_TENANTS", "gs://acme/a/../b"),
        ("GATEWAY_STORE", "sqlite:///var/db"),
        ("GATEWAY_STORE", "sqlite::memory:"),
        ("GATEWAY_STORE", "mysql://root:hunter2@db"),
        ("GATEWAY_DEFAULT_TENANT", "Acme"),
        ("GATEWAY_DEFAULT_TENANT", "-acme"),
        ("GATEWAY_DEFAULT_TENANT", "a" * 64),
        ("CLIENT_ID", "no_underscores"),
        ("GATEWAY_TRUSTED_PROXIES", "10.0.0.1/8"),
        ("GATEWAY_TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
        ("GATEWAY_PRIVATE_UPSTREAMS", "http://ollama"),
        ("GATEWAY_PRIVATE_UPSTREAMS", "ollama:11434"),
        ("GATEWAY_REQUIRE_KEYS", "perhaps"),
        ("GATEWAY_SESSION_SECRET", "hunter2"),
        ("GATEWAY_SESSION_SECRET", "hunter2" * 5 + ",hunter2"),
        ("GATEWAY_SESSION_SECRET", ",".join(["hunter2" * 5] * 3)),
        ("GATEWAY_SESSION_SECRET", ","),
        ("GATEWAY_ADMIN_KEY", "hunter2 hunter2"),
        ("GATEWAY_ADMIN_KEY", "hunter2,hunter3,hunter4"),
        ("GATEWAY_ADMIN_KEY", ","),
        ("GATEWAY_ADMIN_KEY", "hunter2,agw_acme_hunter2"),
        ("GATEWAY_ADMIN_KEY", "ags_hunter2"),
        ("GATEWAY_TOOL_ISOLATION", "none"),
        ("ENVIRONMENT", "staging"),
        ("SSE_HEARTBEAT_INTERVAL", "0"),
        ("SSE_HEARTBEAT_INTERVAL", "nan"),
        ("SSE_HEARTBEAT_INTERVAL", "inf"),
        ("SSE_RETRY_INTERVAL", "1.5"),
        ("OPENAI_API_KEY", "sk-hunter2 sk-other"),
        ("OPENAI_BASE_URL", "api.openai.com/v1"),
        ("OPENAI_BASE_URL", "https://user:hunter2@api.openai.com/v1"),
        ("OPENAI_BASE_URL", "https://[::1"),
        ("OPENAI_BASE_URL", "https://api.openai.com/v1?a=1"),
    ],
)
def test_a_bad_value_is_a_fault(variable, value):
    """A value outside a variable's grammar is refused, and passwords are not repeated."""
    environ = {"OPENAI_API_KEY": "sk-planted", variable: value}

    faults = faults_of(environ)

    assert faults.keys() & {variable, "GATEWAY_DEFAULT_TENANT"}
    assert not any("hunter2" in str(fault) for fault in faults.values())


PRODUCTION = {
    "ENVIRONMENT": "production",
    "GATEWAY_TENANTS": "dir:/srv/tenants",
    "GATEWAY_SECRETS": "env",
    "OPENAI_API_KEY": "sk-planted",
}


def test_production_demands_keys_and_isolation():
    """In production keys and the isolation of tools are on though nobody says so."""
    settings = Settings.from_environment(PRODUCTION | {"GATEWAY_REQUIRE_KEYS": ""})

    assert (settings.environment, settings.require_keys) == ("production", True)
    assert settings.tool_isolation == "required"
    assert settings.session_secrets == ()


def test_production_may_trust_its_tools():
    """The operator's word about the isolation of tools counts in production too."""
    environ = PRODUCTION | {"GATEWAY_TOOL_ISOLATION": "best-effort"}

    assert Settings.from_environment(environ).tool_isolation == "best-effort"


@pytest.mark.parametrize("word", ["false", "0", "No", "off"])
def test_production_does_not_start_without_keys(word):
    """Keys cannot be switched off in production."""
    assert set(faults_of(PRODUCTION | {"GATEWAY_REQUIRE_KEYS": word})) == {"GATEWAY_REQUIRE_KEYS"}


@pytest.mark.parametrize("keys", ["hunter2", "a-long-enough-key, hunter2"])
def test_production_does_not_start_with_a_key_that_can_be_guessed(keys):
    """Each of the operator's keys has 16 characters at least; development takes any."""
    faults = faults_of(PRODUCTION | {"GATEWAY_ADMIN_KEY": keys})

    assert set(faults) == {"GATEWAY_ADMIN_KEY"}
    assert "hunter2" not in str(faults["GATEWAY_ADMIN_KEY"])
    assert Settings.from_environment({"GATEWAY_ADMIN_KEY": keys}).admin_keys[-1] == "hunter2"


@pytest.mark.parametrize(
    "ports",
    [
        {"GATEWAY_PORT": "9090"},
        {"GATEWAY_INTERNAL_PORT": "8000"},
        {"GATEWAY_PORT": "81", "GATEWAY_INTERNAL_PORT": "81"},
    ],
)
def test_the_operators_port_is_not_the_tenants(ports):
    """In production it is one of its own; in development none is opened."""
    assert set(faults_of(PRODUCTION | ports)) == {"GATEWAY_INTERNAL_PORT"}
    assert Settings.from_environment(ports).environment == "development"


def test_production_does_not_start_on_development_defaults():
    """Production names its registry, its secrets and its upstream: all that is missing at once."""
    faults = faults_of({"ENVIRONMENT": "Production"})

    assert set(faults) == {"GATEWAY_TENANTS", "GATEWAY_SECRETS", "OPENAI_API_KEY"}
    assert "simulator" in faults["OPENAI_API_KEY"].message


def test_the_earlier_name_of_the_default_tenant_counts():
    """CLIENT_ID names the default tenant, as in the earlier service."""
    assert Settings.from_environment({"CLIENT_ID": "acme"}).default_tenant == "acme"


def test_two_default_tenants_are_a_fault():
    """CLIENT_ID and GATEWAY_DEFAULT_TENANT must not contradict each other."""
    assert set(faults_of({"CLIENT_ID": "a", "GATEWAY_DEFAULT_TENANT": "b"})) == {"CLIENT_ID"}


def test_an_upstream_without_a_key_is_a_fault():
    """OPENAI_BASE_URL alone would be ignored in favour of the simulator, so it is refused."""
    assert set(faults_of({"OPENAI_BASE_URL": "http://localhost/v1"})) == {"OPENAI_BASE_URL"}


def test_secrets_are_not_shown():
    """The text of the settings holds no credential."""
    settings = Settings.from_environment(
        {
            "OPENAI_API_KEY": "sk-planted-1",
            "AGW_ACME__CRM_TOKEN": "planted-2",
            "GATEWAY_SESSION_SECRET": "planted-3" * 4,
            "GATEWAY_ADMIN_KEY": "planted-4,planted-5",
        }
    )

    assert settings.tenant_secrets == {"AGW_ACME__CRM_TOKEN": "planted-2"}
    assert "planted" not in repr(settings)


@given(st.sampled_from(sorted(ACTED_ON)), st.text())
def test_no_text_makes_reading_fail_otherwise(variable, text):
    """Whatever a variable holds, the answer is settings or a list of faults."""
    environ = {"OPENAI_API_KEY": "sk-planted"} | {variable: text}

    try:
        outcome = Settings.from_environment(environ)
    except SettingsError as error:
        outcome = error.faults

    assert outcome


def test_a_dotenv_file_is_read_in_development(tmp_path):
    """A .env file fills what the environment leaves open."""
    path = tmp_path / ".env"
    path.write_text('export GATEWAY_PORT=9000\n# note\nGATEWAY_HOST="::1"\nEMPTY=\n')

    environ = with_dotenv({"GATEWAY_HOST": "127.0.0.2"}, path)

    assert environ == {"GATEWAY_HOST": "127.0.0.2", "GATEWAY_PORT": "9000"}


def test_a_dotenv_file_is_not_read_in_production(tmp_path):
    """Production is configured by its environment alone."""
    path = tmp_path / ".env"
    path.write_text("GATEWAY_PORT=9000\n")

    assert with_dotenv({"ENVIRONMENT": "production"}, path) == {"ENVIRONMENT": "production"}


@pytest.mark.parametrize("content", [b"GATEWAY_PORT=9000\nthis is no setting = =\n", b"A=\xff\n"])
def test_a_broken_dotenv_file_is_a_fault(tmp_path, content):
    """A line that says nothing, or another encoding, is told instead of passed over."""
    path = tmp_path / ".env"
    path.write_bytes(content)

    with pytest.raises(SettingsError, match=r"\.env"):
        with_dotenv({}, path)
