"""Immutability ruled by the database itself: which rows and columns no SQL statement may change.

`GUARDS` is what revision 0001 installed. A later change is a new tuple in a new revision: these rows
stand in released databases.

PostgreSQL: one function and two triggers a table (rows; TRUNCATE), ENABLE ALWAYS, since ordinary triggers
are skipped under session_replication_role=replica. SQLite: INSERT OR REPLACE deletes without asking the
delete trigger unless recursive_triggers is on, so an insert over an existing key is refused as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Guard:
    """One table's rule.

    `keys` are its unique keys, `fixed` the columns that never change, `update` and `insert` conditions over
    OLD and NEW, in SQL with `same(column, …)`, that must hold; `update` of "never" refuses every update.
    """

    table: str
    keys: tuple[tuple[str, ...], ...]
    fixed: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    insert: tuple[str, ...] = ()


# The transitions of kernel/contract/lifecycle.py as they were released; a test compares the two.
TRANSITIONS: tuple[tuple[str, str], ...] = (
    ("draft", "in-review"),
    ("draft", "withdrawn"),
    ("in-review", "draft"),
    ("in-review", "frozen"),
    ("in-review", "rejected"),
    ("in-review", "withdrawn"),
    ("frozen", "deprecated"),
    ("deprecated", "retired"),
)


def _transitions() -> str:
    return " OR ".join(
        ["OLD.state = NEW.state"] + [f"(OLD.state = '{a}' AND NEW.state = '{b}')" for a, b in TRANSITIONS]
    )


NEVER = "never"

GUARDS: tuple[Guard, ...] = (
    Guard("contracts", (("name",),), update=(NEVER,)),
    Guard("blobs", (("digest",),), update=(NEVER,)),
    Guard(
        "contract_versions",
        (("contract", "version"),),
        fixed=("contract", "version", "major"),
        update=(
            _transitions(),
            "OLD.state = 'draft' OR NEW.state = 'draft' OR same(digest, metadata, author, submitted_at)",
            "OLD.state = 'draft' OR NEW.state = 'draft' OR same(title, owner, domain, audience)",
            # The review that judged it is known only after the draft stands.
            "OLD.state IN ('draft', 'in-review') AND NEW.state IN ('draft', 'in-review') OR same(review_id)",
            "OLD.state = 'in-review' AND NEW.state = 'frozen' OR same(frozen_at, statement)",
            "OLD.state = 'frozen' AND NEW.state = 'deprecated' OR same(deprecated_at)",
            "NEW.state = 'deprecated' OR same(sunset_at)",
            "OLD.state = 'deprecated' AND NEW.state = 'retired' OR same(retired_at)",
        ),
        insert=("NEW.state = 'draft'",),
    ),
    Guard(
        "reviews",
        (("id",),),
        fixed=(
            "id",
            "contract",
            "version",
            "digest",
            "author",
            "metadata",
            "quorum",
            "submitted_at",
        ),
        update=("OLD.state = 'open'",),
        insert=("NEW.state = 'open'",),
    ),
    Guard("documents", (("review_id",),), update=(NEVER,)),
    Guard("verdicts", (("review_id", "base_version"),), update=(NEVER,)),
    Guard("findings", (("review_id", "base_version", "position"),), update=(NEVER,)),
    Guard(
        "approvals",
        (("review_id", "principal"),),
        fixed=("review_id", "principal", "digest", "reason", "decided_at"),
        update=("OLD.dismissed_at IS NULL",),
        insert=("NEW.dismissed_at IS NULL",),
    ),
    Guard("consumers", (("id",),), fixed=("id", "created_at", "created_by")),
    Guard(
        "keys",
        (("id",), ("sha256",)),
        fixed=("id", "consumer", "sha256", "created_at", "created_by", "expires_at"),
        update=("OLD.revoked_at IS NULL",),
    ),
    Guard(
        "tokens",
        (("id",), ("sha256",)),
        fixed=("id", "subject", "roles", "sha256", "created_at", "created_by", "expires_at"),
        update=("OLD.revoked_at IS NULL",),
    ),
    Guard("accounts", (("name",),), fixed=("name", "created_at")),
    Guard(
        "bundle_serials",
        (("part",),),
        fixed=("part",),
        update=("NEW.serial >= OLD.serial AND NEW.published >= OLD.published",),
    ),
    Guard(
        "audit_outbox",
        (("position",), ("id",)),
        fixed=("position", "id", "recorded_at", "record"),
        update=("OLD.relayed_at IS NULL",),
        insert=("NEW.relayed_at IS NULL",),
    ),
)


# What revision 0004 installed: a denial is lifted once, and what was denied, when and by whom stays.
DENIALS: tuple[Guard, ...] = (
    Guard(
        "denials",
        (("position",),),
        fixed=("position", "kind", "name", "reason", "denied_at", "denied_by"),
        update=("OLD.lifted_at IS NULL",),
        insert=("NEW.lifted_at IS NULL",),
    ),
)

# What revision 0005 installed: what is deployed and what was proven is entered once; a deployment ends once.
RELEASES: tuple[Guard, ...] = (
    Guard("environments", (("name",),), update=(NEVER,)),
    Guard("releases", (("application", "version"),), update=(NEVER,)),
    Guard(
        "release_contracts",
        (("application", "version", "side", "contract", "contract_version"),),
        update=(NEVER,),
    ),
    Guard(
        "deployments",
        (("id",),),
        fixed=("id", "environment", "application", "version", "deployed_at", "deployed_by"),
        update=("OLD.ended_at IS NULL",),
        insert=("NEW.ended_at IS NULL",),
    ),
    Guard("conformance", (("id",),), update=(NEVER,)),
)

# What revision 0006 installed: how a review was judged is entered once; a waiver is revoked once.
JUDGEMENTS: tuple[Guard, ...] = (
    Guard("judgements", (("review_id",),), update=(NEVER,)),
    Guard(
        "waivers",
        (("id",),),
        fixed=(
            "id", "contract", "fingerprint", "rule", "what", "owner", "reason", "expires", "review_id",
            "recorded_at", "recorded_by",
        ),
        update=("OLD.revoked_at IS NULL",),
        insert=("NEW.revoked_at IS NULL",),
    ),
)  # fmt: skip


def statements(dialect: str, guards: tuple[Guard, ...] = GUARDS) -> Iterator[str]:
    """Give the SQL that installs the guards for "sqlite" or "postgresql"."""
    for guard in guards:
        yield from _sqlite(guard) if dialect == "sqlite" else _postgresql(guard)


def _same(columns: str, operator: str) -> str:
    parts = [column.strip() for column in columns.split(",")]
    return "(" + " AND ".join(f"OLD.{column} {operator} NEW.{column}" for column in parts) + ")"


def _condition(text: str, operator: str) -> str:
    while "same(" in text:
        before, _, rest = text.partition("same(")
        columns, _, after = rest.partition(")")
        text = before + _same(columns, operator) + after
    return text


def _allowed(guard: Guard, operator: str) -> list[str]:
    conditions = [_condition(text, operator) for text in guard.update if text != NEVER]
    if guard.fixed:
        conditions.insert(0, _same(", ".join(guard.fixed), operator))
    return conditions


def _refusal(guard: Guard, act: str) -> str:
    return f"interlock: {act} refused by the rules of {guard.table}"


def _sqlite(guard: Guard) -> Iterator[str]:
    name = guard.table
    abort = "SELECT RAISE(ABORT, '{}')"
    yield (
        f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} "
        f"BEGIN {abort.format(_refusal(guard, 'DELETE'))}; END"
    )
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM {name} WHERE " + " AND ".join(f"{key} = NEW.{key}" for key in keys) + ")"  # noqa: S608 - our own names
        for keys in guard.keys
    )
    yield (
        f"CREATE TRIGGER {name}_no_replace BEFORE INSERT ON {name} WHEN {taken} "
        f"BEGIN {abort.format(_refusal(guard, 'INSERT over an existing row'))}; END"
    )
    for number, condition in enumerate(guard.insert):
        yield (
            f"CREATE TRIGGER {name}_insert_{number} BEFORE INSERT ON {name} WHEN NOT ({condition}) "
            f"BEGIN {abort.format(_refusal(guard, 'INSERT'))}; END"
        )
    if NEVER in guard.update:
        yield (
            f"CREATE TRIGGER {name}_no_update BEFORE UPDATE ON {name} "
            f"BEGIN {abort.format(_refusal(guard, 'UPDATE'))}; END"
        )
    for number, condition in enumerate(_allowed(guard, "IS")):
        yield (
            f"CREATE TRIGGER {name}_update_{number} BEFORE UPDATE ON {name} WHEN ({condition}) IS NOT TRUE "
            f"BEGIN {abort.format(_refusal(guard, 'UPDATE'))}; END"
        )


def _postgresql(guard: Guard) -> Iterator[str]:
    name = guard.table
    rules = [("UPDATE", condition) for condition in _allowed(guard, "IS NOT DISTINCT FROM")]
    rules += [("INSERT", condition) for condition in guard.insert]
    checks = [
        f"IF TG_OP = '{act}' THEN IF ({condition}) IS NOT TRUE THEN {_raise(guard, act)} END IF; END IF;"
        for act, condition in rules
    ]
    if NEVER in guard.update:
        checks.append(f"IF TG_OP = 'UPDATE' THEN {_raise(guard, 'UPDATE')} END IF;")
    yield (
        f"CREATE FUNCTION registry.guard_{name}() RETURNS trigger LANGUAGE plpgsql "
        "SET search_path = pg_catalog, pg_temp AS $guard$ BEGIN "
        f"IF TG_OP IN ('DELETE', 'TRUNCATE') THEN {_raise(guard, 'DELETE')} END IF; "
        + " ".join(checks)
        + " RETURN NEW; END $guard$"
    )
    yield (
        f"CREATE TRIGGER guard_rows BEFORE INSERT OR UPDATE OR DELETE ON registry.{name} "
        f"FOR EACH ROW EXECUTE FUNCTION registry.guard_{name}()"
    )
    yield (
        f"CREATE TRIGGER guard_truncate BEFORE TRUNCATE ON registry.{name} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION registry.guard_{name}()"
    )
    yield f"ALTER TABLE registry.{name} ENABLE ALWAYS TRIGGER guard_rows"
    yield f"ALTER TABLE registry.{name} ENABLE ALWAYS TRIGGER guard_truncate"


def _raise(guard: Guard, act: str) -> str:
    # 23000 is integrity_constraint_violation: drivers report it as they report a broken constraint.
    return f"RAISE EXCEPTION '{_refusal(guard, act)}' USING ERRCODE = '23000';"
