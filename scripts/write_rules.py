"""Write docs/reference/rules.md and asyncapi-validity.md from the tables of lint, or check that they are up to date.

python scripts/write_rules.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from registry.lint.asyncapi_bindings import PROTOCOLS, versions  # noqa: E402
from registry.lint.asyncapi_clauses import CLAUSES, Clause  # noqa: E402
from registry.lint.binding_forms import Place  # noqa: E402
from registry.lint.rule import Rule  # noqa: E402 - the path above makes the packages importable
from registry.lint.rules import BY_ID, RULES  # noqa: E402

REFERENCE = ROOT / "docs" / "reference"
_HEAD = """<!-- Written by scripts/write_rules.py; do not edit. -->
# Rules of lint

What `interlock check` and a submission say about one document. An *error* means that it is not valid or could not be
served; a *warning* is what the house asks for beyond that; an *info* is worth knowing. `interlock explain RULE` tells
the same. Rules about changes between two versions are told by `interlock diff`; those of oasdiff stand in
[rules/oasdiff.md](../rules/oasdiff.md).

The good and the bad example of a rule are pieces of a document, and are that rule's test. Warnings and notes are only
looked for where the structure of the document is sound; of one rule at most 100 places are told, and the rest is counted.
Rules whose finding is told once with a number are marked *counted*. How to except a place, to give a rule another severity
and to bring rules of your own: [guide/lint.md](../guide/lint.md).

"""


_DEMANDS = """<!-- Written by scripts/write_rules.py; do not edit. -->
# What makes an AsyncAPI document valid

Every MUST, MUST NOT, REQUIRED and SHALL of AsyncAPI 2.6, 3.0 and 3.1 (which adds to 3.0 the bindings of ROS 2 only), in our
words, under the headings of the specification, with the rule that tells its breach. `asyncapi-invalid` is our JSON Schema of
the specification; `document-yaml` the parser, which refuses before any rule is asked. A demand that no document can break
says whom it binds. Documents of 2.0 to 2.5 are held to 2.6, which only adds to them.

A finding names the section in brackets: `channels.yaml:12:7 error channel-parameter-undeclared nothing describes the
parameter `ward` of lab.{ward} [AsyncAPI 3.0 §Parameters Object]`. What a binding must look like is said by the page of its
protocol (asyncapi/bindings); which of them are known stands below, and `binding-unchecked` tells of the others.

"""


def demands() -> str:
    """Give the page of AsyncAPI's demands, and the table of bindings."""
    rows = "".join(map(_demand, CLAUSES))
    told = "| section | versions | demand | judged by |\n| --- | --- | --- | --- |\n"
    bound = "\n## Bindings that are known\n\n| protocol | place | versions |\n| --- | --- | --- |\n"
    for protocol in sorted(PROTOCOLS):
        for place in get_args(Place):
            known = ", ".join(versions(protocol, place)) or "reserved: must be empty"
            bound += f"| {protocol} | {place} | {known} |\n"
    return f"{_DEMANDS}{told}{rows}{bound}"


def _demand(clause: Clause) -> str:
    links = (f"[{one}](rules.md#{one})" if one in BY_ID else f"`{one}`" for one in clause.rules)
    return (
        f"| {clause.heading} | {clause.versions} | {clause.demand} | {', '.join(links) or clause.reason} |\n"
    )


def page() -> str:
    """Give the whole page: a table of all rules, then one section for each."""
    table = "".join(
        f"| [{rule.id}](#{rule.id}) | {rule.severity} | {', '.join(rule.kinds)} |\n" for rule in RULES
    )
    return f"{_HEAD}| rule | severity | for |\n| --- | --- | --- |\n{table}\n" + "\n".join(
        map(section, RULES)
    )


def section(rule: Rule) -> str:
    """Give the section of one rule."""
    counted = ", counted" if rule.counted else ""
    text = f"## {rule.id}\n\n*{rule.severity}{counted}, {', '.join(rule.kinds)}.* {rule.why}\n\n"
    text += f"**What to do.** {rule.remedy}\n"
    for word, piece in (("Bad", rule.bad), ("Good", rule.good)):
        if piece:
            text += f"\n{word}:\n\n```yaml\n{piece}\n```\n"
    return text


PAGES = {"rules.md": page, "asyncapi-validity.md": demands}


def main(*, check: bool) -> int:
    """Write or compare the pages; returns 1 when `check` finds one out of date."""
    stale = 0
    for name, write in PAGES.items():
        text = write()
        if (REFERENCE / name).is_file() and (REFERENCE / name).read_text(encoding="utf-8") == text:
            continue
        if check:
            print(f"docs/reference/{name} is out of date: run python scripts/write_rules.py", file=sys.stderr)
            stale = 1
            continue
        (REFERENCE / name).write_text(text, encoding="utf-8")
        print(f"docs/reference/{name} written")
    return stale


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
