"""Settings of one laboratory connection: their schema, and the values read from them."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.errors import AdapterSettingsError
from adapters.message import SenderRule
from adapters.wire.mllp.server import MllpLimits

_TEXT = {"type": "string", "minLength": 1, "maxLength": 256}
_PROFILE = {"type": "string", "pattern": "^[a-z0-9][a-z0-9.-]{0,63}/[0-9A-Za-z.-]{1,32}$"}


def _seconds(help_text: str, default: float, least: float = 0.01) -> dict[str, Any]:
    return {
        "type": "number",
        "minimum": least,
        "maximum": 86400,
        "default": default,
        "description": help_text,
    }


SETTINGS_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "lab_hl7v2",
    "type": "object",
    "additionalProperties": False,
    "required": ["port"],
    "properties": {
        "host": {**_TEXT, "default": "127.0.0.1", "description": "Address to listen on."},
        "port": {
            "type": "integer",
            "minimum": 0,
            "maximum": 65535,
            "description": "Port; 0 takes any free one.",
        },
        "profile": {**_PROFILE, "default": "generic/1.0.0", "description": "Device profile as name/version."},
        "senders": {
            "description": "Who may send, by MSH-3 and MSH-4 (* for any); empty: whoever reaches the port.",
            "type": "array",
            "maxItems": 256,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["application", "facility"],
                "properties": {"application": _TEXT, "facility": _TEXT, "profile": _PROFILE},
            },
        },
        "default_charset": {
            **_TEXT,
            "default": "utf-8",
            "description": "Character set where MSH-18 is empty.",
        },
        "charset_policy": {
            "enum": ["guess", "refuse"],
            "default": "guess",
            "description": "Bytes that are not in the set of MSH-18: guess and flag, or refuse.",
        },
        "timezone": {**_TEXT, "description": "IANA zone of times without offset; missing: UTC, and flagged."},
        "time_policy": {
            "enum": ["flag", "refuse"],
            "default": "flag",
            "description": "Times that nobody can read: keep as sent and flag, or refuse (time-unreadable).",
        },
        "number_policy": {
            "enum": ["refuse", "text"],
            "default": "refuse",
            "description": "An OBX of type NM without a number: refuse (value-unreadable), or keep as text.",
        },
        "unmapped": {
            "enum": ["store", "refuse"],
            "default": "store",
            "description": "Message types without canonical form: store and acknowledge, or refuse.",
        },
        "on_failure": {
            "enum": ["AR", "silent"],
            "default": "AR",
            "description": "A failure of ours: hand the message back by AR, or say nothing and try again.",
        },
        "codes": {
            "description": "Local codes of OBX-3 and OBR-4 in a shared vocabulary.",
            "type": "object",
            "maxProperties": 5000,
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "required": ["code", "system"],
                "properties": {"code": _TEXT, "system": _TEXT, "display": _TEXT},
            },
        },
        "units": {
            "description": "Local units of OBX-6 in UCUM, beside the built-in ones.",
            "type": "object",
            "maxProperties": 1000,
            "additionalProperties": _TEXT,
        },
        "max_message_bytes": {"type": "integer", "minimum": 1024, "maximum": 16777216, "default": 16777216},
        "max_connections": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 64},
        "message_seconds": _seconds("From the first to the last byte of one message.", 60.0),
        "idle_seconds": _seconds("Between messages; 0: a line may stay silent for ever.", 0.0, 0),
        "end_seconds": _seconds("How long a missing last byte 0D is waited for.", 0.5),
        "stop_seconds": _seconds("What messages under way get when the listener stops.", 10.0),
        "tls": {
            "type": "object",
            "additionalProperties": False,
            "required": ["certificate", "key"],
            "properties": {
                "certificate": {**_TEXT, "description": "PEM file of the server's certificate chain."},
                "key": {**_TEXT, "description": "PEM file of its private key."},
                "client_ca": {**_TEXT, "description": "PEM file: only clients certified by it may connect."},
            },
        },
    },
}


@dataclass(frozen=True, slots=True)
class LabSettings:
    """The settings of one connection, ready for use; `zone_given` tells a chosen UTC from an assumed one."""

    host: str
    port: int
    profile: str
    senders: tuple[SenderRule, ...]
    default_charset: str
    guess_charset: bool
    zone: tzinfo
    zone_given: bool
    flag_times: bool
    words_for_numbers: bool
    store_unmapped: bool
    silent: bool
    codes: Mapping[str, Mapping[str, str]]
    units: Mapping[str, str]
    limits: MllpLimits
    tls: Mapping[str, str] = field(default_factory=dict)


def read_settings(raw: Mapping[str, Any]) -> LabSettings:
    """Read settings that match `SETTINGS_SCHEMA`; raises `AdapterSettingsError` for what it cannot see."""
    profile = raw.get("profile", "generic/1.0.0")
    rules = tuple(
        SenderRule(rule["application"], rule["facility"], rule.get("profile", profile))
        for rule in raw.get("senders", ())
    )
    defaults = MllpLimits()
    limits = MllpLimits(
        connections=raw.get("max_connections", defaults.connections),
        message_bytes=raw.get("max_message_bytes", defaults.message_bytes),
        message_seconds=raw.get("message_seconds", defaults.message_seconds),
        idle_seconds=raw.get("idle_seconds", defaults.idle_seconds),
        end_seconds=raw.get("end_seconds", defaults.end_seconds),
        stop_seconds=raw.get("stop_seconds", defaults.stop_seconds),
    )
    return LabSettings(
        host=raw.get("host", "127.0.0.1"),
        port=raw["port"],
        profile=profile,
        senders=rules,
        default_charset=_codec(raw.get("default_charset", "utf-8")),
        guess_charset=raw.get("charset_policy", "guess") == "guess",
        zone=_zone(raw.get("timezone")),
        zone_given="timezone" in raw,
        flag_times=raw.get("time_policy", "flag") == "flag",
        words_for_numbers=raw.get("number_policy", "refuse") == "text",
        store_unmapped=raw.get("unmapped", "store") == "store",
        silent=raw.get("on_failure", "AR") == "silent",
        codes=raw.get("codes", {}),
        units=raw.get("units", {}),
        limits=limits,
        tls=raw.get("tls", {}),
    )


def _codec(name: str) -> str:
    try:
        found = codecs.lookup(name).name
    except LookupError:
        found = ""
    if not found or found.startswith(("utf-16", "utf-32")):
        raise AdapterSettingsError(
            f"default_charset {name[:40]!r} cannot be used", hint="utf-8, iso8859-1, windows-1252 …"
        )
    return found


def _zone(name: str | None) -> tzinfo:
    if name is None:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise AdapterSettingsError(
            f"timezone {name[:64]!r} is unknown", hint="such as Europe/Zurich"
        ) from None
