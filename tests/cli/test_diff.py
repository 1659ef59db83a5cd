"""`interlock diff` as a user meets it: files in, one stable form out, documented exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.diff import diff
from cli.diff_report import print_verdict
from cli.main import main
from kernel.contract.document import parse
from kernel.contract.finding import Bump, Finding, Outcome, Severity, Verdict
from registry.compat.rules import Rule

ROOT = Path(__file__).resolve().parents[2]
DRAFT = "https://json-schema.org/draft/2020-12/schema"


@pytest.fixture
def write(tmp_path):
    def write_(name, value):
        path = tmp_path / name
        path.write_text(value if isinstance(value, str) else json.dumps(value))
        return str(path)

    return write_


def run(*arguments):
    result = CliRunner().invoke(diff, list(arguments), standalone_mode=False)
    assert result.exception is None, result.exception
    return int(result.return_value), result.stdout


def test_json_has_the_documented_form(write):
    old = write("old.json", {"$schema": DRAFT, "type": "number"})
    new = write("new.yaml", f"$schema: {DRAFT}\ntype: integer\n")
    code, text = run(old, new, "--role", "accepts", "--format", "json")
    body = json.loads(text)
    assert (code, body["verdict"], body["required_bump"]) == (1, "breaking", "major")
    assert list(body) == ["verdict", "required_bump", "findings", "engines", "policy"]
    found = body["findings"][0]
    assert {"rule", "severity", "pointer", "what", "why", "remedy", "base_pointer", "before", "after", "witness", "has_witness",
            "direction", "engine", "engine_version", "agreed", "exchange", "nearest", "nearest_exchange", "difference", "ruling", "base_source",
            "fingerprint", "source"} == set(found)  # fmt: skip
    assert (found["rule"], found["pointer"], found["witness"]) == ("value-no-longer-accepted", "/type", 0.5)
    assert found["source"] == {"file": new, "line": 2, "column": 1}
    assert {"interlock", "jsonschema-rs"} == set(body["engines"])


def test_null_is_a_witness_too_and_numbers_keep_their_digits(write):
    old = write("old.json", {"$schema": DRAFT, "type": "string"})
    new = write("new.json", {"$schema": DRAFT, "type": ["string", "null"]})
    found = json.loads(run(old, new, "--role", "emits", "--format", "json")[1])["findings"][0]
    assert (found["witness"], found["has_witness"]) == (None, True)
    fine = write("fine.json", f'{{"$schema": "{DRAFT}", "const": 0.1000000000000000000001}}')
    code, text = run(fine, old, "--role", "accepts", "--format", "json")
    assert (code, '"witness": 0.1000000000000000000001,' in text) == (1, True)


def test_of_long_values_the_part_is_shown_where_they_differ(write):
    many = [f"ward-{number}" for number in range(40)]
    old = write("old.json", {"$schema": DRAFT, "enum": many})
    new = write("new.json", {"$schema": DRAFT, "enum": [*many[:-1], "none"]})
    _, text = run(old, new, "--role", "accepts")
    assert 'was → is: …rd-37", "ward-38", "ward-39"] → …rd-37", "ward-38", "none"]' in text


@pytest.mark.parametrize(("role", "verdict", "code"), [
    ("accepts", "compatible", 0), ("emits", "breaking", 1), ("both", "breaking", 1), (None, "breaking", 1),
])  # fmt: skip
def test_the_role_says_which_way_values_travel(write, role, verdict, code):
    old, new = (
        write("a.json", {"$schema": DRAFT, "enum": ["ml"]}),
        write("b.json", {"$schema": DRAFT, "enum": ["ml", "mg"]}),
    )
    got, text = run(old, new, "--format", "json", *(["--role", role] if role else []))
    assert (got, json.loads(text)["verdict"]) == (code, verdict)
    back, _ = run(new, old, "--format", "json", *(["--role", role] if role else []))
    assert (back == 0) is (role == "emits")


def test_what_is_not_known_is_undecided_with_exit_code_3(write):
    old = write("a.json", {"$schema": DRAFT, "type": "string"})
    new = write("b.json", {"$schema": DRAFT, "type": "string", "format": "ward-code"})
    code, text = run(old, new, "--role", "accepts", "--format", "json")
    body = json.loads(text)
    assert (code, body["verdict"], body["required_bump"]) == (3, "undecided", "major")
    assert body["findings"][0]["witness"] is None


def test_events_are_judged_by_what_their_messages_mean(write):
    event = {"asyncapi": "3.0.0", "info": {"title": "Beds", "version": "1.0.0"},
             "channels": {"beds": {"address": "beds", "messages": {"freed": {"payload": {"type": "object"}}}}}}  # fmt: skip
    noted = json.loads(json.dumps(event))
    noted["channels"]["beds"]["description"] = "Beds that became free."
    noted["info"]["version"] = "1.0.1"
    changed = json.loads(json.dumps(event))
    changed["channels"]["beds"]["messages"]["freed"]["payload"]["required"] = ["ward"]
    old = write("a.json", event)
    assert run(old, write("b.json", noted))[0] == 0
    code, text = run(old, write("c.json", changed), "--format", "json")
    found = json.loads(text)["findings"]
    assert code == 1
    assert [(f["rule"], f["pointer"], f["exchange"]) for f in found if f["severity"] != "safe"] == [(
        "value-no-longer-accepted", "/channels/beds/messages/freed/payload/required",
        {"kind": "message", "action": "receive", "address": "beds", "content_type": "application/json", "payload": {}},
    )]  # fmt: skip


def test_findings_are_counted_in_words(write):
    old, same = (write(name, {"$schema": DRAFT, "type": "number"}) for name in ("a.json", "b.json"))
    new = write("c.json", {"$schema": DRAFT, "type": "integer"})
    assert "\n1 finding (" in run(old, new, "--role", "accepts")[1]
    assert "\n0 findings (" in run(old, same)[1]


def test_files_that_refer_to_each_other_are_read_together(write):
    write("dose.yaml", "type: object\nproperties:\n  ml: {type: number}\n")
    old = write("a.yaml", f"$schema: {DRAFT}\ntype: array\nitems: {{$ref: dose.yaml}}\n")
    new = write("b.yaml", f"$schema: {DRAFT}\ntype: array\nmaxItems: 3\nitems: {{$ref: dose.yaml}}\n")
    code, text = run(old, new, "--role", "accepts", "--format", "json")
    assert (code, len(json.loads(text)["findings"][0]["witness"])) == (1, 4)


def test_canonical_schemas_beside_the_contract_are_found():
    old, new = (str(ROOT / f"contracts/lab-orders/{version}/openapi.yaml") for version in ("1.0.0", "1.1.0"))
    code, text = run(old, new, "--format", "json")
    assert (code, json.loads(text)["required_bump"]) == (0, "minor")


def api(urn, kind):
    schema = {"allOf": [{"$ref": urn}, {"type": kind}]}
    body = {"content": {"application/json": {"schema": schema}}}
    return {"openapi": "3.1.0", "info": {"title": "A", "version": "1"},
            "paths": {"/a": {"post": {"requestBody": body, "responses": {"204": {"description": "Done"}}}}}}  # fmt: skip


def test_a_registry_urn_that_is_not_known_can_only_be_equal_to_itself(write):
    urn = "urn:interlock:schema:ward:1.0.0:sha256-" + "a" * 64
    old = write("a.json", api(urn, "object"))
    assert run(old, write("b.json", api(urn, ["object", "null"])))[0] == 0
    assert run(old, write("c.json", api(urn.replace("a" * 64, "b" * 64), "object")))[0] == 3


def test_a_registry_urn_is_found_however_its_text_is_escaped(write):
    urn = "urn:interlock:schema:ward:1.0.0:sha256-" + "a" * 64
    text = json.dumps(api(urn, "object"))
    escaped = text.replace("urn:interlock", "\\u0075rn:\\u0069nterlock")
    assert escaped != text
    assert run(write("a.json", escaped), write("b.json", text.replace("a" * 64, "b" * 64)))[0] == 3
    assert run(write("c.json", escaped), write("d.json", text))[0] == 0


def test_text_says_place_reason_and_witness(write):
    old = write("a.json", {"$schema": DRAFT, "type": "object", "properties": {"ml": {"type": "number"}}})
    new = write("b.yaml", f"$schema: {DRAFT}\ntype: object\nproperties:\n  ml: {{type: integer}}\n")
    code, text = run(old, new, "--role", "accepts")
    assert code == 1
    assert text.startswith("breaking · required bump: major")
    assert f"at {new}:4:8 #/properties/ml/type" in text
    assert 'witness (the old version takes, the new one refuses): {"ml": 0.5}' in text


def test_thousands_of_safe_findings_are_told_without_comparing_them_among_each_other(monkeypatch, capsys):
    compared = []
    monkeypatch.setattr(Finding, "__eq__", lambda *ends: compared.append(ends) or ends[0] is ends[1])
    rule = Rule("schema-changed-compatibly", Severity.SAFE, "")
    findings = tuple(Finding.of(rule, "", f"place {number}") for number in range(3_000))
    document = parse(b"{}", name="a.json")
    print_verdict(Verdict(Outcome.COMPATIBLE, Bump.MINOR, findings), document, document)
    lines = capsys.readouterr().out.splitlines()
    assert "· safe: 3000 changes" in lines
    assert len([line for line in lines if "schema-changed-compatibly: place" in line]) == 3_000
    assert compared == []


@pytest.mark.parametrize(("old", "new"), [
    ("{", {"type": "string"}), ({"type": "string"}, "{}"), ('{"a": 1, "a": 2}', {"type": "string"}),
    ({"$schema": DRAFT, "$ref": "https://elsewhere.example/x.json"}, {"type": "string"}),
    ({"$schema": DRAFT, "$ref": "../../etc/passwd"}, {"type": "string"}),
])  # fmt: skip
def test_what_cannot_be_read_ends_with_2(write, capsys, old, new):
    with pytest.raises(SystemExit) as ended:
        main(["diff", write("a.json", old), write("b.json", new)])
    assert ended.value.code == 2
    assert "error[" in capsys.readouterr().err


def test_wrong_usage_ends_with_2(write, capsys):
    schema = write("a.json", {"$schema": DRAFT, "type": "string"})
    api = write("b.json", {"openapi": "3.0.3", "info": {"title": "A", "version": "1"}, "paths": {}})
    for arguments in ([schema, api], [api, api, "--role", "emits"], [schema, schema + ".nowhere"], [schema]):
        with pytest.raises(SystemExit) as ended:
            main(["diff", *arguments])
        assert ended.value.code == 2, arguments
    assert "different kinds" in capsys.readouterr().err


def test_it_imports_nothing_that_a_comparison_does_not_need(write):
    old, new = (
        write("a.json", {"$schema": DRAFT, "type": "number"}),
        write("b.json", {"$schema": DRAFT, "type": "integer"}),
    )
    script = (
        "import sys\nfrom cli.main import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "print(*sorted(set(sys.modules) & {'rich', 'httpx', 'connexion', 'openapi_spec_validator', 'jsonschema',"
        " 'sqlalchemy', 'cryptography', 'starlette', 'requests'}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "diff", old, new],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr.strip() == ""
    assert done.stdout.startswith("breaking")


WIDE, NARROW = (
    {"$schema": DRAFT, "type": "integer", "maximum": 9},
    {"$schema": DRAFT, "type": "integer", "maximum": 5},
)


@pytest.mark.parametrize(("mode", "code"), [
    ("BACKWARD", 1), ("BACKWARD_TRANSITIVE", 1), ("FORWARD", 0), ("forward_transitive", 0), ("FULL", 1), ("NONE", 0),
])  # fmt: skip
def test_a_mode_says_who_must_go_on_understanding_whom(write, mode, code):
    got, text = run(write("a.json", WIDE), write("b.json", NARROW), "--mode", mode, "--format", "json")
    assert (got, json.loads(text)["policy"]["mode"]) == (code, mode.upper())


def test_what_is_given_wins_over_the_file_and_the_report_says_what_was_judged_by(write, tmp_path):
    write("interlock.toml", '[compat]\nprofile = "strict"\nas_of = 2026-03-01\n')
    old, new = write("a.json", WIDE), write("b.json", WIDE)
    said = json.loads(run(old, new, "--format", "json")[1])["policy"]
    assert said == {"profile": "strict", "fail_on": "risky", "as_of": "2026-03-01", "mode": "FULL_TRANSITIVE"}
    other = write("other.toml", '[compat]\nprofile = "lenient"\nas_of = 2026-03-02\n')
    given = ["--config", other, "--fail-on", "risky", "--as-of", "2026-11-26"]
    _, text = run(old, new, *given)
    assert "profile lenient, fail on risky, as of 2026-11-26" in text
    assert run(old, new, *given)[1] == text


def test_a_waived_break_is_shown_as_waived_with_owner_and_reason(write, tmp_path):
    old, new = write("a.json", WIDE), write("b.json", NARROW)
    code, text = run(old, new, "--as-of", "2026-11-26")
    (fingerprint,) = [line.split()[1] for line in text.splitlines() if line.startswith("  fingerprint:")]
    assert code == 1
    write(
        "interlock.toml",
        f'[[waiver]]\nfingerprint = "{fingerprint}"\nowner = "Ada"\nreason = "agreed"\nexpires = 2026-12-01\n',
    )
    code, text = run(old, new, "--as-of", "2026-12-01")
    assert (code, text.splitlines()[0]) == (0, "compatible · required bump: minor")
    assert "~ breaking, waived value-no-longer-accepted" in text
    assert "waived until 2026-12-01 by Ada: agreed" in text
    assert run(old, new, "--as-of", "2026-12-02")[0] == 1


def test_options_that_say_the_same_twice_and_dates_that_are_none_are_refused(write):
    old, new = write("a.json", WIDE), write("b.json", NARROW)
    for more in (["--role", "both", "--mode", "FULL"], ["--as-of", "tomorrow"], ["--mode", "SIDEWAYS"]):
        with pytest.raises(SystemExit) as ended:
            main(["diff", old, new, *more])
        assert ended.value.code == 2
