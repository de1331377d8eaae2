"""The client spec: Python that is read and never run."""

import tomllib
from pathlib import Path

import pytest

from migrations_of_config.earlier.annotating import annotate
from migrations_of_config.earlier.importing import Source, import_config
from migrations_of_config.earlier.report import Lost, Placed, Quarantined
from migrations_of_config.errors import EarlierConfigError

SPEC = Path(__file__).parents[1] / "fixtures_of_config" / "client_spec"


def beside(name):
    """A file of the historical spec."""
    path = SPEC / name
    return path.read_bytes() if path.is_file() else None


def imported(text, read=lambda _: None):
    """A spec, imported."""
    return import_config(Source("spec.py", text.encode(), read), tenant_id="acme")


def test_the_historical_spec_is_read_with_the_files_beside_it():
    """Though each of its files would end the program that ran it."""
    result = import_config(Source("acme/spec.py", beside("spec.py"), beside))

    document = tomllib.loads(result.files["tenant.toml"])
    assert document == {
        "schema_version": 1,
        "tenant_id": "acme",
        "display_name": "Acme Support",
        "assistant": {
            "id": "asst_acme_default",
            "model": "gpt-4-1106-preview",
            "initial_message": "Welcome to Acme. What can I do for you?",
        },
        "models": {"gpt-4-1106-preview": "gpt-6-luna"},
        "tools": {
            "hosted": ["file_search", "code_interpreter"],
            "module": "tools.py",
            "isolation": "inline",
        },
        "knowledge": {
            "vector_store": "acme",
            "files": ["knowledge/terms.pdf", "knowledge/terms-2.pdf"],
        },
    }
    assert result.generation == "client spec"
    assert result.files["instructions.md"] == "You help customers of Acme.\nBe brief.\n"
    assert result.files["tools.py"].encode() == beside("tools.py").replace(
        b"(city)", b"(city: str)"
    )
    lost = [each.source for each in result.entries if isinstance(each, Lost) and not each.notice]
    assert lost == ["functions[0]", "line 21"]


@pytest.mark.parametrize(
    "text",
    [
        "client_id = 'acme'\ninstructions = 'Be ' + 'brief.'",
        "INSTRUCTIONS = f'Be {HOW}.'\nHOW = 'brief'\nCLIENT_ID = 'acme'",
        "from textwrap import dedent\nSpec(client_id='acme', instructions=dedent('  Be brief.'))",
        "SPEC = {'client_id': 'acme', 'instructions': ' '.join(['Be', 'brief.'])}",
        "class Acme(Spec):\n    client_id: str = 'acme'\n    instructions = 'Be brief.'",
        "A = ('Be '\n 'brief.')\nB = A\nspec = Spec(client_id='acme', instructions=B.strip())",
    ],
)
def test_specs_of_every_form_are_read(text):
    """Assignments, a call, a dictionary or a class; literals, sums and names."""
    result = imported(text)

    assert result.files["instructions.md"] == "Be brief.\n"
    assert not [each for each in result.entries if isinstance(each, Lost)]


@pytest.mark.parametrize(
    ("text", "field", "line"),
    [
        ("client_id = 'acme'\ninstructions = open('x').read()", "instructions", 2),
        ("client_id = 'acme'\nmodel = os.environ['MODEL']", "model", 2),
        ("client_id = 'acme'\nmodel = MODEL", "model", 2),
        ("client_id = 'acme'\nmodel = model", "model", 2),
        ("client_id = 'acme'\nmodel = __import__('os').abort()", "model", 2),
        ("client_id = 'acme'\nfile_paths = [*glob('*')]", "file_paths", 2),
        ("Spec(client_id='a',\nmodel=f'{x!r}')", "model", 2),
        ("def f(:", "", 1),
        ("a = '''", "", 1),
        ("Spec(client_id='a', model='b')\nSpec(client_id='c', model='d')", "", 2),
    ],
)
def test_what_only_running_would_say_is_refused(text, field, line):
    """By field and line; nothing is guessed, nothing is run."""
    with pytest.raises(EarlierConfigError) as caught:
        imported(text)

    (fault,) = caught.value.faults
    assert (fault.field, fault.line) == (field, line)


@pytest.mark.parametrize("text", ["x = " + "(" * 5000, "client_id = " + "-" * 50_000 + "1", "\0"])
def test_hostile_sources_are_refused(text):
    """No source ends the program that reads it."""
    with pytest.raises(EarlierConfigError):
        imported(text)


SCHEMA = {
    "name": "look",
    "description": "Look it up.",
    "parameters": {
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "Whose."},
            "tags": {"type": "array", "items": {"type": "integer"}},
            "deep": {"type": "boolean"},
            "odd": {"anyOf": [{"type": "string"}]},
        },
    },
}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "def f(name, tags=None, *, deep=False):\n    'Mine.'",
            "def f(name: str, tags: list[int] | None=None, *, deep: bool=False):\n    'Mine.'",
        ),
        (
            "async def f(ä, name): return 1",
            "async def f(ä, name: str): 'Look it up.\\n\\nArgs:\\n    name: Whose.'; return 1",
        ),
        (
            "def f(\n    odd,\n    deep\n):\n\treturn 1",
            (
                "def f(\n    odd,\n    deep: bool\n):\n"
                "\t'Look it up.\\n\\nArgs:\\n    name: Whose.'\n\treturn 1"
            ),
        ),
        ("def f(name: bytes):\n    'Mine.'", "def f(name: bytes):\n    'Mine.'"),
        ("def g(name):\n    pass", "def g(name):\n    pass"),
        ("def f(", "def f("),
    ],
)
def test_a_module_s_missing_types_are_those_of_the_hand_kept_schemas(before, after):
    """Insertions alone; what the source says itself stays, and so does what no schema tells."""
    end = "\nTOOL_MAP = {'look': f}\n"

    assert annotate(before + end, {"look": SCHEMA}) == after + end


def test_modules_that_import_each_other_end():
    """A circle of names is refused, not followed."""
    source = b"from a import model\nclient_id = 'x'"

    with pytest.raises(EarlierConfigError):
        imported("from a import model\nSpec(client_id='x', model=model)", {"a.py": source}.get)


def test_instructions_beside_the_spec_are_taken():
    """Where the spec itself has none."""
    read = {"instructions.py": b'TEXT = "Be brief."'}.get

    result = imported("client_id = 'acme'\nmodel = 'gpt-6-sol'", read)

    assert result.files["instructions.md"] == "Be brief.\n"
    assert any(isinstance(each, Placed) and each.source for each in result.entries)


def test_keys_in_other_code_are_quarantined():
    """The line is named in the report, the key is not."""
    result = imported("client_id = 'acme'\nmodel = 'm'\nset_key('sk-planted-0123456789')")

    assert "sk-planted" not in repr(result)
    assert Quarantined("line 3") in result.entries
