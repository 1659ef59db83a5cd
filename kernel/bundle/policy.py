"""What a route or a consumer may ask for beyond who calls what: one struct for each kind of behaviour.

A part that is None asks for nothing. The registry keeps these as one document per route and per consumer, so
that a new kind of behaviour needs no new column; msgspec refuses what is not declared here, and what a type
cannot say a part says in its `__post_init__` (kernel/bundle/policy_document.py gives its `ValueError` a place).
`scripts/write_reference.py` writes docs/reference/policies.md from the docstrings and fields.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec

from kernel.bundle.introducing import Mock, Shadow
from kernel.bundle.limits import Limits, Priority, Weight
from kernel.bundle.repeats import Hedging, Retries
from kernel.bundle.trust import (
    CertificateBinding,
    PurposeOfUse,
    SmartConfiguration,
    TokenBinding,
    TokenTrust,
)
from kernel.operation.cors import Cors

_HOST: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
)
_FIELD_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.\[\]:-]{1,300}")
_MOST_HOSTS: Final = 32
_TARGET: Final = re.compile(r"(?:https?://[A-Za-z0-9\[]|/(?!/))[!#$%&'()*+,./0-9:;=?@A-Z\[\]_a-z~-]{0,2000}")


class Address(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ways to this major beside `/<contract>/v<major>`, which stays.

    `hosts`: calls with one of these Host names (lower case, no port) are of this route, their path that of the
    operation alone; no two routes share one. `header`: calls of `/<contract>/…`, without a version in the path,
    are of this route when the field of this name holds `<major>` or `v<major>`.
    """

    hosts: tuple[str, ...] = ()
    header: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no host name or field name."""
        if len(self.hosts) > _MOST_HOSTS or len(set(self.hosts)) != len(self.hosts):
            raise ValueError(f"hosts are at most {_MOST_HOSTS}, each once")
        for host in self.hosts:
            if _HOST.fullmatch(host) is None:
                raise ValueError(f"{host[:64]!r} is no host name in lower case without a port")
        if self.header is not None and _FIELD_NAME.fullmatch(self.header) is None:
            raise ValueError("header is no plain field name")


class Channels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may open the WebSocket channels of this route from a browser.

    `origins` are those of pages, like `https://ward.example`; `*` is any. Without an Origin header, which only
    browsers send, nothing is asked.
    """

    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what no browser sends."""
        for origin in self.origins:
            if origin not in {"*", "null"} and _ORIGIN.fullmatch(origin) is None:
                raise ValueError("an origin is scheme://host[:port] without a path, or *")


class Streams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds of what passes in pieces on this route; what is not given takes the setting `proxy_stream_…`.

    `max_bytes` of one body, in either direction; `max_item_bytes` of one item of it, or one message of a
    channel; `idle_seconds` in which the next bytes must come; `total_seconds` that it may last.
    """

    max_bytes: int | None = None
    max_item_bytes: int | None = None
    idle_seconds: float | None = None
    total_seconds: float | None = None

    def __post_init__(self) -> None:
        """Refuse bounds that nothing could keep."""
        given = (self.max_bytes, self.max_item_bytes, self.idle_seconds, self.total_seconds)
        if any(value is not None and value <= 0 for value in given):
            raise ValueError("bounds of streams are above 0")


class Paths(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the paths of a route may hold.

    `encoded_slash`: `data` takes `%2F` as a character inside a segment; `refuse` answers 400 `target-invalid`, for
    providers that decode it into a border before they route.
    """

    encoded_slash: Literal["data", "refuse"] = "data"


class Unknown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happens on this route to fields that the contract does not declare, whatever the contract says of them.

    `strict` refuses them (400 `parameter-invalid`), `report` logs and counts them, `allow` lets them pass. Where
    neither says anything, query fields are `strict`, headers and cookies `allow`.
    """

    query: Literal["strict", "report", "allow"] | None = None
    header: Literal["strict", "report", "allow"] | None = None
    cookie: Literal["strict", "report", "allow"] | None = None


class Links(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the answers of a deprecated version point to, each a URL or an absolute path.

    `successor` (`rel="successor-version"`, RFC 5829) is found without being named: a newer version of this major,
    else the next major for the same audience. `deprecation` (RFC 9745) and `sunset` (RFC 8594) are pages for people.
    """

    successor: str | None = None
    deprecation: str | None = None
    sunset: str | None = None

    def __post_init__(self) -> None:
        """Refuse what could not stand between `<` and `>` in a Link field."""
        for target in (self.successor, self.deprecation, self.sunset):
            if target is not None and _TARGET.fullmatch(target) is None:
                raise ValueError("a link is an http(s) URL or an absolute path, without spaces")


class RoutePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one route behaves in this environment; `weights` (operation id → calls it counts as)."""

    limits: Limits | None = None
    weights: dict[str, Weight] | None = None
    address: Address | None = None
    links: Links | None = None
    paths: Paths | None = None
    unknown: Unknown | None = None
    retries: Retries | None = None
    hedging: Hedging | None = None
    tokens: TokenTrust | None = None
    purpose: PurposeOfUse | None = None
    smart: SmartConfiguration | None = None
    streams: Streams | None = None
    channels: Channels | None = None
    shadow: Shadow | None = None
    cors: Cors | None = None
    mock: Mock | None = None


class ConsumerPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one consumer is treated in this environment; `priority` decides who is shed first under load."""

    limits: Limits | None = None
    priority: Priority | None = None  # None: normal
    tokens: tuple[TokenBinding, ...] | None = None
    certificates: tuple[CertificateBinding, ...] | None = None
    shadow: Shadow | None = None
