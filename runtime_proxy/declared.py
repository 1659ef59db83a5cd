"""What an operation's text declares, where the pipeline needs to know before it forwards a header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.operation.shapes import dereference
from runtime_proxy.decoders import decoders_of

if TYPE_CHECKING:
    from kernel.operation.operation import Operation

# Request headers that make a provider answer with a status of HTTP's own, and that status.
_CONDITIONS: Final = (
    ("206", frozenset({b"range", b"if-range"})),
    ("304", frozenset({b"if-none-match", b"if-modified-since"})),
)


_STYLES: Final = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}


def undeclared_conditions(root: Any, operation: Operation) -> frozenset[bytes]:
    """Name the request headers that could only bring an answer which the contract does not declare.

    A Range or a validator is an option of the caller, not a duty of the provider (RFC 9110 sections 13
    and 14): left out, the provider answers 200 as declared. If-Match is never left out, for it protects.
    """
    responses = texts_of(root, operation)[1].get("responses")
    statuses = {str(status).lower() for status in responses} if isinstance(responses, dict) else set()
    dropped: frozenset[bytes] = frozenset()
    for status, headers in _CONDITIONS:
        if not statuses & {status, f"{status[0]}xx", "default"}:
            dropped |= headers
    return dropped


def declared_headers(root: Any, operation: Operation) -> frozenset[bytes]:
    """Name the request headers that the operation, or its path item, declares (in lower case)."""
    found = set()
    for text in texts_of(root, operation):
        listed = text.get("parameters")
        for entry in listed if isinstance(listed, list) else ():
            parameter = dereference(root, entry)
            if isinstance(parameter, dict) and parameter.get("in") == "header":
                found.add(str(parameter.get("name", "")).lower().encode())
    return frozenset(found)


def declared_checks(root: Any, operation: Operation) -> dict[str, Any]:
    """List what a call is held to: parameters with their styles, media types, statuses."""
    item, spec = texts_of(root, operation)
    parameters: dict[tuple[str, str], str] = {}
    for text in (item, spec):
        listed = text.get("parameters")
        for entry in listed if isinstance(listed, list) else ():
            one = dereference(root, entry)
            if isinstance(one, dict):
                place, name = str(one.get("in")), str(one.get("name"))
                style = one.get("style") or _STYLES.get(place, "content")
                needed = "" if one.get("required") else "?"
                parameters[place, name] = f"{place} {name}{needed} ({style})"
    body = dereference(root, spec.get("requestBody"))
    answers = spec.get("responses")
    return {
        "parameters": list(parameters.values()),
        "request_media": _media(body),
        "decoders": decoders_of(root, body),
        "request_body": "required"
        if operation.request_body_required
        else "optional"
        if _media(body)
        else "none",
        "answer_decoders": {
            str(status): decoders_of(root, dereference(root, answer)) for status, answer in answers.items()
        }
        if isinstance(answers, dict)
        else {},
        "responses": {
            str(status): _media(dereference(root, answer)) or ["no content"]
            for status, answer in answers.items()
        }
        if isinstance(answers, dict)
        else {},
    }


def _media(node: Any) -> list[str]:
    content = node.get("content") if isinstance(node, dict) else None
    return [str(media) for media in content] if isinstance(content, dict) else []


def texts_of(root: Any, operation: Operation) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give the path item and the operation object, as the document has them."""
    declared = root["paths"][operation.template]
    item = dereference(root, declared)
    item = {**(item if isinstance(item, dict) else {}), **(declared if isinstance(declared, dict) else {})}
    name = operation.method.decode()
    spec = item.get(name.lower()) or (item.get("additionalOperations") or {}).get(name)
    return item, spec if isinstance(spec, dict) else {}
