"""Tenants' functions: from a signature to what a model is told, and from its JSON to arguments."""

import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import attrs
import msgspec

from tenants.errors import TenantsError
from tenants.schemas import Parameter, annotated_text, doc, parameters_schema

_VARIADIC = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


@attrs.frozen
class ToolContext:
    """What a function may know about the turn that calls it.

    A function that declares a parameter of this type gets it; the model is not told of it.

    Args:
        secrets: values by name; those that the tenant lists under ``[tools]``.
    """

    tenant_id: str
    thread_id: str
    correlation_id: str
    secrets: Mapping[str, str] = attrs.field(factory=dict, repr=False)


@attrs.frozen
class SignatureError(TenantsError):
    """A function cannot be described to a model.

    Args:
        problems: pairs of a parameter's name (empty: the function as a whole) and a sentence.
    """

    problems: tuple[tuple[str, str], ...]


@attrs.frozen
class ArgumentsError(TenantsError):
    """A model's arguments do not fit a function.

    Args:
        problems: all that is wrong, in words fit for the model.
    """

    problems: tuple[str, ...]

    def __str__(self) -> str:
        return "; ".join(self.problems)


@attrs.frozen(eq=False)
class ToolFunction:
    """A function that a model may call.

    Args:
        call: the function itself.
        schema: the Responses API's tool object, encoded:
            ``{"type": "function", "name", "description", "parameters", "strict"}``.
        decoders: of the arguments, by name.
        required: the arguments that have no default.
        contexts: the parameters that get a ``ToolContext``.
    """

    name: str
    call: Callable[..., Any]
    schema: bytes
    decoders: Mapping[str, msgspec.json.Decoder[Any]]
    required: frozenset[str]
    contexts: tuple[str, ...]

    @property
    def is_async(self) -> bool:
        """Whether calling it gives a coroutine."""
        call = self.call
        return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(
            getattr(call, "__call__", None)  # noqa: B004  (not whether: which)
        )


def describe(name: str, call: Callable[..., Any]) -> ToolFunction:
    """Read a function's signature and docstring.

    Args:
        name: the name under which the model calls it.
        call: any callable whose parameters are annotated.

    Raises:
        SignatureError: with everything that is wrong.
    """
    description, texts = doc(inspect.getdoc(_plain(call)))
    parameters, contexts = _parameters(call, texts)
    schema, strict = parameters_schema(parameters)
    tool = {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": schema,
        "strict": strict,
    }
    return ToolFunction(
        name,
        call,
        msgspec.json.encode(tool),
        {each.name: msgspec.json.Decoder(each.annotation) for each in parameters},
        frozenset(each.name for each in parameters if each.default is None),
        contexts,
    )


def bind(function: ToolFunction, arguments: str, context: ToolContext) -> dict[str, Any]:
    """The keyword arguments that a model's JSON stands for.

    Args:
        function: as ``describe`` gave it.
        arguments: a JSON object; blank means an empty one, as some models write it.
        context: for parameters of its type.

    Raises:
        ArgumentsError: with everything that is wrong.
    """
    try:
        given = _object.decode(arguments.strip() or "{}")
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise ArgumentsError(("the arguments are not a JSON object",)) from None
    bound: dict[str, Any] = dict.fromkeys(function.contexts, context)
    problems = list(_misfits(function, given.keys()))
    for name in given.keys() & function.decoders.keys():
        try:
            bound[name] = function.decoders[name].decode(given[name])
        except (msgspec.DecodeError, RecursionError) as error:
            problems.append(f"{name}: {error}")
    if problems:
        raise ArgumentsError(tuple(sorted(problems)))
    return bound


def _misfits(function: ToolFunction, given: Any) -> Iterator[str]:  # noqa: ANN401  (a view of keys)
    for name in function.required - given:
        yield f"{name}: required, and missing"
    for name in given - function.decoders.keys():
        yield f"{name}: there is no such argument"


def _parameters(
    call: Callable[..., Any], texts: Mapping[str, str]
) -> tuple[list[Parameter], tuple[str, ...]]:
    problems = [*_shape_problems(call)]
    try:
        hints = get_type_hints(_plain(call), include_extras=True)
        signature = inspect.signature(call).parameters.values()
    except Exception as error:  # noqa: BLE001  (annotations are expressions of the tenant's)
        raise SignatureError(
            (*problems, ("", f"its annotations cannot be read: {error}"))
        ) from None
    contexts = tuple(each.name for each in signature if _is_context(hints.get(each.name)))
    parameters = []
    for each in signature:
        if each.name in contexts or each.kind in _VARIADIC:
            continue
        try:
            parameters.append(_parameter(each, hints, texts))
        except (TypeError, ValueError, NotImplementedError) as error:
            problems.append((each.name, str(error)))
    if problems:
        raise SignatureError(tuple(problems))
    return parameters, contexts


def _shape_problems(call: Callable[..., Any]) -> Iterator[tuple[str, str]]:
    if inspect.isgeneratorfunction(call) or inspect.isasyncgenfunction(call):
        yield "", "it yields: return one value"
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return
    for each in parameters:
        if each.kind in _VARIADIC:
            yield each.name, "a model cannot fill *args or **kwargs: name each argument"
        elif each.kind is inspect.Parameter.POSITIONAL_ONLY:
            yield each.name, "arguments are passed by name: remove the / after it"


def _parameter(
    each: inspect.Parameter, hints: Mapping[str, Any], texts: Mapping[str, str]
) -> Parameter:
    if each.name not in hints:
        raise TypeError("annotate it, such as city: str")
    annotation = hints[each.name]
    text = annotated_text(annotation) or texts.get(each.name, "")
    if each.default is inspect.Parameter.empty:
        parameter = Parameter(each.name, annotation, text)
    else:
        if each.default is None:
            annotation = annotation | None if annotation is not Any else Any
        parameter = Parameter(each.name, annotation, text, (each.default,))
    _check(parameter)
    return parameter


def _check(parameter: Parameter) -> None:
    """Try one parameter alone, so that a fault has its name."""
    try:
        schema, _ = parameters_schema([parameter])
        msgspec.json.Decoder(parameter.annotation)
    except Exception as error:  # noqa: BLE001  (types are the tenant's; msgspec raises many)
        raise TypeError(f"its type or default has no JSON form: {_reason(error)}") from None
    if b"contentEncoding" in msgspec.json.encode(schema):
        raise TypeError("a model cannot write bytes: take a str")


def _reason(error: Exception) -> str:
    text = str(error)
    if text.startswith("Generating JSON schema for custom types"):
        return (
            "take str, int, float, bool, list, dict, Literal, an Enum, a dataclass, an attrs class"
            " or a TypedDict"
        )
    return text.partition("\n")[0]


def _is_context(annotation: Any) -> bool:  # noqa: ANN401  (a typing form)
    if get_origin(annotation) in {Annotated, Union, types.UnionType}:
        return any(_is_context(part) for part in get_args(annotation))
    return annotation is ToolContext


def _plain(call: Callable[..., Any]) -> Callable[..., Any]:
    """The function whose annotations and docstring count."""
    call = inspect.unwrap(getattr(call, "func", call))
    if inspect.isroutine(call) or isinstance(call, type):
        return call
    return type(call).__call__
