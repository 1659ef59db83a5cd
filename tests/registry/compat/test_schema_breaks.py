"""Every break of a schema is a finding of its own, so that waiving one waives no other."""

from kernel.settings import load
from registry.compat import openapi
from registry.compat.oasdiff import Opinion
from registry.compat.policy import compare
from tests.registry.compat.ward import WARD, changed, ward

BOOKING = "/components/schemas/Booking"


def found(new, monkeypatch, old=WARD):
    monkeypatch.setattr(openapi, "ask_oasdiff", lambda *_: Opinion())
    return compare(old, new, "openapi", settings=load(environ={})).findings


def test_several_breaks_of_one_body_are_told_each_with_its_witness(monkeypatch):
    new = changed(f"{BOOKING}/properties/patient/maxLength", 10)
    new["components"]["schemas"]["Booking"]["properties"]["nights"]["maximum"] = 20
    new["components"]["schemas"]["Booking"]["required"] = ["patient", "notify"]
    told = {f.pointer: f for f in found(new, monkeypatch)}
    assert set(told) == {
        f"{BOOKING}/properties/patient/maxLength", f"{BOOKING}/properties/nights/maximum", f"{BOOKING}/required",
    }  # fmt: skip
    assert all(f.has_witness and f.exchange for f in told.values())
    assert told[f"{BOOKING}/properties/nights/maximum"].before == 30
    assert told[f"{BOOKING}/properties/nights/maximum"].witness["nights"] > 20
    assert len({f.fingerprint for f in told.values()}) == 3


def test_a_further_break_leaves_the_fingerprint_of_the_first_alone(monkeypatch):
    one = changed(f"{BOOKING}/properties/patient/maxLength", 10)
    two = changed(f"{BOOKING}/properties/patient/maxLength", 10)
    two["components"]["schemas"]["Booking"]["properties"]["nights"]["maximum"] = 20
    first = {f.fingerprint for f in found(one, monkeypatch)}
    both = {f.fingerprint for f in found(two, monkeypatch)}
    assert len(first) == 1
    assert first < both


def test_one_change_of_a_shared_schema_stays_one_finding_at_the_schema(monkeypatch):
    told = found(changed("/components/schemas/State/enum/2", "cleaning"), monkeypatch)
    assert [(f.pointer, f.base_pointer) for f in told] == [
        ("/components/schemas/State/enum", "/components/schemas/State/enum")
    ]
    assert told[0].before == ["free", "taken"]


def test_a_break_that_cannot_be_set_aside_is_bound_to_all_of_the_schema(monkeypatch):
    """`not` is told by its place alone: whatever changes in the schema later makes another finding."""
    old, one, two = (ward() for _ in range(3))
    for root, most in ((one, 5), (two, 6)):
        root["components"]["schemas"]["Booking"]["oneOf"] = [
            {"properties": {"patient": {"maxLength": most}}}, {"properties": {"patient": {"minLength": 19}}},
        ]  # fmt: skip
    prints = [
        {f.fingerprint for f in found(new, monkeypatch, old) if str(f.severity) != "safe"}
        for new in (one, two)
    ]
    assert prints[0]
    assert prints[0].isdisjoint(prints[1])


def test_the_place_in_both_versions_is_that_of_the_alternative_at_which_the_proof_stopped(monkeypatch):
    def bookings(*states):
        old = ward()
        schemas = old["components"]["schemas"]
        for name, values in (("Other", ("x",)), ("Mine", states)):
            kind = {"type": "string", "enum": [name]}
            schemas[name] = {
                "type": "object",
                "required": ["kind"],
                "properties": {"kind": kind, "state": {"type": "string", "enum": list(values)}},
            }
        union = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Other", "Mine")]}
        schemas["Booking"]["properties"]["either"] = {"type": "array", "items": union}
        return old

    (told,) = found(bookings("a"), monkeypatch, bookings("a", "b"))
    place = "/components/schemas/Mine/properties/state/enum"
    assert (told.pointer, told.base_pointer) == (place, place)
    assert (told.before, told.after) == (["a", "b"], ["a"])
