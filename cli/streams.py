"""Standard output that outlives its reader: a closed pipe changes no verdict, a full disk is told once."""

from __future__ import annotations

import errno
import io
import sys
from typing import Any

from kernel.errors import InterlockError


class OutputFailed(InterlockError):
    """What the command had to say could not be written to standard output."""

    code = "output-failed"


class PatientFile(io.FileIO):
    """A file descriptor whose writes never raise: the first failure that matters is kept in `failed`."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "wb", closefd=False)
        self.failed: OSError | None = None
        self.gone = False

    def write(self, data: Any, /) -> int:
        """Write, or take the bytes and forget them once nobody can have them any more."""
        size = memoryview(data).nbytes
        if self.gone:
            return size
        try:
            return super().write(data)
        except OSError as error:
            self.gone = True
            if error.errno != errno.EPIPE:
                self.failed = error
            return size


def take_streams() -> PatientFile | None:
    """Put patient streams under `sys.stdout` and `sys.stderr`; None where stdout is not the process's own."""
    err: Any = sys.stderr
    out: Any = sys.stdout
    own_err, own_out = err is sys.__stderr__, out is sys.__stdout__
    if err is not None and own_err:
        sys.stderr = _over(PatientFile(err.fileno()), err, line_buffering=True)
    if out is None or not own_out:
        return None
    file = PatientFile(out.fileno())
    sys.stdout = _over(file, out, line_buffering=out.isatty())
    return file


def _over(file: PatientFile, like: Any, *, line_buffering: bool) -> io.TextIOWrapper:
    buffered = io.BufferedWriter(file)
    return io.TextIOWrapper(
        buffered, encoding=like.encoding, errors=like.errors, line_buffering=line_buffering
    )
