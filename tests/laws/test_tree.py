"""Laws about the files themselves: sizes, names, docstrings, and what may never be committed."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kernel", "registry", "adapters", "runtime_proxy", "ci", "cli")
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "base", "misc", "shared", "tools"}
FORBIDDEN_SUFFIXES = ("Manager", "Service", "Handler", "Helper", "Impl", "Util", "Utils")
MOST_LINES = 300

# Longer files, each with its reason.
LONG_FILES: dict[str, str] = {
    "kernel/audit/journal.py": "what callers and the writing thread agree on is one piece",
    "kernel/settings.py": "one table of all settings, a row each",
    "runtime_proxy/pipeline.py": "the first main path is one piece, with a mark where each step ends",
}

# Words of the trade that end like a forbidden suffix.
ALLOWED_CLASSES = {
    "Handler": "runtime_proxy/exchange.py names the port between edge and pipeline",
}


def sources() -> list[Path]:
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def tracked() -> list[Path]:
    run = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in run.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def test_no_file_is_longer_than_the_law_allows() -> None:
    long = {}
    for path in sources():
        lines = len(path.read_text(encoding="utf-8").splitlines())
        name = str(path.relative_to(ROOT))
        if lines > MOST_LINES and name not in LONG_FILES:
            long[name] = lines
    assert long == {}, "split these, or give the reason in LONG_FILES"


def test_the_list_of_long_files_is_not_stale() -> None:
    stale = [name for name in LONG_FILES if len((ROOT / name).read_text().splitlines()) <= MOST_LINES]
    assert stale == []


def test_no_module_is_a_drawer() -> None:
    drawers = [
        path for path in sources() if path.stem in FORBIDDEN_NAMES or path.parent.name in FORBIDDEN_NAMES
    ]
    assert drawers == []


def test_no_class_hides_behind_an_empty_word() -> None:
    found = []
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name.endswith(FORBIDDEN_SUFFIXES):
                if node.name not in ALLOWED_CLASSES:
                    found.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert found == []


def test_package_files_hold_one_sentence_and_no_code() -> None:
    wrong = []
    for path in sources():
        if path.name == "__init__.py" and "migrations" not in path.parts:
            body = ast.parse(path.read_text(encoding="utf-8")).body
            if len(body) != 1 or not isinstance(body[0], ast.Expr):
                wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        path for path in sources() if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_contracts_holds_data_only() -> None:
    assert list((ROOT / "contracts").rglob("*.py")) == []


def test_the_environment_is_read_in_one_place() -> None:
    allowed = {
        "kernel/settings.py": "the table of settings",
        "cli/demo/stage.py": "hands the caller's environment to child processes, without its settings",
        "runtime_proxy/takeover.py": "what a supervisor hands to its own next program is no setting",
        "cli/errors.py": "INTERLOCK_TRACEBACK must work when settings cannot be read",
    }
    readers = [
        str(path.relative_to(ROOT))
        for path in sources()
        if re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8"))
    ]
    assert sorted(set(readers) - set(allowed)) == []


def test_nothing_unfinished_is_committed() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def test_no_machine_path_and_no_package_host_stands_in_the_tree() -> None:
    hosts = "|".join(
        ("pypi" + r"\.org", "files\\.pythonhosted", "registry" + r"\.npmjs", "proxy\\.golang", "deb\\.debian")
    )
    wrong = re.compile(rf"(?<![\w.])/(?:work|root|home)/\w|{hosts}")
    found = []
    for path in tracked():
        if path.suffix in {".png", ".ico"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in [wrong.search(text)] if match]
    assert [line for line in found if not line.startswith("tests/laws/test_tree.py")] == []


def test_every_locked_package_has_hashes() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = lock.read_text()
        pins = re.findall(r"^[A-Za-z0-9._-]+(?:\[[^\]]+\])?==", text, re.MULTILINE)
        blocks = re.split(r"^(?=[A-Za-z0-9._-]+(?:\[[^\]]+\])?==)", text, flags=re.MULTILINE)[1:]
        assert pins, lock
        assert all("--hash=sha256:" in block for block in blocks), lock
        assert "index-url" not in text, lock


def test_the_development_lock_agrees_with_the_runtime_lock() -> None:
    pin = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]+\])?==(\S+)", re.MULTILINE)
    run = dict(pin.findall((ROOT / "requirements/run.txt").read_text()))
    dev = dict(pin.findall((ROOT / "requirements/dev.txt").read_text()))
    assert {name: dev.get(name) for name in run} == run
