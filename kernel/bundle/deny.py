"""The signed deny list: keys, consumers and routes that are refused at once, whatever the bundle says.

Two of them lie beside a bundle. The registry's (`<data>/bundle/denied.dsse.json`) is written with every
revocation, before the bundle is; the host's own (`<data>/denied/local.dsse.json`) is written by
`interlock proxy deny`, with the registry down. Each is a DSSE envelope over a statement that names its origin,
so that one cannot be put in place of the other, with a serial that only grows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from kernel.bundle.layout import digest_of
from kernel.errors import BundleError, Place, SealingError
from kernel.sealing.dsse import Statement, Subject, sign_statement, verify_statement
from kernel.sealing.private_files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.sealing.keys import SigningKey, Trust

Origin = Literal["registry", "local"]
LARGEST_LIST: Final = 64 * 1024 * 1024  # bytes: some 400,000 entries
_NAME: Final = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"
_KEY: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_CONSUMER: Final = re.compile(_NAME)
_ROUTE: Final = re.compile(rf"({_NAME})/v(0|[1-9][0-9]{{0,8}})")


class Denied(msgspec.Struct, frozen=True, order=True):
    """What is denied: `name` is a key's id, a consumer's id, or like `lab-orders/v1`; raises `BundleError`."""

    kind: Literal["key", "consumer", "route"]
    name: str

    def __post_init__(self) -> None:
        """Hold the name to the form of its kind: a name that nothing can have would deny nothing."""
        form = {"key": _KEY, "consumer": _CONSUMER, "route": _ROUTE}[self.kind]
        if form.fullmatch(self.name) is None:
            raise ValueError(f"no {self.kind} can have this name")

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


class Denial(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry: what, since when (RFC 3339), by whom, and why."""

    what: Denied
    at: str
    by: str
    reason: str = ""


class DenyList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that is denied by one origin; `serial` grows with every change."""

    serial: int
    origin: Origin
    denials: tuple[Denial, ...] = ()

    def whats(self) -> frozenset[Denied]:
        """Give what is denied."""
        return frozenset(one.what for one in self.denials)


def parse_denied(text: str) -> Denied:
    """Read `key/ID`, `consumer/ID` or `route/CONTRACT/vMAJOR`; raises `BundleError` naming the forms."""
    kind, _, name = text.partition("/")
    try:
        return msgspec.convert({"kind": kind, "name": name}, type=Denied)
    except msgspec.ValidationError:
        raise BundleError(
            "this names nothing that can be denied",
            hint="write key/ID, consumer/ID or route/CONTRACT/vMAJOR",
        ) from None


def registry_list(bundle: Path) -> Path:
    """Where the registry's list lies, in the bundle folder."""
    return bundle / "denied.dsse.json"


def local_list(data: Path) -> Path:
    """Where the list of this host lies, in the data folder."""
    return data / "denied" / "local.dsse.json"


def seal_list(given: DenyList, signer: SigningKey) -> bytes:
    """Sign a list: an envelope."""
    body = msgspec.to_builtins(given)
    digest = digest_of(msgspec.json.encode(body, order="deterministic")).removeprefix("sha256:")
    subject = Subject("deny-list", {"sha256": digest})
    return sign_statement(Statement((subject,), _type(given.origin), {"list": body}), signer)


def write_list(path: Path, given: DenyList, signer: SigningKey) -> None:
    """Sign a list and put it in place of the one before, durably; raises `BundleError`."""
    envelope = seal_list(given, signer)
    if len(envelope) > LARGEST_LIST:
        raise BundleError(f"the deny list has {len(envelope)} bytes, more than a reader takes")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, envelope, 0o644)
    except (OSError, SealingError) as error:
        raise BundleError(f"the deny list cannot be written: {error}", place=Place(str(path))) from error


def open_list(envelope: bytes, origin: Origin, trust: Trust, place: Place) -> DenyList:
    """Verify and read an envelope; raises `BundleError` for one that is unsigned, altered or of another origin."""
    try:
        statement = verify_statement(envelope, trust.may_sign("deny-list")).statement
    except SealingError as error:
        raise BundleError(f"the deny list is refused: {error.message}", place=place) from None
    if statement.predicate_type != _type(origin):
        raise BundleError("the deny list is a statement about something else", place=place)
    try:
        given = msgspec.convert(statement.predicate.get("list"), type=DenyList)
    except msgspec.ValidationError as error:
        raise BundleError(
            f"the deny list is not of the form that this version reads: {error}", place=place
        ) from None
    if given.origin != origin or given.serial < 0:
        raise BundleError("the deny list is not of this origin, or has a negative serial", place=place)
    return given


def _type(origin: Origin) -> str:
    return f"urn:interlock:deny-list:{origin}:v1"
