"""How a provider is tested: what a plan may ask, and what its address tells."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from ci.conformance_engine import PHASES, Phase
from ci.errors import ConformanceUnusable
from ci.report import FailOn

MOST_EXAMPLES: Final = 10_000
MOST_SECONDS: Final = 6 * 3600
_LARGEST_SEED: Final = 2**32 - 1
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2


@dataclass(frozen=True, slots=True)
class Plan:
    """How a provider is tested; `headers` hold its credentials. Empty `methods`: all, `exclude`: none left out."""

    url: str
    seed: int = 1
    examples: int = 25
    seconds: int = 60
    phases: tuple[Phase, ...] = PHASES
    methods: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    allow_writes: bool = False
    fail_on: FailOn = "breaking"
    headers: Mapping[str, str] = field(default_factory=dict)
    program: str = ""


def checked(plan: Plan) -> SplitResult:
    """Hold a plan to its bounds and give the provider's address; raises `ConformanceUnusable`."""
    try:
        parts = urlsplit(plan.url)
        plain = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        plain, parts = False, SplitResult("", "", "", "", "")
    if not plain or parts.query or parts.fragment:
        raise ConformanceUnusable(
            f"{plan.url.partition('?')[0][:200]!r} is no address of a provider",
            hint="write http(s)://HOST[:PORT]/PATH, to which the contract's paths are appended",
        )
    if parts.username is not None or parts.password is not None:
        raise ConformanceUnusable(
            "the address holds a user or password, which others on this machine can see",
            hint="give credentials with --auth-file or INTERLOCK_PROVIDER_AUTH",
        )
    for number, most, flag in (
        (plan.seed, _LARGEST_SEED, "--seed"),
        (plan.examples, MOST_EXAMPLES, "--examples"),
        (plan.seconds, MOST_SECONDS, "--seconds"),
    ):
        if not (0 if flag == "--seed" else 1) <= number <= most:
            raise ConformanceUnusable(f"{flag} {number}: at most {most}")
    for name, value in plan.headers.items():
        if (
            not name.isascii()
            or not value.isprintable()
            or not value.isascii()
            or not name.replace("-", "").replace("_", "").isalnum()
        ):
            raise ConformanceUnusable(
                f"the header {name[:64]!r} cannot be sent", hint="write NAME: VALUE, ASCII"
            )
    return parts


def is_loopback(parts: SplitResult) -> bool:
    """Whether an address is this machine's own; a name that must be looked up is not."""
    host = parts.hostname or ""
    if host == "localhost" or host.endswith(".localhost"):  # RFC 6761 §6.3
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def without_secrets(parts: SplitResult) -> str:
    """Give an address without user, password, query and fragment."""
    host = parts.hostname or ""
    where = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{where}{f':{parts.port}' if parts.port else ''}{parts.path}"
