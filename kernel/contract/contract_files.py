"""Reads the files of one contract: regular files below one folder, each once, all within the limits."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from kernel.contract.document import Document, Limits, parse
from kernel.contract.errors import LimitPassed
from kernel.contract.schema_names import with_pointers
from kernel.errors import DocumentError, Place, ReferenceRefused

MAX_FILES = 2_000


@dataclass(slots=True)
class ContractFiles:
    """The files read so far; each must lie below the folder, symbolic links followed."""

    folder: Path
    limits: Limits
    known: dict[Path, Document] = field(default_factory=dict)
    bytes_read: int = 0

    def entry(self, path: Path) -> Document:
        """Give the document that everything begins with; raises `DocumentError` where there is no such file."""
        place = Place(str(path))
        if not path.is_file():
            raise DocumentError(f"{path} is no file that can be read", hint="name a file", place=place)
        return self.read(path, place)

    def read(self, path: Path, at: Place) -> Document:
        """Give the document of a file; raises `ReferenceRefused` or a `DocumentError`, `at` naming who asked."""
        if path in self.known:
            return self.known[path]
        real = Path(os.path.realpath(path))
        if not real.is_relative_to(self.folder):
            hint = "name the folder that holds all files (--root), or move the file below it"
            raise ReferenceRefused(f"{path} lies outside the folder of this contract", hint=hint, place=at)
        try:
            status = real.stat()
            if not stat.S_ISREG(status.st_mode):
                raise ReferenceRefused(f"{path} is no file", hint="refer to files", place=at)
            self.bytes_read += status.st_size
            if self.bytes_read > self.limits.bytes or len(self.known) >= MAX_FILES:
                message = f"the files have more than {self.limits.bytes} bytes, or are more than {MAX_FILES}"
                raise LimitPassed(message, hint="split the contract", place=at)
            data = real.read_bytes()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a file name"
            raise ReferenceRefused(
                f"{path} cannot be read: {reason}", hint="correct the path, or add the file", place=at
            ) from None
        self.known[path] = with_pointers(parse(data, name=str(path), limits=self.limits))
        return self.known[path]
