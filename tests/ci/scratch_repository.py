"""A small repository of contracts in a folder, with real git: what the guide and the tests are tried on."""

from __future__ import annotations

import subprocess
from pathlib import Path

from kernel.contract.digest import digest
from kernel.contract.document import parse

DAY = "2026-11-26"  # on which everything is judged

_FILES = Path(__file__).with_name("scratch")
META = (_FILES / "meta.yaml.txt").read_text(encoding="utf-8")
PATIENT = (_FILES / "patient-ref.json").read_text(encoding="utf-8")
ORDERS = (_FILES / "meal-orders.yaml").read_text(encoding="utf-8")
BEDS = (_FILES / "bed-events.yaml").read_text(encoding="utf-8")


class Scratch:
    """A repository in a folder: three contracts, committed as `main`; edits come on top."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.contract("patient-ref", "1.0.0", "schema", "Patient reference", PATIENT)
        self.contract("meal-orders", "1.0.0", "openapi", "Meal orders", self.pinned(ORDERS))
        self.contract("bed-events", "1.0.0", "asyncapi", "Bed events", BEDS)
        self.git("init", "-q", "-b", "main")
        self.commit("Three contracts")

    def contract(self, name: str, version: str, kind: str, title: str, text: str) -> None:
        """Write one version of a contract."""
        ending = "json" if kind == "schema" else "yaml"
        folder = f"contracts/{name}/{version}"
        self.write(f"{folder}/meta.yaml", META.format(name=name, version=version, kind=kind, title=title))
        self.write(f"{folder}/{kind}.{ending}", text.replace("VERSION", version))

    def pinned(self, text: str, version: str = "1.0.0") -> str:
        """Pin a document to the patient reference as it lies in the repository."""
        data = (self.home / f"contracts/patient-ref/{version}/schema.json").read_bytes()
        pin = digest(parse(data, name="schema.json").root).replace(":", "-")
        return text.replace("PATIENT_URN", f"urn:interlock:schema:patient-ref:{version}:{pin}#")

    def next(self, name: str, version: str, *edits: tuple[str, str]) -> None:
        """Copy the first version of a contract to a new number, with edits to its document."""
        source = self.home / f"contracts/{name}/1.0.0"
        for file in sorted(source.iterdir()):
            text = file.read_text(encoding="utf-8").replace("version: 1.0.0", f"version: {version}")
            self.write(f"contracts/{name}/{version}/{file.name}", text)
        document = next(file.name for file in sorted(source.iterdir()) if file.name != "meta.yaml")
        self.edit(f"contracts/{name}/{version}/{document}", *edits)

    def write(self, path: str, text: str) -> None:
        """Write a file."""
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def edit(self, path: str, *edits: tuple[str, str]) -> None:
        """Replace text in a file; what is not there is a mistake of whoever wrote the edit."""
        text = (self.home / path).read_text(encoding="utf-8")
        for old, new in edits:
            if old not in text:
                raise ValueError(f"{path} does not say {old!r}")
            text = text.replace(old, new, 1)
        self.write(path, text)

    def git(self, *arguments: str) -> str:
        """Run git in the repository."""
        identity = ("-c", "user.name=A", "-c", "user.email=a@ward.example", "-c", "commit.gpgsign=false")
        run = subprocess.run(
            ["git", "-C", str(self.home), *identity, *arguments],
            check=True, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        return run.stdout

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
