"""The doors between the rooms are kept by machine, and the machine is shown to notice a break."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("kernel", "registry", "adapters", "runtime_proxy", "ci", "cli")

# One forbidden import for each contract of importlinter.ini: (contract, file, line to add).
SABOTAGE = (
    ("layers", "kernel/errors.py", "import registry.store"),
    ("registry-layers", "registry/compat/__init__.py", "import registry.store"),
    ("kernel-layers", "kernel/errors.py", "import kernel.contract"),
    ("kernel-pure", "kernel/errors.py", "import sqlalchemy"),
    ("ci-apart", "ci/__init__.py", "import runtime_proxy"),
    ("catalog", "adapters/intake.py", "import adapters.devices.lab_hl7v2"),
    ("adapters-apart", "adapters/devices/lab_hl7v2/device.py", "import adapters.partners.http"),
    ("acyclic", "adapters/wire/__init__.py", "import adapters.formats.sabotage_other"),
)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--config", "importlinter.ini", "--no-cache"],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder), "LANG": "C.UTF-8", "HOME": str(folder)},
    )  # fmt: skip


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "importlinter.ini", tmp_path)
    return tmp_path


def test_the_house_keeps_its_doors() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


def test_every_contract_has_its_sabotage() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "importlinter.ini")
    declared = {
        name.rsplit(":", 1)[1] for name in config.sections() if name.startswith("importlinter:contract:")
    }
    assert declared == {contract for contract, _, _ in SABOTAGE}


@pytest.mark.parametrize(("contract", "file", "line"), SABOTAGE, ids=[row[0] for row in SABOTAGE])
def test_a_forbidden_import_breaks_its_contract(copy: Path, contract: str, file: str, line: str) -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "importlinter.ini")
    title = config[f"importlinter:contract:{contract}"]["name"]
    if contract == "acyclic":
        other = copy / "adapters/formats/sabotage_other.py"
        other.write_text('"""Sabotage."""\nimport adapters.wire\n')
    target = copy / file
    target.write_text(target.read_text() + f"\n{line}\n")
    result = lint(copy)
    assert result.returncode == 1
    broken = [text for text in result.stdout.splitlines() if text.endswith("BROKEN")]
    assert any(title in text for text in broken), result.stdout
