"""Runs the PyPI peer `jsonsubschema` over pairs of schemas, in its own interpreter: pairs on stdin, a line for each."""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from typing import Any

SECONDS = 10.0  # for one pair


def main() -> None:
    """Answer each pair in a process of its own, for some of them never end."""
    from jsonsubschema import isSubschema  # type: ignore[import-not-found]

    context = multiprocessing.get_context("fork")
    for pair in json.load(sys.stdin):
        began = time.perf_counter()
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_answer, args=(isSubschema, pair, there))
        process.start()
        there.close()
        try:
            said = here.recv() if here.poll(SECONDS) else "refused"
        except EOFError:  # it ended by an exception
            said = "refused"
        process.kill()
        process.join()
        sys.stdout.write(json.dumps({"said": said, "seconds": time.perf_counter() - began}) + "\n")


def _answer(is_subschema: Any, pair: dict[str, Any], told: Any) -> None:
    sys.stderr.close()
    told.send("yes" if is_subschema(pair["old"], pair["new"]) else "no")


if __name__ == "__main__":
    main()
