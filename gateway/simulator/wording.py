"""Words of a text, told apart by a simple stem; enough of a language for a simulator."""

import re
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ENDINGS = ("ings", "ing", "ies", "ied", "es", "ed", "s", "e", "y")
_SHORTEST_STEM = 3

_STOP_WORDS_TEXT = (
    "a about above after again all also am an and any are as at be because been before being below "
    "between both but by can cannot could did do does doing don down during each either else for "
    "from further had has have having he her here hers him his how i if in into is it its just "
    "kindly let like ll m may me might more most must my need needs no nor not now of off on once "
    "only or other our out over please re s same shall she should so some such t than thank thanks "
    "that the their them then there these they this those through to too under until up us ve very "
    "want was we were what when where which while who whom why will with would you your yours "
    "hello hi hey tell say know one something anything "
    "today tomorrow tonight yesterday next currently right"
)
STOP_WORDS = frozenset(_STOP_WORDS_TEXT.split())
# Verbs and nouns that name no subject: a function is not meant because a message says "get".
_GENERIC_WORDS_TEXT = (
    "get fetch find search list look lookup show set make create update delete add remove run call "
    "use return check read write give send function tool data info information details value name "
    "id result current given query item"
)
GENERIC_WORDS = frozenset(_GENERIC_WORDS_TEXT.split())


@lru_cache(maxsize=4096)
def stem(word: str) -> str:
    """A word without its commonest endings, in lower case."""
    word = word.casefold()
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def words(text: str) -> list[str]:
    """The words of a text as they are written; ``snake_case`` and ``camelCase`` are split."""
    return _WORD.findall(_CAMEL.sub(" ", text))


_GENERIC_STEMS = frozenset(map(stem, GENERIC_WORDS))


def stems(text: str) -> frozenset[str]:
    """The stems of a text's words, but for those that only hold a sentence together."""
    return frozenset(stem(word) for word in words(text) if word.casefold() not in STOP_WORDS)


def subjects(text: str) -> frozenset[str]:
    """The stems of the words that say what a text is about."""
    return stems(text) - _GENERIC_STEMS


def is_subject(word: str) -> bool:
    """Whether a word says what a text is about."""
    return word.casefold() not in STOP_WORDS and stem(word) not in _GENERIC_STEMS


def first_sentence(text: str) -> str:
    """A text up to its first full stop, exclamation mark, question mark or line break."""
    return re.split(r"(?<=[.!?])\s|\n", text.strip(), maxsplit=1)[0].strip()


def clipped(text: str, length: int) -> str:
    """A text on one line, cut with an ellipsis to at most ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1].rstrip() + "\u2026"
