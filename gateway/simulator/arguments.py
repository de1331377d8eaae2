"""Arguments of a function call, drawn from a message by the parameters' JSON Schema."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from gateway.simulator.evidence import Evidence
from gateway.simulator.wording import clipped, stem, words

_DEEPEST = 8  # a schema may refer to itself
_MOST_ITEMS = 20
_LONGEST_TEXT = 400
_QUERY = re.compile(
    r"text|message|body|content|prompt|question|note|comment|summary", re.IGNORECASE
)
_ID = re.compile(r"(?:^|_)(?:id|ids|number|code|reference|ref|sku|key|date|day)$", re.IGNORECASE)
_NEGATIONS = frozenset(map(stem, ("no", "not", "don", "without", "never", "off", "disable")))


@attrs.define
class _Drawing:
    """One set of arguments in the making: what was used is not used again."""

    evidence: Evidence
    root: Mapping[str, Any]
    known: frozenset[str]
    used: set[str] = attrs.Factory(set)

    def take(self, *kinds: Sequence[str]) -> str | None:
        """The first candidate of these kinds that was not used."""
        for candidate in (candidate for kind in kinds for candidate in kind):
            if candidate not in self.used:
                self.used.add(candidate)
                return candidate
        return None

    def fitting_noun(self) -> str:
        """The likeliest noun that does not merely name the function."""
        nouns = [noun for noun in self.evidence.nouns if stem(noun) not in self.known]
        return self.take(nouns) or clipped(self.evidence.text, 80) or "something"


def draw(
    schema: Mapping[str, Any], evidence: Evidence, function_words: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Arguments for one call.

    Args:
        schema: the parameters, a JSON Schema object.
        evidence: what the message holds.
        function_words: stems of the function's own name, which are no arguments.
    """
    return _object(_Drawing(evidence, schema, function_words), schema, 0)


def draw_all(
    schema: Mapping[str, Any], evidence: Evidence, function_words: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    """Arguments for every call that a message asks of one function.

    A list such as "Paris and Rome" becomes a call for each, where the function takes one text.
    """
    name = _only_text(schema)
    several = evidence.ids if name and _ID.search(name) else evidence.listed
    if name is None or len(several) < 2:  # noqa: PLR2004 -- one is no list
        return [draw(schema, evidence, function_words)]
    return [
        draw(schema, _about(evidence, one, {*several} - {one}), function_words)
        for one in several[:_MOST_ITEMS]
    ]


def _about(evidence: Evidence, one: str, others: set[str]) -> Evidence:
    """The same evidence, as if one member of a list alone had been named."""
    return attrs.evolve(
        evidence,
        quotes=tuple(quote for quote in evidence.quotes if quote not in others),
        ids=tuple(found for found in evidence.ids if found not in others),
        names=tuple(name for name in evidence.names if name not in others),
        listed=(one,),
    )


def _only_text(schema: Mapping[str, Any]) -> str | None:
    """The one parameter that must be a short text, or None where there is none or several."""
    texts = [
        name
        for name, part in _properties(schema).items()
        if name in _required(schema)
        and _kind(part) == "string"
        and not _nullable(part)
        and not part.get("enum")
        and "const" not in part
        and not _QUERY.search(name)
    ]
    return texts[0] if len(texts) == 1 else None


def _properties(schema: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return {}
    return {name: part if isinstance(part, dict) else {} for name, part in properties.items()}


def _required(schema: Mapping[str, Any]) -> list[str]:
    required = schema.get("required")
    return (
        [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    )


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    return [kind for kind in kinds if isinstance(kind, str)]


def _kind(schema: Mapping[str, Any]) -> str:
    guess = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return next((kind for kind in _kinds(schema) if kind != "null"), guess)


def _nullable(schema: Mapping[str, Any]) -> bool:
    branches = schema.get("anyOf") or schema.get("oneOf")
    choices = branches if isinstance(branches, list) else []
    return "null" in _kinds(schema) or any(
        isinstance(choice, dict) and choice.get("type") == "null" for choice in choices
    )


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """A schema behind its local references and alternatives."""
    for _ in range(_DEEPEST):
        branches = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
        if isinstance(schema.get("$ref"), str):
            schema = _referred(schema["$ref"], root)
        elif isinstance(branches, list):
            choices = [choice for choice in branches if isinstance(choice, dict)]
            real = [choice for choice in choices if choice.get("type") != "null"]
            schema = next(iter([*real, *choices]), {})
        else:
            break
    return schema


def _referred(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = root
    for step in filter(None, reference.lstrip("#").split("/")):
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _object(drawing: _Drawing, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Required properties first, so that the best candidates are theirs."""
    properties = _properties(schema)
    required = _required(schema)
    needed = [name for name in required if not _nullable(properties.get(name, {}))]
    values = {name: _value(drawing, name, properties.get(name, {}), depth + 1) for name in needed}
    for name in [name for name in {**properties, **dict.fromkeys(required)} if name not in values]:
        told = _if_told(drawing, name, properties.get(name, {}))
        if told is not None or name in required:
            values[name] = told
    return {name: values[name] for name in {**properties, **values} if name in values}


def _value(drawing: _Drawing, name: str, schema: Mapping[str, Any], depth: int) -> Any:  # noqa: ANN401, PLR0911 -- any JSON value; a return for each type
    schema = _resolved(schema, drawing.root)
    if "const" in schema:
        return schema["const"]
    if isinstance(schema.get("enum"), list) and schema["enum"]:
        return _member(drawing, schema)
    if depth > _DEEPEST:
        return None
    match _kind(schema):
        case "integer" | "number" as kind:
            return _number(drawing, schema, whole=kind == "integer")
        case "boolean":
            return not drawing.evidence.stems & _NEGATIONS
        case "array":
            return _array(drawing, name, schema, depth)
        case "object":
            return _object(drawing, schema, depth)
        case "null":
            return None
    return _string(drawing, name, schema)


def _if_told(drawing: _Drawing, name: str, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- any JSON value
    """The value of an optional parameter where the message plainly gives one, else None."""
    schema = _resolved(schema, drawing.root)
    evidence = drawing.evidence
    if isinstance(schema.get("enum"), list):
        return next((m for m in schema["enum"] if _mentioned(m, evidence)), None)
    named = bool(frozenset(map(stem, words(name))) & evidence.stems)
    match _kind(schema):
        case "integer" | "number" as kind if set(evidence.numbers) - drawing.used:
            return _number(drawing, schema, whole=kind == "integer")
        case "boolean" if named:
            return not evidence.stems & _NEGATIONS
        case "string" if named or _ID.search(name):
            return drawing.take(evidence.quotes, evidence.ids, evidence.names)
        case _:
            return None


def _mentioned(member: object, evidence: Evidence) -> bool:
    stems = frozenset(map(stem, words(str(member))))
    return bool(stems) and stems <= evidence.stems


def _member(drawing: _Drawing, schema: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- any JSON value
    """The member that the message mentions, else the default, else the first."""
    members = schema["enum"]
    default = schema["default"] if schema.get("default") in members else members[0]
    member = next((m for m in members if _mentioned(m, drawing.evidence)), default)
    drawing.used.add(str(member))
    return member


def _number(drawing: _Drawing, schema: Mapping[str, Any], *, whole: bool) -> int | float:
    found = drawing.take(drawing.evidence.numbers)
    default = schema.get("default", schema.get("minimum", 1))
    number = float(found) if found else default if isinstance(default, int | float) else 1
    for bound, nearest in (("minimum", max), ("maximum", min)):
        if isinstance(schema.get(bound), int | float):
            number = nearest(number, schema[bound])
    return int(number) if whole or number == int(number) else number


def _array(drawing: _Drawing, name: str, schema: Mapping[str, Any], depth: int) -> list[Any]:
    items = schema.get("items")
    items = items if isinstance(items, dict) else {}
    resolved = _resolved(items, drawing.root)
    if isinstance(resolved.get("enum"), list):
        told = [member for member in resolved["enum"] if _mentioned(member, drawing.evidence)]
        return told or [_member(drawing, resolved)] if resolved["enum"] else []
    kind = _kind(resolved)
    count = len(drawing.evidence.numbers) if kind in ("integer", "number") else 1
    if kind == "string" and drawing.evidence.listed:
        return list(drawing.evidence.listed[:_MOST_ITEMS])
    return [_value(drawing, name, items, depth + 1) for _ in range(min(max(count, 1), _MOST_ITEMS))]


def _string(drawing: _Drawing, name: str, schema: Mapping[str, Any]) -> str:
    evidence = drawing.evidence
    if "email" in name.casefold() or schema.get("format") == "email":
        found = drawing.take(evidence.emails, evidence.quotes)
    elif _ID.search(name):
        found = drawing.take(evidence.quotes, evidence.ids, evidence.numbers, evidence.names)
    elif _QUERY.search(name):
        found = drawing.take(evidence.quotes) or clipped(evidence.text, _LONGEST_TEXT)
    else:
        found = drawing.take(evidence.quotes, evidence.names, evidence.emails, evidence.ids)
    longest = schema.get("maxLength")
    text = found or drawing.fitting_noun()
    return text[:longest] if isinstance(longest, int) and longest >= 0 else text
