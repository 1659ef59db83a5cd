"""Random schemas of every keyword and applicator, and random values near what two schemas speak of.

Both are written from the documents' text alone and share no code with the engine that they test.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from kernel.contract.positions import tokens_of
from kernel.schema.dialects import Dialect
from tests.bench.compat.mutations import DRAFT07, FULL, LATER, OAS30

NAMES = ("id", "name", "code", "unit", "kind")
PATTERNS = ("^[a-z]+$", "^[A-Z]{2}[0-9]{2}$", "a", "^(ml|mg|g)$", "^\\d{1,3}$", "^x-", "[^ ]", "^$", "b$")
NAME_PATTERNS = ("^x-", "^[a-m]", "e$", "^(id|name)$")
FORMATS = ("date", "date-time", "uuid", "email", "ipv4", "uri", "int32", "byte", "made-up")
TEXTS = ("", "a", "b", "text", "abc", "AB12", "ml", "g", "12", "999", "x-1", "2026-11-20", "0", "ada@ward.example", " ",
         "2026-11-20T08:31:00Z", "7d444840-9dc0-11d1-b245-5ffdce74fad2", "192.0.2.7", "https://a.example/", "ÄÖ")  # fmt: skip
NUMBERS = (0, 1, -1, 2, 3, 5, 6, 7, 10, 12, 40, 41, 100, 0.5, 1.5, -0.5, 2.25, 0.1, 2.0, 2**31, 10**20)
SCALARS = (*TEXTS[:8], *NUMBERS[:8], 0.5, 1.5, True, False, None)
CONSTANTS = ("a", "ml", "mg", 0, 1, 2, 1.5, True, None, "", [], {}, ["a"], {"id": "a"})
MOST_DEEP = 5


def schema(rng: random.Random, dialect: Dialect, depth: int = 3) -> Any:
    """Give a random schema with the keywords of a dialect; at the root it may be recursive."""
    made = _schema(rng, dialect, depth)
    if dialect is OAS30 or rng.random() > 0.12 or not isinstance(made, dict):
        return made
    word = "definitions" if dialect is DRAFT07 else "$defs"
    below = {
        "type": "object",
        "properties": {"kids": {"type": "array", "items": {"$ref": f"#/{word}/node"}}, "id": made},
    }
    more = rng.choice(({}, {"required": ["id"]}, {"additionalProperties": False}, {"maxProperties": 1}))
    return {word: {"node": {**below, **more}}, "$ref": f"#/{word}/node"}


def _schema(rng: random.Random, dialect: Dialect, depth: int) -> Any:
    pick = rng.random()
    if depth <= 0 or pick < 0.3:
        return _leaf(rng, dialect)
    if pick < 0.58:
        return _object(rng, dialect, depth)
    if pick < 0.72:
        return _array(rng, dialect, depth)
    return _applied(rng, dialect, depth)


def _leaf(rng: random.Random, dialect: Dialect) -> Any:
    made: dict[str, Any]
    pick = rng.random()
    if pick < 0.04 and dialect is not OAS30:
        return rng.random() < 0.7
    if pick < 0.14:
        return {"enum": rng.sample(CONSTANTS, rng.randint(1, 4))}
    if pick < 0.2 and dialect in FULL:
        return {"const": rng.choice(CONSTANTS)}
    if pick < 0.5:
        made = {"type": "string"}
        rows: list[dict[str, Any]] = [{"minLength": rng.randint(0, 3)}, {"maxLength": rng.randint(0, 6)},
                {"pattern": rng.choice(PATTERNS)}, {"format": rng.choice(FORMATS)}]  # fmt: skip
    elif pick < 0.82:
        made = {"type": rng.choice(("integer", "number"))}
        rows = [{"minimum": rng.choice((-1, 0, 1, 1.5, 2))}, {"maximum": rng.choice((0, 2, 5, 9.5, 12))},
                {"multipleOf": rng.choice((1, 2, 3, 0.5, 0.1, 6))}]  # fmt: skip
        if dialect is OAS30:
            rows += [{"minimum": 0, "exclusiveMinimum": True}, {"maximum": 5, "exclusiveMaximum": True}]
        else:
            rows += [
                {"exclusiveMinimum": rng.choice((0, 1, -1.5))},
                {"exclusiveMaximum": rng.choice((2, 5, 5.5))},
            ]
    else:
        made = {"type": rng.choice(("boolean", "string", "integer"))}
        rows = [{}]
    for row in rng.sample(rows, min(rng.randint(0, 2), len(rows))):
        made |= row
    if rng.random() < 0.15:
        if dialect is OAS30:
            made["nullable"] = True
        else:
            made["type"] = [made["type"], rng.choice(("null", "boolean", "array"))]
    return made


def _object(rng: random.Random, dialect: Dialect, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object"} if rng.random() < 0.85 else {}
    names = rng.sample(NAMES, rng.randint(0, 3))
    if names:
        made["properties"] = {name: _schema(rng, dialect, depth - 1) for name in names}
    if rng.random() < 0.5:
        made["required"] = sorted(rng.sample(NAMES, rng.randint(1, 2)))
    if rng.random() < 0.4:
        made["additionalProperties"] = rng.choice((False, False, True, _leaf(rng, dialect)))
    if rng.random() < 0.12:
        made["minProperties"] = rng.randint(0, 2)
    if rng.random() < 0.12:
        made["maxProperties"] = rng.randint(0, 3)
    if dialect in FULL and rng.random() < 0.15:
        made["patternProperties"] = {rng.choice(NAME_PATTERNS): _schema(rng, dialect, depth - 1)}
    if dialect in FULL and rng.random() < 0.1:
        made["propertyNames"] = rng.choice(
            ({"pattern": rng.choice(NAME_PATTERNS)}, {"maxLength": 4}, {"enum": ["id", "x-1"]})
        )
    if rng.random() < 0.15:
        needs = {rng.choice(NAMES): sorted(rng.sample(NAMES, 1))}
        parts = {rng.choice(NAMES): _schema(rng, dialect, depth - 1)}
        if dialect in LATER:
            made |= rng.choice(({"dependentRequired": needs}, {"dependentSchemas": parts}))
        elif dialect is DRAFT07:
            made["dependencies"] = rng.choice((needs, parts))
    return made


def _array(rng: random.Random, dialect: Dialect, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "array"} if rng.random() < 0.9 else {}
    if rng.random() < 0.8 or dialect is OAS30:
        made["items"] = _schema(rng, dialect, depth - 1)
    if dialect in FULL and rng.random() < 0.25:
        prefix = [_schema(rng, dialect, depth - 1) for _ in range(rng.randint(1, 2))]
        if dialect is DRAFT07:
            rest = made.pop("items", None)
            made["items"] = prefix
            made |= {"additionalItems": rest} if rest is not None else {}
        else:
            made["prefixItems"] = prefix
    if rng.random() < 0.25:
        made["minItems"] = rng.randint(0, 2)
    if rng.random() < 0.25:
        made["maxItems"] = rng.randint(0, 3)
    if rng.random() < 0.15:
        made["uniqueItems"] = True
    if dialect in FULL and rng.random() < 0.2:
        made["contains"] = _schema(rng, dialect, depth - 1)
        if dialect in LATER and rng.random() < 0.5:
            made |= rng.choice(({"minContains": 0, "maxContains": 1}, {"minContains": 2}, {"maxContains": 1}))
    if dialect in LATER and rng.random() < 0.08:
        made["unevaluatedItems"] = rng.choice((False, _leaf(rng, dialect)))
    return made


def _applied(rng: random.Random, dialect: Dialect, depth: int) -> dict[str, Any]:
    key = rng.choice(("allOf", "anyOf", "oneOf", "anyOf", "oneOf", "not", "if", "beside"))
    if key == "beside" or (key == "if" and dialect is OAS30):
        base = _object(rng, dialect, depth)
        base[rng.choice(("allOf", "anyOf", "oneOf"))] = [_schema(rng, dialect, depth - 1) for _ in range(2)]
        if dialect in LATER and rng.random() < 0.4:
            base["unevaluatedProperties"] = rng.choice((False, False, _leaf(rng, dialect)))
            base.pop("additionalProperties", None)
        return base
    if key == "not":
        return {"not": _schema(rng, dialect, depth - 1)}
    if key == "if":
        made = {"if": _schema(rng, dialect, depth - 1)}
        for word in rng.sample(("then", "else"), rng.randint(1, 2)):
            made[word] = _schema(rng, dialect, depth - 1)
        return made
    return {key: [_schema(rng, dialect, depth - 1) for _ in range(rng.randint(1, 3))]}


class Values:
    """Random values for a schema of a document, steered by its text and by the words of another schema.

    With `declared` an object has only properties that its schema declares, where it declares any.
    """

    def __init__(self, rng: random.Random, root: Any, words: Any, *, declared: bool = False) -> None:
        self.rng = rng
        self.root = root
        self.declared = declared
        self.names = sorted({name for key in ("properties", "required") for name in _under(words, key)})[
            :40
        ] or ["id"]
        self.names += ["x-1", "other"]
        listed = [*_under(words, "enum"), *_under(words, "const")]
        bounds = [n + d for k in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
                  for n in _under(words, k) if not isinstance(n, bool) for d in (0, 1, -1)]  # fmt: skip
        self.lengths = sorted({max(n + d, 0) for k in ("minLength", "maxLength") for n in _under(words, k)
                               for d in (0, 1, -1) if n < 200}) or [3]  # fmt: skip
        self.pool = [*listed[:60], *bounds[:40]]

    def value(self, node: Any, depth: int = 0) -> Any:
        """Give a value that leans on a schema, and often departs from it."""
        rng = self.rng
        node = self._followed(node)
        if not isinstance(node, dict):
            return self._anything(depth)
        if depth > MOST_DEEP or rng.random() < 0.05:
            # Nothing out of the pool: it may be an object, of which this schema declares nothing.
            return rng.choice((*SCALARS, [], {})) if self.declared else self._anything(depth)
        for key in ("const",):
            if key in node and rng.random() < 0.9:
                return node[key]
        if node.get("enum") and rng.random() < 0.9:
            return rng.choice(node["enum"])
        return self._typed(node, depth)

    def _followed(self, node: Any) -> Any:
        """Follow references and choose among alternatives, putting the parts of one value together."""
        for _ in range(20):
            if not isinstance(node, dict):
                return node
            if isinstance(node.get("$ref"), str) and node["$ref"].startswith("#"):
                target = self.root
                for step in tokens_of(node["$ref"][1:]):
                    target = target[int(step)] if isinstance(target, list) else target[step]
                node = {
                    **(target if isinstance(target, dict) else {}),
                    **{k: v for k, v in node.items() if k != "$ref"},
                }
                continue
            parts = list(node.get("allOf") or ())
            parts += [self.rng.choice(node[key]) for key in ("anyOf", "oneOf") if node.get(key)]
            parts += [node[self.rng.choice(("if", "then"))] for _ in (1,) if "if" in node and "then" in node]
            if not parts:
                return node
            rest = {
                k: v for k, v in node.items() if k not in {"allOf", "anyOf", "oneOf", "if", "then", "else"}
            }
            node = _merged([rest, *(self._once(part) for part in parts)])
        return node

    def _once(self, part: Any) -> Any:
        if isinstance(part, dict) and isinstance(part.get("$ref"), str) and part["$ref"].startswith("#"):
            return self._followed({"$ref": part["$ref"]})
        return part

    def _typed(self, node: dict[str, Any], depth: int) -> Any:
        kind = node.get("type")
        if isinstance(kind, list):
            kind = self.rng.choice(kind) if kind else None
        if kind is None:
            kind = ("object" if {"properties", "required", "additionalProperties", "patternProperties"} & node.keys()
                    else "array" if {"items", "prefixItems", "contains"} & node.keys() else None)  # fmt: skip
        if node.get("nullable") and self.rng.random() < 0.15:
            return None
        if kind == "object":
            return self._object(node, depth)
        if kind == "array":
            return self._array(node, depth)
        if kind == "string":
            return self._text(node)
        if kind in {"integer", "number"}:
            return self._number(node, kind)
        return {"boolean": self.rng.random() < 0.5, "null": None}.get(str(kind), self._anything(depth))

    def _object(self, node: dict[str, Any], depth: int) -> dict[str, Any]:
        rng = self.rng
        declared = node.get("properties") or {}
        names = list(node.get("required") or ()) if rng.random() < 0.92 else []
        names += [name for name in declared if rng.random() < (0.5 if depth < 3 else 0.15)]
        open_ = node.get("additionalProperties") not in (None, False)
        if rng.random() < 0.3 and (open_ or not declared or not self.declared):
            names.append(rng.choice(self.names))
        other = node.get("additionalProperties")
        made = {name: self.value(declared.get(name, other), depth + 1) for name in names}
        if made and rng.random() < 0.08:
            made.pop(rng.choice(sorted(made)))
        return made

    def _array(self, node: dict[str, Any], depth: int) -> list[Any]:
        rng = self.rng
        low = node.get("minItems") or 0
        high = node.get("maxItems", low + 2)
        count = min(rng.randint(min(low, high), max(low, high)) + rng.choice((0, 0, 0, 1, -1)), 12)
        prefix = node.get("prefixItems") or (node["items"] if isinstance(node.get("items"), list) else [])
        items = node.get("items") if not isinstance(node.get("items"), list) else node.get("additionalItems")
        made = [self.value(prefix[i] if i < len(prefix) else items, depth + 1) for i in range(max(count, 0))]
        if "contains" in node and rng.random() < 0.7:
            made.append(self.value(node["contains"], depth + 1))
        if made and rng.random() < 0.15:
            made.append(made[0])
        return made

    def _text(self, node: dict[str, Any]) -> str:
        rng = self.rng
        texts = [value for value in self.pool if isinstance(value, str)]
        if texts and rng.random() < 0.2:
            return rng.choice(texts)
        if rng.random() < 0.3:
            low = node.get("minLength") or 0
            return rng.choice("a7Z") * min(rng.choice((*self.lengths, low, low + 1)), 300)
        return rng.choice(TEXTS)

    def _number(self, node: dict[str, Any], kind: str) -> Any:
        rng = self.rng
        known = [
            value for value in self.pool if isinstance(value, int | float) and not isinstance(value, bool)
        ]
        if known and rng.random() < 0.5:
            value = rng.choice(known) + rng.choice((0, 0, 1, -1, 0.5, 0.25))
        else:
            value = rng.choice(NUMBERS) * rng.choice((1, 1, 1, node.get("multipleOf") or 1))
        return int(value) if kind == "integer" and rng.random() < 0.9 and abs(value) < 1e300 else value

    def _anything(self, depth: int) -> Any:
        rng = self.rng
        if rng.random() < 0.3 and self.pool:
            return rng.choice(self.pool)
        if depth < 3 and rng.random() < 0.25:
            return rng.choice(([], {}, [rng.choice(SCALARS)], {rng.choice(self.names): rng.choice(SCALARS)}))
        return rng.choice(SCALARS)


def _merged(parts: list[Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items() if isinstance(part, dict) else ():
            if key == "properties" and isinstance(made.get(key), dict):
                made[key] = {**made[key], **value}
            elif key in {"required", "allOf"} and isinstance(made.get(key), list):
                made[key] = [*made[key], *value]
            elif key not in made:
                made[key] = value
    return made


def _under(node: Any, key: str, depth: int = 0) -> Iterator[Any]:
    """Give what stands under a keyword anywhere in a schema: members of lists, names of maps, scalars."""
    if isinstance(node, dict) and depth < 30:
        for name, value in node.items():
            if name == key:
                yield from value if isinstance(value, list | dict) else (value,)
            yield from _under(value, key, depth + 1)
    elif isinstance(node, list):
        for item in node:
            yield from _under(item, key, depth + 1)
