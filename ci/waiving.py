"""Writes a waiver into interlock.toml: added at the end, so that comments and layout stay as their owner left them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from ci.errors import ProjectInvalid, ProjectUnreadable
from ci.project import FILE, find_project, read_project
from kernel.errors import Place
from registry.compat.policy_tables import Waiver

_ORDER: Final = ("fingerprint", "contract", "rule", "what", "owner", "reason")


def waiver_file(start: Path) -> Path:
    """Give the interlock.toml that holds for a path, or the one to be made: at the root of its repository."""
    found = find_project(start)
    if found is not None:
        return found
    folder = start.resolve()
    root = next((here for here in (folder, *folder.parents) if (here / ".git").exists()), folder)
    return root / FILE


def add_waiver(file: Path, waiver: Waiver) -> None:
    """Add a waiver; the file is read again before it takes the place of the old one.

    Raises `ProjectInvalid` where the same finding is waived already, and `ProjectUnreadable` where the file cannot be
    read or written.
    """
    text = ""
    if file.exists():
        for known, place in zip(*_known(file), strict=True):
            if known.fingerprint == waiver.fingerprint and known.contract in {None, waiver.contract}:
                raise ProjectInvalid(
                    f"{known.owner} waived {known.fingerprint} already, until {known.expires}",
                    hint="change that waiver, or remove it",
                    place=place,
                )
        text = file.read_bytes().decode("utf-8")
    end = "\r\n" if "\r\n" in text else "\n"
    begun = text if not text or text.endswith("\n") else text + end
    made = begun + (end if begun else "") + end.join(_lines(waiver)) + end
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.write_bytes(made.encode("utf-8"))
        if file.exists():
            beside.chmod(file.stat().st_mode & 0o777)
        read_project(beside)
        beside.replace(file)
    except (ProjectUnreadable, ProjectInvalid) as error:
        raise ProjectInvalid(
            f"{file} takes no [[waiver]] at its end: {error.message.replace(str(beside), str(file))}",
            hint="add the waiver by hand; docs/reference/interlock-toml.md shows how",
            place=Place(str(file)),
        ) from None
    except OSError as error:
        raise ProjectUnreadable(f"{file} cannot be written: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)


def _known(file: Path) -> tuple[tuple[Waiver, ...], tuple[Place, ...]]:
    project = read_project(file)
    return project.waivers, project.places


def _lines(waiver: Waiver) -> list[str]:
    told = [(name, getattr(waiver, name)) for name in _ORDER]
    return [
        "[[waiver]]",
        *(f"{name} = {_text(value)}" for name, value in told if value is not None),
        f"expires = {waiver.expires}",
    ]


def _text(value: str) -> str:
    """Write a TOML basic string: JSON's escapes, and DEL, which TOML does not take bare."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
