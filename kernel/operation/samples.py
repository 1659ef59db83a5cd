"""Writes values for a schema of a document, examples first, the same ones for one seed.

Nothing here is trusted: whoever uses a value has it judged by the validators, and takes the next one where it
does not pass. Work, depth and size are bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Final

from kernel.operation.sample_values import number_of, text_of
from kernel.operation.shapes import TYPES, dereference
from kernel.schema.pattern_text import samples

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPTS: Final = 32
_DEEPEST: Final = 24
_FULL_DEPTH: Final = 4  # down to here, properties that need not be there are there
_MOST_WORK: Final = 4_000  # schemas entered for one value,
_ALL_WORK: Final = 20_000  # and for all that are tried for one schema
_MOST_ITEMS: Final = 200
_UNIQUE_TRIES: Final = 12
_LOWER: Final = frozenset({"maximum", "maxLength", "maxItems", "maxProperties"})  # the smaller one holds
_HIGHER: Final = frozenset({"minimum", "minLength", "minItems", "minProperties"})
_BOTH: Final = frozenset({"items", "additionalProperties", "contains", "propertyNames", "not"})
_NOTED: Final = ("example", "default")


class NoSample(Exception):
    """No value is found for a schema."""


def sample_values(root: Any, schema: Any, seed: str) -> Iterator[Any]:
    """Yield values for a response schema that stands in `root`: first with everything in it, then barer ones."""
    left = _ALL_WORK
    for attempt in range(ATTEMPTS):
        if left <= 0:
            return
        draw = _Draw(root, Random(f"{seed}:{attempt}"), attempt)  # noqa: S311 - must come out the same again
        try:
            value = draw.value(schema, 0)
        except NoSample:
            continue
        finally:
            left -= draw.work
        yield value


@dataclass(slots=True)
class _Draw:
    root: Any
    random: Random
    attempt: int
    work: int = 0

    def value(self, schema: Any, depth: int) -> Any:
        """Write one value; raises `NoSample`."""
        self.work += 1
        if depth > _DEEPEST or self.work > _MOST_WORK:
            raise NoSample
        node: dict[str, Any] = {}
        self._absorb(node, schema, 0)
        if "const" in node:
            return node["const"]
        if self.attempt < ATTEMPTS // 2:  # the latter half does without, for what stands there may be wrong
            for noted in self._noted(node):
                return noted
        listed = node.get("enum")
        if isinstance(listed, list) and listed:
            return self.random.choice(listed)
        return self._of_type(self._type(node), node, depth)

    def _noted(self, node: dict[str, Any]) -> Iterator[Any]:
        examples = node.get("examples")
        if isinstance(examples, list):
            yield from examples
        yield from (node[name] for name in _NOTED if name in node)

    def _of_type(  # noqa: PLR0911 - one line for each type
        self, kind: str, node: dict[str, Any], depth: int
    ) -> Any:
        match kind:
            case "object":
                return self._object(node, depth)
            case "array":
                return self._array(node, depth)
            case "string":
                return text_of(node, self.random)
            case "integer":
                return number_of(node, self.random, whole=True)
            case "number":
                return number_of(node, self.random, whole=False)
            case "boolean":
                return self.random.random() < 0.5  # noqa: PLR2004 - even
            case _:
                return None

    def _type(self, node: dict[str, Any]) -> str:
        declared = node.get("type")
        kinds = [declared] if isinstance(declared, str) else list(declared or ())
        kinds = [kind for kind in kinds if kind in TYPES]
        if kinds:
            return str(next((kind for kind in kinds if kind != "null"), "null"))
        if node.keys() & {"properties", "required", "additionalProperties", "minProperties"}:
            return "object"
        if node.keys() & {"items", "prefixItems", "minItems", "contains"}:
            return "array"
        if node.keys() & {"minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"}:
            return "number"
        return "string"

    # -- containers -----------------------------------------------------------------------------------

    def _object(self, node: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = node.get("properties")
        known: dict[str, Any] = properties if isinstance(properties, dict) else {}
        required = [name for name in node.get("required") or () if isinstance(name, str)]
        made: dict[str, Any] = {}
        full = depth < _FULL_DEPTH and self.attempt % 2 == 0
        for name, schema in known.items():
            if name not in required and (not full or self._is_unanswered(schema)):
                continue
            if name in required and self._is_unanswered(schema):
                continue  # of requests alone (OpenAPI: "writeOnly")
            try:
                made[name] = self.value(schema, depth + 1)
            except NoSample:
                if name in required:
                    raise
        for name in required:
            if name not in made and name not in known:
                made[name] = self.value(self._free(node, name), depth + 1)
        self._fill(node, made, depth)
        return made

    def _fill(self, node: dict[str, Any], made: dict[str, Any], depth: int) -> None:
        """Add properties of any name until there are as many as must be; one where only such are declared."""
        least = node.get("minProperties", 0)
        further = node.get("additionalProperties")
        if not least and not made and isinstance(further, dict) and depth < _FULL_DEPTH:
            least = 1
        patterns = [*(node.get("patternProperties") or {})]
        names = node.get("propertyNames")
        for number in range(_MOST_ITEMS):
            if not isinstance(least, int) or len(made) >= least:
                return
            name = f"key{number + 1}"
            if isinstance(names, dict):
                name = str(self.value({"type": "string", **names}, depth + 1))
            elif patterns:
                name = next(iter(list(samples(patterns[0], number + 1))[number:]), name)
            made.setdefault(name, self.value(self._free(node, name), depth + 1))

    def _free(self, node: dict[str, Any], name: str) -> Any:
        """Give the schema for a property that is not declared by its name."""
        for pattern, schema in (node.get("patternProperties") or {}).items():
            if name in samples(pattern, _MOST_ITEMS):
                return schema
        further = node.get("additionalProperties", True)
        return {"type": "string"} if further is True else further

    def _array(self, node: dict[str, Any], depth: int) -> list[Any]:
        least, most = node.get("minItems", 0), node.get("maxItems", _MOST_ITEMS)
        first = node.get("prefixItems")
        made = [self.value(one, depth + 1) for one in first] if isinstance(first, list) else []
        if isinstance(node.get("contains"), (dict, bool)):
            count = node.get("minContains", 1)
            made += [self.value(node["contains"], depth + 1) for _ in range(min(count, _MOST_ITEMS))]
        wanted = max(least, 1 if depth < _FULL_DEPTH and self.attempt % 2 == 0 else 0)
        items = node.get("items", {"type": "string"} if not made else False)
        while len(made) < min(wanted, most, _MOST_ITEMS) and items is not False:
            made.append(
                self._distinct(items, made, depth)
                if node.get("uniqueItems")
                else self.value(items, depth + 1)
            )
        return made

    def _distinct(self, schema: Any, made: list[Any], depth: int) -> Any:
        for _ in range(_UNIQUE_TRIES):
            value = self.value(schema, depth + 1)
            if value not in made:
                return value
        raise NoSample

    # -- what holds together --------------------------------------------------------------------------

    def _is_unanswered(self, schema: Any) -> bool:
        node = dereference(self.root, schema)
        return node is False or (isinstance(node, dict) and node.get("writeOnly") is True)

    def _absorb(  # noqa: C901 - one line for each kind of keyword
        self, node: dict[str, Any], schema: Any, depth: int
    ) -> None:
        """Add to `node` what `schema` asks for, references and branches followed."""
        if schema is False or depth > _DEEPEST:
            raise NoSample
        if not isinstance(schema, dict):
            return
        if isinstance(schema.get("$ref"), str):
            self._absorb(node, dereference(self.root, schema), depth + 1)
        for keyword, value in schema.items():
            if keyword == "allOf" and isinstance(value, list):
                for part in value:
                    self._absorb(node, part, depth + 1)
            elif keyword in {"oneOf", "anyOf"} and isinstance(value, list) and value:
                self._choose(node, value, schema.get("discriminator"), depth)
            elif keyword == "if" and ("then" in schema or "else" in schema):
                holds = self.attempt % 4 < 2  # noqa: PLR2004 - half of the attempts, full ones and bare ones
                for part in (value, schema.get("then")) if holds else (schema.get("else"),):
                    self._absorb(node, part, depth + 1)
            elif keyword not in {"$ref", "if", "then", "else", "$defs"}:
                _join(node, keyword, value)

    def _choose(self, node: dict[str, Any], branches: list[Any], discriminator: Any, depth: int) -> None:
        """Take one branch: the first at first, another one where an attempt failed."""
        start = 0 if self.attempt < 2 else self.random.randrange(len(branches))  # noqa: PLR2004
        branch = branches[start]
        kind = dereference(self.root, branch)
        if isinstance(kind, dict) and kind.get("type") == "null" and len(branches) > 1:
            branch = branches[(start + 1) % len(branches)]
        self._absorb(node, branch, depth + 1)
        if (
            isinstance(discriminator, dict)
            and isinstance(branch, dict)
            and isinstance(branch.get("$ref"), str)
        ):
            name, reference = discriminator.get("propertyName"), branch["$ref"]
            mapped = discriminator.get("mapping")
            named = mapped if isinstance(mapped, dict) else {}
            short = reference.rpartition("/")[2]
            value = next((key for key, to in named.items() if to in {reference, short}), short)
            _join(node, "properties", {str(name): {"const": value}})


def _join(node: dict[str, Any], keyword: str, value: Any) -> None:
    """Let both hold: what is known of the value already, and one keyword more."""
    known: Any = node.get(keyword)
    if keyword not in node:
        node[keyword] = value
    elif keyword == "properties" and isinstance(value, dict) and isinstance(known, dict):
        node[keyword] = {
            **known,
            **{name: {"allOf": [known[name], one]} if name in known else one for name, one in value.items()},
        }
    elif keyword == "required" and isinstance(value, list):
        node[keyword] = [*known, *(name for name in value if name not in known)]
    elif keyword == "enum" and isinstance(value, list):
        node[keyword] = [one for one in known if one in value]
    elif keyword == "type":
        kinds = value if isinstance(value, list) else [value]
        mine = known if isinstance(known, list) else [known]
        node[keyword] = [
            kind for kind in mine if kind in kinds or (kind == "integer" and "number" in kinds)
        ] or [kind for kind in kinds if kind == "integer" and "number" in mine]
    elif keyword in _LOWER:
        node[keyword] = min(known, value)
    elif keyword in _HIGHER:
        node[keyword] = max(known, value)
    elif keyword in _BOTH and isinstance(value, dict) and isinstance(known, dict):
        node[keyword] = {"allOf": [known, value]}
