"""Under which policy a contract is judged here: the setting `compat_profiles`, and the mode that it declares."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from kernel.errors import SettingsError
from registry.compat.policy_judge import Policy
from registry.compat.policy_modes import Mode, mode_named
from registry.compat.policy_profiles import DEFAULT, PROFILE, Profile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from kernel.settings import Settings
    from registry.review.model import Kind

_SETTING: Final = "compat_profiles"


def profile_for(settings: Settings, contract: str, metadata: Mapping[str, Any]) -> Profile:
    """Choose the profile: that of the contract, else of its owner, else of its domain, else that of all.

    Raises `SettingsError` for an entry that names no profile, or nothing that could have one.
    """
    chosen = _entries(str(settings[_SETTING]))
    names = (contract, f"owner:{metadata.get('owner', '')}", f"domain:{metadata.get('domain', '')}", "")
    return PROFILE[next((chosen[name] for name in names if name in chosen), DEFAULT)]


def _entries(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in (part.strip() for part in text.split(",")):
        if not entry:
            continue
        name, equals, profile = entry.rpartition("=")
        name, profile = name.strip(), profile.strip()
        if profile not in PROFILE or (equals and not name) or name in found:
            raise SettingsError(
                f"{_SETTING}: {entry[:80]!r} is no entry such as strict, lab-orders=strict or domain:laboratory=strict",
                hint=f"profiles are {', '.join(PROFILE)}; each name stands once",
            )
        found[name] = profile
    return found


def policy_for(settings: Settings, contract: str, metadata: Mapping[str, Any], at: datetime) -> Policy:
    """Give the policy for a contract at a moment; waivers are added when somebody looks."""
    return Policy(day_of(at), profile_for(settings, contract, metadata))


def day_of(at: datetime) -> date:
    """Give the day on which sunsets and waivers are judged, in UTC."""
    return at.astimezone(UTC).date()


def mode_of(kind: Kind, metadata: Mapping[str, Any]) -> Mode | None:
    """Give the compatibility mode of a canonical schema, None for an API."""
    declared = metadata.get("compatibility")
    return mode_named(declared if isinstance(declared, str) else None) if kind == "schema" else None
