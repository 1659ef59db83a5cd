"""Fifth act: the log of all of this verifies; one byte changed in a copy is found and named."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Final

from cli.demo.stage import Stage

_ENDED: Final = b'"completed"'


def play(stage: Stage) -> None:
    """Verify, tamper with a copy, verify again."""
    stage.chapter("5. Proof: the audit log")
    report = stage.interlock_json("audit", "verify")
    records = report.get("records") or sum(one.get("records", 0) for one in report.get("writers", []))
    stage.tell(f"The log of all of this verifies: {records} records, chained by hash, under signed heads.")
    with tempfile.TemporaryDirectory(prefix="interlock-audit-") as folder:
        copy = Path(folder) / "data"
        for part in ("audit", "audit-heads", "keys"):
            if (stage.data / part).exists():
                shutil.copytree(stage.data / part, copy / part, ignore=_secrets)
        logs = sorted((copy / "audit").rglob("*.jsonl"))
        victim = next(file for file in logs if _ENDED in file.read_bytes())
        data = bytearray(victim.read_bytes())
        place = data.index(_ENDED) + 1
        data[place] ^= 1
        victim.chmod(0o600)
        victim.write_bytes(bytes(data))
        said = stage.interlock_refused("audit", "verify", str(copy), code=1)
    stage.tell("In a copy, one bit of one record was changed; the verification names it:")
    for line in said.splitlines()[:4]:
        stage.note(line)


def _secrets(_folder: str, names: list[str]) -> set[str]:
    return {
        name
        for name in names
        if not name.endswith((".json", ".pub"))
        and ("ed25519" in name or "seal" in name or name.endswith((".key", ".pem")))
    }
