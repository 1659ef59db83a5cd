"""What is asked for must be offered, and used: scopes of security schemes, variables of servers, tags."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kernel.contract.positions import token
from kernel.operation.asyncapi_model import SchemeUse
from registry.lint.asyncapi_parts import is_old
from registry.lint.reading import Hit, Subject, mapping
from registry.lint.rule import ERROR, EVENTS, WARNING, Rule

_BRACES = re.compile(r"\{([^{}]*)\}")
_TAGGED = frozenset(
    {"document", "info", "server", "channel", "operation", "operation-trait", "message", "message-trait"}
)


def superfluous_scopes(subject: Subject) -> Iterator[Hit]:
    """Find scopes (AsyncAPI 2) for a scheme that knows none."""
    for use in _uses(subject):
        kind = use.scheme.get("type")
        if is_old(subject) and use.scopes and kind not in ("oauth2", "openIdConnect"):
            yield Hit(
                use.pointer, f"a scheme of type {str(kind)[:40]} has no scopes, and the list must be empty"
            )


def unknown_scopes(subject: Subject) -> Iterator[Hit]:
    """Find scopes that no flow of their scheme offers."""
    for use in _uses(subject):
        flows = mapping(use.scheme.get("flows"))
        key = "scopes" if is_old(subject) else "availableScopes"
        offered = {scope for flow in flows.values() for scope in mapping(mapping(flow).get(key))}
        for scope in use.scopes:
            if use.scheme.get("type") == "oauth2" and scope not in offered:
                yield Hit(use.pointer, f"no flow of the scheme offers the scope `{scope[:80]}`")


def _uses(subject: Subject) -> Iterator[SchemeUse]:
    if subject.events is not None:
        asked = [one.security for one in subject.events.servers.values()]
        asked += [one.security for one in subject.events.operations]
        for alternatives in asked:
            for alternative in alternatives:
                yield from alternative


def unused_server_variables(subject: Subject) -> Iterator[Hit]:
    """Find variables that no part of the server's address names."""
    for part in subject.of("server"):
        text = " ".join(str(part.node.get(key, "")) for key in ("url", "host", "pathname"))
        for name in mapping(part.node.get("variables")):
            if name not in _BRACES.findall(text):
                yield Hit(f"{part.pointer}/variables{token(name)}", f"the address has no {{{name[:100]}}}")


def repeated_tags(subject: Subject) -> Iterator[Hit]:
    """Find a tag that one list names twice; that of the root of AsyncAPI 2 is judged by `tag-duplicate`."""
    for part in subject.parts:
        seen: set[str] = set()
        listed = part.node.get("tags") if isinstance(part.node, dict) and part.type != "components" else None
        if part.type not in _TAGGED or (part.type == "document" and is_old(subject)):
            continue
        for index, declared in enumerate(listed if isinstance(listed, list) else ()):
            tag, _ = subject.follow(declared, "")
            name = mapping(tag).get("name")
            if isinstance(name, str):
                if name in seen:
                    yield Hit(f"{part.pointer}/tags/{index}", f"the tag `{name[:100]}` is named twice")
                seen.add(name)


_SCHEME = (
    "asyncapi: 2.6.0\ncomponents: {securitySchemes: {cert: {type: X509}}}\n"
    "servers: {broker: {url: broker.example, protocol: amqps, "
)
_FLOWS = (
    "components: {securitySchemes: {token: {type: oauth2, flows: {clientCredentials: {tokenUrl: "
    "'https://lab.example/token', availableScopes: {read: Read.}}}, "
)
_SECURED = (
    "\nservers: {broker: {host: broker.example, protocol: amqps, "
    "security: [{$ref: '#/components/securitySchemes/token'}]}}"
)

USAGE_RULES: tuple[Rule, ...] = (
    Rule(
        "security-scopes-misplaced", ERROR, EVENTS,
        "Only OAuth 2 and OpenID Connect know scopes (AsyncAPI 2.6).", "Write an empty list.",
        good=_SCHEME + "security: [{cert: []}]}}",
        bad=_SCHEME + "security: [{cert: [read]}]}}",
        find=superfluous_scopes, clause="Security Requirement Object",
    ),
    Rule(
        "security-scope-unknown", WARNING, EVENTS,
        "Nobody could be given the scope.", "Name a scope that a flow of the scheme offers.",
        good=_FLOWS + "scopes: [read]}}}" + _SECURED, bad=_FLOWS + "scopes: [write]}}}" + _SECURED,
        find=unknown_scopes, clause="Security Scheme Object",
    ),
    Rule(
        "server-variable-unused", WARNING, EVENTS,
        "The variable has no place in the address.", "Write it into the address in braces, or remove it.",
        good="servers: {broker: {host: '{site}.example', protocol: amqps, variables: {site: {default: north}}}}",
        bad="servers: {broker: {host: north.example, protocol: amqps, variables: {site: {default: north}}}}",
        find=unused_server_variables, clause="Server Object",
    ),
    Rule(
        "tag-repeated", WARNING, EVENTS,
        "A tag groups, and grouping twice says nothing.", "Keep one of the two.",
        good="channels: {results: {address: lab, title: Results, tags: [{name: ward}, {name: bed}]}}",
        bad="channels: {results: {address: lab, title: Results, tags: [{name: ward}, {name: ward}]}}",
        find=repeated_tags, clause="Tags Object",
    ),
)  # fmt: skip
