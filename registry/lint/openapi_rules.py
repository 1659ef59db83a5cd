"""What OpenAPI demands and no JSON Schema can say: names that must be unique, and what must match what."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kernel.contract.positions import token
from kernel.operation.message import IGNORED_HEADERS
from registry.lint.asyncapi_parts import ids, is_old
from registry.lint.reading import Hit, Subject, mapping
from registry.lint.rule import API, BOTH, ERROR, WARNING, Rule

_BRACES = re.compile(r"\{([^{}]*)\}")


def undeclared_path_parameters(subject: Subject) -> Iterator[Hit]:
    """Find names in a path template that no parameter describes."""
    for operation in subject.operations:
        declared = {one.name for one in operation.parameters if one.place == "path"}
        for name in dict.fromkeys(_BRACES.findall(operation.template)):
            if name not in declared:
                yield Hit(
                    operation.pointer, f"{operation.title}: nothing describes the path parameter `{name}`"
                )


def unused_path_parameters(subject: Subject) -> Iterator[Hit]:
    """Find path parameters that the template does not name."""
    for operation in subject.operations:
        named = set(_BRACES.findall(operation.template))
        for one in operation.parameters:
            if one.place == "path" and one.name not in named:
                yield Hit(one.pointer, f"{operation.title}: the path has no {{{one.name}}}")


def duplicate_parameters(subject: Subject) -> Iterator[Hit]:
    """Find a parameter that one list names twice (OpenAPI: a list must not include duplicates)."""
    for operation in subject.operations:
        for listed in operation.lists:
            seen: set[tuple[str, str]] = set()
            for one in listed:
                if (one.place, one.name) in seen:
                    yield Hit(one.pointer, f"the {one.place} parameter `{one.name}` is listed twice")
                seen.add((one.place, one.name))


def colliding_headers(subject: Subject) -> Iterator[Hit]:
    """Find headers whose names differ only in case: on the wire they are one (RFC 9110 §5.1)."""
    for operation in subject.operations:
        names = ((one.name, one.pointer) for one in operation.parameters if one.place == "header")
        yield from _collisions(names)
    for part in subject.of("response", "encoding"):
        headers = part.node.get("headers")
        if isinstance(headers, dict):
            yield from _collisions((name, f"{part.pointer}/headers{token(name)}") for name in headers)


def _collisions(names: Iterator[tuple[str, str]]) -> Iterator[Hit]:
    seen: dict[str, str] = {}
    for name, pointer in names:
        if name.lower() in seen:
            yield Hit(pointer, f"`{name}` and `{seen[name.lower()]}` are the same header")
        seen.setdefault(name.lower(), name)


def ignored_headers(subject: Subject) -> Iterator[Hit]:
    """Find header parameters that OpenAPI says are ignored."""
    for operation in subject.operations:
        for one in operation.parameters:
            if one.place == "header" and one.name.lower() in IGNORED_HEADERS:
                yield Hit(one.pointer, f"the header parameter `{one.name}` is ignored")


def duplicate_operation_ids(subject: Subject) -> Iterator[Hit]:
    """Find an operationId that two operations have."""
    seen: dict[str, str] = {}
    for pointer, title, name in _named(subject):
        if name in seen:
            yield Hit(pointer, f"`{name[:100]}` is the operationId of {seen[name]} too")
        seen.setdefault(name, title)


def _named(subject: Subject) -> Iterator[tuple[str, str, str]]:
    """Give place, title and operationId of each operation that has one; those of AsyncAPI 2 with their traits."""
    for operation in subject.operations:
        name = operation.spec.get("operationId")
        if isinstance(name, str):
            yield f"{operation.pointer}/operationId", operation.title, name
    if subject.kind == "asyncapi" and is_old(subject):
        for pointer, name in ids(subject, "operation", "operationId"):
            yield pointer, f"#{pointer.rpartition('/')[0]}", name


def _titled(subject: Subject) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give the operations of OpenAPI and of AsyncAPI 2 (in 3 they are named by their keys)."""
    for operation in subject.operations:
        yield operation.pointer, operation.title, operation.spec
    if subject.kind == "asyncapi":
        for part in subject.of("operation"):
            yield part.pointer, f"#{part.pointer}", part.node


def same_paths(subject: Subject) -> Iterator[Hit]:
    """Find templates that differ only in the names of their parameters."""
    seen: dict[str, str] = {}
    for template in mapping(subject.root.get("paths")):
        shape = _BRACES.sub("{}", template)
        if shape in seen:
            yield Hit("/paths" + token(template), f"{template} and {seen[shape]} are the same path")
        seen.setdefault(shape, template)


def undeclared_schemes(subject: Subject) -> Iterator[Hit]:
    """Find security requirements that name a scheme which nobody declares."""
    schemes = mapping(mapping(subject.root.get("components")).get("securitySchemes"))
    lists = [(subject.root.get("security"), "/security")]
    lists += [(spec.get("security"), f"{pointer}/security") for pointer, _, spec in _titled(subject)]
    if subject.kind == "asyncapi":
        if not subject.version.startswith("2."):
            return  # AsyncAPI 3 refers to schemes by $ref
        others = subject.of("server", "operation-trait")
        lists += [(part.node.get("security"), f"{part.pointer}/security") for part in others]
    for listed, pointer in lists:
        for index, alternative in enumerate(listed if isinstance(listed, list) else ()):
            for name in mapping(alternative):
                if name not in schemes and not (subject.version.startswith("3.2") and "/" in name):
                    yield Hit(
                        f"{pointer}/{index}{token(name)}", f"the security scheme `{name}` is not declared"
                    )


def duplicate_tags(subject: Subject) -> Iterator[Hit]:
    """Find a tag that is described twice."""
    seen: set[str] = set()
    for index, tag in enumerate(subject.root.get("tags") or ()):
        name = tag.get("name") if isinstance(tag, dict) else None
        if isinstance(name, str):
            if name in seen:
                yield Hit(f"/tags/{index}", f"the tag `{name[:100]}` is described twice")
            seen.add(name)


def server_variables(subject: Subject) -> Iterator[Hit]:
    """Find braces in a server's address that no variable fills."""
    for pointer, server in _servers(subject):
        for key in ("url", "host", "pathname"):
            text = mapping(server).get(key)
            for name in _BRACES.findall(text) if isinstance(text, str) else ():
                if name not in mapping(server.get("variables")):
                    yield Hit(f"{pointer}/{key}", f"no variable fills {{{name[:100]}}}")


def _servers(subject: Subject) -> Iterator[tuple[str, Any]]:
    """Give the servers of the root, and those among the components of AsyncAPI."""
    if subject.kind == "asyncapi":
        yield from ((part.pointer, part.node) for part in subject.of("server"))
        return
    for index, server in enumerate(subject.root.get("servers") or ()):
        yield f"/servers/{index}", server


def unknown_link_operations(subject: Subject) -> Iterator[Hit]:
    """Find links to an operationId that no operation has."""
    known = {one.spec.get("operationId") for one in subject.operations}
    known |= {part.node.get("operationId") for part in subject.of("operation")}
    for part in subject.of("link"):
        name = part.node.get("operationId")
        if isinstance(name, str) and name not in known:
            yield Hit(f"{part.pointer}/operationId", f"no operation is called `{name}`")


_ANSWER = "responses: {'200': {description: Done.}}"

OPENAPI_RULES: tuple[Rule, ...] = (
    Rule(
        "path-parameter-undeclared", ERROR, API,
        "Nobody could check what stands in the path.",
        "Describe it under `parameters`, `in: path`, `required: true`.",
        good=(
            "paths: {'/orders/{number}': {get: {parameters: [{name: number, in: path, required: true, "
            "schema: {type: string}}], " + _ANSWER + "}}}"
        ),
        bad="paths: {'/orders/{number}': {get: {" + _ANSWER + "}}}", find=undeclared_path_parameters,
    ),
    Rule(
        "path-parameter-unused", ERROR, API,
        "The parameter is required, and no caller has a place to write it.",
        "Write it into the path in braces, or remove the parameter.",
        good=(
            "paths: {'/orders/{number}': {get: {parameters: [{name: number, in: path, required: true, "
            "schema: {type: string}}], " + _ANSWER + "}}}"
        ),
        bad=(
            "paths: {/orders: {get: {parameters: [{name: number, in: path, required: true, "
            "schema: {type: string}}], " + _ANSWER + "}}}"
        ),
        find=unused_path_parameters,
    ),
    Rule(
        "parameter-duplicate", ERROR, API,
        "Which of the two holds would be up to each reader.", "Keep one of them.",
        good="paths: {/orders: {parameters: [{name: page, in: query, schema: {type: integer}}]}}",
        bad=(
            "paths: {/orders: {get: {parameters: [{name: page, in: query, schema: {type: integer}}, "
            "{name: page, in: query, schema: {type: string}}], " + _ANSWER + "}}}"
        ),
        find=duplicate_parameters,
    ),
    Rule(
        "header-names-collide", ERROR, API,
        "Header names are compared without case (RFC 9110 §5.1), so two of them are one on the wire.",
        "Keep one of them.",
        good="paths: {/orders: {parameters: [{name: X-Ward, in: header, schema: {type: string}}]}}",
        bad=(
            "paths: {/orders: {get: {parameters: [{name: X-Ward, in: header, schema: {type: string}}, "
            "{name: x-ward, in: header, schema: {type: integer}}], " + _ANSWER + "}}}"
        ),
        find=colliding_headers,
    ),
    Rule(
        "header-parameter-ignored", WARNING, API,
        "OpenAPI ignores header parameters called Accept, Content-Type and Authorization.",
        "Say it by `content` and by `security`.",
        good="security: [{key: []}]",
        bad=(
            "paths: {/orders: {get: {parameters: [{name: Authorization, in: header, schema: {type: string}}], "
            + _ANSWER + "}}}"
        ),
        find=ignored_headers,
    ),
    Rule(
        "operation-id-duplicate", ERROR, BOTH,
        "Audit records, limits and generated clients name an operation by its id.",
        "Give every operation an id of its own.",
        good="paths: {/orders: {get: {operationId: listOrders, " + _ANSWER + "}}}",
        bad=(
            "paths: {/orders: {get: {operationId: orders, " + _ANSWER + "}, "
            "post: {operationId: orders, " + _ANSWER + "}}}"
        ),
        find=duplicate_operation_ids, clause="Operation Object",
    ),
    Rule(
        "path-duplicate", ERROR, API,
        "Templates that differ only in the names of their parameters match the same requests.",
        "Join them under one template.",
        good="paths: {/orders: {}, /results: {}}", bad="paths: {'/orders/{a}': {}, '/orders/{b}': {}}",
        find=same_paths,
    ),
    Rule(
        "security-scheme-undeclared", ERROR, BOTH,
        "A scheme that nobody declares cannot be verified, so the operation could never be served.",
        "Declare it under `components.securitySchemes`, or correct the name.",
        good="security: [{key: []}]", bad="security: [{keys: []}]",
        find=undeclared_schemes, clause="Security Requirement Object",
    ),
    Rule(
        "tag-duplicate", ERROR, BOTH,
        "Tag names of the document must be unique (OpenAPI §4.8.1, AsyncAPI 2.6 §AsyncAPI Object).", "Keep one of the two.",
        good="tags: [{name: orders}, {name: results}]", bad="tags: [{name: orders}, {name: orders}]",
        find=duplicate_tags, clause="AsyncAPI Object",
    ),
    Rule(
        "server-variable-undeclared", ERROR, BOTH,
        "No caller could write the address.", "Describe the variable with a default, or write the address out.",
        good="servers: [{url: 'https://{site}.example', variables: {site: {default: north}}}]",
        bad="servers: [{url: 'https://{site}.example'}]", find=server_variables, clause="Server Object",
    ),
    Rule(
        "link-operation-unknown", WARNING, API,
        "The link leads nowhere.", "Name an operationId of this document.",
        good=(
            "paths: {/orders: {get: {operationId: listOrders, responses: {'200': {description: Done., "
            "links: {again: {operationId: listOrders}}}}}}}"
        ),
        bad=(
            "paths: {/orders: {get: {operationId: listOrders, responses: {'200': {description: Done., "
            "links: {again: {operationId: listOrder}}}}}}}"
        ),
        find=unknown_link_operations,
    ),
)  # fmt: skip
