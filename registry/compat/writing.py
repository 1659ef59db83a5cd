"""Writes values as they travel: parameters by `style` and `explode` (RFC 6570), bodies by media type.

The counterpart of kernel/operation/styles.py. Nothing here is trusted: what was written is shown to the
compiled operation, which reads it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from kernel.contract.digest import canonical_bytes
from kernel.contract.numbers import canonical_number
from kernel.operation.media_types import MediaType

Pairs = tuple[tuple[str, str], ...]  # name and value, each as it is sent

_DEFAULT_STYLES: Final = {"path": "simple", "header": "simple", "query": "form", "cookie": "form"}
_SEPARATORS: Final = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}
_IN_HEADERS: Final = re.compile(r"[!-~]([ -~]*[!-~])?")  # RFC 9110 §5.5, in ASCII
# What is sent where a range is declared.
_FOR_RANGES: Final = ("application/json", "text/plain", "application/octet-stream")


class Unwritable(Exception):
    """A value that has no form in this place, or none that we write."""


def written(spec: Mapping[str, Any], value: Any) -> Pairs:
    """Write the value of a Parameter Object; path and header parameters are one pair.

    Raises `Unwritable`.
    """
    where, name = str(spec.get("in")), str(spec.get("name"))
    if isinstance(spec.get("content"), dict):
        text = value if isinstance(value, str) and not _is_json(spec["content"]) else _json(value)
        return ((_name(where, name), _in_place(where, text)),)
    style = str(spec.get("style", _DEFAULT_STYLES.get(where, "form")))
    explode = bool(spec.get("explode", style in {"form", "cookie"}))
    if where in {"query", "cookie"}:
        return tuple(_fields(where, name, style, value, explode=explode))
    text = _whole(where, name, style, value, explode=explode)
    if where == "path" and text in {"", ".", ".."}:
        raise Unwritable("a path has no empty or dot segments")
    return ((name.lower() if where == "header" else name, text),)


def body_of(media: MediaType, value: Any) -> tuple[str, bytes, Any]:
    """Write a body; gives the content type, the bytes, and the body as an exchange shows it.

    Raises `Unwritable` for media types that we do not write.
    """
    sent = media if not media.is_range else _chosen(media)
    parameters = "".join(f"; {name}={_parameter(text)}" for name, text in sent.parameters)
    content_type = sent.essence + parameters
    if sent.kind == "json":
        return content_type, canonical_bytes(value), value
    if sent.kind == "form" and isinstance(value, dict):
        pairs = [pair for key, item in value.items() for pair in _form_field(key, item)]
        text = "&".join(f"{key}={item}" for key, item in pairs)
        return content_type, text.encode(), text
    if sent.kind == "text" and isinstance(value, str):
        return content_type, value.encode(), value
    raise Unwritable(f"{sent.essence} is not written here")


def _chosen(media: MediaType) -> MediaType:
    for essence in _FOR_RANGES:
        if MediaType(media.essence).covers(MediaType(essence)):
            return MediaType(essence, media.parameters)
    if media.essence.endswith("+json"):
        return MediaType(media.essence.replace("*", "vnd.example"), media.parameters)
    raise Unwritable(f"no type of {media.essence} is known here")


def _parameter(text: str) -> str:
    return text if re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", text) else f'"{text}"'


def _form_field(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Write a form field without an Encoding Object: scalars as text, arrays repeated, objects as JSON."""
    for item in value if isinstance(value, list) else [value]:
        yield (
            quote(name, safe=""),
            quote(_json(item) if isinstance(item, dict | list) else _scalar(item), safe=""),
        )


def _fields(where: str, name: str, style: str, value: Any, *, explode: bool) -> Iterator[tuple[str, str]]:
    key = _name(where, name)
    if isinstance(value, dict) and style == "deepObject":
        for member, item in value.items():
            for one in item if isinstance(item, list) else [item]:
                yield f"{key}[{quote(member, safe='')}]", _in_place(where, _scalar(one))
    elif isinstance(value, dict) and explode:
        for member, item in value.items():
            yield quote(member, safe=""), _in_place(where, _scalar(item))
    elif isinstance(value, list) and explode:
        for item in value:
            yield key, _in_place(where, _scalar(item))
    else:
        yield key, _joined(where, value, _SEPARATORS.get(style, ","), explode=False)


def _whole(where: str, name: str, style: str, value: Any, *, explode: bool) -> str:
    """Write a path or header parameter."""
    if style == "label":
        return "." + _joined(where, value, "." if explode else ",", explode=explode)
    if style == "matrix":
        if explode and isinstance(value, list):
            return "".join(f";{name}={_in_place(where, _scalar(item))}" for item in value)
        if explode and isinstance(value, dict):
            return ";" + _joined(where, value, ";", explode=True)
        return f";{name}={_joined(where, value, ',', explode=False)}"
    return _joined(where, value, ",", explode=explode)


def _joined(where: str, value: Any, separator: str, *, explode: bool) -> str:
    if isinstance(value, list):
        return separator.join(_in_place(where, _scalar(item)) for item in value)
    if isinstance(value, dict):
        pairs = [(_in_place(where, key), _in_place(where, _scalar(item))) for key, item in value.items()]
        between = "=" if explode else separator
        return separator.join(f"{key}{between}{item}" for key, item in pairs)
    return _in_place(where, _scalar(value))


def _name(where: str, name: str) -> str:
    return quote(name, safe="[]") if where == "query" else name


def _in_place(where: str, text: str) -> str:
    if where != "header":
        return quote(text, safe="")
    if not _IN_HEADERS.fullmatch(text):
        raise Unwritable("a header carries visible characters alone")
    return text


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, dict | list):
        raise Unwritable("no style carries what is nested")
    return canonical_number(value)


def _json(value: Any) -> str:
    return canonical_bytes(value).decode()


def _is_json(content: Mapping[str, Any]) -> bool:
    return any("json" in media for media in content)
