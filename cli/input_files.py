"""Files that are given on the command line, read within a limit; what is wrong with one is a usage error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

_LARGEST_FILE = 64 * 1024 * 1024  # bytes


def read_file(file: Path) -> bytes:
    """Read a file; a larger one is refused."""
    if file.stat().st_size > _LARGEST_FILE:
        raise click.UsageError(f"{file} has more than {_LARGEST_FILE} bytes")
    return file.read_bytes()


def read_object(file: Path) -> dict[str, Any]:
    """Read a JSON or YAML file that holds one object."""
    from kernel.contract.document import parse

    root = parse(read_file(file), name=str(file)).root
    if not isinstance(root, dict):
        raise click.UsageError(f"{file} holds no JSON object")
    return root
