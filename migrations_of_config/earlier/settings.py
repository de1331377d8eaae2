"""From an earlier configuration's fields to those of ``tenant.toml``, one function a topic."""

import json
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any, TypeGuard

from migrations_of_config.earlier.fields import DROPPED, KNOWN, Raw, nearest
from migrations_of_config.earlier.models import CURRENT_MODEL, is_retired, is_retiring
from migrations_of_config.earlier.quarantine import KEY_FIELD, joined
from migrations_of_config.earlier.report import Entry, Lost, Placed, Quarantined, Todo
from migrations_of_config.earlier.secret_forms import MARK

DOCUMENT = "tenant.toml"
INSTRUCTIONS = "instructions.md"
SECRET = "openai-api-key"  # noqa: S105  (the secret's name)
NAME = "Assistant"
GREETING = "Ask me some questions"


def entries_of(raw: Raw, tenant_id: str, display_name: str | None) -> Iterator[Entry]:
    """What becomes of every field but the functions'.

    Args:
        raw: the fields, without secrets.
        tenant_id: the tenant's id.
        display_name: the operator's word for the tenant, in place of the assistant's name.
    """
    yield _placed("", "schema_version", 1)
    yield from _identity(raw, tenant_id, display_name)
    yield from _assistant_id(raw, tenant_id)
    yield from _model(raw)
    yield from _greeting(raw)
    yield from _instructions(raw)
    yield from _hosted(raw)
    yield from _knowledge(raw, tenant_id)
    yield from _without_place(raw)


def secrets(sources: Iterable[str], tenant_id: str) -> Iterator[Entry]:
    """What becomes of the secrets that stood at these places."""
    sources = list(dict.fromkeys(sources))
    yield from map(Quarantined, sources)
    if KEY_FIELD in sources:
        reason = "the key itself is quarantined"
        yield Placed("", DOCUMENT, ("upstream", "api_key"), f"secret:{SECRET}", reason)
        variable = f"AGW_{tenant_id}__{SECRET}".upper().replace("-", "_")
        yield Todo(
            f"put the key of {KEY_FIELD} into the secret store as {SECRET}:"
            f" agw_{tenant_id}_{SECRET} in Secret Manager or a directory, {variable} in the"
            " environment; better, make a new key upstream, since this one has lain in a file"
        )
    others = [source for source in sources if source != KEY_FIELD]
    if others:
        yield Todo(
            f"what looks like a secret was left out at {', '.join(others)}: put it into the secret"
            f" store if it is needed, and take {MARK} out of the texts"
        )


def as_json(value: object) -> str:
    """A value as the report shows it."""
    return json.dumps(value, ensure_ascii=True)


def _placed(source: str, path: str, value: Any, reason: str = "") -> Placed:  # noqa: ANN401  (any)
    return Placed(source, DOCUMENT, tuple(path.split(".")), value, reason)


def _identity(raw: Raw, tenant_id: str, display_name: str | None) -> Iterator[Entry]:
    client_id, name = raw.get("client_id"), raw.get("assistant_name")
    yield _placed("client_id" if client_id == tenant_id else "", "tenant_id", tenant_id)
    if client_id is not None and client_id != tenant_id:
        yield Lost("client_id", as_json(client_id), f"the tenant is {tenant_id}")
    if display_name is None and _is_said(name):
        yield _placed("assistant_name", "display_name", name)
        return
    yield _placed("", "display_name", display_name or NAME, "" if display_name else "the default")
    if name is not None:
        reason = "another name was given" if name else "it is empty"
        yield Lost("assistant_name", as_json(name), reason, notice=not _is_said(name))


def _assistant_id(raw: Raw, tenant_id: str) -> Iterator[Entry]:
    given = raw.get("assistant_id")
    if _is_said(given):
        yield _placed("assistant_id", "assistant.id", given)
        return
    source = "assistant_id" if "assistant_id" in raw else ""
    made = f"asst_{tenant_id[:51]}_default"  # 64 characters in all
    yield _placed(source, "assistant.id", made, "there was none, so this is a new one")
    yield Todo(f"clients that name the assistant must name {made}")


def _model(raw: Raw) -> Iterator[Entry]:
    model = raw.get("model")
    if not _is_said(model):
        source = "model" if "model" in raw else ""
        yield _placed(source, "assistant.model", CURRENT_MODEL, "none was named")
        yield Todo(f"see that {CURRENT_MODEL} is the model that you want: the config named none")
        return
    yield _placed("model", "assistant.model", model)
    if is_retired(model):
        yield Placed("", DOCUMENT, ("models", model), CURRENT_MODEL, "upstream retired it")
        yield Todo(
            f"upstream serves {model} no longer: it is an alias of {CURRENT_MODEL} now;"
            " try the assistant with it"
        )
    elif is_retiring(model):
        yield Todo(f"upstream serves {model} until 14 January 2027: name another model before")


def _greeting(raw: Raw) -> Iterator[Entry]:
    one, several = raw.get("initial_message"), raw.get("initial_messages")
    together = " ".join(several or [])
    if _is_said(one):
        yield _placed("initial_message", "assistant.initial_message", one)
        if "initial_messages" in raw:
            reason = "initial_message is there too, and counts"
            yield Lost("initial_messages", as_json(several), reason, notice=not together.strip())
        return
    if _is_said(together):
        reason = "joined by a space"
        yield _placed("initial_messages", "assistant.initial_message", together, reason)
    else:
        yield _placed("", "assistant.initial_message", GREETING, "the default")
        yield from _empty(raw, "initial_messages")
    yield from _empty(raw, "initial_message")


def _instructions(raw: Raw) -> Iterator[Entry]:
    text = raw.get("instructions")
    if _is_said(text):
        reason = "ended by a line break" if not text.endswith("\n") else ""
        yield Placed("instructions", INSTRUCTIONS, (), text.removesuffix("\n") + "\n", reason)
        return
    yield from _empty(raw, "instructions")
    reason = "the config holds none"
    yield Placed("", INSTRUCTIONS, (), "You are a helpful assistant.\n", reason)
    yield Todo(
        f"write the instructions into {INSTRUCTIONS}: they were kept with the assistant upstream,"
        " not in this config"
    )


def _hosted(raw: Raw) -> Iterator[Entry]:
    hosted = []
    for name, tool in (
        ("file_search", "file_search"),
        ("retrieval", "file_search"),
        ("code_interpreter", "code_interpreter"),
    ):
        if raw.get(name):
            renamed = "retrieval is called file_search now" if name != tool else ""
            hosted += [] if tool in hosted else [tool]
            yield _placed(name, "tools.hosted", [*hosted], renamed)
        elif name in raw:
            yield Lost(name, as_json(raw[name]), f"{tool} is off unless it is named", notice=True)
    if "file_search" in hosted and not _files(raw):
        yield Todo(
            "the files that the assistant searched are in a vector store upstream that this config"
            " does not name: put them into knowledge/ and name them in [knowledge]"
        )


def _knowledge(raw: Raw, tenant_id: str) -> Iterator[Entry]:
    store, files = raw.get("vector_store_name"), _files(raw)
    if _is_said(store):
        yield _placed("vector_store_name", "knowledge.vector_store", store)
    else:
        yield from _empty(raw, "vector_store_name")
        if files:
            reason = "the config names no vector store"
            yield _placed("", "knowledge.vector_store", tenant_id, reason)
    targets: list[str] = []
    for source, path in files:
        targets.append(_knowledge_path(path, targets))
        yield _placed(source, "knowledge.files", [*targets])
        yield Todo(f"copy {path} to {targets[-1]} in the tenant's directory")
    for name in _FILE_LISTS:
        if not raw.get(name):
            yield from _empty(raw, name)


_FILE_LISTS = ("vector_store_file_paths", "vector_store_files", "file_paths")


def _files(raw: Raw) -> list[tuple[str, str]]:
    return [
        (joined(name, at), path)
        for name in _FILE_LISTS
        for at, path in enumerate(raw.get(name) or [])
    ]


def _knowledge_path(path: str, taken: list[str]) -> str:
    name = PurePosixPath(path.replace("\\", "/")).name or "file"
    stem, suffix = PurePosixPath(name).stem, PurePosixPath(name).suffix
    names = (f"{stem}-{number}{suffix}" for number in range(2, len(taken) + 3))
    return next(
        found
        for found in (f"knowledge/{each}" for each in (name.replace("..", "_"), *names))
        if found not in taken
    )


def _without_place(raw: Raw) -> Iterator[Entry]:
    for name in raw:
        if name in DROPPED:
            reason = "there is one way to do this now"
            yield Lost(name, as_json(raw[name]), reason, notice=True)
        elif name == KEY_FIELD:
            yield Lost(name, as_json(raw[name]), "there is no key in it", notice=True)
        elif name not in KNOWN:
            reason = f"no generation has such a field; {nearest(name)}".removesuffix("; ")
            yield Lost(name, as_json(raw[name]), reason)


def _empty(raw: Raw, name: str) -> Iterator[Entry]:
    if name in raw:
        yield Lost(name, as_json(raw[name]), "it is empty", notice=True)


def _is_said(text: str | None) -> TypeGuard[str]:
    return bool(text and text.strip())
