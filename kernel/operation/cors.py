"""`x-interlock-cors`: which pages of other origins may call a contract from a browser (Fetch, section 3.3)."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from kernel.operation.members import mapping, refused

EXTENSION: Final = "x-interlock-cors"
ANY: Final = "*"
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9.\[\]:-]{1,255}")
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'^_`|~.+-]{1,64}")  # no `*`: with credentials it would be a name
_MOST: Final = 64
_LONGEST: Final = 86_400  # seconds; browsers keep less
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


class Cors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which pages may call from a browser, and what these may send and see beside what the contract declares.

    `origins` are those of pages, like `https://ward.example`; `*` is any, and never together with `credentials`
    (cookies, HTTP authentication, client certificates). `allow` names further request headers, `expose` further
    answer headers; `max_age` is how many seconds a browser may keep what it was told; `private_network` lets
    pages of public networks in too.
    """

    origins: tuple[str, ...] = ()
    credentials: bool = False
    allow: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    max_age: int = 600
    private_network: bool = False

    def __post_init__(self) -> None:
        """Refuse what no browser sends, and what would open more than it says."""
        if max(len(self.origins), len(self.allow), len(self.expose)) > _MOST:
            raise ValueError(f"at most {_MOST} origins or headers are listed")
        for origin in self.origins:
            _check_origin(origin)
        if ANY in self.origins and (self.credentials or self.private_network):
            raise ValueError(
                "any origin (*) goes neither with credentials nor with private_network: list them"
            )
        for name in (*self.allow, *self.expose):
            if _NAME.fullmatch(name) is None:
                raise ValueError("a header in allow or expose is no plain field name")
        if not 0 <= self.max_age <= _LONGEST:
            raise ValueError(f"max_age is a number of seconds from 0 to {_LONGEST}")


def compile_cors(root: Any) -> Cors | None:
    """Read the extension at the root of a document, its members written with hyphens; None: it has none.

    Raises `ContractInvalid` for anything that is not understood: a misspelt member would open or close a door.
    """
    declared = root.get(EXTENSION) if isinstance(root, dict) else None
    if declared is None:
        return None
    place = f"/{EXTENSION}"
    given = mapping(declared, place)
    for name in given:
        if name.replace("-", "_") not in Cors.__struct_fields__ or "_" in name:
            raise refused(f"{name[:40]!r} is no member of it", f"{place}/{name[:40]}")
    try:
        return msgspec.convert({name.replace("-", "_"): value for name, value in given.items()}, Cors)
    except msgspec.ValidationError as error:
        raise refused(str(error), place) from None


def _check_origin(origin: str) -> None:
    if origin == ANY:
        return
    scheme, _, host = origin.partition("://")
    if _ORIGIN.fullmatch(origin) is None or host.endswith(_DEFAULT_PORTS.get(scheme, " ")):
        raise ValueError(
            "an origin is scheme://host[:port] in lower case, without a path, as browsers send it "
            "(no default port, no null), or *"
        )
