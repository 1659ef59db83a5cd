"""Requests and answers under construction: values by place, written as bytes and as an exchange for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from kernel.contract.exchange import RequestExchange, ResponseExchange
from kernel.operation.media_types import MediaType
from registry.compat.runtime import Answered, Sent
from registry.compat.writing import Unwritable, body_of, written

Key = tuple[str, str]  # where and name of a parameter (path parameters by the new document's name)
Headers = tuple[tuple[str, str], ...]
_BRACES = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Body:
    """A value in a media type (or range) as the document declares it."""

    media: MediaType
    value: Any


@dataclass(frozen=True, slots=True)
class Scheme:
    """A security scheme that a call shows credentials for, with the scopes that its token has."""

    spec: Mapping[str, Any]
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Call:
    """A request: `parameters` hold the Parameter Object by which each value is written.

    `renamed` maps the names in the braces of `template` to those of `parameters`; `length` is that of a body
    too long to be shown.
    """

    operation: str
    method: str
    template: str
    renamed: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[Key, tuple[Mapping[str, Any], Any]] = field(default_factory=dict)
    body: Body | None = None
    schemes: tuple[Scheme, ...] = ()
    headers: Headers = ()
    length: int | None = None
    called: bool = False

    def having(self, key: Key, spec: Mapping[str, Any], value: Any) -> Call:
        """Give the call with another value for one parameter."""
        return replace(self, parameters={**self.parameters, key: (spec, value)})

    def lacking(self, key: Key) -> Call:
        """Give the call without one parameter."""
        return replace(self, parameters={name: at for name, at in self.parameters.items() if name != key})

    def sent(self) -> Sent:
        """Write it; raises `Unwritable`."""
        placed = self._placed()
        headers, query = self._fields(placed)
        body = b""
        if self.body is not None:
            content_type, body, _ = body_of(self.body.media, self.body.value)
            headers = (*headers, ("content-type", content_type))
        if self.length is not None:
            headers = (*headers, ("content-length", str(self.length)))
        return Sent(
            tuple(text.encode() for text in self._path_values(placed)),
            "&".join(f"{name}={text}" for name, text in query).encode(),
            tuple((name.encode(), text.encode()) for name, text in headers),
            body,
            frozenset[str]().union(*(scheme.scopes for scheme in self.schemes)),
            any(scheme.spec.get("type") == "mutualTLS" for scheme in self.schemes),
            self.length,
        )

    def exchange(self) -> RequestExchange:
        """Write it for people; raises `Unwritable`."""
        placed = self._placed()
        headers, query = self._fields(placed)
        values = iter(self._path_values(placed))
        made: RequestExchange = {
            "kind": "request",
            "operation": self.operation,
            "method": self.method,
            "path": _BRACES.sub(lambda _: next(values), self.template),
        }
        if query:
            made["query"] = "&".join(f"{name}={text}" for name, text in query)
        made["headers"] = dict(headers)
        if self.length is not None:
            made["headers"]["content-length"] = str(self.length)
        if self.body is not None:
            made["content_type"], _, made["body"] = body_of(self.body.media, self.body.value)
        if self.called:
            made["called"] = True
        return made

    def _placed(self) -> dict[str, list[tuple[str, str, str]]]:
        """Write each parameter: (name as declared, name as sent, text) by place."""
        found: dict[str, list[tuple[str, str, str]]] = {"path": [], "query": [], "header": [], "cookie": []}
        for (where, name), (spec, value) in self.parameters.items():
            if where not in found:
                raise Unwritable(f"parameters in {where} are not written here")
            found[where] += [(name, key, text) for key, text in written(spec, value)]
        return found

    def _path_values(self, placed: Mapping[str, list[tuple[str, str, str]]]) -> list[str]:
        by_name = {name: text for name, _, text in placed["path"]}
        names = [self.renamed.get(name, name) for name in _BRACES.findall(self.template)]
        if not by_name.keys() >= set(names):
            raise Unwritable("a path parameter has no value")
        return [by_name[name] for name in names]

    def _fields(self, placed: Mapping[str, list[tuple[str, str, str]]]) -> tuple[Headers, Headers]:
        """Give headers and query, credentials included."""
        headers = [(key, text) for _, key, text in placed["header"]]
        query = [(key, text) for _, key, text in placed["query"]]
        cookies = [f"{key}={text}" for _, key, text in placed["cookie"]]
        for scheme in self.schemes:
            _show(scheme, headers, query, cookies)
        if cookies:
            headers.append(("cookie", "; ".join(cookies)))
        return (*headers, *self.headers), tuple(query)


def _show(
    scheme: Scheme, headers: list[tuple[str, str]], query: list[tuple[str, str]], cookies: list[str]
) -> None:
    """Add the credentials that a scheme asks for, as a placeholder that nobody takes for a secret."""
    spec = scheme.spec
    kind, name = spec.get("type"), str(spec.get("name"))
    if kind == "apiKey":
        place = spec.get("in")
        if place == "header":
            headers.append((name.lower(), "<key>"))
        elif place == "query":
            query.append((quote(name, safe=""), "%3Ckey%3E"))
        else:
            cookies.append(f"{name}=%3Ckey%3E")
    elif kind != "mutualTLS":
        word = str(spec.get("scheme", "bearer")) if kind == "http" else "Bearer"
        having = f" with {', '.join(sorted(scheme.scopes))}" if scheme.scopes else ""
        headers.append(("authorization", f"{word.capitalize()} <token{having}>"))


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a call of `operation`."""

    operation: str
    status: int
    headers: Mapping[str, tuple[Mapping[str, Any], Any]] = field(default_factory=dict)
    body: Body | None = None
    called: bool = False

    def having(self, name: str, spec: Mapping[str, Any], value: Any) -> Answer:
        """Give the answer with another value for one header."""
        return replace(self, headers={**self.headers, name: (spec, value)})

    def lacking(self, name: str) -> Answer:
        """Give the answer without one header."""
        return replace(self, headers={key: at for key, at in self.headers.items() if key != name})

    def answered(self) -> Answered:
        """Write it; raises `Unwritable`."""
        headers = self._headers()
        body = b""
        if self.body is not None:
            content_type, body, _ = body_of(self.body.media, self.body.value)
            headers["content-type"] = content_type
        return Answered(
            self.status, tuple((key.encode(), text.encode()) for key, text in headers.items()), body
        )

    def exchange(self) -> ResponseExchange:
        """Write it for people; raises `Unwritable`."""
        made: ResponseExchange = {"kind": "response", "operation": self.operation, "status": self.status}
        made["headers"] = self._headers()
        if self.body is not None:
            made["content_type"], _, made["body"] = body_of(self.body.media, self.body.value)
        if self.called:
            made["called"] = True
        return made

    def _headers(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, (spec, value) in self.headers.items():
            for _, text in written({**spec, "in": "header", "name": name}, value):
                found[name.lower()] = text
        return found
