"""The stage of the demonstration: runs real commands and says in plain words what happened."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from kernel.errors import InterlockError

_COMMAND_SECONDS = 120.0


class DemoFailed(InterlockError):
    """A step of the demonstration did not go as told."""

    code = "demo-failed"
    exit_code = 1


@dataclass(slots=True)
class Stage:
    """Where the demonstration plays: a data folder, and the steps told so far."""

    data: Path
    told: int = 0
    facts: dict[str, Any] = field(default_factory=dict)

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        click.echo(f"\n{click.style(title, bold=True)}")

    def tell(self, sentence: str) -> None:
        """Say what happened."""
        self.told += 1
        click.echo(f"  ✓ {sentence}")

    def note(self, sentence: str) -> None:
        """Say something beside the story."""
        click.echo(f"    {click.style(sentence, dim=True)}")

    def expect(self, truth: bool, what: str, *, seen: Any = "") -> None:
        """Stop the demonstration unless `truth` holds; `seen` says what was there instead."""
        if not truth:
            raise DemoFailed(f"expected {what}", hint=f"seen: {str(seen)[:600]}" if seen != "" else "")

    def interlock(self, *words: str, code: int = 0, show: bool = True) -> str:
        """Run `interlock WORDS` on the data folder as a user would; returns what it printed."""
        if show:
            self.note(f"$ interlock {' '.join(words)}")
        run = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "cli", *words],
            capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False, stdin=subprocess.DEVNULL,
            env=self.environment(),
        )  # fmt: skip
        if run.returncode != code:
            said = (run.stderr or run.stdout).strip()
            raise DemoFailed(
                f"`interlock {' '.join(words)}` ended with {run.returncode}, not {code}", hint=said[-1500:]
            )
        return run.stdout

    def interlock_json(self, *words: str, code: int = 0, show: bool = True) -> Any:
        """Run a command with `--format json` and return what it printed, parsed."""
        return json.loads(self.interlock(*words, "--format", "json", code=code, show=show))

    def interlock_refused(self, *words: str, code: int | None = None) -> str:
        """Run a command that must fail (with `code`, where given); returns the first lines of what it said."""
        self.note(f"$ interlock {' '.join(words)}")
        run = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "cli", *words],
            capture_output=True, text=True, timeout=_COMMAND_SECONDS, check=False, stdin=subprocess.DEVNULL,
            env=self.environment(),
        )  # fmt: skip
        said = (run.stdout + run.stderr).strip()
        self.expect(
            run.returncode in ({code} if code is not None else {1, 2}),
            "a refusal",
            seen=(run.returncode, said),
        )
        return said

    def environment(self) -> dict[str, str]:
        """Give the environment of every command: the data folder, and nothing of the caller's settings."""
        import os

        kept = {name: value for name, value in os.environ.items() if not name.startswith("INTERLOCK_")}
        return {**kept, "INTERLOCK_DATA": str(self.data), "NO_COLOR": "1"}

    def wait_until(self, what: str, truth: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Wait until `truth()` is true and return it; stops the demonstration after `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = truth()
            if found:
                return found
            time.sleep(0.05)
        raise DemoFailed(f"expected {what} within {seconds:g} s")
