"""Compile what a contract declares of a parameter: Parameter, Header and Encoding Objects."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.positions import token
from kernel.errors import ContractInvalid
from kernel.operation.members import mapping, refused
from kernel.operation.parameters import STYLES, Parameter, Where
from kernel.operation.shapes import dereference, follow
from kernel.operation.subschemas import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel.operation.schemas import Direction, Schemas

# What no message can hold a name with (RFC 9110 §5.1, RFC 6265 §4.2.1).
_UNSENDABLE: Final = {
    "header": re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]"),
    "cookie": re.compile(r"[;=\x00-\x1f\x7f]"),
}
_ALTERNATIVES: Final = 16  # branches tried one by one for one value


def compile_parameter(spec: Any, pointer: str, schemas: Schemas) -> Parameter:
    """Compile a Parameter Object (reference resolved); raises `ContractInvalid` or `SchemaRefused`."""
    name, where = spec.get("name"), spec.get("in")
    if not isinstance(name, str) or not name or not isinstance(where, str) or where not in STYLES:
        raise refused("a parameter needs a name and one of the places path, query, header, cookie", pointer)
    made = _compile(name, where, spec, pointer, schemas, "request")
    made.required = spec.get("required") is True
    _hold_to_its_place(made, pointer)
    made.allow_empty = spec.get("allowEmptyValue") is True and where == "query"
    if where == "path" and not made.required:
        raise refused(f"the path parameter {name!r} must say `required: true`", pointer)
    return made


def compile_header(name: str, spec: Any, pointer: str, schemas: Schemas) -> Parameter:
    """Compile a Header Object of a response."""
    made = _compile(name, "header", spec, pointer, schemas, "response")
    made.required = spec.get("required") is True
    _hold_to_its_place(made, pointer)
    return made


def _hold_to_its_place(made: Parameter, pointer: str) -> None:
    """Refuse what is required under a name that it cannot be sent by: no message would conform."""
    odd = _UNSENDABLE.get(made.where)
    if made.required and odd is not None and odd.search(made.name):
        raise refused(f"no {made.where} can be called {made.name[:40]!r}, and it is required", pointer)


def compile_member(name: str, schema: Any, spec: Any, pointer: str, schemas: Schemas) -> Parameter:
    """Compile a property of a form; its Encoding Object `spec` has style and explode like a query's.

    Without them a property that text cannot carry is JSON (OpenAPI 3.x, "Encoding Object"). The whole
    form is judged by its own schema, so that no member has a validator.
    """
    made = Parameter(name, "query", schemas, schemas.shape(schema))
    shape = made.shape.element() if made.shape.is_array else made.shape
    if not spec and not shape.scalars:
        made.settle_json(each=made.shape.is_array)
        return made
    return _compile(name, "query", {**spec, "schema": schema}, pointer, schemas, "request", judge=False)


def _compile(  # noqa: PLR0917 - one private door for three kinds of object
    name: str,
    where: Where,
    spec: Any,
    pointer: str,
    schemas: Schemas,
    direction: Direction,
    *,
    judge: bool = True,
) -> Parameter:
    content = spec.get("content")
    schema = spec.get("schema", True)
    if content is not None:
        if "schema" in spec:
            raise refused(
                f"the parameter {name!r} has `schema` and `content`, which exclude each other", pointer
            )
        if not isinstance(content, dict) or len(content) != 1:
            raise refused(f"`content` of the parameter {name!r} must have exactly one media type", pointer)
        media, declared = next(iter(mapping(content, f"{pointer}/content").items()))
        entry, place = follow(schemas.root, declared, f"{pointer}/content{token(media)}")
        schema = entry.get("schema", True) if isinstance(entry, dict) else True
        made = Parameter(name, where, schemas, schemas.shape(schema))
        made.validator = schemas.compile(schema, direction, f"{place}/schema")
        made.settle_content(pointer + "/content", media)
        return made
    made = _styled(name, where, spec, schema, pointer, schemas)
    if judge and made.finding is None:
        made.others = tuple(_others(made, spec, schema, pointer, schemas))
        single = bool(made.shape.scalars) and set(made.shape.types) <= set(made.shape.scalars)
        made.validator = (schemas.compile_scalar if single else schemas.compile)(
            schema, direction, f"{pointer}/schema"
        )
    return made


def _styled(  # noqa: PLR0917 - as above
    name: str, where: Where, spec: Any, schema: Any, pointer: str, schemas: Schemas
) -> Parameter:
    made = Parameter(name, where, schemas, schemas.shape(schema))
    style = spec.get("style", made.style)
    if style not in STYLES[where]:
        raise refused(f"a {where} parameter ({name!r}) cannot have the style {str(style)[:40]!r}", pointer)
    made.style = style
    explode = spec.get("explode")
    # `deepObject` has one form only, whatever explode says (OpenAPI 3.1.1, "Style Examples").
    made.explode = explode if isinstance(explode, bool) else style in {"form", "cookie", "deepObject"}
    made.encoded = made.encoded and style != "cookie"
    made.settle(pointer)
    return made


def _others(made: Parameter, spec: Any, schema: Any, pointer: str, schemas: Schemas) -> Iterator[Parameter]:
    """Make a reader for each branch of an array's or object's schema; a branch of scalars needs none."""
    if not {"array", "object"} & set(made.shape.types) or made.shape.untyped:
        return
    for branch in alternatives(schemas.root, schema):
        try:
            other = _styled(made.name, made.where, spec, branch, pointer, schemas)
        except ContractInvalid:
            continue  # this branch has no form in this style
        if other.spread == made.spread and other.finding is None:
            yield other


def alternatives(root: Any, schema: Any) -> tuple[dict[str, Any], ...]:
    """Give each branch of a schema's `oneOf` or `anyOf` by itself, with what stands beside it; () for none.

    One text may be a number in one branch and a string in another, each with other neighbours.
    """
    plain = dereference(root, schema)
    if isinstance(plain, dict):
        for keyword in ("oneOf", "anyOf"):
            branches = listed(plain, keyword)
            if 1 < len(branches) <= _ALTERNATIVES:
                # A discriminator chooses among branches, of which only one is left.
                beside = {key: value for key, value in plain.items() if key not in {keyword, "discriminator"}}
                return tuple({**beside, "allOf": [*listed(plain, "allOf"), one]} for one in branches)
    return ()
