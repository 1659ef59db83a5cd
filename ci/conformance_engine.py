"""Runs schemathesis as a program of its own: what it is told, and what it wrote down, call by call.

It never sees our environment; credentials reach it through its own, never through its arguments. Operations
that may not be called do not stand in the document that it gets, so that it cannot call them.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from ci.confined import Bounds, clean_environment, run_confined
from ci.errors import ConformanceUnusable
from kernel.contract.digest import canonical_bytes

Phase = Literal["positive", "negative", "stateful"]
PHASES: Final[tuple[Phase, ...]] = ("positive", "negative", "stateful")
MEMORY: Final = 3 * 1024**3  # bytes of address space
MOST_REPORT: Final = 256 * 1024**2  # bytes that one run may write down
OLDEST: Final = (4, 32)
_BUILT = Path(__file__).resolve().parents[1] / ".tools" / "schemathesis" / "bin" / "st"
_REQUEST_SECONDS = 10
_NETWORK = ("Connection", "Timeout", "SSL", "Chunked", "Protocol")  # kinds of errors of requests and urllib3
# Redirects are answers like any other: they are judged, not followed.
_HOOKS: Final = """\
import schemathesis

@schemathesis.hook
def before_call(context, case, kwargs):
    kwargs["allow_redirects"] = False
"""


@dataclass(frozen=True, slots=True)
class Order:
    """What schemathesis is asked: `root` holds only what may be called; `headers` are added to every call."""

    root: Any
    url: str
    seed: int
    examples: int
    seconds: int
    phases: tuple[Phase, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    program: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One call with its answer: `template` is the path as declared; `status` is None where none came."""

    id: str
    phase: str
    method: str
    template: str
    mode: str
    request: Mapping[str, Any]
    status: int | None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    failed: tuple[str, ...] = ()  # checks of schemathesis


@dataclass(frozen=True, slots=True)
class Record:
    """What a run left: its calls, the versions of its tools, and why it is not complete (empty: it is)."""

    calls: tuple[Call, ...]
    tools: Mapping[str, str]
    trouble: str = ""
    unreachable: bool = False


def find_program(configured: str) -> str:
    """Find `st`: the setting, the one that set-up built, beside our interpreter, the PATH."""
    beside = Path(sys.executable).parent / "st"
    candidates = [configured] if configured else [str(_BUILT), str(beside), shutil.which("st") or ""]
    found = next((one for one in candidates if one and os.access(one, os.X_OK) and Path(one).is_file()), None)
    if found is None:
        raise ConformanceUnusable(
            "schemathesis is not installed" if not configured else f"{configured} is no program",
            hint="pip install 'interlock[conformance]', or name its `st` with the setting schemathesis",
        )
    return found


def version_of(program: str) -> str:
    """Ask a program for its version; raises `ConformanceUnusable` for another or too old one."""
    try:
        run = subprocess.run(  # noqa: S603 - the program that was named
            [program, "--version"], capture_output=True, timeout=60, check=False, env={"LANG": "C.UTF-8"}
        )
        text = run.stdout.decode("utf-8", "replace").split()[-1]
        numbers = tuple(int(part) for part in text.split(".")[:2])
    except (OSError, subprocess.TimeoutExpired, IndexError, ValueError):
        raise ConformanceUnusable(
            f"{program} does not say a version of schemathesis",
            hint="name the program `st` of schemathesis 4",
        ) from None
    if numbers < OLDEST or numbers[0] != OLDEST[0]:
        wanted = ".".join(map(str, OLDEST))
        raise ConformanceUnusable(f"schemathesis {text} is not {wanted} or later", hint="install that one")
    return text


def call_provider(order: Order) -> Record:
    """Let schemathesis call the provider; raises `ConformanceUnusable` where it cannot even be started."""
    program = find_program(order.program)
    tools = {"schemathesis": version_of(program)}
    with tempfile.TemporaryDirectory(prefix="interlock-conformance-") as text:
        home = Path(text)
        (home / "contract.json").write_bytes(canonical_bytes(order.root))
        (home / "hooks.py").write_text(_HOOKS, encoding="utf-8")
        names = {name: f"INTERLOCK_HEADER_{number}" for number, name in enumerate(order.headers)}
        (home / "schemathesis.toml").write_text(_config(order, names), encoding="utf-8")
        environment = clean_environment(home) | {names[key]: value for key, value in order.headers.items()}
        environment |= {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(home), "NO_PROXY": "*"}
        command = [
            program, "--config-file", "schemathesis.toml", "run", "contract.json", "--url", order.url,
            "--report", "ndjson", "--report-ndjson-path", "events.ndjson", "--no-color",
        ]  # fmt: skip
        bounds = Bounds(order.seconds, MEMORY, MOST_REPORT)
        ended = run_confined(command, home, environment, bounds)
        events = home / "events.ndjson"
        if not events.is_file():
            said = _last_line(ended.complaint or ended.output).replace(text, "")
            return Record((), tools, f"it wrote no report: {ended.why or said or ended.code}")
        calls, trouble, unreachable = _read(events)
    why = ended.why or (f"it ended with {ended.code}" if ended.code not in (0, 1) else "") or trouble
    return Record(tuple(calls), tools, why, unreachable)


def _config(order: Order, names: Mapping[str, str]) -> str:
    """Write schemathesis.toml; JSON strings are TOML strings."""
    modes = [one for one in ("positive", "negative") if one in order.phases]
    mode = modes[0] if len(modes) == 1 else "all"
    on = {True: "true", False: "false"}
    lines = [
        f"seed = {order.seed}",
        "continue-on-failure = true",
        f"request-timeout = {_REQUEST_SECONDS}",
        "warnings = false",
        "[headers]",
        *(f"{json.dumps(name)} = {json.dumps('${' + variable + '}')}" for name, variable in names.items()),
        "[output.sanitization]",
        f"keys-to-sanitize = {json.dumps(['authorization', 'cookie', 'set-cookie', *map(str.lower, names)])}",
        "[generation]",
        f'mode = "{mode}"',
        f"max-examples = {order.examples}",
        'database = "none"',
        "[checks]",
        "object_level_authorization.enabled = false",
        "[phases.examples]",
        f"enabled = {on['positive' in order.phases]}",
        "[phases.coverage]",
        f"enabled = {on[bool(modes)]}",
        "unexpected-methods = []",  # what the contract does not declare may do anything
        "extra-data-sources.responses = false",  # what was answered is sent only along links
        "[phases.fuzzing]",
        f"enabled = {on[bool(modes)]}",
        "extra-data-sources.responses = false",
        "[phases.stateful]",
        f"enabled = {on['stateful' in order.phases]}",
    ]
    return "\n".join(lines) + "\n"


def _read(events: Path) -> tuple[list[Call], str, bool]:
    """Read the report; a line that cannot be read makes the run incomplete, never fewer calls in silence."""
    calls: list[Call] = []
    trouble, unreachable, finished = "", False, False
    with events.open("rb") as lines:
        for line in lines:
            try:
                kind, event = next(iter(json.loads(line).items()))
                if kind == "ScenarioFinished":
                    calls += _calls(event)
                elif kind in {"NonFatalError", "FatalError"}:
                    network, said = _what_failed(event)
                    unreachable |= network
                    trouble = trouble or ("" if network else said)
                elif kind == "EngineFinished":
                    finished = True
            except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
                trouble = trouble or "its report cannot be read"
    return calls, trouble or ("" if finished else "its report has no end"), unreachable


def _what_failed(event: Mapping[str, Any]) -> tuple[bool, str]:
    """Say whether it was the network's doing, and what failed; never the message, which may hold values."""
    kind = str((event.get("value") or {}).get("type") or "an error")[:100]
    network = any(word in kind for word in _NETWORK)
    return network, f"{event.get('label') or 'the run'}: {kind}"


def _calls(event: Mapping[str, Any]) -> Iterator[Call]:
    recorder = event["recorder"]
    checks = recorder.get("checks") or {}
    for case_id, interaction in (recorder.get("interactions") or {}).items():
        case = (recorder["cases"].get(case_id) or {}).get("value") or {}
        answer = interaction.get("response")
        request = {
            key: case[key] for key in ("path_parameters", "query", "body", "media_type") if key in case
        }
        generation = (case.get("meta") or {}).get("generation") or {}
        failed = tuple(one["name"] for one in checks.get(case_id, ()) if one.get("status") == "failure")
        yield Call(
            case_id,
            str(event["phase"]),
            str(case.get("method") or interaction["request"]["method"]).upper(),
            str(case.get("path") or ""),
            str(generation.get("mode") or ""),
            request,
            None if answer is None else int(answer["status_code"]),
            () if answer is None else tuple(_headers(answer.get("headers") or {})),
            b"" if answer is None else _content(answer.get("content")),
            failed,
        )


def _headers(table: Mapping[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    for name, values in table.items():
        lower = name.lower()
        # The body comes decoded and whole: what told of its coding tells nothing any more.
        if lower not in {"content-encoding", "transfer-encoding", "content-length"}:
            for value in values:
                yield lower.encode("latin-1", "replace"), str(value).encode("latin-1", "replace")


def _content(content: Any) -> bytes:
    if isinstance(content, Mapping):
        return base64.b64decode(content["$base64"])
    return b"" if content is None else str(content).encode()


def _last_line(data: bytes) -> str:
    lines = [line.strip() for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
