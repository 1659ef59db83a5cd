"""The core functions of Spectral: each says what is wrong with a value, and where below it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from registry.lint.spectral.json_schemas import schema_faults
from registry.lint.spectral.ordering import comes_after
from registry.lint.spectral.regexes import Test, compiled, written
from registry.lint.spectral.tree import Key, Tree
from registry.lint.spectral.values import UNDEFINED, is_number, kind, printed, strictly_equal, truthy


class Fault(NamedTuple):
    """What a function says: in Spectral's words, and where below the value (`below`), or where in all (`at`)."""

    message: str
    below: tuple[Key, ...] = ()
    at: tuple[Key, ...] | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a function may know besides the value."""

    tree: Tree


Function = Callable[[Any, Context], Iterator[Fault]]
Maker = Callable[[Any], Function]
_PROPERTY = '#{{print("property")}}'
_VALUE = '#{{print("value")}}'
_CASES = {
    "flat": "[a-z][a-z{d}]*",
    "camel": "[a-z][a-z{d}]*(?:[A-Z{d}](?:[a-z{d}]+|$))*",
    "pascal": "[A-Z][a-z{d}]*(?:[A-Z{d}](?:[a-z{d}]+|$))*",
    "kebab": "[a-z][a-z{d}]*(?:-[a-z{d}]+)*",
    "cobol": "[A-Z][A-Z{d}]*(?:-[A-Z{d}]+)*",
    "snake": "[a-z][a-z{d}]*(?:_[a-z{d}]+)*",
    "macro": "[A-Z][A-Z{d}]*(?:_[A-Z{d}]+)*",
}
_SHORT = 4  # properties that a message of `xor` names one by one


def _simple(wrong: Callable[[Any], bool], what: str) -> Maker:
    def judge(value: Any, _: Context) -> Iterator[Fault]:
        if wrong(value):
            yield Fault(_PROPERTY + what)

    return lambda _: judge


def _pattern(options: dict[str, Any]) -> Function:
    rows: list[tuple[str, bool, Test]] = [
        (options[key], wanted, written(options[key]))
        for key, wanted in (("match", True), ("notMatch", False))
        if key in options
    ]

    def judge(value: Any, _: Context) -> Iterator[Fault]:
        for source, wanted, test in rows if isinstance(value, str) else ():
            if test(value) is not wanted:
                yield Fault(f"{_VALUE} must {'' if wanted else 'not '}match the pattern {printed(source)}")

    return judge


def _casing(options: dict[str, Any]) -> Function:
    form = _CASES[options["type"]].replace("{d}", "" if options.get("disallowDigits") else "0-9")
    separator = options.get("separator")
    source = f"^{form}$"
    if separator is not None:
        mark = (
            f"[{re.escape(separator['char'])}]"
            if separator["char"] not in "]^\\-"
            else f"[\\{separator['char']}]"
        )
        leading = f"{mark}?" if separator.get("allowLeading") else ""
        source = f"^{leading}{form}(?:{mark}{form})*$"
    test = compiled(source, "")

    def judge(value: Any, _: Context) -> Iterator[Fault]:
        if not isinstance(value, str) or not value:
            return
        alone = separator is not None and separator.get("allowLeading") and value == separator["char"]
        if not alone and not test(value):
            yield Fault(f"must be {options['type']} case")

    return judge


def _length(options: dict[str, Any]) -> Function:
    def judge(value: Any, _: Context) -> Iterator[Fault]:
        if not (isinstance(value, str | list | dict) or is_number(value)):
            return
        # Texts are measured in UTF-16 units, as JavaScript does.
        size = (
            value
            if is_number(value)
            else len(value.encode("utf-16-le")) // 2
            if isinstance(value, str)
            else len(value)
        )
        if "min" in options and size < options["min"]:
            yield Fault(f"{_PROPERTY}must be longer than {printed(options['min'])}")
        if "max" in options and size > options["max"]:
            yield Fault(f"{_PROPERTY}must be shorter than {printed(options['max'])}")

    return judge


def _enumeration(options: dict[str, Any]) -> Function:
    def judge(value: Any, _: Context) -> Iterator[Fault]:
        primitive = value is None or isinstance(value, str | bool) or is_number(value)
        if primitive and not any(strictly_equal(value, one) for one in options["values"]):
            allowed = ", ".join(map(printed, options["values"]))
            yield Fault(f"{_VALUE} must be equal to one of the allowed values: {allowed}")

    return judge


def _choice(options: dict[str, Any], *, only_one: bool) -> Function:
    names: list[str] = options["properties"]

    def judge(value: Any, _: Context) -> Iterator[Fault]:
        if not isinstance(value, dict):
            return
        there = [name for name in value if name in names]
        if not there:
            shown = '" or "'.join(names[:3] if len(names) > _SHORT else names)
            more = (
                f" or {len(names) - 3} other properties must be defined"
                if len(names) > _SHORT
                else " must be defined"
            )
            yield Fault(f'At least one of "{shown}"{more}')
        if only_one and len(there) > 1:
            yield Fault('Just one of "' + '" and "'.join(there) + '" must be defined')

    return judge


def _alphabetical(options: dict[str, Any] | None) -> Function:
    keyed_by = (options or {}).get("keyedBy")

    def judge(value: Any, _: Context) -> Iterator[Fault]:
        if not isinstance(value, dict | list) or len(value) < 2:  # noqa: PLR2004 - one is in order
            return
        items = list(value)
        if keyed_by is not None:
            if not all(isinstance(item, dict | list) for item in items):
                yield Fault(f"{_PROPERTY}must be an object")
                return
            items = [item.get(keyed_by, UNDEFINED) if isinstance(item, dict) else UNDEFINED for item in items]
        if not all(isinstance(item, str) or is_number(item) for item in items):
            yield Fault(f"{_PROPERTY}must be one of the allowed types: number, string")
            return
        index = next((at for at in range(len(items) - 1) if comes_after(items[at], items[at + 1])), None)
        if index is None:
            return
        if keyed_by is not None:
            yield Fault("properties must follow the alphabetical order")
            return
        below: Key = index if isinstance(value, list) else items[index]
        yield Fault(f"{printed(items[index])} must be placed after {printed(items[index + 1])}", (below,))

    return judge


def _unreferenced(options: dict[str, Any]) -> Function:
    location: str = options["reusableObjectsLocation"]
    base = tuple(step.replace("~1", "/").replace("~0", "~") for step in location[1:].split("/")[1:])

    def judge(value: Any, context: Context) -> Iterator[Fault]:
        if not isinstance(value, dict):
            return
        used = _references(context.tree.document)
        for name in value:
            if (*base, name) not in used:
                yield Fault("Potential orphaned reusable object has been detected", at=(*base, name))

    return judge


def _references(root: Any) -> set[tuple[Key, ...]]:
    """Give the targets of all references of a document."""
    found: set[tuple[Key, ...]] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            ref = node.get("$ref")
            if isinstance(ref, str) and ref.startswith("#"):
                found.add(
                    tuple(step.replace("~1", "/").replace("~0", "~") for step in ref[1:].split("/")[1:])
                )
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
    return found


def _typed_enum(_: Any) -> Function:
    def judge(value: Any, context: Context) -> Iterator[Fault]:
        node = value if isinstance(value, dict) else {}
        values, said = node.get("enum"), node.get("type")
        types: list[Any] = said if isinstance(said, list) else [said]
        if not isinstance(values, list) or not all(isinstance(one, str) for one in types):
            return
        version = context.tree.document.get("openapi") if isinstance(context.tree.document, dict) else ""
        if node.get("nullable") is True and str(version).startswith("3.0"):
            types = [*types, "null"]
        for index, one in enumerate(values):
            if _type_of(one, whole="integer" in types) not in types:
                yield Fault(f'Enum value {printed(one)} must be "{",".join(types)}".', ("enum", index))

    return judge


def _type_of(value: Any, *, whole: bool) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "array"
    if is_number(value):
        return "integer" if whole and value == int(value) else "number"
    return kind(value)


def _ref_siblings(_: Any) -> Function:
    def judge(value: Any, __: Context) -> Iterator[Fault]:
        for key in value if isinstance(value, dict) else ():
            if key != "$ref":
                yield Fault("$ref must not be placed next to any other properties", (key,))

    return judge


def _schema(options: dict[str, Any]) -> Function:
    judge_value = schema_faults(
        options["schema"], options.get("dialect", "auto"), every=options.get("allErrors", False)
    )

    def judge(value: Any, _: Context) -> Iterator[Fault]:
        if value is UNDEFINED:
            yield Fault(f"{_PROPERTY}must exist")
            return
        for message, below in judge_value(value):
            yield Fault(message, below)

    return judge


FUNCTIONS: dict[str, Maker] = {
    "truthy": _simple(lambda value: not truthy(value), "must be truthy"),
    "falsy": _simple(truthy, "must be falsy"),
    "defined": _simple(lambda value: value is UNDEFINED, "must be defined"),
    "undefined": _simple(lambda value: value is not UNDEFINED, "must be undefined"),
    "pattern": _pattern,
    "casing": _casing,
    "length": _length,
    "enumeration": _enumeration,
    "or": lambda options: _choice(options, only_one=False),
    "xor": lambda options: _choice(options, only_one=True),
    "alphabetical": _alphabetical,
    "schema": _schema,
    "typedEnum": _typed_enum,
    "refSiblings": _ref_siblings,
    "unreferencedReusableObject": _unreferenced,
}
