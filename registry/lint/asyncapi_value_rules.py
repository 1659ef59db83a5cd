"""Values that AsyncAPI gives a grammar of their own: addresses, URLs, media types, runtime expressions, ids."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kernel.contract.positions import token
from kernel.operation.media_types import parse_media_type
from registry.lint.asyncapi_parts import addressed_channels
from registry.lint.reading import Hit, Subject, mapping
from registry.lint.rule import AT_PLACE, ERROR, EVENTS, WARNING, Rule

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*:"
_CHARACTER = r"(?:[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})"  # RFC 3986 §2
_ABSOLUTE = re.compile(rf"{_SCHEME}{_CHARACTER}+", re.ASCII)  # RFC 3986 §4.3: no fragment
_URI = re.compile(rf"{_SCHEME}{_CHARACTER}+(?:#{_CHARACTER}*)?", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
# AsyncAPI §Runtime Expression, with a JSON pointer (RFC 6901 §3) as its fragment.
_EXPRESSION = re.compile(r"\$message\.(?:header|payload)(?:#(?:/(?:[^/~]|~[01])*)*)?", re.DOTALL)
_HOST = re.compile(r"[^\s/?#@]+")
_NAME = re.compile(r"[A-Za-z0-9_\-]+")
# RFC 6570 §2.2: what may stand between the braces of a URI template (channel names of 2.x).
_TEMPLATE = re.compile(
    r"[+#./;?&=,!@|]?[A-Za-z0-9_.%\-]+(?::[0-9]{1,4}|\*)?(?:,[A-Za-z0-9_.%\-]+(?::[0-9]{1,4}|\*)?)*"
)
_BRACES = re.compile(r"\{([^{}]*)\}")


def invalid_addresses(subject: Subject) -> Iterator[Hit]:
    """Find addresses with a query, a fragment, or braces that enclose no name."""
    older = subject.version.startswith("2.")
    for pointer, address, channel in addressed_channels(subject):
        place = pointer if older or "address" not in channel else f"{pointer}/address"
        rest = _BRACES.sub("", address)
        for sign, word in (("?", "a query"), ("#", "a fragment")):
            if sign in rest:
                yield Hit(place, f"{address[:120]} has {word}; bindings are the place for it")
        if "{" in rest or "}" in rest:
            yield Hit(place, f"a brace of {address[:120]} is open or closed alone")
        grammar = _TEMPLATE if older else _NAME
        for name in _BRACES.findall(address):
            if not grammar.fullmatch(name):
                yield Hit(place, f"{{{name[:60]}}} encloses no name of a parameter")


def invalid_hosts(subject: Subject) -> Iterator[Hit]:
    """Find hosts (AsyncAPI 3) that hold more than a host and a port."""
    if subject.version.startswith("2."):
        return
    for part in subject.of("server"):
        host = part.node.get("host")
        if isinstance(host, str) and not _HOST.fullmatch(_BRACES.sub("x", host)):
            told = (
                "`protocol` and `pathname` are the places for the rest"
                if "/" in host
                else "it is no host name"
            )
            yield Hit(f"{part.pointer}/host", f"{host[:120]} is more than a host with its port: {told}")


def invalid_ids(subject: Subject) -> Iterator[Hit]:
    """Find an id of the application that is no URI."""
    written = subject.root.get("id")
    if isinstance(written, str) and not _URI.fullmatch(written):
        yield Hit("/id", f"{written[:120]} is no URI (RFC 3986)")


def relative_urls(subject: Subject) -> Iterator[Hit]:
    """Find URLs that are not absolute where the specification asks for absolute ones."""
    for pointer, url in _urls(subject):
        if isinstance(url, str) and not _ABSOLUTE.fullmatch(url.partition("#")[0]):
            yield Hit(pointer, f"{url[:120]} is no absolute URL (RFC 3986 §4.3)")


def _urls(subject: Subject) -> Iterator[tuple[str, Any]]:
    info = mapping(subject.root.get("info"))
    yield "/info/termsOfService", info.get("termsOfService")
    for key in ("contact", "license"):
        yield f"/info/{key}/url", mapping(info.get(key)).get("url")
    for part in subject.of("docs"):
        yield f"{part.pointer}/url", part.node.get("url")
    for part in subject.of("security-scheme"):
        yield f"{part.pointer}/openIdConnectUrl", part.node.get("openIdConnectUrl")
        for name, flow in mapping(part.node.get("flows")).items():
            for key in ("authorizationUrl", "tokenUrl", "refreshUrl"):
                yield f"{part.pointer}/flows{token(name)}/{key}", mapping(flow).get(key)


def invalid_emails(subject: Subject) -> Iterator[Hit]:
    """Find a contact's email that is none."""
    email = mapping(mapping(subject.root.get("info")).get("contact")).get("email")
    if isinstance(email, str) and not _EMAIL.fullmatch(email):
        yield Hit("/info/contact/email", f"{email[:120]} is no email address")


def invalid_media_types(subject: Subject) -> Iterator[Hit]:
    """Find content types that are no specific media type."""
    found = [("/defaultContentType", subject.root.get("defaultContentType"))]
    found += [
        (f"{part.pointer}/contentType", part.node.get("contentType"))
        for part in subject.of("message", "message-trait")
    ]
    for pointer, written in found:
        if isinstance(written, str) and parse_media_type(written.encode("latin-1", "replace")) is None:
            yield Hit(pointer, f"{written[:120]} is no specific media type (RFC 9110 §8.3.1)")


def invalid_expressions(subject: Subject) -> Iterator[Hit]:
    """Find runtime expressions that break their grammar."""
    for part in subject.of("correlation-id", "reply-address", "parameter"):
        written = part.node.get("location")
        if isinstance(written, str) and not _EXPRESSION.fullmatch(written):
            told = f"{written[:120]} is no runtime expression ($message.header#/… or $message.payload#/…)"
            yield Hit(f"{part.pointer}/location", told)


def outside_defaults(subject: Subject) -> Iterator[Hit]:
    """Find defaults of variables and parameters that their own list of values does not have."""
    for part in subject.of("variable", "parameter"):
        values, default = part.node.get("enum"), part.node.get("default")
        if isinstance(values, list) and default is not None and default not in values:
            yield Hit(f"{part.pointer}/default", f"{str(default)[:80]} is none of the values of `enum`")


_INFO = "info: {title: Laboratory events, version: 1.0.0, description: Results., "
_SITE = "servers: {broker: {host: '{site}.example', protocol: amqps, variables: {site: "
_COMPONENT = "components: {messages: {Result: {payload: {type: object}, "

VALUE_RULES: tuple[Rule, ...] = (
    Rule(
        "channel-address-invalid", ERROR, EVENTS,
        "An address is a path or a topic with named placeholders; queries are a matter of the bindings.",
        "Write each placeholder as {name}, and describe queries and headers by bindings.",
        good="channels: {results: {address: lab.results, title: Results}}",
        bad="channels: {results: {address: 'lab/results?ward=7', title: Results}}",
        find=invalid_addresses, clause="Channel Object",
    ),
    Rule(
        "server-host-invalid", ERROR, EVENTS,
        "In AsyncAPI 3 a server is written in parts: protocol, host (with its port) and pathname.",
        "Write the scheme as `protocol`, and the path as `pathname`.",
        good="servers: {broker: {host: 'broker.example:5671', protocol: amqps}}",
        bad="servers: {broker: {host: 'amqps://broker.example:5671', protocol: amqps}}",
        find=invalid_hosts, clause="Server Object",
    ),
    Rule(
        "application-id-invalid", ERROR, EVENTS,
        "The id names the application among all others, which a URI does.",
        "Write a URI, such as urn:example:laboratory.",
        good="id: urn:example:laboratory", bad="id: laboratory", find=invalid_ids, clause="Identifier",
    ),
    Rule(
        "url-relative", ERROR, EVENTS,
        "A document is read far from where it was served, so that a relative URL leads nowhere.",
        "Write the whole URL with its scheme.",
        good=_INFO + "termsOfService: 'https://lab.example/terms'}",
        bad=_INFO + "termsOfService: /terms}",
        find=relative_urls, clause=AT_PLACE,
    ),
    Rule(
        "email-invalid", ERROR, EVENTS,
        "Whoever has to be asked cannot be.", "Write an address with one @.",
        good=_INFO + "contact: {email: lab@hospital.example}}",
        bad=_INFO + "contact: {email: the laboratory}}",
        find=invalid_emails, clause="Contact Object",
    ),
    Rule(
        "content-type-invalid", ERROR, EVENTS,
        "By its content type a message is decoded; a range or a typing error decodes nothing.",
        "Write a media type, such as application/json.",
        good="defaultContentType: application/json", bad="defaultContentType: application/*",
        find=invalid_media_types, clause=AT_PLACE,
    ),
    Rule(
        "runtime-expression-invalid", ERROR, EVENTS,
        "The expression says where in a message a value stands; another grammar finds nothing.",
        "Write $message.header#/… or $message.payload#/…, with a JSON pointer behind the #.",
        good=_COMPONENT + "correlationId: {location: '$message.header#/correlation'}}}}",
        bad=_COMPONENT + "correlationId: {location: '$request.header#/correlation'}}}}",
        find=invalid_expressions, clause="Runtime Expression",
    ),
    Rule(
        "variable-default-outside", WARNING, EVENTS,
        "The default would be refused where it is used.", "Add it to `enum`, or take one that stands there.",
        good=_SITE + "{enum: [north], default: north}}}}",
        bad=_SITE + "{enum: [north], default: south}}}}",
        find=outside_defaults,
    ),
)  # fmt: skip
