"""Write the page of each refusal from its class, so that docs and code cannot drift apart."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runtime_proxy.refusal import TYPE_PREFIX
from runtime_proxy.refusals import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime_proxy.refusal import Refusal

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "refusals"
_RETRY = {
    True: "Later, after the seconds in `Retry-After`.",
    False: "Not unchanged: the same request gets the same answer, or does harm.",
}


def page(refusal: type[Refusal]) -> str:
    """Give the Markdown of one refusal's page."""
    many = refusal.status == 429  # noqa: PLR2004 - Too Many Requests
    again = refusal.retry_after is not None or refusal.says_when or many
    return (
        f"# {refusal.slug}\n\n"
        f"**{refusal.status} {refusal.title}**\n\n"
        f"{refusal.explanation}\n\n"
        f"**What to do.** {refusal.remedy}\n\n"
        f"**Send it again?** {_RETRY[again]}\n\n"
        f"`type` in the answer: `{TYPE_PREFIX}{refusal.slug}`. "
        f"{'The connection is closed after it. ' if refusal.closes else ''}"
        "The form of the answer stands in [the proxy's reference](../reference/proxy.md#refusals).\n"
    )


def index() -> str:
    """Give the Markdown of docs/refusals/README.md: all refusals in one table."""
    rows = "".join(
        f"| {row.status} | [{row.slug}]({row.slug}.md) | {row.title} |\n" for row in REFUSALS.values()
    )
    return (
        "# Refusals\n\n"
        "Every *no* of the proxy, in the order in which a request can meet them. "
        "`interlock explain SLUG` shows the same words.\n\n"
        f"| status | slug | meaning |\n|---|---|---|\n{rows}"
    )


def pages() -> dict[str, str]:
    """Give every file of docs/refusals by name."""
    return {"README.md": index()} | {f"{slug}.md": page(row) for slug, row in REFUSALS.items()}


def drift(folder: Path = FOLDER) -> list[str]:
    """Name the files that differ from what the classes say, are missing, or belong to no refusal."""
    wanted = pages()
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def main(argv: Sequence[str]) -> int:
    """`--write` writes the pages, `--check` ends with 1 when they are stale."""
    if list(argv) == ["--write"]:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for name in drift():
            text = pages().get(name)
            if text is None:
                (FOLDER / name).unlink()
            else:
                (FOLDER / name).write_text(text, encoding="utf-8")
        return 0
    if list(argv) == ["--check"]:
        stale = drift()
        sys.stderr.write("".join(f"stale: docs/refusals/{name}\n" for name in stale))
        return 1 if stale else 0
    sys.stderr.write("usage: python -m runtime_proxy.refusal_pages --check | --write\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
