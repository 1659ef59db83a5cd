"""Runs one target under atheris, as long as libFuzzer's flags say: python -m tests.fuzz.run TARGET [-flag=value …]."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["runtime_proxy", "kernel.operation", "adapters.wire"]):
    from tests.fuzz.targets import SEEDS, TARGETS, TOKENS


def main() -> None:
    name, *flags = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        for number, seed in enumerate(SEEDS[name]):
            (corpus / str(number)).write_bytes(seed)
        words = "\n".join('"' + "".join(f"\\x{byte:02x}" for byte in token) + '"' for token in TOKENS)
        Path(folder, "words").write_text(words)
        arguments = [sys.argv[0], f"-dict={folder}/words", f"-artifact_prefix={folder}/", *flags, str(corpus)]
        atheris.Setup(arguments, TARGETS[name])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
