"""Filters of JSONPath expressions, `?(@.in === 'query' && @property)`: a small part of JavaScript, read into closures.

Nothing is ever evaluated as code: what is not in the tables below is refused when the ruleset is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from registry.lint.spectral.faults import Refused
from registry.lint.spectral.methods import call_method, get_member
from registry.lint.spectral.operators import BINARY, IN, LOGICAL, MATCHES, NAMES, TYPES, Candidate, Expression
from registry.lint.spectral.regexes import Test, compiled
from registry.lint.spectral.values import UNDEFINED, kind, number, text, truthy

MAX_DEPTH = 40  # of brackets and operators
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_$@][\w$@]*)|(?P<text>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<mark>===|!==|==|!=|<=|>=|&&|\|\||~=|\?\.|[<>!+\-*/%().,\[\]?:]))"
)
_REGEX = re.compile(r"/((?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)/([a-z]*)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
# Names whose answer depends on how a node was reached, not only on the node.
_OF_THE_WAY = frozenset({"@parent", "@parentProperty", "@path", "^"})


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter ready to be asked; `contextual` where its answer depends on how a node was reached."""

    holds: Callable[[Candidate], bool]
    contextual: bool


def read_filter(source: str, start: int) -> tuple[Filter, int]:
    """Read an expression up to its closing bracket, and say where that stands; raises `Refused`."""
    parser = _Parser(source, start)
    found = parser.ternary()
    parser.skip()
    if not source.startswith(")", parser.at):
        raise parser.refused("is not closed, or goes on with something that is not supported")
    return Filter(lambda one: truthy(found(one)), parser.contextual), parser.at


class _Parser:
    """Operator precedence as jsep has it, which Spectral's engine uses."""

    def __init__(self, source: str, start: int) -> None:
        self.source = source
        self.start = self.at = start
        self.contextual = False
        self._depth = 0

    def refused(self, what: str) -> Refused:
        return Refused(
            f"the filter `{self.source[self.start : self.start + 120]}` {what} (at character {self.at - self.start + 1})",
            "docs/guide/lint.md says what a filter may hold",
        )

    def skip(self) -> None:
        while self.source[self.at : self.at + 1].isspace():
            self.at += 1

    def _peek(self) -> re.Match[str] | None:
        return _TOKEN.match(self.source, self.at)

    def _mark(self, *wanted: str) -> str | None:
        """Take one of some marks or words, if it comes next."""
        found = self._peek()
        said = (found["mark"] or found["name"]) if found else None
        if found and said in wanted:
            self.at = found.end()
            return said
        return None

    def _must(self, mark: str) -> None:
        if self._mark(mark) is None:
            raise self.refused(f"lacks {mark!r}")

    def ternary(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.refused("nests too deep")
        test = self._binary(0)
        if self._mark("?"):
            first = self.ternary()
            self._must(":")
            second = self.ternary()
            self._depth -= 1
            return lambda one: first(one) if truthy(test(one)) else second(one)
        self._depth -= 1
        return test

    def _binary(self, least: int) -> Expression:
        left = self._unary()
        while True:
            found = self._peek()
            said = (found["mark"] or found["name"] or "") if found else ""
            rank = LOGICAL.get(said) or BINARY.get(said, (0,))[0] or {"in": IN, "~=": MATCHES}.get(said, 0)
            if not found or not rank or rank <= least:
                return left
            self.at = found.end()
            left = self._joined(said, rank, left)

    def _joined(self, said: str, rank: int, left: Expression) -> Expression:
        if said == "~=":
            self.skip()
            test = self._regex_text()
            return lambda one: test(text(left(one)))
        right = self._binary(rank)
        if said == "&&":
            return lambda one: right(one) if truthy(found := left(one)) else found
        if said == "||":
            return lambda one: found if truthy(found := left(one)) else right(one)
        if said == "in":  # JSONPath's containment: the right side is a list or a text
            return lambda one: call_method(right(one), "includes", [left(one)])
        act = BINARY[said][1]
        return lambda one: act(left(one), right(one))

    def _regex_text(self) -> Test:
        found = self._peek()
        if not found or not found["text"]:
            raise self.refused("wants a text after ~=")
        self.at = found.end()
        return compiled(_unquoted(found["text"]), "")

    def _unary(self) -> Expression:
        said = self._mark("!", "-", "+", "typeof", "void")
        if said is None:
            return self._postfix(self._operand())
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.refused("nests too deep")
        operand = self._unary()
        self._depth -= 1
        return {
            "!": lambda one: not truthy(operand(one)),
            "-": lambda one: -number(operand(one)),
            "+": lambda one: number(operand(one)),
            "typeof": lambda one: kind(operand(one)),
            "void": lambda _: UNDEFINED,
        }[said]

    def _operand(self) -> Expression:
        self.skip()
        regex = _REGEX.match(self.source, self.at)
        if regex:
            self.at = regex.end()
            test = compiled(regex[1], regex[2])
            return lambda _: test
        if self._mark("("):
            inner = self.ternary()
            self._must(")")
            return inner
        if self._mark("["):
            return self._list()
        found = self._peek()
        if not found or found["mark"]:
            raise self.refused("holds something that is not supported")
        self.at = found.end()
        if found["number"]:
            value: Any = float(found["number"]) if "." in found["number"] else int(found["number"])
            return lambda _: value
        if found["text"]:
            said = _unquoted(found["text"])
            return lambda _: said
        return self._name(found["name"])

    def _name(self, name: str) -> Expression:
        if name in _OF_THE_WAY:
            self.contextual = True
        if name not in NAMES:
            raise self.refused(f"uses `{name[:40]}`, which is not known in filters")
        if name.startswith("@") and name[1:] and f"{name}" in TYPES and self._mark("("):
            self._must(")")
        return NAMES[name]

    def _list(self) -> Expression:
        items: list[Expression] = []
        while not self._mark("]"):
            if items:
                self._must(",")
            items.append(self.ternary())
        return lambda one: [item(one) for item in items]

    def _postfix(self, target: Expression) -> Expression:
        while said := self._mark(".", "?.", "["):
            lenient = said == "?."
            if said == "[":
                key = self.ternary()
                self._must("]")
                target = _computed(target, key)
                continue
            found = self._peek()
            if not found or not found["name"]:
                raise self.refused("lacks a name after the dot")
            self.at = found.end()
            if self._mark("("):
                target = _called(target, self._method(found["name"]), self._arguments(), lenient=lenient)
            else:
                target = _member(target, found["name"], lenient=lenient)
        return target

    def _method(self, name: str) -> str:
        from registry.lint.spectral.methods import METHODS  # noqa: PLC0415 - one name of a table

        if name not in METHODS:
            raise self.refused(f"calls `{name[:40]}`, which is not known in filters")
        return name

    def _arguments(self) -> list[Expression]:
        found: list[Expression] = []
        while not self._mark(")"):
            if found:
                self._must(",")
            found.append(self.ternary())
        return found


def _member(target: Expression, name: str, *, lenient: bool) -> Expression:
    def read(one: Candidate) -> Any:
        value = target(one)
        return UNDEFINED if lenient and (value is None or value is UNDEFINED) else get_member(value, name)

    return read


def _computed(target: Expression, key: Expression) -> Expression:
    return lambda one: get_member(target(one), key(one))


def _called(target: Expression, name: str, arguments: list[Expression], *, lenient: bool) -> Expression:
    def read(one: Candidate) -> Any:
        value = target(one)
        if lenient and (value is None or value is UNDEFINED):
            return UNDEFINED
        return call_method(value, name, [argument(one) for argument in arguments])

    return read


def _unquoted(said: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), said[1:-1])
