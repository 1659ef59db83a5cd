"""`interlock check`: what it prints, how it ends, and that it needs nothing but the file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cli.check import check
from kernel.contract.digest import digest
from kernel.contract.document import parse
from kernel.errors import DocumentError

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
API = """\
openapi: 3.1.0
info: {title: Ward orders, version: 1.0.0, description: Orders of a ward., contact: {name: Ward team}}
security: [{key: []}]
paths:
  /orders/{number}:
    get:
      operationId: readOrder
      summary: Read one order
      parameters:
        - {name: number, in: path, required: true, description: Its number., schema: {type: string, maxLength: 20}}
      responses:
        "200": {description: The order., content: {application/json: {schema: {type: object, additionalProperties: false}}}}
        default: {description: Refused., content: {application/problem+json: {schema: {type: object, additionalProperties: true}}}}
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}
"""
META = """\
{name: ward-orders, version: 1.0.0, kind: openapi, title: Ward orders, owner: ward-team, domain: ward, audience: internal,
description: Orders of a ward., systems: {provider: ward-system, consumers: [ehr], source_of_truth: ward-system},
sensitivity: health, urgency: routine, retry: {policy: none}, objectives: {latency_p99_ms: 500, availability: "99.9"}}
"""


def _run(*words: object) -> Result:
    return CliRunner().invoke(check, [str(word) for word in words], standalone_mode=False)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_valid_document_prints_nothing_and_ends_with_0(tmp_path: Path) -> None:
    result = _run(_write(tmp_path / "api.yaml", API))
    assert result.return_value == 0
    assert result.stdout == ""
    assert "valid; 0 errors, 0 warnings, 0 notes" in result.stderr


def test_each_finding_is_one_line_with_its_place(tmp_path: Path) -> None:
    path = _write(tmp_path / "api.yaml", API.replace("operationId: readOrder", "operationid: readOrder"))
    result = _run(path)
    assert result.return_value == 1
    assert result.stdout == f"{path}:7:7 error openapi-invalid `operationid` is not known here\n"
    assert "invalid; 1 error, 0 warnings" in result.stderr


def test_warnings_pass_unless_strict(tmp_path: Path) -> None:
    path = _write(tmp_path / "api.yaml", API.replace("      operationId: readOrder\n", ""))
    assert _run(path).return_value == 0
    assert _run(path, "--strict").return_value == 1
    assert f"{path}:6:5 warning operation-id-missing" in _run(path).stdout


def test_json_says_whether_it_is_valid_and_gives_the_findings(tmp_path: Path) -> None:
    path = _write(tmp_path / "api.yaml", API.replace("{number}", "{no}"))
    result = _run(path, "--format", "json")
    body = json.loads(result.stdout)
    assert result.return_value == 1
    assert body["valid"] is False
    first = body["findings"][0]
    assert first["rule"] == "path-parameter-undeclared"
    assert first["pointer"] == "/paths/~1orders~1{no}/get"
    assert first["source"] == {"file": str(path), "line": 6, "column": 5}
    assert {one["rule"] for one in body["findings"]} == {"path-parameter-undeclared", "path-parameter-unused"}
    good = json.loads(_run(_write(tmp_path / "good.yaml", API), "--format", "json").stdout)
    assert good == {"valid": True, "findings": []}


def test_what_the_proxy_could_not_serve_is_an_error_with_its_place(tmp_path: Path) -> None:
    path = _write(tmp_path / "api.yaml", API.replace("maxLength: 20", "pattern: '(?<=a)b'"))
    result = _run(path)
    assert result.return_value == 1
    assert result.stdout.startswith(f"{path}:10:")
    assert " error cannot-be-served " in result.stdout


def test_every_operation_that_could_not_be_served_is_told_at_its_place(tmp_path: Path) -> None:
    bad = API.replace("maxLength: 20", "pattern: '(?<=a)b'")
    again = bad.partition("paths:\n")[2].partition("components:")[0]
    path = _write(
        tmp_path / "api.yaml",
        bad.replace(
            "components:",
            again.replace("/orders/", "/results/").replace("readOrder", "readResult") + "components:",
        ),
    )
    lines = [
        line.split(":")[1] for line in _run(path).stdout.splitlines() if " error cannot-be-served " in line
    ]
    assert lines == ["10", "19"]


EVENTS = """\
asyncapi: 3.0.0
info: {title: Ward events, version: 1.0.0, description: Events of a ward.}
servers: {site: {host: 'wss://ward.example', protocol: wss}}
channels:
  results:
    address: lab/{ward}/results
    title: Results
    messages: {final: {payload: {type: object, additionalProperties: false}, contentType: json}}
operations:
  give: {action: send, channel: {$ref: '#/channels/results'}, bindings: {mqtt: {qos: 7}}}
"""


def test_an_asyncapi_document_tells_every_place_with_the_section_of_the_specification(tmp_path: Path) -> None:
    path = _write(tmp_path / "asyncapi.yaml", EVENTS)
    result = _run(path)
    assert result.return_value == 1
    assert sorted(line for line in result.stdout.splitlines() if " error " in line) == [
        f"{path}:10:81 error binding-invalid must be one of 0, 1, 2 (mqtt operation binding) [AsyncAPI 3.0 §Bindings]",
        (
            f"{path}:3:18 error server-host-invalid wss://ward.example is more than a host with its port: `protocol` and "
            "`pathname` are the places for the rest [AsyncAPI 3.0 §Server Object]"
        ),
        (
            f"{path}:5:3 error channel-parameter-undeclared nothing describes the parameter `ward` of lab/{{ward}}/results "
            "[AsyncAPI 3.0 §Parameters Object]"
        ),
        (
            f"{path}:8:78 error content-type-invalid json is no specific media type (RFC 9110 §8.3.1) "
            "[AsyncAPI 3.0 §Message Object]"
        ),
    ]


def test_a_schema_that_cannot_be_compiled_is_an_error(tmp_path: Path) -> None:
    text = '{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Ward", "type": "string", "pattern": "(?<=a)b"}'
    result = _run(_write(tmp_path / "schema.json", text))
    assert result.return_value == 1
    assert " error cannot-be-served " in result.stdout


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "document-syntax"),
        ("", "document-empty"),
        ("a: 1\na: 2\n", "document-duplicate-key"),
        ("hello: 1\n", "document-kind"),
    ],
)
def test_what_cannot_be_read_ends_with_2(tmp_path: Path, text: str, code: str) -> None:
    path = _write(tmp_path / "api.yaml", text)
    with pytest.raises(DocumentError) as caught:
        CliRunner().invoke(check, [str(path)], standalone_mode=False, catch_exceptions=False)
    assert (caught.value.code, caught.value.exit_code) == (code, 2)


def test_a_file_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(DocumentError) as caught:
            CliRunner().invoke(check, [str(path)], standalone_mode=False, catch_exceptions=False)
        assert caught.value.exit_code == 2


def test_a_reference_to_the_network_is_a_finding_beside_the_others(tmp_path: Path) -> None:
    text = API.replace(
        "schema: {type: object, additionalProperties: false}", "schema: {$ref: 'https://x.example/s.json'}"
    )
    path = _write(tmp_path / "api.yaml", text.replace("summary:", "sumary:"))
    result = _run(path)
    assert result.return_value == 1
    assert {line.split()[2] for line in result.stdout.splitlines()} == {
        "reference-refused",
        "openapi-invalid",
    }


def test_a_document_of_several_files_is_judged_as_one_and_names_the_file(tmp_path: Path) -> None:
    text = API.replace(
        "schema: {type: object, additionalProperties: false}", "schema: {$ref: '../parts/order.yaml'}"
    )
    path = _write(tmp_path / "api" / "openapi.yaml", text)
    part = _write(
        tmp_path / "parts" / "order.yaml",
        "type: object\nadditionalProperties: false\nproperties:\n  unit: {type: strin}\n",
    )
    assert " error reference-refused " in _run(path).stdout
    result = _run(path, "--root", tmp_path)
    assert result.return_value == 1
    assert result.stdout.startswith(f"{part}:4:")
    assert " error schema-invalid " in result.stdout


def test_a_folder_is_judged_with_its_metadata(tmp_path: Path) -> None:
    folder = tmp_path / "ward-orders" / "1.0.0"
    _write(folder / "openapi.yaml", API)
    _write(folder / "meta.yaml", META)
    assert _run(folder).return_value == 0
    assert _run(folder).stdout == ""
    _write(folder / "meta.yaml", META.replace("owner: ward-team, ", ""))
    assert " error meta-owner-missing " in _run(folder).stdout
    assert _run(folder).return_value == 1
    _write(folder / "meta.yaml", META.replace("kind: openapi", "kind: schema"))
    assert f"{folder / 'meta.yaml'}:1:" in _run(folder).stdout
    assert " error meta-kind-mismatch " in _run(folder).stdout


def test_a_urn_is_embedded_from_the_folders_beside_or_said_to_be_unknown(tmp_path: Path) -> None:
    text = '{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Ward", "type": "string", "maxLength": 4}'
    _write(tmp_path / "ward" / "1.0.0" / "schema.json", text)
    urn = f"urn:interlock:schema:ward:1.0.0:{digest(parse(text.encode()).root).replace(':', '-')}#"
    api = API.replace("{type: string, maxLength: 20}", f"{{$ref: '{urn}', default: too long for a ward}}")
    path = _write(tmp_path / "ward-orders" / "1.0.0" / "openapi.yaml", api)
    known = _run(path)
    assert known.return_value == 0
    assert [line.split()[2] for line in known.stdout.splitlines()] == ["default-invalid"]
    (tmp_path / "ward" / "1.0.0" / "schema.json").unlink()
    unknown = _run(path)
    assert unknown.return_value == 0
    assert [line.split()[1:3] for line in unknown.stdout.splitlines()] == [["info", "reference-opaque"]]


FOLDERS = sorted(path.parent for path in CONTRACTS.glob("*/*/meta.yaml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=[str(path.relative_to(CONTRACTS)) for path in FOLDERS])
def test_the_contracts_of_the_house_are_valid(folder: Path) -> None:
    result = _run(folder, "--format", "json")
    assert [one for one in json.loads(result.stdout)["findings"] if one["severity"] == "error"] == []


def test_it_runs_alone_without_database_web_framework_or_the_slow_validator(tmp_path: Path) -> None:
    path = _write(tmp_path / "api.yaml", API)
    program = (
        "import sys; from cli.main import interlock\n"
        f"code = interlock.main(['check', {str(path)!r}], standalone_mode=False)\n"
        "heavy = {'sqlalchemy', 'connexion', 'uvicorn', 'openapi_spec_validator', 'pydantic', 'registry.store'}\n"
        "sys.exit(9 if heavy & sys.modules.keys() else code)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


def test_every_reference_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    lost = API.replace(
        "components: {",
        "  /beds: {$ref: gone.yaml}\n"
        "components: {schemas: {a: {$ref: '#/components/schemas/none'}, b: {$ref: 'other.yaml#/x'}, "
        "c: {$ref: 'https://elsewhere.example/c'}}, ",
    )
    path = _write(tmp_path / "api.yaml", lost)
    (tmp_path / "other.yaml").write_text("y: {type: string}\n")
    lines = [line.removeprefix(f"{path}:") for line in _run(path).stdout.splitlines() if " error " in line]
    assert [line.split(" ")[0] for line in lines] == ["14:3", "15:24", "15:64", "15:92"]
    assert all(" error reference-refused " in line for line in lines)
    assert "cannot be read: No such file" in lines[0]
    assert "points to the network" in lines[3]
