"""What a message holds that could be an argument: quotes, names, ids, numbers, nouns, lists."""

import re

import attrs

from gateway.simulator.wording import is_subject, stem, words

_MAX_CHARACTERS = 8192  # of a message are looked at, so that no text costs long
_QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|`([^`]+)`|(?<!\w)'([^']+)'(?!\w)")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_ID = re.compile(r"(?<![\w-])#?(?=[\w-]{0,40}\d)(?=[\w-]{0,40}[A-Za-z_-])[A-Za-z0-9][\w-]{1,60}")
_NUMBER = re.compile(r"(?<![\w.-])-?\d{1,15}(?:\.\d{1,15})?(?![\w-]|\.\d)")
_CAPITALISED = r"[^\W\d_a-z][\w'\u2019-]{0,40}"
_NAME = rf"{_CAPITALISED}(?: {_CAPITALISED}){{0,3}}"
_LOWER = r"[a-z\u00df-\u00ff]{3,40}"
_JOIN = r"(?:, and |, or | and | or | vs\.? | versus |, | & )"
_PLACED = r"\b(?i:in|for|of|at|to|from|about|named|called|with|near)\s"
# A capital letter that opens a sentence makes no name, unless a list goes on from it.
_LISTS = re.compile(
    rf"{_PLACED}({_NAME}(?:{_JOIN}{_NAME})*)"
    rf"|{_PLACED}({_LOWER}(?:{_JOIN}{_LOWER})+)"
    rf"|(?:^|(?<=[\w,;:] ))({_CAPITALISED}(?:{_JOIN}{_NAME})+)"
    rf"|(?<=[\w,;:] )({_NAME})"
)
_DETERMINED = re.compile(
    r"\b(?:a|an|the|my|our|your|his|her|their|this|that|about|for|of)\s+([^\W\d_]{2,40})",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(?:in|near)\s+([^\W\d_]{2,40})(?: ([^\W\d_]{2,40}))?", re.IGNORECASE)


@attrs.frozen
class Evidence:
    """The candidates of one message, each kind in the order of the text.

    Args:
        names: capitalised words where a name is expected, lists taken apart.
        listed: the longest list of them, or of quotes, that one word like "and" joins.
    """

    text: str
    quotes: tuple[str, ...]
    emails: tuple[str, ...]
    ids: tuple[str, ...]
    numbers: tuple[str, ...]
    names: tuple[str, ...]
    listed: tuple[str, ...]
    nouns: tuple[str, ...]
    stems: frozenset[str]


def gather(message: str) -> Evidence:
    """Look a message over.

    Args:
        message: the newest user message, without directives.
    """
    text = message[:_MAX_CHARACTERS]
    quotes = tuple(next(filter(None, groups)) for groups in _QUOTED.findall(text))
    plain = _QUOTED.sub(" ", text)
    lists = _lists(plain)
    names = [name for found in lists for name in found]
    return Evidence(
        text=text,
        quotes=quotes,
        emails=tuple(_EMAIL.findall(plain)),
        ids=tuple(found.lstrip("#") for found in _ID.findall(_EMAIL.sub(" ", plain))),
        numbers=tuple(_NUMBER.findall(plain)),
        names=_once(names),
        listed=_once(max([*lists, list(quotes)], key=len)),
        nouns=_nouns(plain),
        stems=frozenset(map(stem, words(text))),
    )


def _lists(text: str) -> list[list[str]]:
    """Names and lists of them; those of words that name nothing are left out."""
    found = ["".join(groups) for groups in _LISTS.findall(text)]
    lists = [re.split(_JOIN, names) for names in found]
    return [names for names in lists if all(map(is_subject, names))]


def _nouns(text: str) -> tuple[str, ...]:
    """Likely nouns, likeliest first: after "in", after an article, then the longest words."""
    places = [" ".join(filter(is_subject, pair)).strip() for pair in _PLACE.findall(text)]
    determined = [word for word in _DETERMINED.findall(text) if is_subject(word)]
    others = [word for word in words(text) if is_subject(word) and not word.isdigit()]
    others.sort(key=len, reverse=True)
    return _once([*filter(None, places), *determined, *others])


def _once(found: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))
