"""The token of the operator's console: a file that only the proxy's own user can read."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from kernel.sealing.private_files import create_private, private_folder, read_private

if TYPE_CHECKING:
    from pathlib import Path

_BYTES: Final = 24


def ops_token(root: Path) -> str:
    """Give the token, made at the first start in `tokens/ops.token`; raises `SealingError`.

    Several workers may ask at once: one of them makes it, all read it.
    """
    file = private_folder(root / "tokens") / "ops.token"
    create_private(file, secrets.token_urlsafe(_BYTES).encode() + b"\n")
    return read_private(file).decode("ascii").strip()
