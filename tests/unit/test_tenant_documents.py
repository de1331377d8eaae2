"""``tenant.toml``: what is read, and what is said about what cannot be."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.documents import Parsed, parse
from tenants.lines import line_of
from tenants.model import SecretRef

MINIMAL = """schema_version = 1
tenant_id = "acme"

[assistant]
id = "asst_acme"
model = "gpt-6-luna"
"""
PRIVATE = frozenset({"ollama.lan", "10.0.0.7:8000"})


def read(text: str) -> Parsed:
    """The document of the directory ``acme``."""
    return parse(text, directory="acme", private_upstreams=PRIVATE)


def faults(text: str) -> dict[str, tuple[int | None, str]]:
    """The lines and messages of a document's faults by field."""
    return {fault.field: (fault.line, fault.message) for fault in read(text).faults}


def with_assistant(line: str) -> str:
    """The least document with lines added to its ``[assistant]``."""
    return MINIMAL + line + "\n"


def test_minimal_document_has_the_documented_defaults():
    """Three fields are enough; the rest is as the contract says."""
    document = read(MINIMAL).document

    assert document is not None
    assert document.assistant.engine == "responses"
    assert document.assistant.instructions_file == "instructions.md"
    assert document.assistant.temperature is None
    assert (document.tools.max_rounds, document.tools.timeout_seconds) == (8, 20.0)
    assert document.upstream.base_url is None
    assert not document.access.expose_tool_calls


def test_every_field_that_is_acted_on_is_read():
    """What stands in the document arrives in the model, aliases and references resolved."""
    text = (
        MINIMAL
        + """temperature = 2
instructions_file = "prompts/main.md"
[assistants.research]
id = "asst_research"
model = "smart"
[models]
smart = "gpt-6-sol"
[upstream]
base_url = "https://llm.acme.example/v1/"
api_key = "secret:openai-api-key"
[tools]
module = "tools.py"
functions = ["a", "b"]
isolation = "inline"
timeout_seconds = 1
max_rounds = 50
[access]
allowed_origins = ["https://acme.example", "http://localhost:3000"]
expose_tool_calls = true
"""
    )

    parsed = read(text)

    assert parsed.faults == ()
    document = parsed.document
    assert document is not None
    assert document.assistant.temperature == 2.0
    assert document.upstream_model(document.assistants["research"].model) == "gpt-6-sol"
    assert document.upstream_model("gpt-6-luna") == "gpt-6-luna"
    assert document.upstream.api_key == SecretRef("openai-api-key")
    assert document.tools.functions == ("a", "b")
    assert list(document.every_assistant()) == ["default", "research"]


def test_all_faults_come_at_once_each_with_its_line():
    """Unknown, missing, mistyped and forbidden values are told together, in the file's order."""
    text = """schema_version = 1
tenant_id = "acme"
display = "Acme"
[assistant]
modle = "gpt-6-luna"
temperature = "0.2"
[tools]
functions = [
  "fine", 3]
[assistants.default]
id = "asst_x"
model = "x"
[access]
public_chat = "yes"
"""

    found = read(text).faults

    assert [(fault.line, fault.field) for fault in found] == [
        (3, "display"),
        (4, "assistant.id"),
        (4, "assistant.model"),
        (5, "assistant.modle"),
        (6, "assistant.temperature"),
        (7, "tools.module"),
        (8, "tools.functions[1]"),
        (10, "assistants.default"),
        (14, "access.public_chat"),
    ]
    assert found[3].message == "unknown field; did you mean model?"
    assert str(found[4]) == "tenant.toml:6: assistant.temperature: expected a number, not a string"


def test_newer_document_is_refused_by_name_alone():
    """A newer document may have any shape, so nothing else is said about it."""
    found = read('schema_version = 2\nfuture = "x"\n').faults

    assert [fault.field for fault in found] == ["schema_version"]
    assert "newer than this program" in found[0].message


@pytest.mark.parametrize("version", ["0", "-1", "true", '"1"', "1.0"])
def test_other_versions_are_refused(version):
    """Only a whole number that this program knows is a version."""
    assert "schema_version" in faults(MINIMAL.replace("= 1", f"= {version}", 1))


def test_text_that_is_not_toml_is_told_with_its_line():
    """The reader's own message comes with the line in its proper place."""
    (fault,) = read("schema_version = 1\nx = \n").faults

    assert (fault.field, fault.line) == ("", 2)
    assert fault.message.startswith("this is not TOML: ")


def test_nesting_beyond_reason_is_a_fault():
    """A document cannot bring the reader down."""
    (fault,) = read("x = " + "[" * 50_000).faults

    assert "nested" in fault.message or "not TOML" in fault.message


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("temperature = 2.1", "assistant.temperature"),
        ("temperature = -0.1", "assistant.temperature"),
        ("temperature = nan", "assistant.temperature"),
        ("temperature = true", "assistant.temperature"),
        ('engine = "chat_completions"', "assistant.engine"),
        ('engine = "other"', "assistant.engine"),
        ('instructions_file = "../other/secret.md"', "assistant.instructions_file"),
        ('instructions_file = "/etc/passwd"', "assistant.instructions_file"),
        ('instructions_file = "a\\\\..\\\\b"', "assistant.instructions_file"),
        ('initial_message = ""', "assistant.initial_message"),
        ("initial_message = 1979-05-27", "assistant.initial_message"),
        ('[assistants.two]\nid = "asst_acme"\nmodel = "m"', "assistants.two.id"),
        ('[assistants.asst_x]\nid = "asst_x"\nmodel = "m"', "assistants.asst_x"),
        ('[assistants.two]\nid = "two"\nmodel = "m"', "assistants.two.id"),
        ('[models]\na = "b"\nb = "c"', "models.a"),
        ('[models]\na = "a"', "models.a"),
        ('[tools]\nmodule = "tools.py"', "tools.isolation"),
        ('[tools]\nmodule = "tools.py"\nisolation = "sandbox"', "tools.isolation"),
        ('[tools]\nmodule = "tools.txt"\nisolation = "inline"', "tools.module"),
        ('[tools]\nmodule = "../tools.py"\nisolation = "inline"', "tools.module"),
        ('[tools]\nmodule = "t.py"\nisolation = "inline"\nfunctions = "ab"', "tools.functions"),
        ('[tools]\nfunctions = ["a", "a"]', "tools.functions[1]"),
        ('[tools]\nhosted = ["file_search", "file_search"]', "tools.hosted[1]"),
        ('[tools]\nhosted = ["web_search"]', "tools.hosted[0]"),
        ("[tools]\nmax_rounds = 0", "tools.max_rounds"),
        ("[tools]\nmax_rounds = 51", "tools.max_rounds"),
        ("[tools]\nmax_rounds = 5.0", "tools.max_rounds"),
        ("[tools]\ntimeout_seconds = 0", "tools.timeout_seconds"),
        ("[tools]\ntimeout_seconds = inf", "tools.timeout_seconds"),
        ('[tools]\nallowed_hosts = ["a.example"]', "tools.allowed_hosts"),
        ('[tools]\nsecrets = ["crm"]', "tools.secrets"),
        ('[tools.mcp.crm]\nurl = "https://m.example"', "tools.mcp"),
        ('[knowledge]\nfiles = ["knowledge/a.md"]', "knowledge.vector_store"),
        ('[knowledge]\nvector_store = "d"\nfiles = ["docs/a.md"]', "knowledge.files[0]"),
        ('[knowledge]\nvector_store = "d"\nfiles = ["../a.md"]', "knowledge.files[0]"),
        ('[knowledge]\nvector_store = "d"\nfiles = ["knowledge/../../a"]', "knowledge.files[0]"),
        ('[knowledge]\nvector_store = "d"\nfiles = ["/etc/passwd"]', "knowledge.files[0]"),
        ("[limits]\nconcurrent_runs = 5", "limits"),
        ("[limits]\nrequests_per_minute = 0", "limits.requests_per_minute"),
        ('[fallback]\nmodel = "m"', "fallback"),
        ('[access]\njwt_issuer = "https://i.example"', "access.jwt_audience"),
        ('[access]\njwt_audience = "acme"', "access.jwt_issuer"),
        ('[access]\njwt_issuer = "http://i.example"\njwt_audience = "a"', "access.jwt_issuer"),
        ('[access]\njwt_issuer = "https://10.0.0.1"\njwt_audience = "a"', "access.jwt_issuer"),
        ('[access]\njwt_issuer = "https://u:p@i.example"\njwt_audience = "a"', "access.jwt_issuer"),
        ('[access]\nallowed_origins = ["*"]', "access.allowed_origins[0]"),
        ('[access]\nallowed_origins = ["https://a.example/"]', "access.allowed_origins[0]"),
        ('[access]\nallowed_origins = ["https://a.example:443"]', "access.allowed_origins[0]"),
        ('[access]\nallowed_origins = ["https://A.example"]', "access.allowed_origins[0]"),
        ('[access]\nallowed_origins = ["null"]', "access.allowed_origins[0]"),
        ('[upstream]\nbase_url = "https://a.example"', "upstream.api_key"),
        ('[upstream]\napi_key = "sk-planted"', "upstream.api_key"),
        ('[upstream]\napi_key = "secret:Bad_Name"', "upstream.api_key"),
        ('[upstream]\napi_key = "secret:a--b"', "upstream.api_key"),
        ('[upstream]\napi_key = "secret:a\\n"', "upstream.api_key"),
    ],
)
def test_value_outside_its_grammar_is_refused_at_its_field(line, field):
    """Every limit of the document is kept, and the fault names the field."""
    found = faults(with_assistant(line))

    assert field in found
    assert found[field][0] is not None


def test_identity_is_the_directory_s_name():
    """A document that names another tenant than its directory is refused."""
    _, message = faults(MINIMAL.replace('"acme"', '"other"'))["tenant_id"]

    assert 'tenant_id = "acme"' in message


def test_secret_that_stands_in_a_document_is_never_quoted():
    """A key that somebody wrote into the document does not travel on in a message."""
    found = read(with_assistant('[upstream]\napi_key = "sk-planted-4711"')).faults

    assert found
    assert "4711" not in "".join(map(str, found))


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com/v1",
        "https://localhost/v1",
        "https://127.0.0.1/v1",
        "https://127.1/v1",
        "https://2130706433/v1",
        "https://0x7f000001/v1",
        "https://0177.0.0.1/v1",
        "https://169.254.169.254/latest",
        "https://metadata.google.internal/v1",
        "https://[::1]/v1",
        "https://[::ffff:10.0.0.1]/v1",
        "https://[fe80::1%25eth0]/v1",
        "https://10.0.0.7/v1",
        "https://intranet/v1",
        "https://db.local./v1",
        "https://user:pw@api.example.com/v1",
        "https://api.example.com/v1?x=1",
        "https://api.example.com/v1#f",
        "https://api.example.com:0/v1",
        "https://api.example.com:99999/v1",
        "https://api.example.com\\\\@evil.example/v1",
        "https://api.example.com/v 1",
        "https://",
        "ftp://api.example.com",
        "api.example.com",
        "",
    ],
)
def test_upstream_that_is_not_a_public_https_address_is_refused(url):
    """No spelling of a private address, and no ambiguous URL, gets through."""
    text = with_assistant(f'[upstream]\nbase_url = "{url}"\napi_key = "secret:k"')

    assert "upstream.base_url" in faults(text)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "https://8.8.8.8/v1",
        "https://[2606:4700::1111]/v1",
        "http://ollama.lan/v1",
        "http://ollama.lan:11434/v1",
        "http://10.0.0.7:8000/v1",
    ],
)
def test_public_and_listed_upstreams_are_taken(url):
    """Public https is fine, and so is a host, or a host with its port, that the operator lists."""
    text = with_assistant(f'[upstream]\nbase_url = "{url}"\napi_key = "secret:k"')

    assert faults(text) == {}


@given(st.text())
def test_any_text_is_either_read_or_refused(text):
    """No text brings the reader down, and none is both read and refused."""
    parsed = read(text)

    assert (parsed.document is None) == bool(parsed.faults)


KEYS = st.from_regex(r"[a-z0-9_-]{1,8}", fullmatch=True)
VALUES = st.sampled_from(
    [
        "1",
        '"a = 1"',
        "'[x]'",
        '"""\n[y]\nz = 1\n"""',
        "'''\n# a\nb = 2'''",
        "[\n 1,\n [2],\n]",
        "{ q = 1 }",
    ]
)


@given(st.lists(st.tuples(KEYS, st.lists(st.tuples(KEYS, VALUES), max_size=4)), max_size=4))
def test_line_of_a_key_is_where_it_was_written(tables):
    """Whatever strings and arrays stand between, a key is found on the line that it begins on."""
    lines, places, seen = ["# a comment with [brackets]"], {}, set()
    for table, pairs in tables:
        if table in seen:
            continue
        seen.add(table)
        lines.append(f"[{table}]  # here")
        for key, value in pairs:
            if (table, key) in places:
                continue
            places[table, key] = sum(line.count("\n") + 1 for line in lines) + 1
            lines.append(f"  {key} = {value}")
    text = "\n".join(lines)
    tomllib.loads(text)

    assert {path: line_of(text, path) for path in places} == places
