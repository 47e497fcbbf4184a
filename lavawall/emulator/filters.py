"""Parses the part of OData's $filter that Graph's documented queries use into a predicate over stored bodies."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lavawall.emulator.errors import unsupported_query
from lavawall.emulator.store import Json

Predicate = Callable[[Json], bool]

TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^']|'')*')
    | (?P<punctuation>[(),:])
    | (?P<date>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))
    | (?P<guid>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12})
    | (?P<number>-?\d+(?:\.\d+)?(?![\w-]))
    | (?P<word>[A-Za-z_@$][\w./@$-]*)
    )""",
    re.VERBOSE,
)
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: bool(left == right),
    "ne": lambda left, right: bool(left != right),
    "ge": lambda left, right: left is not None and bool(left >= right),
    "gt": lambda left, right: left is not None and bool(left > right),
    "le": lambda left, right: left is not None and bool(left <= right),
    "lt": lambda left, right: left is not None and bool(left < right),
}
TEXT_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": str.__contains__,
}
CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}


def parse_date(text: str) -> datetime:
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.replace("Z", "+00:00")))


def value_at(body: Json, path: str) -> Any:
    """The value behind a path such as initiatedBy/user/id; None where any part is missing."""
    value: Any = body
    for part in path.split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return value


@dataclass(frozen=True)
class Token:
    kind: str
    text: str


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    position = 0
    while position < len(text.rstrip()):
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise unsupported_query(
                f"Invalid filter clause: syntax error at position {position} in '{text}'."
            )
        found.append(Token(match.lastgroup, match.group(match.lastgroup)))
        position = match.end()
    return found


class FilterParser:
    """Recursive descent over `or`, `and`, `not`, comparisons, `in`, text functions, isof and any()."""

    def __init__(self, text: str, check_path: Callable[[str], None]) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._at = 0
        self._check_path = check_path
        self._variable = ""

    def parse(self) -> Predicate:
        predicate = self._either()
        if self._at < len(self._tokens):
            raise self._refusal()
        return predicate

    def _refusal(self) -> Exception:
        return unsupported_query(f"Invalid filter clause: '{self._text}' cannot be read or is not supported.")

    def _peek(self) -> str:
        return self._tokens[self._at].text if self._at < len(self._tokens) else ""

    def _take(self, expected: str = "") -> Token:
        if self._at >= len(self._tokens):
            raise self._refusal()
        token = self._tokens[self._at]
        if expected and token.text.lower() != expected:
            raise self._refusal()
        self._at += 1
        return token

    def _either(self) -> Predicate:
        left = self._both()
        while self._peek().lower() == "or":
            self._take()
            left = self._joined(left, self._both(), any)
        return left

    def _both(self) -> Predicate:
        left = self._unary()
        while self._peek().lower() == "and":
            self._take()
            left = self._joined(left, self._unary(), all)
        return left

    @staticmethod
    def _joined(left: Predicate, right: Predicate, rule: Callable[[list[bool]], bool]) -> Predicate:
        return lambda body: rule([left(body), right(body)])

    def _unary(self) -> Predicate:
        word = self._peek().lower()
        if word == "not":
            self._take()
            inner = self._unary()
            return lambda body: not inner(body)
        if word == "(":
            self._take()
            inner = self._either()
            self._take(")")
            return inner
        if word in TEXT_FUNCTIONS:
            return self._text_function()
        if word == "isof":
            return self._isof()
        return self._comparison()

    def _path(self) -> Callable[[Json], Any]:
        token = self._take()
        if token.kind != "word":
            raise self._refusal()
        if self._variable:
            head, _, rest = token.text.partition("/")
            if head != self._variable:
                raise self._refusal()
            return (lambda item: value_at(item, rest)) if rest else (lambda item: item)
        self._check_path(token.text)
        path = token.text
        return lambda body: value_at(body, path)

    def _literal(self) -> Any:
        token = self._take()
        match token.kind:
            case "string":
                return token.text[1:-1].replace("''", "'")
            case "date":
                return parse_date(token.text)
            case "guid":
                return token.text
            case "number":
                return float(token.text) if "." in token.text else int(token.text)
        if token.text not in CONSTANTS:
            raise self._refusal()
        return CONSTANTS[token.text]

    def _text_function(self) -> Predicate:
        function = TEXT_FUNCTIONS[self._take().text.lower()]
        self._take("(")
        read = self._path()
        self._take(",")
        wanted = str(self._literal()).lower()
        self._take(")")
        return lambda body: isinstance(read(body), str) and function(read(body).lower(), wanted)

    def _isof(self) -> Predicate:
        self._take()
        self._take("(")
        wanted = "#" + str(self._literal())
        self._take(")")
        return lambda body: body.get("@odata.type") == wanted

    def _comparison(self) -> Predicate:
        token = self._tokens[self._at] if self._at < len(self._tokens) else Token("", "")
        if not self._variable and token.text.endswith("/any"):
            return self._any()
        read = self._path()
        operator = self._take().text.lower()
        if operator == "in":
            return self._membership(read)
        if operator not in COMPARISONS:
            raise self._refusal()
        return self._compared(read, COMPARISONS[operator], self._literal())

    @staticmethod
    def _compared(read: Callable[[Json], Any], compare: Callable[[Any, Any], bool], wanted: Any) -> Predicate:
        def matches(body: Json) -> bool:
            value = read(body)
            if isinstance(wanted, datetime) and isinstance(value, str):
                value = parse_date(value)
            if isinstance(wanted, str) and isinstance(value, str):
                return compare(value.lower(), wanted.lower())
            return compare(value, wanted)

        return matches

    def _membership(self, read: Callable[[Json], Any]) -> Predicate:
        self._take("(")
        wanted = [self._literal()]
        while self._peek() == ",":
            self._take()
            wanted.append(self._literal())
        self._take(")")
        return lambda body: read(body) in wanted

    def _any(self) -> Predicate:
        path = self._take().text.removesuffix("/any")
        self._check_path(path)
        self._take("(")
        self._variable = self._take().text
        self._take(":")
        inner = self._either()
        self._take(")")
        self._variable = ""
        return lambda body: any(inner(item) for item in value_at(body, path) or [])
