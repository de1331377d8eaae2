"""Documents of earlier schema versions: brought on before they are judged, and by new revisions."""

import json
import tomllib

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations_of_config.chain import Revision, chain_of
from migrations_of_config.errors import NewerDocumentError
from tenants.documents import FILE, parse, released_chain
from tenants.errors import InvalidTenantError, UnknownTenantError
from tenants.model import SCHEMA_VERSION, TenantDocument
from tenants.registry import layout
from tenants.registry.files import FileObjects
from tenants.releases.migrating import behind, migrate
from tenants.releases.publishing import create, publish
from tenants.releases.reading import history, list_tenants, read_release, show
from tenants.releases.release import Preparing, prepare
from tests.fakes.releases import ALICE, BOB, files_of, release_of, served

OLDER = """schema_version = 1
tenant_id = "acme"

[assistant]
id = "asst_acme"
engine_and_model = "responses:gpt-6-luna"
prompt = "words.md"
"""


def _split(document):
    assistant = dict(document["assistant"])
    engine, _, model = assistant.pop("engine_and_model").partition(":")
    return {**document, "assistant": {**assistant, "engine": engine, "model": model}}


def _rename(document):
    assistant = dict(document["assistant"])
    if "prompt" in assistant:
        assistant["instructions_file"] = assistant.pop("prompt")
    return {**document, "assistant": assistant}


CHAIN = chain_of(
    [
        Revision(1, "Split engine_and_model.", _split),
        Revision(2, "Call the prompt instructions_file.", _rename),
    ]
)
NEWER = Preparing(chain=CHAIN)
FIELDS = [
    each.name
    for each in attrs.fields(TenantDocument)
    if each.name not in {"schema_version", "tenant_id"}
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


def read(text: str):
    """A document read by a program of schema version 3."""
    return parse(text, directory="acme", private_upstreams=frozenset(), chain=CHAIN)


def older_files(text: str = OLDER) -> dict[str, bytes]:
    """The files of a tenant of schema version 1."""
    return {FILE: text.encode(), "words.md": b"Be brief."}


@pytest.fixture
def objects(tmp_path):
    """A registry whose ``acme`` is of schema version 1, and ``beta`` of version 3."""
    objects = FileObjects(tmp_path)
    create(objects, prepare("acme", older_files(), NEWER), ALICE)
    document = files_of("beta")[FILE].replace(b"schema_version = 1", b"schema_version = 3")
    create(objects, prepare("beta", files_of("beta", tenant_toml=document), NEWER), ALICE)
    return objects


def test_model_is_of_the_newest_schema_version():
    """What a new document is told to write is what the chain leads to."""
    assert released_chain().newest == SCHEMA_VERSION


def test_older_document_is_read_as_the_newest_one():
    """Nothing after parsing knows that there was an earlier form."""
    document = read(OLDER).document

    assert document.schema_version == 3
    assert document.assistant.model == "gpt-6-luna"
    assert document.assistant.instructions_file == "words.md"


def test_release_takes_the_files_that_the_newest_form_names():
    """Instructions that an older field names are found, and the document stays as written."""
    release = prepare("acme", older_files(), NEWER)

    assert release.compiled.default.instructions == "Be brief."
    assert release.files[FILE] == OLDER.encode()
    assert release.schema_version == 1


def test_faults_speak_of_the_newest_form_with_the_lines_that_are_left():
    """A field that was renamed is named as it is now; one that stayed has its line."""
    text = OLDER.replace("words.md", "/etc/passwd") + 'temperature = "hot"\n'

    faults = {fault.field: fault.line for fault in read(text).faults}

    assert faults == {"assistant.temperature": 8, "assistant.instructions_file": 4}


def test_newer_document_is_refused_by_its_version():
    """An older program says what it reads, and judges nothing else."""
    faults = read(OLDER.replace("schema_version = 1", "schema_version = 4")).faults

    assert [(fault.field, fault.line) for fault in faults] == [("schema_version", 1)]
    assert "newer than this program, which reads up to 3" in faults[0].message


@pytest.mark.parametrize("version", ["0", "-1", "true", '"1"', "1.0", "[1]"])
def test_version_that_never_was_is_refused(version):
    """Only whole numbers from 1 are versions."""
    faults = read(OLDER.replace("schema_version = 1", f"schema_version = {version}")).faults

    assert [fault.message for fault in faults] == ["write schema_version = 3"]


def test_older_document_that_is_not_what_it_says_is_a_fault():
    """A revision that meets what its version never had is told as the document's fault."""
    text = OLDER.replace("engine_and_model", "model")

    faults = read(text).faults

    assert [fault.field for fault in faults] == ["schema_version"]
    assert "not of the version that it names" in faults[0].message


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES))
def test_wrong_types_everywhere_are_faults_in_every_version(values):
    """No value of any type, in a document of any version, raises anything."""
    for version in (1, 2, 3):
        document = {"schema_version": version, "tenant_id": "acme", **values}
        files = {FILE: toml_of(document)}

        with pytest.raises(InvalidTenantError):
            prepare("acme", files, NEWER)


def toml_of(document) -> bytes:
    """A document with one inline value a line; what TOML has not becomes a string."""

    def inline(value) -> str:
        match value:
            case bool() | int():
                return json.dumps(value)
            case float():
                return repr(value)
            case str():
                return json.dumps(value).replace("\x7f", "\\u007f")
            case list():
                return f"[{', '.join(map(inline, value))}]"
            case dict():
                pairs = (f"{json.dumps(key)} = {inline(each)}" for key, each in value.items())
                return f"{{{', '.join(pairs)}}}"
        return '"none"'

    return "\n".join(f"{key} = {inline(value)}" for key, value in document.items()).encode()


def test_migrating_publishes_the_newest_form_as_a_revision(objects):
    """The document changes and nothing else of the tenant does; it can be rolled back."""
    (done,) = migrate(objects, ["acme"], BOB, preparing=NEWER)

    now = read_release(objects, "acme")
    assert (done.revision, done.error, done.steps) == (
        2,
        None,
        ("Split engine_and_model.", "Call the prompt instructions_file."),
    )
    assert done.before == OLDER
    assert tomllib.loads(done.after) == tomllib.loads(now.files[FILE].decode())
    assert tomllib.loads(done.after)["schema_version"] == 3
    assert now.files["words.md"] == b"Be brief."
    assert served(objects) == "Be brief."
    assert [each.by for each in history(objects, "acme")] == ["bob", "alice"]
    assert show(objects, "acme").pointer.schema_version == 3


def test_migrating_all_finds_those_behind_and_tells_the_feed(objects):
    """Tenants of the newest version are not looked at; a second time there is nothing to do."""
    found = [*behind(objects, CHAIN)]
    done = [*migrate(objects, found, BOB, preparing=NEWER)]

    assert found == ["acme"]
    assert [(each.tenant_id, each.revision) for each in done] == [("acme", 2)]
    assert [*behind(objects, CHAIN)] == []
    changes = json.loads(objects.read(layout.CHANGES).content)["entries"]
    assert changes[-1]["tenants"] == ["acme"]


def test_dry_run_writes_nothing(objects):
    """It says what would change, and judges that it would be good."""
    before = [*objects.list("**")]

    (done,) = migrate(objects, ["acme"], BOB, preparing=NEWER, dry_run=True)

    assert (done.revision, done.error) == (None, None)
    assert done.before != done.after
    assert [*objects.list("**")] == before


def test_tenant_of_the_newest_version_is_left_alone(objects):
    """Migrating what is new already makes no revision."""
    (done,) = migrate(objects, ["beta"], BOB, preparing=NEWER)

    assert (done.revision, done.steps, done.before) == (None, (), done.after)
    assert len(history(objects, "beta")) == 1


def test_one_tenant_s_fault_stops_no_other(objects):
    """Each outcome comes in order, with its own error."""
    document = OLDER.replace("schema_version = 1", "schema_version = 4")
    newest = Preparing(
        chain=chain_of([*CHAIN.revisions, Revision(3, "Nothing.", lambda document: document)])
    )
    changed = document.replace("engine_and_model = ", 'model = "m" #').replace(
        "prompt", "instructions_file"
    )
    files = {**older_files(changed), FILE: changed.replace("acme", "gamma").encode()}
    create(objects, prepare("gamma", files, newest), ALICE)

    done = [*migrate(objects, ["gamma", "nobody", "acme"], BOB, preparing=NEWER)]

    assert [each.tenant_id for each in done] == ["gamma", "nobody", "acme"]
    assert isinstance(done[0].error, NewerDocumentError)
    assert isinstance(done[1].error, UnknownTenantError)
    assert (done[2].error, done[2].revision) == (None, 2)


def test_migration_that_a_publish_overtakes_takes_nothing_back(objects):
    """What was published meanwhile is not replaced by a migrated older document."""

    class Overtaken:
        """A registry where somebody publishes right after ``acme`` was read."""

        def __getattr__(self, name):
            return getattr(objects, name)

        def write(self, name, content, **options):
            """Let the other one be first."""
            if "/revisions/2-" in name and show(objects, "acme").pointer.revision == 1:
                text = OLDER + "temperature = 1\n"
                publish(objects, prepare("acme", older_files(text), NEWER), ALICE)
            return objects.write(name, content, **options)

    (done,) = migrate(Overtaken(), ["acme"], BOB, preparing=NEWER)

    assert done.error is not None
    assert done.revision is None
    assert read_release(objects, "acme").compiled.default.temperature == 1


def test_many_tenants_are_migrated_with_few_writes_of_the_feed(tmp_path):
    """A hundred tenants are announced in batches, all of them once."""
    objects = FileObjects(tmp_path)
    ids = [f"t{number}" for number in range(100)]
    for tenant_id in ids:
        files = older_files(OLDER.replace('"acme"', f'"{tenant_id}"'))
        create(objects, prepare(tenant_id, files, NEWER), ALICE, announce=lambda *_: None)

    done = [*migrate(objects, ids, BOB, preparing=NEWER)]

    changes = json.loads(objects.read(layout.CHANGES).content)["entries"]
    told = [name for each in changes for name in each["tenants"]]
    assert [each.tenant_id for each in done] == ids
    assert sorted(told) == sorted(ids)
    assert len(changes) < 20
    assert {each.schema_version for each in list_tenants(objects)} == {3}


def test_published_release_is_never_of_an_unknown_version():
    """The released chain refuses what a test's newer program may read."""
    with pytest.raises(InvalidTenantError, match="newer than this program"):
        release_of(tenant_toml=OLDER.replace("schema_version = 1", "schema_version = 3").encode())
