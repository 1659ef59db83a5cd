"""Who uses a canonical schema, which way its values travel, and whom a new version of it would break."""

from dataclasses import replace
from datetime import date

import pytest

from kernel.contract.digest import digest
from kernel.contract.finding import Severity
from kernel.contract.urn import Urn
from kernel.contract.version import Version
from kernel.errors import ReferenceRefused
from registry.compat.canonical_uses import Candidate, User, directions_of, judged_through, used_by
from registry.compat.policy_judge import Policy
from registry.compat.policy_modes import Mode
from registry.compat.policy_tables import Waiver

DRAFT = "https://json-schema.org/draft/2020-12/schema"
POLICY = Policy(date(2026, 11, 26))
V1 = Version(1, 0, 0)
UNIT = {"$schema": DRAFT, "type": "string", "maxLength": 9}
SHELF = {}


def shelved(name, root, version=V1):
    SHELF[digest(root)] = root
    return str(Urn(name, version, digest(root)))


URN = shelved("unit", UNIT)
QUANTITY = {
    "$schema": DRAFT,
    "type": "object",
    "properties": {"unit": {"$ref": URN}, "callbacks": {"$ref": URN}},
}
INNER = shelved("quantity", QUANTITY)


def lookup(urn):
    if urn.digest not in SHELF:
        raise ReferenceRefused(f"{urn} is not known")
    return SHELF[urn.digest]


def api(*, request=None, answer=None, called=None, hook=None, parameter=None, unused=None):
    def content(schema):
        return {"content": {"application/json": {"schema": schema}}}

    def operation(request, answer):
        return {
            **({"requestBody": content(request)} if request else {}),
            "responses": {"200": {"description": "Done", **(content(answer) if answer else {})}},
        }

    post = operation(request, answer)
    if called:
        post["callbacks"] = {"done": {"{$request.body#/url}": {"post": operation(called, None)}}}
    if parameter:
        post["parameters"] = [{"name": "p", "in": "query", "schema": parameter}]
    return {
        "openapi": "3.0.3",
        "info": {"title": "Orders", "version": "1.0.0"},
        "paths": {"/o": {"post": post}},
        **({"webhooks": {"w": {"post": operation(hook, None)}}} if hook else {}),
        "components": {"schemas": {"Shared": {"$ref": URN}, **({"Unused": unused} if unused else {})}},
    }


def events(action, *, reply=None):
    operation = {"action": action, "channel": {"$ref": "#/channels/c"}}
    if reply:
        operation["reply"] = {"channel": {"$ref": "#/channels/r"}}
    channels = {"c": {"address": "c", "messages": {"m": {"payload": {"$ref": URN} if not reply else {}}}}}
    if reply:
        channels["r"] = {"address": "r", "messages": {"m": {"payload": reply}}}
    return {"asyncapi": "3.0.0", "info": {"title": "E", "version": "1.0.0"}, "channels": channels,
            "operations": {"o": operation}}  # fmt: skip


def events_2(word):
    channel = {word: {"message": {"payload": {"$ref": URN}}}}
    return {"asyncapi": "2.6.0", "info": {"title": "E", "version": "1.0.0"}, "channels": {"c": channel}}


REF, VIA = {"$ref": URN}, {"$ref": "#/components/schemas/Shared"}
WAYS = [
    (api(request=REF), "openapi", {"accepts"}),
    (api(answer=REF), "openapi", {"emits"}),
    (api(request=VIA), "openapi", {"accepts"}),
    (api(request=VIA, answer={"type": "array", "items": VIA}), "openapi", {"accepts", "emits"}),
    (api(parameter=REF), "openapi", {"accepts"}),
    (api(called=REF), "openapi", {"emits"}),
    (api(hook=REF), "openapi", {"emits"}),
    (api(unused=REF), "openapi", set()),
    (api(request={"type": "object", "properties": {"callbacks": REF}}), "openapi", {"accepts"}),
    (events("send"), "asyncapi", {"emits"}),
    (events("receive"), "asyncapi", {"accepts"}),
    (events("send", reply=REF), "asyncapi", {"accepts"}),
    (events("receive", reply=REF), "asyncapi", {"emits"}),
    ({**events("send"), "operations": {}}, "asyncapi", {"accepts", "emits"}),
    (events_2("subscribe"), "asyncapi", {"emits"}),
    (events_2("publish"), "asyncapi", {"accepts"}),
    (QUANTITY, "schema", {"accepts", "emits"}),
]


@pytest.mark.parametrize(("root", "kind", "ways"), WAYS)
def test_the_way_in_which_a_contract_uses_a_schema(root, kind, ways):
    assert used_by(root, kind) == {("unit", 1): frozenset(ways)}


def user(root, kind="openapi", name="orders", **more):
    return User(name, V1, kind, root, **more)


def test_a_schema_is_used_as_the_schemas_are_that_name_it():
    through = user(api(answer={"$ref": INNER}))
    quantity = user(QUANTITY, "schema", "quantity")
    assert directions_of(("unit", 1), [quantity, through]) == {"emits"}
    assert directions_of(("unit", 1), [quantity]) == set()
    assert directions_of(("unit", 1), [quantity, through, user(api(request=REF))]) == {"accepts", "emits"}
    assert directions_of(("unit", 2), [quantity, through]) == set()


def candidate(root, version="1.1.0"):
    return Candidate("unit", Version.parse(version), root, digest(root))


NARROWER, WIDER = {**UNIT, "maxLength": 5}, {**UNIT, "maxLength": 12}


@pytest.mark.parametrize(
    ("root", "kind", "narrower", "wider"),
    [
        (api(request=REF), "openapi", "breaking", "compatible"),
        (api(answer=REF), "openapi", "compatible", "breaking"),
        (api(request=REF, answer=VIA), "openapi", "breaking", "breaking"),
        (api(request={"$ref": INNER}), "openapi", "breaking", "compatible"),
        (api(answer={"$ref": INNER}), "openapi", "compatible", "breaking"),
        (api(unused=REF), "openapi", "compatible", "compatible"),
        (events("send"), "asyncapi", "compatible", "breaking"),
        (events("receive"), "asyncapi", "breaking", "compatible"),
    ],
)
def test_a_new_version_is_judged_through_each_contract_in_its_direction(root, kind, narrower, wider):
    assert judged_through(candidate(NARROWER), user(root, kind), lookup, POLICY).outcome == narrower
    assert judged_through(candidate(WIDER), user(root, kind), lookup, POLICY).outcome == wider


def test_what_it_breaks_is_told_with_the_contract_and_a_witness():
    verdict = judged_through(candidate(NARROWER), user(api(request=REF)), lookup, POLICY)
    (found,) = [one for one in verdict.findings if one.rule == "value-no-longer-accepted"]
    assert found.what.startswith("In orders 1.0.0, with unit 1.1.0: POST /o")
    assert found.has_witness
    assert 6 <= len(found.witness) <= 9
    assert found.direction == "accepts"


def test_who_does_not_use_it_or_is_there_already_is_not_judged():
    assert judged_through(candidate(NARROWER, "2.0.0"), user(api(request=REF)), lookup, POLICY) is None
    assert judged_through(candidate(NARROWER, "1.0.0"), user(api(request=REF)), lookup, POLICY) is None
    assert (
        judged_through(candidate(NARROWER), user(api(request={"type": "string"})), lookup, POLICY) is not None
    )
    assert judged_through(candidate(NARROWER), user({"type": "string"}, "schema"), lookup, POLICY) is None


def test_a_part_that_a_contract_names_and_that_is_gone_is_a_break():
    kept = {"$schema": DRAFT, "$defs": {"code": {"type": "string"}}}
    gone = Candidate(
        "term", Version(1, 1, 0), {"$schema": DRAFT, "$defs": {}}, digest({"$schema": DRAFT, "$defs": {}})
    )
    reference = {"$ref": shelved("term", kept) + "#/$defs/code"}
    verdict = judged_through(gone, user(api(request=reference)), lookup, POLICY)
    assert verdict.outcome == "breaking"
    assert [(one.rule, one.severity) for one in verdict.findings] == [
        ("canonical-part-lost", Severity.BREAKING)
    ]


@pytest.mark.parametrize("where", ["in the contract", "in the new version"])
def test_a_schema_that_is_not_known_at_all_decides_nothing(where):
    strange = {"$ref": str(Urn("nowhere", V1, digest({"never": "shelved"})))}
    if where == "in the contract":
        using, made = api(request=REF, answer=strange), candidate(NARROWER)
    else:
        using, made = api(request=REF), candidate({**NARROWER, "not": strange})
    verdict = judged_through(made, user(using), lookup, POLICY)
    assert (str(verdict.outcome), [one.rule for one in verdict.findings]) == (
        "undecided",
        ["reference-unresolved"],
    )


def test_a_schema_that_names_it_is_judged_by_its_own_mode():
    for mode, outcome in ((Mode.BACKWARD, "breaking"), (Mode.FORWARD, "compatible"), (None, "breaking")):
        verdict = judged_through(
            candidate(NARROWER), user(QUANTITY, "schema", "quantity", mode=mode), lookup, POLICY
        )
        assert verdict.outcome == outcome


def test_a_waiver_of_the_schema_holds_for_one_user_and_not_for_another_that_is_alike():
    alike = [user(api(request=REF), name=name) for name in ("orders", "returns")]
    bare = [judged_through(candidate(NARROWER), one, lookup, POLICY) for one in alike]
    assert [verdict.outcome for verdict in bare] == ["breaking", "breaking"]
    broken = [one for one in bare[0].findings if one.severity is not Severity.SAFE]
    assert {one.through for one in broken} == {"orders"}
    for contract, outcome in (("unit", "compatible"), ("orders", "breaking")):
        waivers = tuple(
            Waiver(one.fingerprint, "Ada", "agreed", date(2026, 12, 31), contract) for one in broken
        )
        policy = replace(POLICY, waivers=waivers)
        assert judged_through(candidate(NARROWER), alike[0], lookup, policy).outcome == outcome
        assert judged_through(candidate(NARROWER), alike[1], lookup, policy).outcome == "breaking"
