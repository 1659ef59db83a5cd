"""YAML 1.2 text, read as its core schema says and without what readers resolve in different ways.

PyYAML's C event parser gives the syntax; types are resolved here. Plain `no`, `on`, dates, `1_000` and
`12:30` are strings; `0o17` and `0x1F` are integers; `010` is ten. Keys are the text as written
(OpenAPI: the failsafe schema), so `200:` is "200". Anchors, aliases, tags, merge keys and several
documents are refused.
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


def yaml_positions(text: str) -> Positions:
    """Index a text that `parse_yaml` has accepted."""
    positions = Positions(text)
    mappings: list[bool] = []  # for each open container: whether it is a mapping
    key: int | None = None
    for event in yaml.parse(text, Loader=yaml.CLoader):
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            positions.leave()
            mappings.pop()
            key = None
        elif isinstance(event, yaml.NodeEvent):
            assert event.start_mark is not None  # the parser always sets it
            here = positions.offset_at(event.start_mark.line, event.start_mark.column)
            if mappings and mappings[-1] and key is None:
                key = here
                continue
            at, key = (here if key is None else key), None
            if isinstance(event, yaml.ScalarEvent):
                positions.leaf(at)
            else:
                positions.enter(at)
                mappings.append(isinstance(event, yaml.MappingStartEvent))
    return positions


def _hint(error: yaml.MarkedYAMLError) -> str:
    problem = f"{error.problem}"
    if "cannot start any token" in problem:
        return "indent with spaces, and quote text that begins with @, ` or %"
    if "mapping values are not allowed" in problem:
        return "quote text that holds ': '"
    if "Unicode character escape" in problem:
        return "YAML has no surrogate pairs: write the character itself, or \\UXXXXXXXX"
    return "check the indentation and the brackets before this place"


@dataclass(slots=True)
class _Builder:
    """Builds values from events, with the path to the current node for errors."""

    name: str
    depth: int
    documents: int = 0
    root: Any = None
    stack: list[dict[str, Any] | list[Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)  # the pending key of each open mapping

    def take(self, event: Any) -> None:
        """Take the next event of the parser."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent):
            self._open(event, {})
        elif isinstance(event, yaml.SequenceStartEvent):
            self._open(event, [])
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self.stack.pop()
            self.keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            raise self._refusal(event, "aliases are not allowed", "write the value out, or use $ref")
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise self._refusal(event, "several documents in one file", "keep one document in each file")

    def place(self, mark: Any) -> Place:
        """Name the place of a mark, with the pointer of what is being built."""
        # Every open container but the innermost holds its child already, as its last one.
        steps: list[str | int | None] = [
            next(reversed(outer)) if isinstance(outer, dict) else len(outer) - 1 for outer in self.stack[:-1]
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

    def _plain_node(self, event: Any) -> None:
        if event.anchor is not None:
            raise self._refusal(event, "anchors are not allowed", "write the value out, or use $ref")
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

    def _key(self, event: Any, mapping: dict[str, Any]) -> None:
        key: str = event.value
        if key == "<<" and event.implicit[0]:
            raise self._refusal(event, "merge keys are not allowed", "write the members out, or use allOf")
        self.keys[-1] = key
        if key in mapping:
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
