"""The form in which a message comes to an operation, off the wire and with nothing decoded."""

from __future__ import annotations

Headers = list[tuple[bytes, bytes]]  # names in lower case, order kept, values as sent
