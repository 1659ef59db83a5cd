"""Starts programs without any network, where the system lets users make a namespace of their own."""

from __future__ import annotations

import subprocess
from functools import lru_cache
from typing import Final

_NO_NETWORK: Final = ("unshare", "--user", "--map-current-user", "--net", "--")
_SECONDS: Final = 5.0


@lru_cache(maxsize=1)
def offline_works() -> bool:
    """Whether this system lets us start a program without any network; asked once."""
    try:
        run = subprocess.run(  # noqa: S603 - fixed words
            [*_NO_NETWORK, "true"], capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return run.returncode == 0


def offline() -> tuple[str, ...]:
    """Give the words to put before a command so that it gets no interface at all; none where that cannot be."""
    return _NO_NETWORK if offline_works() else ()
