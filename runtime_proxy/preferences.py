"""What the `Prefer` header asks of a mock: which status, which example (RFC 7240; the names are Prism's)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from runtime_proxy.exchange import Headers

_LONGEST: Final = 512  # bytes of all Prefer lines
_PART: Final = re.compile(r'\s*([A-Za-z-]{1,32})\s*(?:=\s*("[^"]{0,200}"|[^\s",;]{0,200}))?\s*')
_CODE: Final = re.compile(r"[2-5][0-9]{2}")


class PreferenceUnreadable(Exception):
    """A preference of ours that has no meaning."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """`code` is a status, `example` the name of one; `dynamic`: made from the schema, whatever examples say."""

    code: int | None = None
    example: str | None = None
    dynamic: bool = False

    @property
    def applied(self) -> bytes:
        """Write them for Preference-Applied (RFC 7240 section 3); b"": there are none."""
        told = [f"code={self.code}"] if self.code is not None else []
        told += [f'example="{self.example}"'] if self.example is not None else []
        told += ["dynamic=true"] if self.dynamic else []
        return ", ".join(told).encode("latin-1", "replace")


NONE: Final = Preferences()


def preferences_of(headers: Headers) -> Preferences:
    """Read all Prefer lines; preferences that are not a mock's are passed over. Raises `PreferenceUnreadable`."""
    lines = [value for name, value in headers if name == b"prefer"]
    if not lines:
        return NONE
    text = b",".join(lines)
    if len(text) > _LONGEST:
        raise PreferenceUnreadable
    found: dict[str, str] = {}
    for part in re.split(r'[,;](?=(?:[^"]*"[^"]*")*[^"]*$)', text.decode("latin-1")):
        read = _PART.fullmatch(part)
        if read is not None:
            found.setdefault(read[1].lower(), (read[2] or "").strip('"'))  # the first one counts (section 2)
        elif part.strip():
            raise PreferenceUnreadable
    code, example = found.get("code"), found.get("example")
    if (code is not None and _CODE.fullmatch(code) is None) or example == "":
        raise PreferenceUnreadable
    return Preferences(int(code) if code else None, example, found.get("dynamic") == "true")
