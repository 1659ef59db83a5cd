"""What a repository may do to versions that are frozen, judged against a real git: nothing that others would notice."""

import shutil
import subprocess
from datetime import date

import pytest

from ci.bases import FolderBase, RegistryBase
from ci.commit_base import commit
from ci.contracts import home_of
from ci.errors import BaseUnusable, NoContracts
from ci.gate import Question, run_gate
from kernel.contract.digest import canonical_bytes, digest
from kernel.contract.document import parse
from kernel.errors import InterlockError
from kernel.settings import load
from registry.compat.policy_judge import Policy
from registry.compat.policy_tables import Waiver
from tests.ci.scratch_repository import BEDS, ORDERS, Scratch

SETTINGS = load(environ={})
DAY = date(2026, 11, 26)
ORDERS_AT = "contracts/meal-orders/1.0.0"


@pytest.fixture
def repo(tmp_path):
    return Scratch(tmp_path)


def judged(repo, *paths, reference="main", waivers=(), **more):
    given = tuple(repo.home / path for path in paths) or (repo.home / "contracts",)
    with commit(reference, repo.home, given) as base:
        return run_gate(Question(repo.home, given, SETTINGS, Policy(DAY, waivers=waivers), **more), base)


def results(report):
    return {
        one.label: (str(one.status), [finding.rule for finding in one.frozen]) for one in report.contracts
    }


UNCHANGED = {
    name: ("unchanged", []) for name in ("bed-events 1.0.0", "meal-orders 1.0.0", "patient-ref 1.0.0")
}


def test_nothing_done_is_unchanged(repo):
    report = judged(repo)
    assert (results(report), report.exit_code, report.engines) == (UNCHANGED, 0, {})


def test_a_moved_folder_is_no_change(repo):
    (repo.home / "contracts/kitchen").mkdir()
    repo.git("mv", "contracts/meal-orders", "contracts/kitchen/orders")
    assert results(judged(repo)) == UNCHANGED


def moved(repo, *edits):
    (repo.home / "apis").mkdir()
    (repo.home / "contracts/bed-events").rename(repo.home / "apis/bed-events")
    if edits:
        repo.edit("apis/bed-events/1.0.0/asyncapi.yaml", *edits)


@pytest.mark.parametrize("everything", [False, True])
def test_a_contract_that_moves_to_where_nobody_looks_is_judged_there(repo, everything):
    more = {"scope": (repo.home,)} if everything else {}
    moved(repo)
    report = judged(repo, "contracts", **more)
    assert results(report)["bed-events 1.0.0"][0] == "unchanged"
    assert [note for note in report.notes if "apis/bed-events/1.0.0 moved away" in note]

    repo.edit("apis/bed-events/1.0.0/asyncapi.yaml", ("address: ", "address: other/"))
    assert "version-edited" in results(judged(repo, "contracts", **more))["bed-events 1.0.0"][1]

    # A new version at the new place is judged too, and what was never inside is not.
    repo.commit("Moved")
    assert "bed-events 1.0.0" not in results(judged(repo, "contracts", reference="HEAD", **more))


def test_a_new_version_of_a_contract_that_moved_is_judged(repo):
    repo.next("bed-events", "1.1.0", ("address: ", "address: other/"))
    moved(repo)
    found = results(judged(repo, "contracts"))
    assert found["bed-events 1.0.0"][0] == "unchanged"
    assert found["bed-events 1.1.0"][0] == "failed"


def test_an_edited_document_breaks_and_shows_what_the_edit_does(repo):
    repo.edit(f"{ORDERS_AT}/openapi.yaml", ("maximum: 4", "maximum: 2"))
    report = judged(repo)
    assert results(report)["meal-orders 1.0.0"] == ("failed", ["version-edited"])
    one = next(one for one in report.contracts if one.name == "meal-orders")
    assert [str(each.base) for each in one.comparisons] == ["1.0.0"]
    assert "value-no-longer-accepted" in {finding.rule for finding in one.findings()}
    assert one.bump is None
    assert report.exit_code == 1


def test_an_edit_of_notes_alone_breaks_too_for_the_digest_is_signed(repo):
    repo.edit(f"{ORDERS_AT}/openapi.yaml", ("For the kitchen.", "For the cook."))
    assert results(judged(repo))["meal-orders 1.0.0"] == ("failed", ["version-edited"])


def test_other_bytes_with_the_same_meaning_only_warn(repo):
    repo.edit(f"{ORDERS_AT}/openapi.yaml", ("openapi: 3.1.0\n", "# reformatted\nopenapi: '3.1.0'\n"))
    report = judged(repo)
    assert results(report)["meal-orders 1.0.0"] == ("unchanged", ["version-rewritten"])
    assert report.exit_code == 0


@pytest.mark.parametrize(("old", "new", "rule", "status"), [
    ("sensitivity: health", "sensitivity: none", "metadata-edited", "failed"),
    ("audience: internal", "audience: public", "metadata-edited", "failed"),
    ("owner: ward-integration", "owner: kitchen", "metadata-notes-edited", "unchanged"),
])  # fmt: skip
def test_metadata_of_a_frozen_version_was_approved_too(repo, old, new, rule, status):
    repo.edit(f"{ORDERS_AT}/meta.yaml", (old, new))
    assert results(judged(repo))["meal-orders 1.0.0"] == (status, [rule])


@pytest.mark.parametrize("edit", ["edited", "removed"])
def test_a_prerelease_may_be_edited_and_removed(repo, edit):
    repo.next("meal-orders", "1.1.0-rc.1")
    repo.commit("A candidate")
    folder = repo.home / "contracts/meal-orders/1.1.0-rc.1"
    if edit == "removed":
        shutil.rmtree(folder)
        assert results(judged(repo)) == UNCHANGED
    else:
        repo.edit("contracts/meal-orders/1.1.0-rc.1/openapi.yaml", ("maximum: 4", "maximum: 5"))
        assert results(judged(repo))["meal-orders 1.1.0-rc.1"] == ("passed", [])


def test_a_removed_version_breaks_unless_somebody_accepted_it(repo):
    shutil.rmtree(repo.home / "contracts/bed-events")
    report = judged(repo)
    assert results(report) == {**UNCHANGED, "bed-events 1.0.0": ("failed", ["version-removed"])}
    finding = next(one for one in report.contracts if one.name == "bed-events").frozen[0]
    assert finding.source == "contracts/bed-events/1.0.0/asyncapi.yaml"
    accepted = Waiver(finding.fingerprint, "Ada", "nobody is subscribed", date(2026, 12, 31), "bed-events")
    report = judged(repo, waivers=(accepted,))
    assert results(report)["bed-events 1.0.0"] == ("passed", ["version-removed"])
    assert report.exit_code == 0


def test_what_is_removed_elsewhere_is_not_looked_for(repo):
    shutil.rmtree(repo.home / "contracts/bed-events")
    assert results(judged(repo, "contracts/meal-orders")) == {"meal-orders 1.0.0": ("unchanged", [])}


def test_a_path_that_never_was_hides_no_other(repo):
    repo.edit("contracts/bed-events/1.0.0/asyncapi.yaml", ("address: ", "address: other/"))
    with pytest.raises(NoContracts, match="contracts/nothing does not exist"):
        judged(repo, "contracts/bed-events", "contracts/nothing")

    # One that the base had is gone, and the others are judged all the same.
    shutil.rmtree(repo.home / "contracts/meal-orders")
    report = judged(repo, "contracts/bed-events", "contracts/meal-orders")
    assert results(report) == {
        "bed-events 1.0.0": ("failed", ["version-edited"]),
        "meal-orders 1.0.0": ("failed", ["version-removed"]),
    }
    assert report.notes == ()


def test_a_version_that_came_to_main_after_the_branch_began_is_not_missed(repo):
    repo.git("switch", "-q", "-c", "work")
    repo.git("switch", "-q", "main")
    repo.next("meal-orders", "1.1.0", ("maximum: 4", "maximum: 8"))
    repo.commit("A version on main")
    repo.git("switch", "-q", "work")
    repo.next("bed-events", "1.0.1")
    assert results(judged(repo)) == {**UNCHANGED, "bed-events 1.0.1": ("passed", [])}
    # Yet it is there to be relied on, whoever goes on from 1.0.0.
    repo.next("meal-orders", "1.2.0", ("maximum: 4", "maximum: 6"))
    one = next(one for one in judged(repo).contracts if one.label == "meal-orders 1.2.0")
    assert {str(each.base): str(each.verdict.outcome) for each in one.comparisons} == {
        "1.0.0": "compatible", "1.1.0": "breaking",
    }  # fmt: skip


def test_one_folder_of_many_is_compared_with_all_of_its_versions(repo):
    """The base is the whole commit, whatever part of the tree is judged."""
    repo.next("meal-orders", "1.1.0", ("maximum: 4", "maximum: 2"))
    report = judged(repo, "contracts/meal-orders/1.1.0")
    assert [(one.label, str(one.status)) for one in report.contracts] == [("meal-orders 1.1.0", "failed")]
    repo.git("checkout", "-q", "--", ".")


def test_two_folders_of_one_version_are_told_on_both(repo):
    shutil.copytree(repo.home / ORDERS_AT, repo.home / "contracts/copy")
    report = judged(repo)
    twice = [one.frozen[0].rule for one in report.contracts if one.frozen]
    assert (twice, report.exit_code) == (["version-twice", "version-twice"], 1)


def test_attributes_of_git_hide_nothing_from_the_gate(repo):
    """`git archive` would leave out what is marked export-ignore, and everything would pass as new."""
    repo.write(".gitattributes", "contracts export-ignore\n*.yaml text eol=crlf\n")
    repo.commit("Attributes")
    shutil.rmtree(repo.home / "contracts/bed-events")
    assert results(judged(repo))["bed-events 1.0.0"] == ("failed", ["version-removed"])


def test_an_unreadable_base_leaves_the_change_undecided(repo):
    repo.edit(f"{ORDERS_AT}/openapi.yaml", ("openapi: 3.1.0", "openapi: 3.1.0\nopenapi: 3.1.0"))
    repo.commit("A slip that reached main")
    repo.edit(f"{ORDERS_AT}/openapi.yaml", ("openapi: 3.1.0\nopenapi: 3.1.0", "openapi: 3.1.0"))
    repo.next("meal-orders", "1.1.0")
    report = judged(repo)
    assert results(report)["meal-orders 1.0.0"] == ("undecided", ["base-unreadable"])
    assert results(report)["meal-orders 1.1.0"] == ("undecided", [])
    assert report.exit_code == 3


def test_a_shallow_clone_is_told_what_to_fetch(repo, tmp_path):
    repo.next("bed-events", "1.0.1")
    repo.commit("More")
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "--depth=1", f"file://{repo.home}", str(clone)], check=True, timeout=60
    )
    first = repo.git("rev-parse", "HEAD~1").strip()
    with pytest.raises(BaseUnusable, match="shallow") as told, commit(first, clone):
        pass
    assert "fetch-depth: 0" in told.value.hint
    with commit("HEAD", clone) as base:  # what the clone does hold serves as ever
        report = run_gate(Question(clone, (clone / "contracts",), SETTINGS, Policy(DAY)), base)
    assert {str(one.status) for one in report.contracts} == {"unchanged"}


def test_an_unknown_commit_and_no_repository_are_told(repo, tmp_path):
    for reference in ("nowhere", "--output=x", "HEAD:contracts", "a\nb"):
        with pytest.raises(BaseUnusable, match="knows no commit"), commit(reference, repo.home):
            pass
    alone = tmp_path.parent / f"{tmp_path.name}-alone"
    alone.mkdir()
    with pytest.raises(BaseUnusable), commit("HEAD", alone):
        pass


def test_a_submodule_of_contracts_is_told(repo):
    other = Scratch(repo.home.parent / f"{repo.home.name}-other")
    repo.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.home), "contracts/theirs"
    )
    repo.commit("A submodule")
    with pytest.raises(BaseUnusable, match="submodule"), commit("HEAD", repo.home):
        pass


def test_half_a_contract_is_told_and_not_passed_over(repo):
    repo.write("contracts/new/1.0.0/openapi.yaml", ORDERS)
    repo.write("contracts/newer/1.0.0/meta.yaml", "name: newer\n")
    repo.write("contracts/both/1.0.0/meta.yaml", "name: both\n")
    repo.write("contracts/both/1.0.0/openapi.yaml", ORDERS)
    repo.write("contracts/both/1.0.0/asyncapi.yaml", BEDS)
    told = {one.document: one.error.what for one in judged(repo).contracts if one.error}
    assert {path: what.split(":")[0] for path, what in told.items()} == {
        "contracts/new/1.0.0/openapi.yaml": "there is no meta.yaml beside openapi.yaml (see docs/guide/ci.md)",
        "contracts/newer/1.0.0/meta.yaml": "there is no document beside meta.yaml",
        "contracts/both/1.0.0/openapi.yaml": (
            "one version has one document, and here lie openapi.yaml, asyncapi.yaml (see docs/guide/ci.md)"
        ),
    }


def test_the_home_of_contracts_is_the_repository(repo, tmp_path):
    assert home_of([repo.home / ORDERS_AT]) == repo.home.resolve()
    plain = tmp_path.parent / f"{tmp_path.name}-plain"
    folder = plain / "deep/contracts/x/1.0.0"
    folder.mkdir(parents=True)
    assert home_of([folder]) == (plain / "deep").resolve()
    (plain / "interlock.toml").write_text("")
    assert home_of([folder]) == plain.resolve()


class Absent(InterlockError):
    """The registry knows no such version."""

    status = 404


def states(known):
    def get(*path, **query):
        if path[2:3] != ("versions",) or f"{path[1]} {path[3]}" not in known:
            raise Absent("unknown")
        return {"state": known[f"{path[1]} {path[3]}"], "digest": "sha256:" + "0" * 64}

    return get


@pytest.mark.parametrize(("known", "edited", "removed"), [
    ({}, "failed", "failed"),  # it may be the wrong registry: what it does not know stays frozen
    ({"meal-orders 1.0.0": "in-review", "bed-events 1.0.0": "draft"}, "passed", None),
    ({"meal-orders 1.0.0": "frozen", "bed-events 1.0.0": "deprecated"}, "failed", "failed"),
    ({"meal-orders 1.0.0": "retired", "bed-events 1.0.0": "retired"}, "passed", None),
])  # fmt: skip
def test_where_a_registry_can_be_asked_it_says_what_is_frozen(repo, known, edited, removed):
    repo.edit(f"{ORDERS_AT}/openapi.yaml", ("maximum: 4", "maximum: 2"))
    shutil.rmtree(repo.home / "contracts/bed-events")
    whole = {"patient-ref 1.0.0": "frozen", **known}
    found = results(judged(repo, get=states(whole)))
    assert found["meal-orders 1.0.0"][0] == edited
    assert found.get("bed-events 1.0.0", (None,))[0] == removed


def test_a_registry_that_is_silent_frees_nothing(repo):
    def get(*path, **query):
        raise Down("away")

    repo.edit(f"{ORDERS_AT}/openapi.yaml", ("maximum: 4", "maximum: 2"))
    assert results(judged(repo, get=get))["meal-orders 1.0.0"] == ("failed", ["version-edited"])


class Down(InterlockError):
    """The registry is away."""

    status = 503


def test_a_version_that_the_registry_retired_is_no_base_any_more(repo):
    repo.next("meal-orders", "1.1.0", ("maximum: 4", "maximum: 8"))
    repo.commit("1.1.0")
    repo.next("meal-orders", "1.2.0", ("maximum: 4", "maximum: 6"))
    known = {"meal-orders 1.0.0": "frozen", "meal-orders 1.1.0": "retired"}
    report = judged(repo, "contracts/meal-orders/1.2.0", get=states(known))
    assert [str(one.base) for one in report.contracts[0].comparisons] == ["1.0.0"]


def test_the_number_of_a_retired_version_is_taken_for_ever(repo):
    text = (repo.home / f"{ORDERS_AT}/openapi.yaml").read_text()
    root = parse(text.encode(), name="openapi.yaml").root

    def get(*path, **query):
        if path[-1] == "document":
            return {"document": canonical_bytes(root).decode(), "media": "json"}
        if path[1] == "meal-orders" and len(path) == 3:
            return {"versions": [{"version": "1.0.0", "state": "retired", "digest": digest(root)}]}
        raise Absent("unknown")

    repo.edit(f"{ORDERS_AT}/openapi.yaml", ("maximum: 4", "maximum: 5"))
    question = Question(repo.home, (repo.home / ORDERS_AT,), SETTINGS, Policy(DAY))
    (one,) = run_gate(question, RegistryBase(get)).contracts
    assert (str(one.status), [finding.rule for finding in one.frozen], one.comparisons) == (
        "failed", ["version-edited"], (),
    )  # fmt: skip


def test_where_everything_is_gone_that_is_told(repo):
    shutil.rmtree(repo.home / "contracts")
    found = results(judged(repo))
    assert {result for result, _ in found.values()} == {"failed"}
    assert len(found) == 3


def test_a_linked_document_is_the_one_that_it_links_to(repo):
    (repo.home / f"{ORDERS_AT}/openapi.yaml").rename(repo.home / f"{ORDERS_AT}/whole.yaml")
    (repo.home / f"{ORDERS_AT}/openapi.yaml").symlink_to("whole.yaml")
    repo.commit("A link")
    assert results(judged(repo))["meal-orders 1.0.0"] == ("unchanged", [])
    repo.edit(f"{ORDERS_AT}/whole.yaml", ("maximum: 4", "maximum: 2"))
    assert results(judged(repo))["meal-orders 1.0.0"] == ("failed", ["version-edited"])


@pytest.mark.parametrize("toml", ["", '[contracts]\npaths = ["contracts"]\n'])
def test_contracts_in_odd_places_have_their_base_too(repo, toml):
    repo.write("interlock.toml", toml)
    (repo.home / ".hidden").mkdir()
    repo.git("mv", "contracts/meal-orders", ".hidden/meal-orders")
    repo.commit("Hidden")
    repo.edit(".hidden/meal-orders/1.0.0/openapi.yaml", ("maximum: 4", "maximum: 2"))
    assert results(judged(repo, ".hidden"))["meal-orders 1.0.0"] == ("failed", ["version-edited"])


def test_another_checkout_is_a_base_whose_versions_are_missed_too(repo, tmp_path):
    released = tmp_path.parent / f"{tmp_path.name}-released"
    shutil.copytree(repo.home / "contracts", released)
    question = Question(repo.home, (repo.home / "contracts",), SETTINGS, Policy(DAY))
    assert results(run_gate(question, FolderBase(released, "released"))) == UNCHANGED
    shutil.rmtree(repo.home / "contracts/bed-events")
    report = run_gate(question, FolderBase(released, "released"))
    assert results(report)["bed-events 1.0.0"] == ("failed", ["version-removed"])


def test_what_moved_away_is_compared_with_another_checkout_where_all_is_judged(repo, tmp_path):
    released = tmp_path.parent / f"{tmp_path.name}-released"
    shutil.copytree(repo.home / "contracts", released)
    moved(repo, ("address: ", "address: other/"))
    paths, base = (repo.home / "contracts",), FolderBase(released, "released")
    found = results(run_gate(Question(repo.home, paths, SETTINGS, Policy(DAY), scope=(repo.home,)), base))
    assert found["bed-events 1.0.0"] == ("failed", ["version-edited"])


def test_half_a_contract_is_told_where_interlock_toml_says_that_contracts_lie(repo):
    house = repo.home / "apis"
    repo.write("apis/new/1.0.0/openapi.yaml", ORDERS)
    report = judged(repo, "apis", "contracts", house=(house,))
    assert [one.document for one in report.contracts if one.error] == ["apis/new/1.0.0/openapi.yaml"]
