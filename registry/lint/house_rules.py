"""The house's own rules for APIs: what a caller, an operator and the board need beyond a valid document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kernel.contract.positions import token
from registry.lint.reading import Hit, Subject, mapping
from registry.lint.rule import API, BOTH, INFO, WARNING, Rule

_CHANGING = frozenset({"post", "put", "patch", "delete"})
_LOCAL = re.compile(
    r"http://(localhost|127\.|\[::1\]|[a-z0-9.-]*\.(localhost|test|example|invalid))", re.IGNORECASE
)


def missing_operation_ids(subject: Subject) -> Iterator[Hit]:
    """Find operations without an id."""
    for one in subject.operations:
        if not one.spec.get("operationId"):
            yield Hit(one.pointer, f"{one.title} has no operationId")


def missing_summaries(subject: Subject) -> Iterator[Hit]:
    """Find operations that say nothing about themselves."""
    for one in subject.operations:
        if not one.spec.get("summary") and not one.spec.get("description"):
            yield Hit(one.pointer, f"{one.title} has neither summary nor description")


def missing_description(subject: Subject) -> Iterator[Hit]:
    """Find documents whose `info` says nothing."""
    info = subject.root.get("info")
    if isinstance(info, dict) and not info.get("description") and not info.get("summary"):
        yield Hit("/info", "the document says nowhere what it is for")


def undeclared_security(subject: Subject) -> Iterator[Hit]:
    """Find operations for which neither they nor the root say who may call; `security: []` says anyone."""
    if "security" in subject.root:
        return
    for one in subject.operations:
        if "security" not in one.spec:
            yield Hit(one.pointer, f"{one.title} does not say who may call it")


def open_changes(subject: Subject) -> Iterator[Hit]:
    """Find operations that change something and that anyone may call."""
    for one in subject.operations:
        asked = one.spec.get("security", subject.root.get("security"))
        anyone = isinstance(asked, list) and (not asked or {} in asked)
        if one.method in _CHANGING and anyone:
            yield Hit(one.pointer, f"anyone may call {one.title}")


def plain_servers(subject: Subject) -> Iterator[Hit]:
    """Find servers of `http:` addresses, save those of the own machine."""
    for pointer, server in _servers(subject):
        url = str(server.get("url", ""))
        if url.lower().startswith("http://") and not _LOCAL.match(url):
            yield Hit(f"{pointer}/url", f"{url[:120]} carries calls in the clear")


def _servers(subject: Subject) -> Iterator[tuple[str, dict[str, Any]]]:
    homes = [("", subject.root), *((one.pointer, one.spec) for one in subject.operations)]
    for home, node in homes:
        listed = node.get("servers")
        for index, server in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(server, dict):
                yield f"{home}/servers/{index}", server


def missing_contact(subject: Subject) -> Iterator[Hit]:
    """Find documents that do not say whom to ask."""
    info = subject.root.get("info")
    if isinstance(info, dict) and not info.get("contact"):
        yield Hit("/info", "the document does not say whom to ask")


def undeclared_tags(subject: Subject) -> Iterator[Hit]:
    """Find tags of operations that the root does not list, where it lists any."""
    listed = subject.root.get("tags")
    known = {mapping(tag).get("name") for tag in listed} if isinstance(listed, list) else set()
    for one in subject.operations:
        tags = one.spec.get("tags")
        for index, tag in enumerate(tags if isinstance(tags, list) and known else ()):
            if tag not in known:
                yield Hit(f"{one.pointer}/tags/{index}", f"the root does not list the tag `{str(tag)[:80]}`")


def undescribed_parameters(subject: Subject) -> Iterator[Hit]:
    """Find parameters that say nothing about themselves."""
    for part in subject.of("parameter"):
        if subject.kind == "openapi" and not part.node.get("description"):
            yield Hit(part.pointer, f"`{str(part.node.get('name'))[:80]}`")


def undescribed_components(subject: Subject) -> Iterator[Hit]:
    """Find named schemas that say nothing about themselves."""
    for name, schema in mapping(mapping(subject.root.get("components")).get("schemas")).items():
        if isinstance(schema, dict) and not {"title", "description", "$ref", "schemaFormat"} & schema.keys():
            yield Hit(f"/components/schemas{token(name)}", f"`{name[:80]}`")


def bodies_without_example(subject: Subject) -> Iterator[Hit]:
    """Find JSON bodies of requests without an example, of their own or of their schema."""
    for one in subject.operations:
        body, home = subject.follow(one.spec.get("requestBody"), f"{one.pointer}/requestBody")
        for media, declared in mapping(mapping(body).get("content")).items():
            schema, _ = subject.follow(mapping(declared).get("schema"), "")
            told = {"example", "examples"} & (mapping(declared).keys() | mapping(schema).keys())
            if "json" in media.lower() and not told and mapping(schema):
                yield Hit(f"{home}/content{token(media)}", one.title)


_OK = "'200': {description: Done.}"


def _asks_for(more: str) -> str:
    parameter = f"{{name: status, in: query, {more}schema: {{type: string}}}}"
    return f"paths: {{/orders: {{get: {{parameters: [{parameter}], responses: {{{_OK}}}}}}}}}"


def _taking(more: str) -> str:
    body = f"requestBody: {{content: {{application/json: {{schema: {{type: object}}{more}}}}}}}"
    return f"paths: {{/orders: {{post: {{{body}, responses: {{{_OK}}}}}}}}}"


HOUSE_RULES: tuple[Rule, ...] = (
    Rule(
        "operation-id-missing", WARNING, API,
        "Audit records, limits and generated clients name an operation by its id.",
        "Add a short `operationId` such as placeOrder, and never change it.",
        good="paths: {/orders: {get: {operationId: listOrders, responses: {" + _OK + "}}}}",
        bad="paths: {/orders: {get: {responses: {" + _OK + "}}}}", find=missing_operation_ids,
    ),
    Rule(
        "operation-undescribed", WARNING, API,
        "A consumer must learn what the call does without asking the provider.", "Add a `summary`.",
        good="paths: {/orders: {get: {summary: List orders, responses: {" + _OK + "}}}}",
        bad="paths: {/orders: {get: {responses: {" + _OK + "}}}}", find=missing_summaries,
    ),
    Rule(
        "document-undescribed", WARNING, BOTH,
        "A reader must learn what the interface is for.", "Add `info.description`.",
        good="info: {title: Laboratory orders, version: 1.0.0, description: Order tests.}",
        bad="info: {title: Laboratory orders, version: 1.0.0}", find=missing_description,
    ),
    Rule(
        "security-undeclared", WARNING, API,
        "An operation that does not say who may call it is open by accident.",
        "Add `security` to the root or to the operation; `security: []` says that anyone may.",
        good="security: [{key: []}]\npaths: {/orders: {get: {responses: {" + _OK + "}}}}",
        bad="paths: {/orders: {get: {responses: {" + _OK + "}}}}", find=undeclared_security,
    ),
    Rule(
        "security-open", WARNING, API,
        "Whoever reaches the address can change something, and nobody can say who it was.",
        "Ask for credentials; where anyone must be able to call (a sign-up), say why in an exception.",
        good="security: [{key: []}]\npaths: {/orders: {post: {responses: {" + _OK + "}}}}",
        bad="security: []\npaths: {/orders: {post: {responses: {" + _OK + "}}}}", find=open_changes,
    ),
    Rule(
        "server-plain-http", WARNING, API,
        "What is sent in the clear is read, and changed, by whoever stands between.", "Write https://.",
        good="servers: [{url: 'https://lab.hospital.example'}]",
        bad="servers: [{url: 'http://lab.hospital.org'}]", find=plain_servers,
    ),
    Rule(
        "contact-missing", INFO, BOTH,
        "Whoever finds a mistake must know whom to tell.", "Add `info.contact` with a name and an address.",
        good=(
            "info: {title: Laboratory orders, version: 1.0.0, description: Order tests., "
            "contact: {name: Laboratory, email: lab@hospital.example}}"
        ),
        bad="info: {title: Laboratory orders, version: 1.0.0, description: Order tests.}", find=missing_contact,
    ),
    Rule(
        "tag-undeclared", INFO, API,
        "Pages sort operations by the root's tags; one that is not listed is mostly a slip of the pen.",
        "List it under `tags` of the root, with a description.",
        good="tags: [{name: orders}]\npaths: {/orders: {get: {tags: [orders], responses: {" + _OK + "}}}}",
        bad="tags: [{name: orders}]\npaths: {/orders: {get: {tags: [order], responses: {" + _OK + "}}}}",
        find=undeclared_tags,
    ),
    Rule(
        "parameter-undescribed", INFO, API,
        "A caller must learn what to write there, and what it does.", "Add a `description`.",
        good=_asks_for("description: Only orders in this state., "), bad=_asks_for(""),
        find=undescribed_parameters, counted="parameters have no description",
    ),
    Rule(
        "component-undescribed", INFO, BOTH,
        "Whoever reads `Receipt` must learn whose, and of what.", "Add a `title` or a `description`.",
        good="components: {schemas: {Receipt: {type: object, description: What the laboratory took.}}}",
        bad="components: {schemas: {Receipt: {type: object}}}",
        find=undescribed_components, counted="named schemas have neither title nor description",
    ),
    Rule(
        "request-example-missing", INFO, API,
        "Callers begin by copying an example, and mocks and tests are made of it.",
        "Add `examples` to the body, or to its schema.",
        good=_taking(", example: {ward: W7}"), bad=_taking(""),
        find=bodies_without_example, counted="request bodies have no example",
    ),
)  # fmt: skip
