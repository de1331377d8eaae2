"""Which offered functions a message asks for."""

import os
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from gateway.simulator.arguments import draw_all
from gateway.simulator.conversation import (
    Calling,
    Conversation,
    Function,
    FunctionCall,
    FunctionOutput,
    Message,
)
from gateway.simulator.evidence import gather
from gateway.simulator.wording import first_sentence, stems, subjects

_ENOUGH_OF_DESCRIPTION = 2  # one word in common with a description is chance
_MOST_CALLS = 32


def calls(conversation: Conversation) -> tuple[FunctionCall, ...]:
    """The function calls that come next; none where an answer does."""
    if not conversation.functions or not _is_turn_to_call(conversation):
        return ()
    message = conversation.said[-1].text if conversation.said else ""
    wanted = _fitting(conversation.functions, message)
    if not wanted and conversation.calling is Calling.REQUIRED:
        wanted = conversation.functions[:1]
    found = [call for function in wanted for call in _calls_of(function, message)]
    return tuple(found[: _MOST_CALLS if conversation.parallel else 1])


def _is_turn_to_call(conversation: Conversation) -> bool:
    if conversation.calling is Calling.NONE or not conversation.entries:
        return False
    last = conversation.entries[-1]
    if isinstance(last, FunctionOutput):
        return _rounds(conversation) < conversation.script.rounds
    return isinstance(last, Message) and last.role == "user" and conversation.script.rounds > 0


def _rounds(conversation: Conversation) -> int:
    """How many rounds of calls were answered since the user last said something."""
    rounds = 0
    before: object = None
    for entry in reversed(conversation.entries):
        if isinstance(entry, Message) and entry.role == "user":
            break
        rounds += isinstance(entry, FunctionOutput) and not isinstance(before, FunctionOutput)
        before = entry
    return rounds


def _fitting(functions: tuple[Function, ...], message: str) -> tuple[Function, ...]:
    """Those that a message names outright, else all that share its subjects."""
    tokens = {token.strip("`'\".,;:!?()") for token in message.split()}
    outright = tuple(function for function in functions if _names(function, tokens))
    spoken = stems(message)
    return outright or tuple(function for function in functions if _fits(function, spoken))


def _names(function: Function, tokens: set[str]) -> bool:
    return "_" in function.name and function.name in tokens


def _fits(function: Function, spoken: frozenset[str]) -> bool:
    named, described = _subjects_of(function.name, function.description)
    return bool(named & spoken) or len(described & spoken) >= _ENOUGH_OF_DESCRIPTION


@lru_cache(maxsize=4096)
def _subjects_of(name: str, description: str) -> tuple[frozenset[str], frozenset[str]]:
    return subjects(name) or stems(name), subjects(first_sentence(description))


def _calls_of(function: Function, message: str) -> Iterator[FunctionCall]:
    own = stems(function.name)
    for arguments in draw_all(function.parameters, gather(message), own):
        call_id = "call_" + os.urandom(12).hex()
        yield FunctionCall(call_id, function.name, msgspec.json.encode(arguments).decode())
