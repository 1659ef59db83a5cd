"""YAML 1.2 text, read as its core schema says and without what readers resolve in different ways.

PyYAML's C event parser gives the syntax; types are resolved here. Plain `no`, `on`, dates, `1_000` and
`12:30` are strings; `0o17` and `0x1F` are integers; `010` is ten. Keys are the text as written
(OpenAPI: the failsafe schema), so `200:` is "200". What an alias names is copied, and merge keys (`<<`)
are followed, since many contracts are written so; both count against a limit. Tags and several documents
are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from kernel.contract.errors import (
    DocumentEmpty,
    DocumentEncoding,
    DocumentSyntax,
    DuplicateKey,
    LimitPassed,
    NumberRefused,
    YamlRefused,
)
from kernel.contract.numbers import integer_of, number_of
from kernel.contract.positions import Positions, token
from kernel.errors import DocumentError, Place

MAX_COPIED = 500_000  # values that aliases of one document may add
MERGE = "<<"  # https://yaml.org/type/merge.html

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMERIC_START = frozenset("0123456789+-.")
# YAML 1.1, which libyaml speaks, breaks lines at these; YAML 1.2 does not. Read either way, the
# string would differ, so they must be written as escapes. The rest is not printable (YAML 1.2 §5.1).
_UNSAFE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u2028\u2029\ufffe\uffff]")


def parse_yaml(text: str, name: str, depth: int) -> Any:
    """Read one YAML document; raises a `DocumentError` subclass with the place."""
    unsafe = _UNSAFE.search(text)
    if unsafe is not None:
        line, column = Positions(text).line_column(unsafe.start())
        raise DocumentEncoding(
            f"the character U+{ord(unsafe[0]):04X} may not stand in YAML",
            hint=f'write it as "\\u{ord(unsafe[0]):04x}" in double quotes',
            place=Place(name, line, column),
        )
    builder = _Builder(name, depth)
    try:
        for event in yaml.parse(text, Loader=yaml.CLoader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = builder.place(mark)
        raise DocumentSyntax(
            f"not YAML: {error.problem or error.context}", hint=_hint(error), place=place
        ) from None
    except yaml.YAMLError as error:
        raise DocumentSyntax(f"not YAML: {str(error)[:120]}", place=Place(name)) from None
    if not builder.documents:
        raise DocumentEmpty(
            "the document is empty", hint="a document holds one value", place=Place(name, 1, 1)
        )
    return builder.root


def _hint(error: yaml.MarkedYAMLError) -> str:
    problem = f"{error.problem}"
    if "cannot start any token" in problem:
        return "indent with spaces, and quote text that begins with @, ` or %"
    if "mapping values are not allowed" in problem:
        return "quote text that holds ': '"
    if "Unicode character escape" in problem:
        return "YAML has no surrogate pairs: write the character itself, or \\UXXXXXXXX"
    return "check the indentation and the brackets before this place"


_MERGING = str(bytearray(b"<<"), "ascii")  # a text of its own: `"<<"` in quotes is a key like any other


@dataclass(slots=True)
class _Builder:
    """Builds values from events, with the path to the current node for errors."""

    name: str
    depth: int
    documents: int = 0
    root: Any = None
    stack: list[dict[str, Any] | list[Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)  # the pending key of each open mapping
    merged: list[list[Any]] = field(default_factory=list)  # what the merge keys of each of them hold
    names: list[str | None] = field(default_factory=list)  # the anchor of each open container
    anchors: dict[str, Any] = field(default_factory=dict)
    copied: int = 0

    def take(self, event: Any) -> None:
        """Take the next event of the parser."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open(event, {})
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open(event, [])
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close(event)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self._refusal(event, "several documents in one file", "keep one document in each file")

    def place(self, mark: Any) -> Place:
        """Name the place of a mark, with the pointer of what is being built."""
        # Every open container but the innermost holds its child already, as its last one.
        steps: list[str | int | None] = [
            next(reversed(outer), None) if isinstance(outer, dict) else len(outer) - 1
            for outer in self.stack[:-1]
        ]
        if self.stack:
            steps.append(self.keys[-1] if isinstance(self.stack[-1], dict) else len(self.stack[-1]))
        pointer = "".join(token(step) for step in steps if step is not None)
        if mark is None:
            return Place(self.name, pointer=pointer)
        return Place(self.name, mark.line + 1, mark.column + 1, pointer)

    def _refusal(
        self, event: Any, message: str, hint: str, kind: type[DocumentError] = YamlRefused
    ) -> DocumentError:
        return kind(message, hint=hint, place=self.place(event.start_mark))

    def _open(self, event: Any, container: dict[str, Any] | list[Any]) -> None:
        self._plain_node(event)
        if len(self.stack) >= self.depth:
            raise self._refusal(
                event, f"nested deeper than {self.depth} levels", "nest less deeply", LimitPassed
            )
        if self.stack and isinstance(self.stack[-1], dict) and self.keys[-1] is None:
            raise self._refusal(event, "a key is no scalar", "keys are strings")
        self._add(container)
        self.stack.append(container)
        self.keys.append(None)
        self.merged.append([])
        self.names.append(event.anchor)

    def _close(self, event: Any) -> None:
        container = self.stack[-1]
        for source in self.merged[-1]:
            for mapping in source if isinstance(source, list) else [source]:
                if not isinstance(mapping, dict) or not isinstance(container, dict):
                    raise self._refusal(event, "a merge key (<<) holds no mapping", "merge mappings only")
                for key, value in mapping.items():
                    container.setdefault(key, value)  # what stands in the mapping itself, or first, counts
        self.stack.pop()
        self.keys.pop()
        self.merged.pop()
        if (name := self.names.pop()) is not None:
            self.anchors[name] = container

    def _alias(self, event: Any) -> None:
        if self.stack and isinstance(self.stack[-1], dict) and self.keys[-1] is None:
            raise self._refusal(event, "a key is no scalar", "keys are strings")
        if event.anchor not in self.anchors:
            raise self._refusal(
                event,
                "an alias names no value before it",
                "define the anchor first; recursion is written by $ref",
            )
        self._add(self._copy(self.anchors[event.anchor], len(self.stack), event))

    def _copy(self, value: Any, depth: int, event: Any) -> Any:
        """Copy what an alias names, so that a small text cannot become a large tree."""
        self.copied += 1
        if self.copied > MAX_COPIED:
            raise self._refusal(event, f"aliases add more than {MAX_COPIED} values", "use $ref", LimitPassed)
        if depth > self.depth:
            raise self._refusal(
                event, f"nested deeper than {self.depth} levels", "nest less deeply", LimitPassed
            )
        if isinstance(value, dict):
            return {key: self._copy(item, depth + 1, event) for key, item in value.items()}
        if isinstance(value, list):
            return [self._copy(item, depth + 1, event) for item in value]
        return value

    def _plain_node(self, event: Any) -> None:
        if event.tag is not None:
            raise self._refusal(
                event, "tags are not allowed", "leave the tag out; quote what must be a string"
            )

    def _scalar(self, event: Any) -> None:
        self._plain_node(event)
        if self.stack and isinstance(self.stack[-1], dict) and self.keys[-1] is None:
            self._key(event, self.stack[-1])
            return
        value: Any = event.value
        if event.implicit[0]:  # a plain scalar, not a quoted or block one
            try:
                value = resolved(value)
            except NumberRefused as error:
                raise self._refusal(event, error.message, error.hint, NumberRefused) from None
        self._add(value)
        if event.anchor is not None:
            self.anchors[event.anchor] = value

    def _key(self, event: Any, mapping: dict[str, Any]) -> None:
        key: str = event.value
        if event.anchor is not None:
            raise self._refusal(event, "a key has an anchor", "put the anchor on a value")
        self.keys[-1] = key
        if key == MERGE and event.implicit[0]:
            self.keys[-1] = _MERGING
        elif key in mapping:
            raise self._refusal(
                event,
                f"the key {key[:80]!r} stands twice in one mapping",
                "remove one of the two",
                DuplicateKey,
            )

    def _add(self, value: Any) -> None:
        if not self.stack:
            self.root = value
            return
        container = self.stack[-1]
        if isinstance(container, dict):
            key = self.keys[-1]
            assert key is not None  # a value follows its key
            if key is _MERGING:
                self.merged[-1].append(value)
            else:
                container[key] = value
            self.keys[-1] = None
        else:
            container.append(value)


def resolved(text: str) -> bool | int | float | Decimal | str | None:  # noqa: PLR0911 - one row, one return
    """Resolve a plain scalar by the core schema (YAML 1.2.2 §10.3.2); raises `NumberRefused` (.nan, .inf)."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if _INTEGER.fullmatch(text):
        return integer_of(text)
    if _FLOAT.fullmatch(text):
        return number_of(text)
    if _OCTAL.fullmatch(text):
        return integer_of(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return integer_of(text[2:], 16)
    if _NO_NUMBER.fullmatch(text):
        raise NumberRefused("NaN and infinities are no JSON numbers", hint="leave the value out, or quote it")
    return text
