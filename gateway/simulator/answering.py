"""What the simulated model does next: it calls functions, or answers in a sentence or two."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle, islice, pairwise
from typing import Any

import attrs
import msgspec

from gateway.simulator.arguments import draw
from gateway.simulator.choosing import calls
from gateway.simulator.conversation import (
    Conversation,
    Ending,
    Entry,
    FunctionCall,
    FunctionOutput,
    Message,
    Reply,
)
from gateway.simulator.directives import Script
from gateway.simulator.evidence import gather
from gateway.simulator.hosted import NOTHING_USED, Used, use
from gateway.simulator.wording import clipped, first_sentence

_REFUSAL = "I'm sorry, but I can't help with that."
_FILLER = "and here is a little more of what I can tell you about it".split()  # noqa: SIM905 -- prose reads better
_PIECE = re.compile(r"\s*\S+(?:\s+\Z)?|\s+\Z")
_BACK = re.compile(
    r"\bwhat (?:did|have|had) i (?:first |just )?(?:say|said|ask|asked|tell|told|write|written)\b"
    r"|\b(?:do|can) you remember\b",
    re.IGNORECASE,
)
_PERSONA = re.compile(r"(?:you are|you're|act as)\s+(.+?)[.!?]?", re.IGNORECASE | re.DOTALL)
_CHARACTERS_A_TOKEN = 4
_MOST_QUOTED = 5


def answer(conversation: Conversation) -> Reply:
    """What comes next in a conversation, as its script wants it."""
    script = conversation.script
    wanted = () if script.speaks else calls(conversation)
    used = NOTHING_USED if wanted or script.speaks or conversation.schema else use(conversation)
    pieces = () if wanted else _pieces(_text(conversation, used), script)
    reply = Reply(
        pieces,
        refusal=script.refusal,
        calls=wanted,
        searched=used.searched,
        program=used.program,
        citations=used.citations,
    )
    thought = _thought(conversation) if conversation.reasons or script.reasoning else None
    return _ended(attrs.evolve(reply, thought=thought), script, conversation.max_tokens)


def _ended(reply: Reply, script: Script, max_tokens: int | None) -> Reply:
    """The reply with its ending; one that does not complete loses the second half of its text."""
    for kind in ("error", "failed", "incomplete"):
        code = getattr(script, kind)
        if code:
            half = reply.pieces[: (len(reply.pieces) + 1) // 2]
            return attrs.evolve(reply, pieces=half, ending=Ending(kind, code))
    limit = (max_tokens or len(reply.text)) * _CHARACTERS_A_TOKEN
    if len(reply.text) <= limit:
        return reply
    ending = Ending("incomplete", "max_output_tokens")
    return attrs.evolve(reply, pieces=_pieces(reply.text[:limit], Script()), ending=ending)


def _text(conversation: Conversation, used: Used) -> str:
    script = conversation.script
    if script.refusal:
        return _REFUSAL
    if script.big_bytes:
        return ("x" * 79 + "\n") * (script.big_bytes // 80) + "x" * (script.big_bytes % 80)
    if conversation.schema is not None:
        return _structured(conversation.schema, conversation)
    text = used.text or _plain(conversation)
    if script.cut and script.cut.inside == "character":
        text = "Grüße, 世界: " + text
    return _of_words(text, script)


def _structured(schema: Mapping[str, Any], conversation: Conversation) -> str:
    message = conversation.said[-1].text if conversation.said else ""
    fields = draw(schema, gather(message)) or {"answer": _plain(conversation)}
    return msgspec.json.encode(fields).decode()


def _plain(conversation: Conversation) -> str:
    outputs = _newest_outputs(conversation.entries)
    if outputs:
        return _from_outputs(outputs, conversation.entries)
    said = conversation.said
    message = said[-1].text if said else ""
    if _BACK.search(message):
        return _remembered([one.text for one in said[:-1]], message)
    return _echo(conversation, message)


def _of_words(text: str, script: Script) -> str:
    """A text of as many words as the script wants, where it wants a number."""
    count = script.words or script.deltas
    if count is None:
        return text
    return " ".join(islice(_forever(text.split()), count))


def _forever(words: list[str]) -> Iterator[str]:
    yield from words
    yield from cycle(_FILLER)


def _pieces(text: str, script: Script) -> tuple[str, ...]:
    """A text cut into deltas: a word each, or the script's number of them."""
    if script.big_bytes:
        return (text,)
    pieces = _PIECE.findall(text)
    count = min(script.deltas or len(pieces), len(pieces))
    if count == len(pieces):
        return tuple(pieces)
    bounds = [len(pieces) * index // count for index in range(count + 1)]
    return tuple("".join(pieces[low:high]) for low, high in pairwise(bounds))


def _newest_outputs(entries: Sequence[Entry]) -> list[FunctionOutput]:
    """The outputs that the conversation ends with, in order."""
    outputs: list[FunctionOutput] = []
    for entry in reversed(entries):
        if not isinstance(entry, FunctionOutput):
            break
        outputs.insert(0, entry)
    return outputs


def _from_outputs(outputs: list[FunctionOutput], entries: Sequence[Entry]) -> str:
    by_id = {entry.call_id: entry for entry in entries if isinstance(entry, FunctionCall)}
    found = [f"{_label(by_id.get(output.call_id))}{_told(output.text)}" for output in outputs]
    return "Here is what I found. " + " ".join(
        sentence if sentence.endswith((".", "!", "?", "…")) else sentence + "."
        for sentence in found
    )


def _label(call: FunctionCall | None) -> str:
    """What a call was about: its texts and numbers, else its name."""
    if call is None:
        return ""
    try:
        arguments = msgspec.json.decode(call.arguments)
    except (msgspec.DecodeError, RecursionError):
        arguments = {}
    values = arguments.values() if isinstance(arguments, dict) else []
    texts = [str(value) for value in values if isinstance(value, str | int | float)]
    return clipped(", ".join(texts) or call.name, 60) + ": "


def _told(output: str) -> str:
    """A function's result in words."""
    try:
        value = msgspec.json.decode(output)
    except (msgspec.DecodeError, RecursionError):
        value = output
    return clipped(_spoken(value), 300) or "nothing"


def _spoken(value: object, depth: int = 0) -> str:
    if depth > 3:  # noqa: PLR2004 -- a sentence holds no more levels
        return "…"
    if isinstance(value, dict):
        return ", ".join(
            f"{str(name).replace('_', ' ')} {_spoken(part, depth + 1)}"
            for name, part in value.items()
        )
    if isinstance(value, list):
        return "; ".join(_spoken(part, depth + 1) for part in value[:_MOST_QUOTED])
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "nothing" if value is None else str(value)


def _remembered(earlier: list[str], message: str) -> str:
    if not earlier:
        return "This is the first thing that you have said to me."
    if re.search(r"\bfirst\b", message, re.IGNORECASE):
        return f"The first thing you said was: “{clipped(earlier[0], 200)}”"
    quotes = [f"“{clipped(text, 120)}”" for text in earlier[-_MOST_QUOTED:]]
    return "Before that you said: " + ", then ".join(quotes) + "."


def _echo(conversation: Conversation, message: str) -> str:
    heard = f"you said “{clipped(message, 160)}”" if message else "you said nothing"
    images = sum(one.images for one in conversation.said[-1:])
    seen = f" with {images} image{'s' * (images > 1)}" if images else ""
    turn = len(conversation.said)
    count = f" That is message {turn} of our conversation." if turn > 1 else ""
    return (
        f"{_voice(conversation)}{heard}{seen}.{count} Tell me more, and I will do my best to help."
    )


def _voice(conversation: Conversation) -> str:
    """The opening words, which show whose instructions these are."""
    system = [
        entry.text
        for entry in conversation.entries
        if isinstance(entry, Message) and entry.role in ("system", "developer")
    ]
    sentence = first_sentence(conversation.instructions or (system[0] if system else ""))
    persona = _PERSONA.fullmatch(sentence)
    if persona:
        return f"Speaking as {clipped(persona.group(1), 120)}: "
    return f"{clipped(sentence.rstrip('.!?'), 140)} - so: " if sentence else "I heard that "


def _thought(conversation: Conversation) -> str:
    message = conversation.said[-1].text if conversation.said else ""
    about = clipped(message, 60) or "nothing in particular"
    return f"**Considering the request**\n\nThe user speaks of “{about}”. I decide what fits best."
