"""May it be deployed: every way in which a provider, a caller or the registry's own grants decide the answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kernel.contract.finding import Bump, Finding, Outcome, Severity, Verdict
from registry.errors import Conflict, NotAllowed, NotFound, RequestRefused
from registry.review import access, deployable, releasing, routing
from registry.review.environment import Route
from registry.review.principal import Principal, Role
from registry.review.release import Answer, Need, Provided

CI = Principal("pipeline", frozenset({Role.CI}))
PATHS = {
    "/orders": {
        "post": {"operationId": "createOrder", "responses": {"201": {"description": "made"}}},
        "get": {"operationId": "findOrders", "responses": {"200": {"description": "found"}}},
    }
}


class PairEngines:
    """Gives the verdict that was told for a pair of versions (by `info.version`)."""

    def __init__(self, inner: Any, told: dict[tuple[str, str], Verdict]) -> None:
        self.inner, self.told = inner, told
        self.asked: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def compare(self, old: Any, new: Any, kind: str) -> Verdict:
        pair = (old["info"]["version"], new["info"]["version"])
        self.asked.append(pair)
        return self.told.get(pair) or self.inner.compare(old, new, kind)

    def judge(self, old: Any, new: Any, kind: str, policy: Any, **more: Any) -> Verdict:
        pair = (old["info"]["version"], new["info"]["version"])
        self.asked.append(pair)
        return self.told.get(pair) or self.inner.judge(old, new, kind, policy, **more)


def verdict(outcome: str, *findings: tuple[str, str]) -> Verdict:
    rows = tuple(
        Finding("operation-removed", Severity(severity), pointer, "it changed", base_pointer=pointer)
        for severity, pointer in findings
    )
    return Verdict(Outcome(outcome), Bump.MAJOR, rows, {})


POST_BREAKS = verdict("breaking", ("breaking", "/paths/~1orders/post"))


@pytest.fixture
def house(desk: Any, doubles: Any) -> Any:
    """lab-orders 1.0.0, 1.1.0 (compatible) and 2.0.0 frozen; environments `test` and `production`."""
    told = {("1.1.0", "1.0.0"): POST_BREAKS}
    services = replace(desk, engines=PairEngines(desk.engines, told))
    for number in ("1.0.0", "1.1.0", "2.0.0"):
        doubles.freeze(services, doubles.openapi(version=number, paths=PATHS))
    for name in ("test", "production"):
        releasing.add_environment(services, doubles.OPERATOR, name)
    return services


def release(house: Any, application: str, version: str, *, provides: str = "", needs: Any = ()) -> None:
    releasing.record_release(
        house, CI, application=application, version=version,
        provides=tuple(Provided("lab-orders", one) for one in provides.split()),
        needs=tuple(one if isinstance(one, Need) else Need("lab-orders", one) for one in needs),
    )  # fmt: skip


def deployed(house: Any, application: str, version: str, **sides: Any) -> None:
    release(house, application, version, **sides)
    releasing.deploy(house, CI, environment="production", application=application, version=version)


def ask(house: Any, application: str, version: str, environment: str = "production") -> tuple[str, list[str]]:
    found = deployable.can_deploy(house, application=application, version=version, environment=environment)
    return str(found.answer), [one.text for one in found.reasons]


def test_a_release_that_nobody_recorded_is_unknown_and_an_environment_is_an_error(house: Any) -> None:
    answer, reasons = ask(house, "lis", "7")
    assert (answer, len(reasons)) == ("unknown", 1)
    assert "no release 7 of lis was recorded" in reasons[0]
    with pytest.raises(NotFound, match="known: test, production"):
        ask(house, "lis", "7", "prodution")


def test_a_provider_keeps_what_its_callers_there_were_built_against(house: Any) -> None:
    deployed(house, "ehr", "3", needs=["1.0.0"])
    release(house, "lis", "1", provides="1.1.0")
    answer, reasons = ask(house, "lis", "1")
    assert answer == "yes"
    assert any("ehr 3, deployed in production, relies on lab-orders 1.0.0" in one for one in reasons)
    assert (
        house.engines.asked.count(("1.0.0", "1.1.0")) == 1
    )  # at its review: the verdict kept there was used


def test_a_provider_of_an_older_version_breaks_who_was_built_against_the_newer(house: Any) -> None:
    deployed(house, "ehr", "3", needs=["1.1.0"])
    release(house, "lis", "1", provides="1.0.0")
    answer, reasons = ask(house, "lis", "1")
    assert answer == "no"
    assert "it breaks what 1.1.0 promised: it changed [operation-removed]" in reasons[0]


def test_only_operations_that_are_relied_on_count(house: Any) -> None:
    deployed(house, "ehr", "3", needs=[Need("lab-orders", "1.1.0", ("findOrders",))])
    release(house, "lis", "1", provides="1.0.0")
    assert ask(house, "lis", "1")[0] == "yes"
    deployed(house, "portal", "1", needs=[Need("lab-orders", "1.1.0", ("POST /orders",))])
    answer, reasons = ask(house, "lis", "1")
    assert (answer, reasons[0].split(",")[0]) == ("no", "portal 1")


@pytest.mark.parametrize(
    ("told", "answer"),
    [
        (verdict("undecided", ("undecided", "/paths/~1orders/get")), "unknown"),
        (verdict("undecided", ("undecided", "/paths/~1orders/post")), "yes"),
        (verdict("undecided", ("undecided", "/components/schemas/Order")), "unknown"),
        (verdict("breaking", ("breaking", "/paths/~1orders/parameters/0")), "no"),
        (verdict("breaking", ("breaking", "/servers/0")), "no"),
    ],
)
def test_what_stands_in_shared_parts_concerns_everybody(house: Any, told: Verdict, answer: str) -> None:
    house.engines.told[("1.1.0", "1.0.0")] = told
    deployed(house, "ehr", "3", needs=[Need("lab-orders", "1.1.0", ("findOrders",))])
    release(house, "lis", "1", provides="1.0.0")
    assert ask(house, "lis", "1")[0] == answer


def test_a_major_that_is_dropped_breaks_unless_another_provider_stays(house: Any) -> None:
    deployed(house, "ehr", "3", needs=["1.0.0"])
    deployed(house, "lis", "1", provides="1.0.0 2.0.0")
    release(house, "lis", "2", provides="2.0.0")
    answer, reasons = ask(house, "lis", "2")
    assert (answer, reasons[0]) == (
        "no",
        "ehr 3, deployed in production, relies on lab-orders 1.0.0, and lis 2 provides no 1.x of it",
    )
    deployed(house, "lis-two", "1", provides="1.1.0")
    assert ask(house, "lis", "2")[0] == "yes"
    releasing.undeploy(house, CI, environment="production", application="lis-two")
    deployed(house, "lis-three", "1", provides="1.0.0")
    deployed(house, "portal", "1", needs=["1.1.0"])
    answer, reasons = ask(house, "lis", "2")
    assert (answer, "portal 1" in reasons[0], "lis-three 1 provides 1.0.0: it breaks" in reasons[0]) == (
        "no",
        True,
        True,
    )


def test_who_is_deployed_elsewhere_does_not_count(house: Any) -> None:
    release(house, "ehr", "3", needs=["1.1.0"])
    releasing.deploy(house, CI, environment="test", application="ehr", version="3")
    release(house, "lis", "1", provides="1.0.0")
    assert ask(house, "lis", "1")[0] == "yes"
    assert ask(house, "lis", "1", "test")[0] == "no"


def test_a_caller_needs_a_provider_that_is_there(house: Any) -> None:
    release(house, "ehr", "3", needs=["1.1.0"])
    answer, reasons = ask(house, "ehr", "3")
    assert (answer, "was ever recorded in production" in reasons[0]) == ("unknown", True)
    deployed(house, "lis", "1", provides="1.0.0")
    assert ask(house, "ehr", "3")[0] == "no"
    deployed(house, "lis", "2", provides="1.1.0")
    assert ask(house, "ehr", "3")[0] == "yes"
    deployed(house, "lis-two", "1", provides="1.0.0")
    answer, reasons = ask(house, "ehr", "3")
    assert (answer, "only some meet it" in reasons[0]) == ("unknown", True)
    releasing.undeploy(house, CI, environment="production", application="lis-two")
    releasing.undeploy(house, CI, environment="production", application="lis")
    answer, reasons = ask(house, "ehr", "3")
    assert (answer, "nothing that is deployed in production provides 1.x of it" in reasons[0]) == ("no", True)


def test_a_version_that_is_not_frozen_may_not_be_provided(house: Any, doubles: Any) -> None:
    from registry.review import submission

    submission.submit(house, doubles.AUTHOR, doubles.openapi(version="1.2.0", paths=PATHS))
    release(house, "lis", "1", provides="1.2.0")
    answer, reasons = ask(house, "lis", "1")
    assert (answer, reasons[0]) == (
        "no",
        "it provides lab-orders@1.2.0, which is in-review: only frozen versions may be served",
    )


def own(house: Any, doubles: Any) -> str:
    """The registry's own environment, with a route whose current version is 1.0.0."""
    name = str(house.settings["environment"])
    releasing.add_environment(house, doubles.OPERATOR, name)
    settings = {"base_url": "http://127.0.0.1:1"}
    routing.put_adapter(house, doubles.OPERATOR, name="laboratory", kind="http", settings=settings)
    routing.put_route(house, doubles.OPERATOR, Route("lab-orders", 1, "laboratory", None))
    routing.activate(house, doubles.OPERATOR, "lab-orders", "1.0.0")
    access.add_consumer(house, doubles.OPERATOR, consumer_id="ehr", name="EHR", audience="internal")
    return name


def test_grants_and_routes_of_the_own_environment_count(house: Any, doubles: Any) -> None:
    from kernel.bundle.model import Grant

    here = own(house, doubles)
    release(house, "ehr", "3", needs=["1.0.0"])
    answer, reasons = ask(house, "ehr", "3", here)
    assert (answer, reasons[0]) == ("no", "ehr has no grant for lab-orders v1")
    access.grant(house, doubles.OPERATOR, "ehr", Grant("lab-orders", 1, None, ()))
    assert ask(house, "ehr", "3", here) == (
        "yes",
        ["it relies on lab-orders 1.0.0, which a route here serves"],
    )
    release(house, "ehr", "4", needs=["1.1.0"])
    answer, reasons = ask(house, "ehr", "4", here)
    assert (answer, "the route here serves 1.0.0: it breaks what 1.1.0 promised" in reasons[0]) == (
        "no",
        True,
    )
    release(house, "other", "1", needs=["1.0.0"])
    assert ask(house, "other", "1", here)[0] == "unknown"
    # Whoever holds a grant is judged by pin or current version, also where nobody recorded a release of it.
    release(house, "lis", "9", provides="2.0.0")
    assert ask(house, "lis", "9", here) == (
        "no",
        [
            "ehr, granted lab-orders v1, relies on lab-orders 1.0.0, and lis 9 provides no 1.x of it",
            "it provides lab-orders@2.0.0, which is frozen",
        ],
    )


def test_a_pin_to_an_older_version_than_it_was_built_against_is_seen(house: Any, doubles: Any) -> None:
    from kernel.bundle.model import Grant

    here = own(house, doubles)
    routing.activate(house, doubles.OPERATOR, "lab-orders", "1.1.0")
    access.grant(house, doubles.OPERATOR, "ehr", Grant("lab-orders", 1, "1.0.0", ()))
    release(house, "ehr", "4", needs=["1.1.0"])
    answer, reasons = ask(house, "ehr", "4", here)
    assert answer == "no"
    assert "ehr is pinned to lab-orders 1.0.0 and was built against 1.1.0" in reasons[0]


def test_deployments_replace_each_other_and_can_go_back(house: Any) -> None:
    deployed(house, "lis", "1", provides="1.0.0")
    deployed(house, "lis", "2", provides="1.1.0")
    [now] = releasing.deployments(house, "production")
    assert now.version == "2"
    assert releasing.deploy(house, CI, environment="production", application="lis", version="2") == now
    back = releasing.undeploy(house, CI, environment="production", application="lis", roll_back=True)
    assert back is not None
    assert back.version == "1"
    history = releasing.deployments(house, "production", ended=True)
    assert [(one.version, one.ended_at is None) for one in history] == [
        ("1", True),
        ("2", False),
        ("1", False),
    ]
    assert releasing.undeploy(house, CI, environment="production", application="lis") is None
    with pytest.raises(NotFound):
        releasing.undeploy(house, CI, environment="production", application="lis")
    deployed(house, "ehr", "1", needs=["1.0.0"])
    with pytest.raises(Conflict, match="no version of ehr was deployed in production before"):
        releasing.undeploy(house, CI, environment="production", application="ehr", roll_back=True)


def test_every_act_is_audited_with_who_did_it(house: Any) -> None:
    deployed(house, "lis", "1", provides="1.0.0")
    releasing.undeploy(house, CI, environment="production", application="lis")
    with house.store.reading() as ledger:
        rows = [one.record for one in ledger.outbox.waiting(1000)]
    told = [(one["act"], one["subject"], one["actor"]) for one in rows if one["actor"] == "pipeline"]
    assert told == [
        ("release-add", "release/lis/1", "pipeline"),
        ("deploy", "environment/production/lis", "pipeline"),
        ("undeploy", "environment/production/lis", "pipeline"),
    ]


def test_what_a_release_says_is_held_to_what_stands(house: Any, doubles: Any) -> None:
    release(house, "lis", "1", provides="1.0.0")
    release(house, "lis", "1", provides="1.0.0")  # the same twice is recorded once
    with pytest.raises(Conflict, match="other contracts"):
        release(house, "lis", "1", provides="1.1.0")
    for wrong, sides in (
        ("neither provides nor needs", {}),
        ("no operation 'dropOrder'", {"needs": [Need("lab-orders", "1.0.0", ("dropOrder",))]}),
        ("named twice", {"provides": "1.0.0 1.0.0"}),
    ):
        with pytest.raises(RequestRefused, match=wrong):
            release(house, "lis", "2", **sides)
    with pytest.raises(NotFound):
        release(house, "lis", "2", provides="9.0.0")
    with pytest.raises(RequestRefused, match="version is letters"):
        release(house, "lis", "2 or 3", provides="1.0.0")
    with pytest.raises(NotFound, match="no release 2 of lis was recorded"):
        releasing.deploy(house, CI, environment="test", application="lis", version="2")
    with pytest.raises(NotAllowed):
        releasing.add_environment(house, CI, "ward")
    with pytest.raises(NotAllowed):
        releasing.record_release(
            house,
            doubles.AUTHOR,
            application="x",
            version="1",
            provides=(Provided("lab-orders", "1.0.0"),),
            needs=(),
        )
    with pytest.raises(Conflict):
        releasing.add_environment(house, doubles.OPERATOR, "test")


def test_more_comparisons_than_the_limit_are_unknown(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from registry.review import meeting

    deployed(house, "ehr", "3", needs=["1.1.0"])
    release(house, "lis", "1", provides="1.0.0")
    monkeypatch.setattr(meeting.Meetings.__init__, "__kwdefaults__", {"most_compared": 0})
    assert ask(house, "lis", "1")[0] == Answer.UNKNOWN


def test_a_break_that_the_board_waived_is_unknown_for_whom_it_concerns(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.review.meeting import Meetings

    place = "/paths/~1orders/post"
    finding = Finding("operation-removed", Severity.BREAKING, place, "it changed", base_pointer=place)
    finding = replace(finding, ruling={"by": "waiver", "severity": "breaking", "owner": "lab"})
    monkeypatch.setattr(Meetings, "_reviewed", lambda *_: (Outcome.COMPATIBLE, (finding,)))
    deployed(house, "ehr", "3", needs=[Need("lab-orders", "1.0.0", ("createOrder",))])
    deployed(house, "portal", "1", needs=[Need("lab-orders", "1.0.0", ("findOrders",))])
    release(house, "lis", "1", provides="1.1.0")
    found = deployable.can_deploy(house, application="lis", version="1", environment="production")
    answers = {one.other: str(one.answer) for one in found.reasons if one.other}
    assert (str(found.answer), answers) == ("unknown", {"ehr": "unknown", "portal": "yes"})
    assert "the board waived what may break whoever relies on 1.0.0" in found.reasons[0].text


@pytest.mark.parametrize(
    ("rule", "severity", "by"),
    [
        ("removed-after-sunset", Severity.SAFE, None),
        ("unstable-not-compared", Severity.SAFE, None),
        ("operation-removed", Severity.SAFE, "settings"),
        ("parameter-removed", Severity.RISKY, None),  # the profile lenient tells it only
    ],
)
def test_what_the_policy_lets_pass_is_unknown_for_whom_it_concerns(
    house: Any, monkeypatch: pytest.MonkeyPatch, rule: str, severity: Severity, by: str | None
) -> None:
    from registry.review.meeting import Meetings

    place = "/paths/~1orders/post"
    finding = Finding(rule, severity, place, "it ended", base_pointer=place)
    if by is not None:
        finding = replace(finding, ruling={"by": by, "severity": "breaking", "owner": "lab"})
    monkeypatch.setattr(Meetings, "_reviewed", lambda *_: (Outcome.COMPATIBLE, (finding,)))
    deployed(house, "ehr", "3", needs=[Need("lab-orders", "1.0.0", ("createOrder",))])
    deployed(house, "portal", "1", needs=[Need("lab-orders", "1.0.0", ("findOrders",))])
    release(house, "lis", "1", provides="1.1.0")
    found = deployable.can_deploy(house, application="lis", version="1", environment="production")
    answers = {one.other: str(one.answer) for one in found.reasons if one.other}
    assert (str(found.answer), answers) == ("unknown", {"ehr": "unknown", "portal": "yes"})
    assert "the policy lets pass what may break whoever relies on 1.0.0: it ended" in found.reasons[0].text


def test_the_route_of_the_own_environment_counts_beside_a_provider_that_is_there(
    house: Any, doubles: Any
) -> None:
    """Callers reach what the route serves, whatever runs behind it."""
    from kernel.bundle.model import Grant

    here = own(house, doubles)  # its route serves 1.0.0
    access.grant(house, doubles.OPERATOR, "ehr", Grant("lab-orders", 1, None, ()))
    release(house, "lis", "1", provides="1.1.0")
    releasing.deploy(house, CI, environment=here, application="lis", version="1")
    release(house, "ehr", "4", needs=["1.1.0"])
    answer, reasons = ask(house, "ehr", "4", here)
    assert (answer, "the route here serves 1.0.0: it breaks what 1.1.0 promised" in reasons[0]) == (
        "no",
        True,
    )
    routing.activate(house, doubles.OPERATOR, "lab-orders", "1.1.0")
    assert ask(house, "ehr", "4", here)[0] == "yes"


def test_operations_of_path_items_elsewhere_are_known_and_not_lost(house: Any, doubles: Any) -> None:
    from registry.review.operations import concerns, count_operations, named_operations

    item = {"get": {"operationId": "find", "responses": {"200": {"description": "d"}}}}
    root = {
        "openapi": "3.1.0", "info": {"title": "x", "version": "1"}, "paths": {"/a~b/{c}": {"$ref": "#/components/pathItems/A"}},
        "components": {"pathItems": {"A": {**item, "parameters": [{"name": "c", "in": "path", "required": True, "schema": {}}]}}},
    }  # fmt: skip
    place = "/paths/~1a~0b~1{c}/get"
    assert named_operations(root, "openapi") == {"find": place, "GET /a~b/{c}": place}
    assert count_operations(root) == 1
    for pointer, touched in (
        (f"{place}/responses", True),
        ("/components/pathItems/A/get", True),
        ("/paths/~1a~0b~1{c}/put", False),
    ):
        finding = Finding("r", Severity.BREAKING, "", "w", base_pointer=pointer)
        assert concerns(finding, {place}) is touched, pointer
