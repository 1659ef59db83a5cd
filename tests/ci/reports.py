"""A gate's report with everything in it, and with text that tries to act on whoever reads it."""

from __future__ import annotations

from decimal import Decimal
from importlib import import_module

from ci.report import Comparison, ContractReport, GateReport, Hit, Status
from cli.ci_reports import FORMATS
from kernel.contract.finding import Bump, Finding, Outcome, Severity, Verdict
from kernel.contract.version import Version

EVIL = (
    'a <b onclick="x"> & "c" ]]> \x00\x1b[31m | `x` *y* 100% @team #12 ![i](http://x.example) </summary></details>'
    "<!-- \u202egnp.exe\u2066 \u200b\ufeff\u2028 ##[error]no ##vso[task.complete]no\r\n::error::no, really\n::stop-commands::x"
)


def findings() -> dict[str, Finding]:
    """Give one finding of each kind."""
    return {
        "breaking": Finding(
            "value-no-longer-accepted", Severity.BREAKING, "/paths/~1doses/post/requestBody/content/application~1json/schema",
            "POST /doses: the request body at 'ml': `maximum` changed, and a value that was taken is refused",
            why="A value that the old version accepts is refused by the new one.", remedy="Keep the old form.",
            base_pointer="/paths/~1doses/post/requestBody", before=20, after=10,
            witness={"ml": 20, "exact": Decimal("1e400")}, has_witness=True,
            nearest={"ml": 10, "exact": Decimal("1e400")}, has_nearest=True,
            difference=({"op": "replace", "path": "/ml", "value": 20},),
            exchange={
                "kind": "request", "operation": "POST /doses", "method": "POST", "path": "/doses", "query": "dry=true",
                "headers": {"accept": "*/*"}, "content_type": "application/json", "body": {"ml": 20},
            },
            direction="accepts", source="contracts/doses/1.1.0/openapi.yaml", line=7, column=3,
            base_source="git:main:contracts/doses/1.0.0/openapi.yaml", base_line=6, base_column=3,
        ),
        "safe": Finding("operation-added", Severity.SAFE, "/paths/~1x", "GET /x was added"),
        "risky": Finding("parameter-removed", Severity.RISKY, "/paths/~1y", "gone", source="a b/ü,c:d.yaml", line=1),
        "warning": Finding("operation-description", Severity.WARNING, "/paths/~1x/get", "no description"),
        "low": Finding("version-too-low", Severity.BREAKING, "/info/version", "too low", before="1.0.0", after="1.1.0"),
        "unreadable": Finding("contract-unreadable", Severity.ERROR, "", "no YAML", source="contracts/broken/openapi.yaml"),
    }  # fmt: skip


def full() -> GateReport:
    """Give a report of one contract that fails, one that is unchanged, one that cannot be read."""
    found = findings()
    verdict = Verdict(
        Outcome.BREAKING,
        Bump.MAJOR,
        (found["breaking"], found["safe"], found["risky"]),
        {"oasdiff": "1.33.0"},
    )
    failed = ContractReport(
        "doses", "1.1.0", "openapi", "contracts/doses/1.1.0/openapi.yaml", "contracts/doses/1.1.0/meta.yaml",
        Status.FAILED, lint=(found["warning"],),
        comparisons=(Comparison(Version.parse("1.0.0"), "git:main:contracts/doses/1.0.0/openapi.yaml", verdict),),
        bump=found["low"], required_bump=Bump.MAJOR, hit=(Hit("ward-7", "Ward 7", "1.0.0"), Hit("ehr", "EHR")),
    )  # fmt: skip
    same = ContractReport(
        "ward", "1.0.0", "schema", "contracts/ward/schema.json", "contracts/ward/meta.yaml", Status.UNCHANGED
    )
    lost = ContractReport(
        "broken", "", "", "contracts/broken/openapi.yaml", "m", Status.FAILED, error=found["unreadable"]
    )
    return GateReport(
        "git:main", (lost, failed, same), {"oasdiff": "1.33.0"}, docs_url="https://docs.example/x/"
    )


def hostile(text: str = EVIL) -> GateReport:
    """Give a report in which every text that can come from a document is hostile."""
    bad = Finding(
        "value-no-longer-accepted", Severity.BREAKING, f"/paths/~1{text}/post/{text}", text, why=text, remedy=text,
        base_pointer=f"/{text}", before=text, after={text: text}, witness={text: [text]}, has_witness=True,
        nearest={text: []}, has_nearest=True, difference=({"op": "add", "path": f"/{text}", "value": text},),
        exchange={
            "kind": "request", "method": text, "path": text, "query": text, "headers": {text: text},
            "content_type": text, "body": text,
        },
        source=f"contracts/{text}/openapi.yaml", line=3, column=4, base_source=text, base_line=1, base_column=2,
    )  # fmt: skip
    undecided = Finding("inclusion-undecided", Severity.UNDECIDED, f"/{text}", text, source=text)
    verdict = Verdict(Outcome.BREAKING, Bump.MAJOR, (bad, undecided), {text: text})
    one = ContractReport(
        text, text, "openapi", text, text, Status.FAILED, frozen=(undecided,), lint=(bad,),
        comparisons=(Comparison(None, text, verdict, through=text),), bump=bad, required_bump=Bump.MAJOR,
        hit=(Hit(text, text, text),),
    )  # fmt: skip
    return GateReport(text, (one, one), {text: text}, notes=(text,), docs_url="https://docs.example")


def odd_path(path: str) -> GateReport:
    """Give a report whose files have a name that is no text: Python keeps such bytes as lone surrogates."""
    found = Finding("meta-owner-missing", Severity.ERROR, "/owner", "no owner", source=path, line=1)
    one = ContractReport(path, "", "", path, path, Status.FAILED, lint=(found,))
    return GateReport(path, (one,), notes=(path,))


def rendered(kind: str, report: GateReport | None = None) -> str:
    """Render a report as one kind."""
    return str(import_module(FORMATS[kind]).render(full() if report is None else report))
