"""Rulesets in Spectral's format: what they find is what Spectral finds (test_oracle.py), and nothing is skipped."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from registry.lint.document import House, lint
from registry.lint.rules import BY_ID
from registry.lint.spectral.builtin import BUILTIN
from registry.lint.spectral.expressions import read_filter
from registry.lint.spectral.faults import Refused, RulesetFailed, RulesetInvalid
from registry.lint.spectral.globs import glob_matches
from registry.lint.spectral.loading import load_ruleset
from registry.lint.spectral.operators import Candidate
from registry.lint.spectral.paths import read_path
from registry.lint.spectral.running import run_ruleset
from registry.lint.spectral.values import UNDEFINED
from tests.registry.lint.spectral.oracle import DOCUMENTS, HERE, RULESETS, ours

EXPECTED = HERE / "expected.json"
RULE = "rules:\n  mine:\n    given: {given}\n    then: {then}\n"
ALWAYS = "{function: undefined}"


def table() -> dict[str, list[list[str]]]:
    """Give what every ruleset finds in every document, as it is kept in expected.json."""
    return {path.stem: [list(one) for one in sorted(ours(path, DOCUMENTS))] for path in RULESETS}


def test_every_ruleset_finds_what_spectral_was_seen_to_find() -> None:
    made = table()
    if os.environ.get("WRITE_EXPECTED"):
        EXPECTED.write_text(json.dumps(made, indent=0) + "\n")
    kept = json.loads(EXPECTED.read_text())
    assert made.keys() == kept.keys()
    for name, rows in made.items():
        assert rows == kept[name], name
    assert sum(map(len, kept.values())) > 900


def wrote(folder: Path, text: str, name: str = "rules.yaml") -> Path:
    (folder / name).write_text(text)
    return folder / name


def found(folder: Path, given: str, then: str, root: Any) -> list[tuple[str, str]]:
    ruleset = load_ruleset(wrote(folder, RULE.format(given=json.dumps(given), then=then)))
    return [(one.pointer, one.message) for one in run_ruleset(ruleset, root)]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("rules:\n  mine: {given: $, then: {function: truthyy}}\n", 2, "the rule `mine`: the function `truthyy` is not known; did you mean `truthy`?"),
        ("rules:\n  a: {given: $, then: {function: truthy}}\n  mine:\n    given: $\n    then: {function: refSiblings}\n", 5, "`refSiblings` is not known"),
        ("functions: [mine]\nrules: {}\n", 1, "JavaScript, which is never run"),
        ("functionsDir: ./f\nrules: {}\n", 1, "JavaScript, which is never run"),
        ("extends: spectral:arazzo\n", 1, "nothing is fetched"),
        ("extends: https://example.com/rules.yaml\n", 1, "nothing is fetched"),
        ("extends: '@team/ruleset'\n", 1, "is a package, and none is installed"),
        ("extends: ./missing.yaml\n", None, "cannot be read"),
        ("extends: ./rules.js\n", None, "is a program, and none is run"),
        ("extends: [[./rules.yaml, most]]\n", 1, "`all`, `recommended` or `off`"),
        ("rules:\n  mine: warn\n", 2, "no ruleset that is extended has such a rule"),
        ("rules:\n  mine: {given: $, severity: bad, then: {function: truthy}}\n", 2, "a severity is one of"),
        ("rules:\n  mine: {given: $, when: 1, then: {function: truthy}}\n", 2, "`when` is not known"),
        ("rules:\n  mine: {given: $}\n", 2, "a rule has `given` and `then`"),
        ("rules:\n  mine: {given: $, then: {function: casing, functionOptions: {type: title}}}\n", 2, "functionOptions.type"),
        ("rules:\n  mine: {given: $, then: {function: casing}}\n", 2, "cannot be told this"),
        ("rules:\n  mine: {given: $, then: {function: truthy, functionOptions: {a: 1}}}\n", 2, "cannot be told this"),
        ("rules:\n  mine: {given: $, then: {function: pattern, functionOptions: {match: '(a)\\1'}}}\n", 2, "the pattern"),
        ("rules:\n  mine: {given: $, then: {function: pattern, functionOptions: {match: '/a/y'}}}\n", 2, "the flag `y`"),
        ("rules:\n  mine: {given: $, then: {function: schema, functionOptions: {schema: {$ref: 'https://x.example/s'}}}}\n", 2, "the schema is not taken"),
        ("rules:\n  mine: {given: paths, then: {function: truthy}}\n", 2, "does not begin with $"),
        ("rules:\n  mine: {given: '$.a[?(process.exit())]', then: {function: truthy}}\n", 2, "uses `process`"),
        ("rules:\n  mine: {given: '$.a[?(@.constructor.constructor())]', then: {function: truthy}}\n", 2, "calls `constructor`"),
        ("rules:\n  mine: {given: '$.a[?(@.a = 1)]', then: {function: truthy}}\n", 2, "not supported"),
        ("rules:\n  mine: {given: '$.a[?(@.a', then: {function: truthy}}\n", 2, "is not closed"),
        ("rules:\n  mine: {given: '$.a[(@.length-1)]', then: {function: truthy}}\n", 2, "not supported"),
        ("rules:\n  mine: {given: '$.a[-1:0:-1]', then: {function: truthy}}\n", 2, "backwards"),
        ("rules:\n  mine: {given: '#None', then: {function: truthy}}\n", 2, "there is no alias `None`"),
        ("aliases: {A: ['#B'], B: ['#A']}\nrules:\n  mine: {given: '#A', then: {function: truthy}}\n", 3, "holds itself"),
        ("rules:\n  mine: {given: $, formats: [oas4], then: {function: truthy}}\n", 2, "the format `oas4` is not known"),
        ("extends: spectral:oas\nrules:\n  operation-tag-defined: {message: Ours.}\n", 3, "by its own rule `tag-undeclared`"),
        ("extends: spectral:oas\nrules:\n  operation-tags-defined: error\n", 3, "no ruleset that is extended has such a rule"),
        ("rulez: {}\n", 1, "`rulez` is not known"),
        ("description: none\n", 1, "has `rules`, `extends` or `overrides`"),
        ("- a\n", 1, "a ruleset is an object"),
        ("rules: {a: {\n", None, ""),
        ("rules:\n  a: {given: $, then: {function: truthy}}\noverrides:\n  - {files: ['a.yaml#/b', 'c.yaml'], rules: {a: off}}\n", 4, "with and without a pointer"),
    ],
)  # fmt: skip
def test_what_is_not_supported_is_refused_with_rule_and_line(
    tmp_path: Path, text: str, line: int | None, said: str
) -> None:
    wrote(tmp_path, "module.exports = {}", "rules.js")
    with pytest.raises(RulesetInvalid) as caught:
        load_ruleset(wrote(tmp_path, text))
    assert said in caught.value.message
    assert caught.value.place is not None
    assert line is None or caught.value.place.line == line


@pytest.mark.parametrize("name", BUILTIN)
def test_rules_of_the_house_stand_for_what_spectral_judges_by_programs(tmp_path: Path, name: str) -> None:
    rules = load_ruleset(wrote(tmp_path, f"extends: [['{name}', all]]\n")).rules.values()
    standing = {rule.name: rule.asked_by for rule in rules if rule.asked_by}
    assert len(standing) > 10
    assert set(standing.values()) <= BY_ID.keys()
    assert {rule.name for rule in rules if not rule.given} == standing.keys() | {
        rule.name for rule in rules if rule.formats == ("oas2",)
    }


def test_a_filter_that_reads_what_is_not_there_ends_the_run_as_it_does_with_spectral(tmp_path: Path) -> None:
    with pytest.raises(RulesetFailed) as caught:
        found(tmp_path, "$.paths[?(@.a.b == 1)]", ALWAYS, {"paths": {"x": {}}})
    assert "the rule `mine`" in caught.value.message
    assert "reads `b` of undefined" in caught.value.message
    assert caught.value.exit_code == 3
    assert found(tmp_path, "$.paths[?(@.a?.b == 1)]", ALWAYS, {"paths": {"x": {}}}) == []


def test_rulesets_that_extend_each_other_end(tmp_path: Path) -> None:
    wrote(tmp_path, "extends: ./b.yaml\nrules: {a: {given: $, then: {function: truthy}}}\n", "a.yaml")
    wrote(tmp_path, "extends: ./a.yaml\nrules: {b: {given: $, then: {function: truthy}}}\n", "b.yaml")
    assert set(load_ruleset(tmp_path / "a.yaml").rules) == {"a", "b"}


def test_shared_parts_are_looked_at_once(tmp_path: Path) -> None:
    """Each level refers twice to the next: written out it would be two to the power of forty nodes."""
    levels = {
        f"L{n}": {"properties": {key: {"$ref": f"#/components/schemas/L{n + 1}"} for key in "ab"}}
        for n in range(40)
    }
    root = {"openapi": "3.1.0", "components": {"schemas": {**levels, "L40": {"type": "string"}}}}
    told = found(tmp_path, "$..type", ALWAYS, root)
    assert [pointer for pointer, _ in told] == ["/components/schemas/L40/type"]


def test_too_much_work_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.lint.spectral.running.MOST_NODES", 50)
    with pytest.raises(RulesetFailed, match="too many nodes"):
        found(tmp_path, "$..*", ALWAYS, {"list": list(range(100)), "more": {str(n): {} for n in range(100)}})


@pytest.mark.parametrize(
    ("expression", "value", "key", "holds"),
    [
        ("@ == '1'", 1, "a", True), ("@ === '1'", 1, "a", False), ("@ == null", UNDEFINED, "a", True),
        ("@ === null", None, "a", True), ("!@", "", "a", True), ("!@", [], "a", False), ("@.length > 1", "ab", "a", True),
        ("@.length > 1", [1], "a", False), ("@property in ['a', 'b']", 1, "a", True), ("@ ~= '^x'", "xy", "a", True),
        ("@property.match(/^A/i)", 1, "abc", True), ("@property.match(/^A/)", 1, "abc", False),
        ("@.a && @.a.b || @.c", {"c": 1}, "a", True), ("(@.a || @.c) && @.d", {"c": 1}, "a", False),
        ("typeof @ === 'object'", [], "a", True), ("@.a !== void 0", {"a": None}, "a", True), ("@ + 1 === 3", 2, "a", True),
        ("@ === true ? @property === 'a' : false", True, "a", True), ("@['x-y']", {"x-y": 1}, "a", True),
        ("@[0] === 1", [1], "a", True), ("@array()", [], "a", True), ("@integer()", 1.5, "a", False),
        ("@.hasOwnProperty('b')", {"b": 0}, "a", True), ("@property.startsWith('x-')", 1, "x-a", True),
        ("@property.indexOf('1') === 0", 1, 1, True), ("-@ < 0", 3, "a", True), ("@ >= 3 && @ <= 3.0", 3, "a", True),
        ("@ != 'b'", "a", "a", True), ("/[/]x/.test(@)", "/x", "a", True), ("'it\\'s' === @", "it's", "a", True),
    ],
)  # fmt: skip
def test_filters_are_read_as_javascript(expression: str, value: Any, key: Any, holds: bool) -> None:
    made, end = read_filter(f"{expression})", 0)
    assert end == len(expression)
    assert made.holds(Candidate(value, key, UNDEFINED, UNDEFINED, lambda: "$", {})) is holds


def test_a_pattern_takes_no_exponential_time(tmp_path: Path) -> None:
    """A backtracking engine would not end: the test ends, and asserts the answer."""
    then = "{function: pattern, functionOptions: {match: '^(a+)+$'}}"
    assert len(found(tmp_path, "$.a", then, {"a": "a" * 5_000 + "b"})) == 1
    casing = "{function: casing, functionOptions: {type: camel}}"
    assert len(found(tmp_path, "$.a", casing, {"a": "a" + "1" * 5_000 + "_"})) == 1


@pytest.mark.parametrize(
    ("glob", "path", "meets"),
    [
        ("*.yaml", "a/b/c.yaml", True), ("a/*.yaml", "a/b/c.yaml", False), ("a/**/*.yaml", "a/b/c.yaml", True),
        ("**/c.yaml", "c.yaml", True), ("{a,b}/*.json", "b/x.json", True), ("[ab].yaml", "b.yaml", True),
        ("[!a].yaml", "a.yaml", False), ("?.yaml", "ab.yaml", False), ("./a.yaml", "a.yaml", True),
        ("a/**", "a/.hidden/b", False), ("**", "a/b", True), ("a.yaml", "b.yaml", False),
    ],
)  # fmt: skip
def test_globs_of_overrides(glob: str, path: str, meets: bool) -> None:
    assert glob_matches(glob, path) is meets


@pytest.mark.parametrize(
    "path", ["$.a..", "$[", "$.a['b'", "$.a b", "$.a[?(@.b]", "$.", "$." + "a." * 70 + "a"]
)
def test_paths_that_cannot_be_read_are_refused(path: str) -> None:
    if path == "$.a..":
        assert read_path(path).steps[-1].form == "self"
        return
    with pytest.raises(Refused):
        read_path(path)


def test_findings_are_ours_with_place_severity_and_exceptions(tmp_path: Path) -> None:
    text = "rules:\n  title-dot: {given: $.info, description: Titles end., severity: hint, then: {field: title, function: pattern, functionOptions: {match: '[.]$'}}}\n"
    ruleset = load_ruleset(wrote(tmp_path, text), "house.yaml")
    info = {"title": "Orders", "version": "1.0.0", "description": "Orders.", "contact": {"name": "Lab"}}
    api: dict[str, Any] = {"openapi": "3.1.0", "info": info, "paths": {}}
    (finding,) = lint(api, "openapi", house=House(rulesets=(ruleset,)))
    assert (finding.rule, finding.severity, finding.pointer, finding.what, finding.why) == (
        "ruleset/title-dot", "info", "/info/title", "Titles end.", "A rule of house.yaml.",
    )  # fmt: skip
    assert finding.remedy == "See house.yaml:2:3 #/rules/title-dot."
    info["x-interlock-lint"] = [  # type: ignore[assignment]
        {"rule": "ruleset/title-dot", "owner": "Ada", "reason": "so", "expires": "2031-01-01"}
    ]
    assert lint(api, "openapi", house=House(rulesets=(ruleset,))) == ()
    assert lint(api, "openapi") == ()
    del info["title"]
    broken = lint(api, "openapi", house=House(rulesets=(ruleset,)))
    assert [one.rule for one in broken] == ["openapi-invalid"]


def test_a_severity_goes_to_the_rule_of_the_house_that_asks_for_the_same(tmp_path: Path) -> None:
    get = {"operationId": "listOrders", "tags": ["order"], "responses": {"default": {"description": "Done."}}}
    api = {
        "openapi": "3.1.0", "info": {"title": "Orders", "version": "1.0.0"}, "tags": [{"name": "orders"}],
        "paths": {"/orders": {"get": get, "put": get | {"operationId": "listOrders"}}},
    }  # fmt: skip

    def severity(rules: str, rule: str = "tag-undeclared") -> set[str]:
        text = f"extends: spectral:oas\nrules: {{{rules}}}\n"
        house = House(rulesets=(load_ruleset(wrote(tmp_path, text)),))
        return {str(one.severity) for one in lint(api, "openapi", house=house) if one.rule == rule}

    assert severity("operation-tag-defined: true, operation-2xx-response: off") == {"info"}
    api["paths"]["/orders"]["put"]["operationId"] = "putOrders"
    assert severity("operation-tag-defined: warn") == {"warning"}
    assert severity("operation-tag-defined: {severity: error}") == {"error"}
    assert severity("operation-tag-defined: 'off'") == set()
    own = "operation-tag-defined: {given: $.tags, severity: hint, then: {function: falsy}}"
    assert severity(own) == {"info"}
    assert severity(own, "ruleset/operation-tag-defined") == {"info"}
    del api["paths"]["/orders"]["put"]["operationId"]
    api["paths"]["/orders"]["put"]["operationId"] = "listOrders"
    assert severity("operation-operationId-unique: 'off'", "operation-id-duplicate") == {"error"}
