"""The messages of the bench: a laboratory order of exactly 860 bytes or of 27 KB, a form of 60 fields, their answers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

SIZE = 860
LARGE_SIZE = 27_000
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
_ADMISSION = {
    "patient_family": "Testperson",
    "patient_given": "Anna Maria",
    "patient_birth_name": "Sample",
    "patient_birth_date": "1984-03-17",
    "patient_birth_place": "Utrecht",
    "patient_sex": "F",
    "patient_title": "Dr.",
    "patient_language": "nl",
    "patient_nationality": "NL",
    "patient_record": "70012345",
    "patient_marital_status": "married",
    "patient_interpreter": "false",
    "address_street": "Nieuwegracht",
    "address_number": "14 bis",
    "address_postcode": "3512 LR",
    "address_city": "Utrecht",
    "address_region": "Utrecht",
    "address_country": "NL",
    "address_since": "2019-05-01",
    "address_confidential": "false",
    "contact_name": "Jan Testperson",
    "contact_relation": "partner",
    "contact_phone": "+31 30 555 0199",
    "contact_mobile": "+31 6 5550 0142",
    "contact_mail": "jan@example.org",
    "contact_may_be_told": "true",
    "contact_language": "nl",
    "contact_note": "call after 5 p.m. & leave no message",
    "insurance_name": "Sample Mutual",
    "insurance_code": "3311",
    "insurance_policy": "P-2291-004417",
    "insurance_kind": "public",
    "insurance_class": "2",
    "insurance_from": "2026-01-01",
    "insurance_to": "2026-12-31",
    "insurance_excess": "385",
    "insurance_holder": "Anna Testperson",
    "insurance_consent": "true",
    "referral_by": "H. de Vries",
    "referral_practice": "01004567",
    "referral_date": "2026-11-18",
    "referral_reason": "fatigue, pallor; Hb 6.1 mmol/l = low",
    "referral_urgency": "urgent",
    "referral_diagnosis": "D50.9",
    "referral_letter": "true",
    "referral_copies": "1",
    "admission_ward": "North 3",
    "admission_room": "3.14",
    "admission_bed": "2",
    "admission_date": "2026-11-20",
    "admission_kind": "planned",
    "admission_days": "3",
    "admission_physician": "PR-4411",
    "admission_diet": "vegetarian",
    "admission_allergies": "penicillin; latex",
    "admission_height": "171",
    "admission_weight": "64.5",
    "admission_isolation": "false",
    "admission_directive": "none",
    "admission_note": "fasting since midnight",
}
RECEIPT = b'{"id":"LO-2026-000117","state":"received","receivedAt":"2026-11-20T08:31:01Z","tests":3}'
RESULTS = json.dumps(
    {
        "ward": "N3",
        "results": [
            {"code": "718-7", "value": 6.1, "unit": "mmol/l", "at": "2026-11-20T08:31:00Z"},
            {"code": "2823-3", "value": 4.2, "unit": "mmol/l", "at": "2026-11-20T08:31:00Z"},
            {"code": "2160-0", "value": 71, "unit": "umol/l", "at": "2026-11-20T08:31:00Z"},
        ],
    },
    separators=(",", ":"),
).encode()


def order() -> bytes:
    """Give the order, its note filled up to the size."""
    bare = len(json.dumps(_ORDER))
    note = ("fasting sample; " * 20)[: SIZE - bare]
    data = json.dumps({**_ORDER, "note": note}).encode()
    assert len(data) == SIZE
    return data


def large_order() -> bytes:
    """Give an order of as many tests as fit into 27 KB."""
    test = _ORDER["tests"][0]
    number = (LARGE_SIZE - len(order())) // (len(json.dumps(test)) + 2)
    tests = [{**test, "code": f"{1000 + n}-{n % 10}"} for n in range(number)]
    return json.dumps({**_ORDER, "note": "fasting sample", "tests": tests}).encode()


def admission() -> bytes:
    """Give the form of 60 fields, urlencoded."""
    assert len(_ADMISSION) == 60
    return urlencode(_ADMISSION).encode()
