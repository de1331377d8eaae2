"""The grammar of each value in ``tenant.toml``: a function from what TOML gave to the value.

Each raises ``ValueError`` with what is wrong and how to mend it. None quotes the value of a field
that may hold a secret.
"""

import math
import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

from tenants import model
from tenants.addresses import origin_fault

_ASSISTANT_ID = re.compile(r"asst_[A-Za-z0-9_-]{1,59}")
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MODEL = re.compile(r"[!-~]{1,200}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
FUNCTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KINDS = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "an array",
    dict: "a table",
}


def expect(kind: type, value: Any) -> Any:  # noqa: ANN401  (TOML gives any of its types)
    """The value, where TOML gave one of this kind.

    Raises:
        ValueError: it is of another kind.
    """
    if type(value) is not kind:
        found = _KINDS.get(type(value), "a date or time")
        raise ValueError(f"expected {_KINDS[kind]}, not {found}")
    return value


def _matching(grammar: re.Pattern[str], rule: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:  # noqa: ANN401  (as ``expect``)
        text: str = expect(str, value)
        if not grammar.fullmatch(text):
            raise ValueError(rule)
        return text

    return parse


def _text(longest: int) -> Callable[[Any], str]:
    rule = f"write 1 to {longest:,} characters, none of them NUL"

    def parse(value: Any) -> str:  # noqa: ANN401  (as ``expect``)
        text: str = expect(str, value)
        if not text.strip() or len(text) > longest or "\0" in text:
            raise ValueError(rule)
        return text

    return parse


def number(value: Any) -> float:  # noqa: ANN401  (as ``expect``)
    """A finite number; whole ones may be written without a point."""
    result = float(value if type(value) is int else expect(float, value))
    if not math.isfinite(result):
        raise ValueError("write a finite number")
    return result


def _between(lowest: float, highest: float, rule: str) -> Callable[[Any], float]:
    def parse(value: Any) -> float:  # noqa: ANN401  (as ``expect``)
        result = number(value)
        if not lowest <= result <= highest:
            raise ValueError(rule)
        return result

    return parse


def _whole(lowest: int, highest: int, rule: str) -> Callable[[Any], int]:
    def parse(value: Any) -> int:  # noqa: ANN401  (as ``expect``)
        result: int = expect(int, value)
        if not lowest <= result <= highest:
            raise ValueError(rule)
        return result

    return parse


def _positive(value: Any) -> float:  # noqa: ANN401  (as ``expect``)
    result = number(value)
    if result <= 0:
        raise ValueError("write a number above 0")
    return result


def _tenant_id(value: Any) -> str:  # noqa: ANN401  (as ``expect``)
    text: str = expect(str, value)
    if not model.is_tenant_id(text):
        raise ValueError(
            "a tenant's id is 1 to 63 lower-case letters, digits and hyphens,"
            " with no hyphen at either end"
        )
    return text


def _assistant_alias(value: Any) -> str:  # noqa: ANN401  (as ``expect``)
    text = _matching(_ALIAS, "an alias is letters, digits, '.', '_' and '-', 64 at most")(value)
    if text == model.DEFAULT_ALIAS:
        raise ValueError("default is the alias of [assistant]: take another name")
    if text.startswith("asst_"):
        raise ValueError("an alias that begins with asst_ looks like an id: take another name")
    return text


def _file_path(value: Any) -> str:  # noqa: ANN401  (as ``expect``)
    text: str = expect(str, value)
    path = PurePosixPath(text)
    unsafe = path.is_absolute() or ".." in path.parts or "\\" in text or "\0" in text
    if unsafe or not path.parts or len(text) > 255:  # noqa: PLR2004  (a file name's limit)
        raise ValueError("name a file inside the tenant's directory, such as instructions.md")
    return str(path)


def _module_path(value: Any) -> str:  # noqa: ANN401  (as ``expect``)
    path = _file_path(value)
    if not path.endswith(".py"):
        raise ValueError("name a Python file, such as tools.py")
    return path


def _secret_name(value: Any) -> str:  # noqa: ANN401  (as ``expect``)
    text: str = expect(str, value)
    if not model.is_secret_name(text):
        raise ValueError("a secret's name is lower-case words and digits, joined by single hyphens")
    return text


def secret_ref(value: Any) -> model.SecretRef:  # noqa: ANN401  (as ``expect``)
    """A reference such as ``secret:openai-api-key``, or ``secret:openai-api-key@3``."""
    scheme, _, place = expect(str, value).partition(":")
    name, pinned, version = place.partition("@")
    version = version if pinned else model.LATEST
    if scheme != "secret" or not (model.is_secret_name(name) and model.is_secret_version(version)):
        raise ValueError(
            "name a secret, such as secret:openai-api-key (lower-case words, digits, single"
            " hyphens); never write the secret itself into a document"
        )
    return model.SecretRef(name, version)


def _origin(value: Any) -> str:  # noqa: ANN401  (as ``expect``)
    text: str = expect(str, value)
    fault = origin_fault(text)
    if fault:
        raise ValueError(fault)
    return text


PARSERS: dict[Any, Callable[[Any], Any]] = {
    str: lambda value: expect(str, value),
    bool: lambda value: expect(bool, value),
    int: lambda value: expect(int, value),
    float: number,
    model.SecretRef: secret_ref,
    model.TenantId: _tenant_id,
    model.AssistantId: _matching(
        _ASSISTANT_ID, "an assistant's id is asst_ and then letters, digits, '_' and '-'"
    ),
    model.AssistantAlias: _assistant_alias,
    model.ModelAlias: _matching(
        _ALIAS, "an alias is letters, digits, '.', '_' and '-', 64 at most"
    ),
    model.ModelName: _matching(_MODEL, "write the model's name, without spaces"),
    model.Name: _text(100),
    model.InitialMessage: _text(32_768),
    model.FilePath: _file_path,
    model.ModulePath: _module_path,
    model.FilePattern: _file_path,
    model.FunctionName: _matching(
        FUNCTION_NAME, "a function's name is letters, digits, '_' and '-', 64 at most"
    ),
    model.SecretName: _secret_name,
    model.HostName: _matching(_HOST, "write a host's name in lower case, without scheme or path"),
    model.Url: lambda value: expect(str, value),
    model.Origin: _origin,
    model.Temperature: _between(0, 2, "a temperature is between 0 and 2"),
    model.Seconds: _positive,
    model.Rounds: _whole(1, 50, "allow 1 to 50 rounds"),
    model.Count: _whole(1, 2**53, "write a whole number above 0"),
    model.Dollars: _positive,
}
