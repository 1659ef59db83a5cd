"""Rules are API: each has its words and its page, and every finding names a rule that exists."""

import re
import subprocess
import sys
from pathlib import Path

from registry.compat.rules import BY_ID, CALLED, RULES
from registry.compat.second_opinion import catalogue

ROOT = Path(__file__).resolve().parents[3]


def test_the_pages_are_what_the_tables_say():
    run = subprocess.run(
        [sys.executable, "scripts/write_compat_rules.py", "--check"], cwd=ROOT, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


def test_ids_are_unique_and_well_formed_and_say_why():
    assert len(BY_ID) == len(RULES)
    for rule in RULES:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
        assert rule.why.endswith(".")
        assert rule.remedy or str(rule.severity) == "safe", rule.id


def test_every_rule_that_the_code_names_stands_in_the_table():
    sources = "".join(
        path.read_text() for path in (ROOT / "registry/compat").glob("*.py") if path.name != "rules.py"
    )
    named = set(re.findall(r'BY_ID\[\s*"([a-z-]+)"', sources)) | set(
        re.findall(r'note\(\s*"([a-z-]+)"', sources)
    )
    assert named
    assert named <= set(BY_ID)
    unused = {rule.id for rule in RULES if f'"{rule.id}"' not in sources}
    built = {
        f"{message}-media-type-{change}"
        for message in ("request", "response")
        for change in ("added", "removed")
    }
    built |= {f"link-{change}" for change in ("added", "removed")}
    built |= {
        f"{way}-content-{word}-checked" for way in ("accepted", "emitted") for word in ("now", "no-longer")
    }
    assert unused - built - set(CALLED.values()) == set()


def test_the_catalogue_of_oasdiff_has_an_area_and_a_kind_for_each_rule():
    rows, digest = catalogue()
    assert len(rows) > 700
    assert rows["request-property-removed"] == ("schema", "existence")
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
