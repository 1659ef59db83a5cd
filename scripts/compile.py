"""Compiles the hot modules of the data plane from their own Python source (mypyc), beside that source.

    python scripts/compile.py build     compile what has changed (about a minute and a half), else nothing
    python scripts/compile.py remove    take the compiled form away; what was built stays in .tools/compiled
    python scripts/compile.py check     exit 1 when the compiled form in use is not that of the source

Python takes `name.cpython-*.so` before `name.py`, so the program is the same with either; the pure form runs
wherever no compiler is. The list of modules is [tool.interlock] in pyproject.toml.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".tools" / "compiled"
STAMP = ROOT / ".tools" / "compiled.stamp"
PATTERN = f"*{sysconfig.get_config_var('EXT_SUFFIX')}"
PACKAGES = ("kernel", "adapters", "runtime_proxy")
# The code itself is one library without a package; it goes where packages of the environment are.
LIBRARY = Path(os.environ.get("INTERLOCK_COMPILED_LIBRARY") or sysconfig.get_path("platlib"))
BUILDS_KEPT = 2
_LONGEST = 900  # seconds
_SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup
setup(
    name="interlock-compiled",
    packages=[],
    ext_modules=mypycify(["--config-file", "pyproject.toml", *sys.argv.pop().split(",")], opt_level="1",
                         debug_level="0", group_name="interlock", multi_file=True),
)
"""


def modules() -> list[str]:
    """List the source files that are compiled."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed: list[str] = tomllib.load(file)["tool"]["interlock"]["compiled"]
    return listed


def digest() -> str:
    """Name a build: the sources of all packages that take part, the compiler's version, the interpreter."""
    total = hashlib.sha256(f"{sys.version}\n{sysconfig.get_platform()}\n".encode())
    for file in (ROOT / "pyproject.toml", ROOT / "requirements" / "compile.txt"):
        total.update(file.read_bytes())
    # Types of modules that are not compiled decide how the compiled ones are.
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            total.update(f"{file.relative_to(ROOT)}\n".encode())
            total.update(file.read_bytes())
    return total.hexdigest()[:24]


def in_use() -> list[Path]:
    """List the compiled files that lie beside the source."""
    found = list(LIBRARY.glob(f"interlock__mypyc{PATTERN[1:]}"))
    for package in PACKAGES:
        found += (ROOT / package).rglob(PATTERN)
    return found


def build() -> int:
    """Put the compiled form of the present source beside it; 0 also where there is no compiler."""
    name = digest()
    if _is_whole(name):
        return 0
    remove()
    kept = KEPT / name
    if not kept.is_dir():
        missing = _missing()
        if missing:
            _say(f"no {missing}: the proxy runs as pure Python, at two to three times the cost a call")
            return 0
        _say("compiling the hot modules of the proxy (once for each state of the source, a minute or two)")
        if not _compile(kept):
            _say("they could not be compiled (.tools/compile.log says why): the proxy runs as pure Python")
            return 0
        _forget_old(kept)
    for file, beside in _places(kept):
        shutil.copy2(file, beside)
    STAMP.write_text(name)
    return 0


def remove() -> int:
    """Leave nothing but source."""
    for file in in_use():
        file.unlink()
    STAMP.unlink(missing_ok=True)
    return 0


def check() -> int:
    """Tell whether the compiled form, where there is one, is that of the source."""
    stale = bool(in_use()) and not _is_whole(digest())
    if stale:
        _say(
            "the compiled modules are not those of their source; run: make setup (or make test for the pure form)"
        )
    return int(stale)


def _places(kept: Path) -> list[tuple[Path, Path]]:
    """List the files of a build, each with where it goes."""
    inside = [(file, file.relative_to(kept)) for file in kept.rglob(PATTERN)]
    return [(file, (LIBRARY if len(beside.parts) == 1 else ROOT) / beside) for file, beside in inside]


def _is_whole(name: str) -> bool:
    """Whether a build of that name is in use, every file of it: the library alone is never asked for."""
    if not (STAMP.is_file() and STAMP.read_text() == name):
        return False
    places = _places(KEPT / name)
    return bool(places) and all(beside.is_file() for _, beside in places)


def _compile(kept: Path) -> bool:
    work = KEPT / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    for package in (*PACKAGES, "registry"):
        shutil.copytree(ROOT / package, work / package, ignore=shutil.ignore_patterns(PATTERN, "__pycache__"))
    shutil.copy2(ROOT / "pyproject.toml", work)
    log = ROOT / ".tools" / "compile.log"
    command = [sys.executable, "-c", _SETUP, "build_ext", "--inplace"]
    command += ["--parallel", str(os.cpu_count() or 1), ",".join(modules())]
    try:
        with log.open("w") as output:
            subprocess.run(
                command, cwd=work, stdout=output, stderr=subprocess.STDOUT, check=True, timeout=_LONGEST
            )
    except subprocess.SubprocessError:
        shutil.rmtree(work)
        return False
    for file in work.rglob(PATTERN):
        if "build" not in file.relative_to(work).parts:
            target = kept / file.relative_to(work)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, target)
    shutil.rmtree(work)
    return True


def _forget_old(kept: Path) -> None:
    others = sorted((one for one in KEPT.iterdir() if one != kept), key=lambda one: one.stat().st_mtime)
    for old in others[: -(BUILDS_KEPT - 1)]:
        shutil.rmtree(old)


def _missing() -> str:
    compiler = (sysconfig.get_config_var("CC") or "cc").split()[0]
    if shutil.which(compiler) is None:
        return f"C compiler ({compiler})"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "Python.h (Debian: python3-dev)"
    try:
        import mypyc.build  # noqa: F401, PLC0415 - asked for, not used
    except ImportError:
        return "mypyc (requirements/compile.txt)"
    return ""


def _say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr)


if __name__ == "__main__":
    commands = {"build": build, "remove": remove, "check": check}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:  # noqa: PLR2004 - program and command
        sys.exit(__doc__)
    sys.exit(commands[sys.argv[1]]())
