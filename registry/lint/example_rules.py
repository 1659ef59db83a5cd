"""Examples and defaults must be what they are examples of: each is judged by the compiled schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kernel.contract.positions import token
from kernel.errors import InterlockError
from kernel.schema.dialects import Dialect, dialect_of, of_format
from kernel.schema.validator import CompiledSchema, compile_schema
from registry.lint.reading import Hit, Part, Subject
from registry.lint.rule import ALL, ERROR, EVENTS, WARNING, Rule

MOST_EXAMPLES = 3_000  # judged in one document; what is beyond stays unjudged, so that time stays bounded


class Judge:
    """Compiles each schema once, and says what is wrong with a value; nothing where it cannot be compiled."""

    def __init__(self, subject: Subject) -> None:
        self._root = subject.root
        self._dialect = dialect_of(subject.root)
        # The schema is kept beside, so that its id stays its own.
        self._known: dict[tuple[int | str, Dialect], tuple[Any, CompiledSchema | None]] = {}
        self._left = MOST_EXAMPLES

    def fault(self, schema: Any, value: Any, dialect: Dialect | None = None) -> str | None:
        """Say in words where a value breaks its schema, or None."""
        self._left -= 1
        compiled = self._compile(schema, dialect or self._dialect) if self._left >= 0 else None
        if compiled is None or compiled.accepts(value):
            return None
        found = compiled.violations(value, 3)
        return ", ".join(f"{one.keyword} at {one.pointer or 'its root'}" for one in found)

    def _compile(self, schema: Any, dialect: Dialect) -> CompiledSchema | None:
        key: tuple[int | str, Dialect] = (id(schema), dialect)
        if isinstance(schema, dict) and schema.keys() == {"$ref"}:
            key = (str(schema["$ref"]), dialect)
        if key not in self._known:
            try:
                made: CompiledSchema | None = compile_schema(schema, root=self._root, dialect=dialect)
            except InterlockError:
                made = None  # said by whoever compiles the document for serving
            self._known[key] = (schema, made)
        return self._known[key][1]


def invalid_defaults(subject: Subject) -> Iterator[Hit]:
    """Find defaults that their own schema refuses."""
    judge = Judge(subject)
    for part in subject.schemas:
        if isinstance(part.node, dict) and "default" in part.node and not _is_other_dialect(subject, part):
            fault = judge.fault(part.node, part.node["default"])
            if fault is not None:
                yield Hit(f"{part.pointer}/default", f"the default breaks its schema: {fault}")


def invalid_examples(subject: Subject) -> Iterator[Hit]:
    """Find examples that the schema beside them refuses."""
    judge = Judge(subject)
    for part in subject.parts:
        if not isinstance(part.node, dict):
            continue
        if part.type in ("schema", "payload") and not _is_other_dialect(subject, part):
            for pointer, value in _schema_examples(part):
                yield from _told(pointer, judge.fault(part.node, value))
        elif part.type in ("media-type", "parameter", "header") and "schema" in part.node:
            if part.type == "media-type" and "json" not in part.pointer.rpartition("/")[2].lower():
                continue
            for pointer, value in _beside_examples(subject, part):
                fault = judge.fault(part.node["schema"], value)
                if fault is not None and isinstance(value, str):
                    fault = _as_text(judge, part.node["schema"], value, fault)
                yield from _told(pointer, fault)


def _told(pointer: str, fault: str | None) -> Iterator[Hit]:
    if fault is not None:
        yield Hit(pointer, f"the example breaks its schema: {fault}")


def _as_text(judge: Judge, schema: Any, value: str, fault: str) -> str | None:
    """Take an example that is written as the text of a body (OpenAPI §4.8.19 allows it)."""
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return fault
    return judge.fault(schema, parsed)


def _schema_examples(part: Part) -> Iterator[tuple[str, Any]]:
    if "example" in part.node:
        yield f"{part.pointer}/example", part.node["example"]
    listed = part.node.get("examples")
    for index, value in enumerate(listed if isinstance(listed, list) else ()):
        yield f"{part.pointer}/examples/{index}", value


def _beside_examples(subject: Subject, part: Part) -> Iterator[tuple[str, Any]]:
    if "example" in part.node:
        yield f"{part.pointer}/example", part.node["example"]
    named = part.node.get("examples")
    for name, declared in named.items() if isinstance(named, dict) else ():
        example, _ = subject.follow(declared, "")
        for key in ("value", "dataValue"):
            if isinstance(example, dict) and key in example:
                yield f"{part.pointer}/examples{token(name)}", example[key]


def schema_of(subject: Subject, message: Mapping[str, Any], key: str) -> tuple[Any, Dialect | None]:
    """Give a message's schema without its wrapper, and its dialect; None for what is no JSON Schema."""
    declared = message[key]
    written = message.get("schemaFormat") if key == "payload" else None
    reached, _ = subject.follow(declared, "")
    if not subject.version.startswith("2.") and isinstance(reached, dict) and "schemaFormat" in reached:
        declared, written = reached.get("schema", True), reached["schemaFormat"]
    try:
        return declared, of_format(written) if isinstance(written, str) else dialect_of(subject.root)
    except InterlockError:
        return declared, None


def _is_other_dialect(subject: Subject, part: Part) -> bool:
    """Whether a schema of AsyncAPI may stand inside one of another format, where `default` means something else."""
    wrapped = isinstance(part.node, dict) and "schemaFormat" in part.node
    return wrapped or (subject.kind == "asyncapi" and part.pointer.endswith(("/payload", "/schema")))


def uncompilable_payloads(subject: Subject) -> Iterator[Hit]:
    """Find payloads and headers of messages that cannot be compiled to check messages by."""
    for part in subject.of("message"):
        for key in ("payload", "headers"):
            if key not in part.node:
                continue
            schema, dialect = schema_of(subject, part.node, key)
            if dialect is None:
                continue
            try:
                compile_schema(schema, root=subject.root, dialect=dialect)
            except InterlockError as error:
                yield Hit(f"{part.pointer}/{key}", error.message)


_WARD = "type: object\nadditionalProperties: false\nproperties: {ward: {type: string, maxLength: 4, "

EXAMPLE_RULES: tuple[Rule, ...] = (
    Rule(
        "default-invalid", WARNING, ALL,
        "A default that its own schema refuses makes an invalid value out of a missing one.",
        "Correct the default or the schema.",
        good=_WARD + "default: W7}}", bad=_WARD + "default: Ward 7}}", find=invalid_defaults,
    ),
    Rule(
        "example-invalid", WARNING, ALL,
        "Consumers copy examples, and mocks and tests are made of them.",
        "Correct the example or the schema.",
        good=_WARD + "examples: [W7]}}", bad=_WARD + "examples: [Ward 7]}}", find=invalid_examples,
    ),
    Rule(
        "payload-uncompilable", ERROR, EVENTS,
        "A schema that cannot be compiled would let every message through unchecked.",
        "Change the schema: patterns must run in linear time, references must resolve.",
        good="components: {messages: {Result: {payload: {type: string, pattern: '^[A-Z]+$'}}}}",
        bad="components: {messages: {Result: {payload: {type: string, pattern: '(?<=A)B+'}}}}",
        find=uncompilable_payloads,
    ),
)  # fmt: skip
