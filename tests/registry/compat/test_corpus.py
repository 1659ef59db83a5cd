"""Real documents compared pairwise: a verdict for each, a table in the output, and never a crash.

`corpus_verdicts.json` holds the verdict of every pair as it was reviewed by eye; a change of a verdict is
a change of the engine, and is reviewed before the file is written anew (INTERLOCK_WRITE=1).
"""

import itertools
import json
import os
import re
import sys
import time
from pathlib import Path

import pytest

from kernel.errors import InterlockError
from kernel.settings import load
from registry.compat.inputs import read_self_contained
from registry.compat.policy import compare

pytestmark = pytest.mark.corpus
SETTINGS = load(environ={})
GOLDEN = Path(__file__).with_name("corpus_verdicts.json")
NUMBERED = re.compile(r"(.*?)([_-])1\.(ya?ml|json)")


def diff_pairs(folder):
    """Pairs by the names that the collection gives: x_1/x_2, bc_topic_base/bc_topic_…, old/new."""
    bases = {file.name[3:-10]: file for file in folder.glob("bc_*_base.yaml")}
    for file in sorted(folder.glob("bc_*.yaml")):
        name = file.name[3:-5]
        if name.endswith("_base"):
            continue
        plain = re.sub(r"^(request|response)_", "", name)
        topics = [t for t in bases if name.startswith(f"{t}_")] or [
            t for t in bases if plain.startswith(f"{t}_")
        ]
        if topics:
            yield bases[max(topics, key=len)], file
    for file in sorted(folder.rglob("*")):
        match = NUMBERED.fullmatch(file.name)
        if match:
            other = file.with_name(f"{match[1]}{match[2]}2.{match[3]}")
            if other.exists():
                yield file, other
        elif file.name.endswith("_old.yaml"):
            yield file, file.with_name(file.name.replace("_old.yaml", "_new.yaml"))


def chains(folder, pattern):
    """Neighbours of each chain of versions, by number."""
    found = {}
    for file in folder.iterdir():
        match = re.fullmatch(pattern, file.name)
        if match:
            key = tuple(int(part) for part in re.findall(r"\d+", match["version"]))
            found.setdefault(match["name"], []).append((key, file))
    for files in found.values():
        for (_, old), (_, new) in itertools.pairwise(sorted(files)):
            yield old, new


def judge(old, new, root=None):
    began = time.perf_counter()
    try:
        before, after = read_self_contained(old, root), read_self_contained(new, root)
    except InterlockError as error:
        return f"refused: {error.code}", time.perf_counter() - began, 0
    verdict = compare(before.root, after.root, "openapi", settings=SETTINGS)
    return str(verdict.outcome), time.perf_counter() - began, len(verdict.findings)


def table(title, pairs, root=None):
    found = {}
    lines = [f"\n{title}: verdict, seconds, findings, pair"]
    for old, new in pairs:
        verdict, seconds, findings = judge(old, new, root)
        found[f"{old.name} -> {new.name}"] = verdict
        lines.append(f"{verdict:<22} {seconds:6.2f} {findings:5} {old.name} -> {new.name}")
    sys.stdout.write("\n".join(lines) + "\n")
    return found


@pytest.mark.parametrize("part", ["openapi-diff-pairs", "adyen-chains", "nhs-bars"])
def test_verdicts_are_the_reviewed_ones(corpus, part):
    folder = corpus / "openapi" / part
    if part == "openapi-diff-pairs":
        pairs = list(diff_pairs(folder))
    elif part == "adyen-chains":
        pairs = list(chains(folder, r"(?P<name>.*)-(?P<version>v\d+)\.yaml"))
    else:
        pairs = list(chains(folder, r"(?P<name>booking-and-referral)-(?P<version>[\d.]+)\.yaml"))
    assert len(pairs) >= 2
    found = table(part, pairs, folder if part == "nhs-bars" else None)
    golden = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if os.environ.get("INTERLOCK_WRITE"):
        GOLDEN.write_text(json.dumps({**golden, part: found}, indent=1, sort_keys=True) + "\n")
    assert found == json.loads(GOLDEN.read_text())[part]


def test_every_document_is_compatible_with_itself_and_with_new_words(corpus):
    for file in sorted((corpus / "openapi").rglob("*.yaml")):
        if file.parent.name not in {"adyen-chains", "hcx", "openehr", "cdc-rs", "nhs-notify-supplier"}:
            continue
        try:
            root = read_self_contained(file).root
        except InterlockError:
            continue  # its place in the list of refused documents is in tests/house
        noted = {**root, "info": {**root["info"], "description": "New words."}}
        verdict = compare(root, noted, "openapi", settings=SETTINGS)
        assert {f.rule for f in verdict.findings if f.severity != "safe"} <= {"engine-failed"}, file


def test_real_events_with_other_words_are_compatible(corpus):
    judged = 0
    for file in sorted((corpus / "asyncapi").rglob("*.y*ml")):
        try:
            root = read_self_contained(file).root
        except InterlockError:
            continue
        if "info" not in root:
            continue  # a part of another document
        noted = {**root, "info": {**root["info"], "description": "New words."}}
        assert str(compare(root, noted, "asyncapi").outcome) == "compatible", file
        changed = {**root, "defaultContentType": "application/vnd.other+json"}
        assert str(compare(root, changed, "asyncapi").outcome) != "compatible", file
        judged += 1
    assert judged >= 8
