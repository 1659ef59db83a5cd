"""What the field lines of a message say about its body."""

import pytest

from kernel.operation.message import about_body

JSON, TEXT = (b"content-type", b"application/json"), (b"content-type", b"text/plain")
GZIP = (b"content-encoding", b"gzip")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ([], (None, False)),
        ([(b"host", b"a"), JSON], (b"application/json", False)),
        ([GZIP, JSON, (b"accept", b"*/*")], (b"application/json", True)),
        ([JSON, TEXT], (None, False)),
        ([JSON, GZIP, JSON], (None, True)),
        ([JSON, TEXT, JSON], (None, False)),
    ],
)
def test_of_two_content_types_neither_counts(headers, said) -> None:
    assert about_body(headers) == said
