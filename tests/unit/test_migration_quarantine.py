"""Keys in every form and at every depth of an earlier configuration are written nowhere."""

import base64
import json

import pytest

from migrations_of_config.earlier.importing import Source, import_config
from migrations_of_config.earlier.report import Placed, Quarantined
from migrations_of_config.earlier.secret_forms import names_secret, without_secrets
from migrations_of_config.errors import EarlierConfigError

_B64 = "c2stcGxhbnRlZC0wMTIzNDU2Nzg5"  # sk-planted-0123456789
_PEM = "-----BEGIN PRIVATE KEY-----\nMIIEplanted\n-----END PRIVATE KEY-----\n"
_ACCOUNT = json.dumps({"type": "service_account", "private_key_id": "7f", "private_key": _PEM})
FORMS = {
    "OpenAI's": ("sk-proj-planted_0123456789", "planted"),
    "the gateway's": ("agw_acme_" + "planted" * 6 + "X_abc123", "planted"),
    "a session's": ("ags_acme_" + "planted" * 6 + "X_abc123", "planted"),
    "Google's": ("AIzaSyPlanted0123456789", "Planted"),
    "AWS's": ("AKIAPLANTED012345", "PLANTED"),
    "GitHub's": ("ghp_planted0123456789", "planted"),
    "Slack's": ("xoxb-planted-0123456789", "planted"),
    "Stripe's": ("sk_live_planted0123", "planted"),
    "a token of JWT": ("eyJhbGciOiJub25lIn0.eyJwbGFudGVkIjoxfQ.", "eyJwbGFudGVk"),
    "a private key": (_PEM, "planted"),
    "a service account": (_ACCOUNT, "planted"),
    "a header": ("Authorization: Bearer planted.word-0123", "planted"),
    "Basic": (f"Basic {base64.b64encode(b'user:planted-word').decode()}", "dXNlcjpwbGFud"),
    "a URL's user": ("https://user:planted@crm.example/v1", "planted"),
    "a URL's token": ("https://planted@crm.example/v1", "planted"),
    "a query": ("https://crm.example/v1?x=1&api_key=planted&y=2", "planted"),
    "base64": (_B64, _B64),
    "base64 twice": (base64.b64encode(_B64.encode()).decode(), "YzJ"),
    "base64 of URLs": ("c2stcGxhbnRlZD8_Pz8_Pz8_Pz8", "c2stcGxhbnRlZD"),
    "an assignment": ('CRM_PASSWORD = "planted"', "planted"),
    "an annotated one": ("crm_password: str | None = 'planted'", "planted"),
    "JSON": ('{"clientSecret": "planted"}', "planted"),
    "an environment": ("A=1\nexport CRM_TOKEN=planted0\nB=2", "planted"),
}


def imported(document, files=None):
    """A configuration and what stands beside it, imported."""
    content = json.dumps({"instructions": "Be brief.", **document}).encode()
    return import_config(Source("acme", content, (files or {}).get), tenant_id="acme")


def everything(result):
    """All that an import puts out."""
    placed = [each.value for each in result.entries if isinstance(each, Placed)]
    return repr((result, placed)) + "".join(result.files.values())


def quarantined(result):
    """Where secrets stood."""
    return [each.source for each in result.entries if isinstance(each, Quarantined)]


@pytest.mark.parametrize(
    ("place", "source"),
    [
        (lambda text: {"instructions": f"Say: {text}"}, "instructions"),
        (lambda text: {"assistant_name": text}, "assistant_name"),
        (lambda text: {"odd": {"deep": [{"er": text}]}}, "odd.deep[0].er"),
        (
            lambda text: {"function_definitions": [{"name": "f", "description": text}]},
            "function_definitions[0].description",
        ),
    ],
    ids=["instructions", "name", "unknown", "function"],
)
@pytest.mark.parametrize("form", FORMS)
def test_a_key_of_any_form_is_quarantined(form, place, source):
    """Wherever it stands in a text, it is in no file and not in the report; its place is."""
    text, secret = FORMS[form]

    result = imported(place(text))

    assert secret not in everything(result)
    assert source in quarantined(result)


@pytest.mark.parametrize("form", FORMS)
def test_a_key_in_code_is_quarantined(form):
    """In a tool module, and in a statement of a client spec that is no field."""
    text, secret = FORMS[form]
    module = f"NOTE = {text!r}\nTOOL_MAP = {{}}\n"
    spec = f"instructions = 'Be brief.'\nclient_id = 'acme'\nNOTE = {text!r}\n"

    from_module = imported({"functions_module": "tools"}, {"tools.py": module.encode()})
    from_spec = import_config(Source("spec.py", spec.encode()))

    assert secret not in everything(from_module) + everything(from_spec)
    assert quarantined(from_module)
    assert quarantined(from_spec) == ["NOTE"]


@pytest.mark.parametrize("value", ["f()", "1, 'sk-planted-0123456789': 2"])
def test_a_key_in_a_refusal_is_quarantined(value):
    """A field whose name is a key is refused without quoting it."""
    spec = f"SPEC = {{'client_id': 'acme', 'instructions': 'x', 'sk-planted-0123456789': {value}}}"

    with pytest.raises(EarlierConfigError) as refused:
        import_config(Source("spec.py", spec.encode()))

    assert "planted" not in repr(refused.value)
    assert any("[quarantined]" in fault.field for fault in refused.value.faults)


@pytest.mark.parametrize(
    ("document", "source"),
    [
        ({"crm": {"password": "hunter2hunter2"}}, "crm.password"),
        ({"crm": [{"apiKey": "hunter2hunter2"}]}, "crm[0].apiKey"),
        ({"crm": {"secrets": ["hunter2hunter2"]}}, "crm.secrets[0]"),
        ({"crm": {"credentials": {"user": "hunter2hunter2"}}}, "crm.credentials.user"),
        ({"x-api-key": "hunter2hunter2"}, "x-api-key"),
        ({"openaiApiKey": "hunter2hunter2"}, "openaiApiKey"),
        (
            {"function_definitions": [{"name": "f", "parameters": {"properties": {"api_key": {
                "type": "string", "default": "hunter2hunter2"}}}}]},
            "function_definitions[0].parameters.properties.api_key.default",
        ),
    ],
)  # fmt: skip
def test_what_is_named_like_a_secret_is_one_at_any_depth(document, source):
    """And is taken out of every other text that repeats it."""
    result = imported(document | {"instructions": "The word is hunter2hunter2."})

    assert "hunter2" not in everything(result)
    assert quarantined(result) == ["instructions", source] or quarantined(result) == [
        source,
        "instructions",
    ]


def test_a_short_secret_changes_no_other_text():
    """Where a password is a common word, it goes alone."""
    result = imported({"crm": {"password": "brief"}})

    assert result.files["instructions.md"] == "Be brief.\n"
    assert quarantined(result) == ["crm.password"]


def test_a_schema_of_an_argument_that_is_named_like_a_secret_stays():
    """It describes a value and is none."""
    schema = {"type": "string", "description": "The customer's own token."}
    function = {"name": "f", "parameters": {"type": "object", "properties": {"token": schema}}}

    result = imported({"function_definitions": [function]})

    assert quarantined(result) == []
    assert "The customer's own token." in result.files["tools.py"]


@pytest.mark.parametrize(
    "text",
    [
        "Ask for the customer's password: never repeat it.",
        "A token bucket refills; tokens = 5, max_tokens: 800.",
        'def f(token: str = "") -> str:',
        'password = input("Your password, please: ")',
        'api_key = os.environ["CRM_TOKEN_V2"]',
        'authorization = "secret:crm-mcp"',
        "TOKEN=get_token(settings.V2)",
        "Write to help@acme.example or see https://acme.example/a?page=2#top.",
        base64.b64encode(b"The quick brown fox jumps over the lazy dog.").decode(),
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "Basic understanding of the tokens is secret-free; bearer certificates-of-deposit too.",
        "https://acme.example/zoo?monkey=capuchin&turkey=bronze",
        "[quarantined]",
    ],
)
def test_what_is_no_secret_stays(text):
    """Instructions and code that talk of secrets are not spoiled."""
    assert without_secrets(text) == text


def test_what_stands_around_a_secret_stays():
    """Code is code still, also where the value is the name again."""
    text = "password = 'password'  # the password"

    assert without_secrets(text) == "password = '[quarantined]'  # the password"


@pytest.mark.parametrize(
    "text", ["token " * 50_000, "eyJ" * 100_000, "a" * 300_000, "a." * 150_000, "token:a" * 50]
)
def test_long_texts_take_no_long(text):
    """A mark is looked for in linear time: a text that could take hours ends at once."""
    assert without_secrets(text) == text


@pytest.mark.parametrize("name", ["max_tokens", "TOKEN_URL", "keyboard", "secretary", "id", ""])
def test_names_that_only_sound_like_secrets(name):
    """They hold none."""
    assert not names_secret(name)
