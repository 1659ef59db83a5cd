"""The message of the bench: a laboratory order of exactly 860 bytes, and the receipt that answers it."""

from __future__ import annotations

import json
from typing import Any

SIZE = 860
_ORDER: dict[str, Any] = {
    "placer": {"system": "urn:hospital:ward7", "value": "ORD-2026-020391"},
    "patient": {
        "identifiers": [
            {"system": "urn:hospital:mr", "value": "70012345"},
            {"system": "urn:oid:2.16.840.1.113883.2.4.6.3", "value": "999990019"},
        ],
        "name": {"family": "Testperson", "given": ["Anna", "Maria"]},
        "birthDate": "1984-03-17",
        "sex": "F",
    },
    "requester": {"id": "PR-4411", "ward": "North 3"},
    "priority": "urgent",
    "orderedAt": "2026-11-20T08:31:00+01:00",
    "specimen": {"type": "SER", "id": "SP-88120-A", "volume": 7.5},
    "tests": [
        {"code": "718-7", "system": "http://loinc.org", "display": "Hemoglobin [Mass/volume] in Blood"},
        {"code": "2823-3", "system": "http://loinc.org", "display": "Potassium [Moles/volume] in Serum"},
        {"code": "2160-0", "system": "http://loinc.org", "display": "Creatinine [Mass/volume] in Serum"},
    ],
    "note": "",
}
RECEIPT = b'{"id":"LO-2026-000117","state":"received","receivedAt":"2026-11-20T08:31:01Z","tests":3}'


def order() -> bytes:
    """Give the order, its note filled up to the size."""
    bare = len(json.dumps(_ORDER))
    note = ("fasting sample; " * 20)[: SIZE - bare]
    data = json.dumps({**_ORDER, "note": note}).encode()
    assert len(data) == SIZE
    return data
