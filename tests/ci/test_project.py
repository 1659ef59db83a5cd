"""interlock.toml: found upwards, read strictly; a wrong key is told with its line."""

from datetime import date
from pathlib import Path

import pytest

from ci.errors import ProjectInvalid, ProjectUnreadable
from ci.project import Project, find_project, project_of, read_project
from ci.project_lines import line_of
from registry.compat.policy_tables import Override

WHOLE = """\
# how we judge
[contracts]
paths = ["apis", "shared/schemas"]

[compat]
profile = "strict"
fail_on = "breaking"
as_of = 2026-11-26
notice_days = 90
waivers = ["waived.toml"]

[compat.severity]
parameter-removed = "breaking"
"oasdiff/response-property-became-optional" = "breaking"
server-changed = {severity = "safe", owner = "platform", reason = "addresses come from the bundle"}

[lint.severity]
operation-id-missing = "warning"

[interlock]
data = ".interlock"

[[waiver]]
fingerprint = "0123456789abcdef"
owner = "Ada Berg"
reason = "the only caller was changed"
expires = 2027-01-31
"""
WAIVED = """
[[waiver]]
fingerprint = "fedcba9876543210"
contract = "lab-orders"
owner = "Bo Lind"
reason = "agreed with the lab"
expires = "2027-02-01"
"""

FIRST = '[[waiver]]\nfingerprint = "0123456789abcdef"\nowner = "a"\nreason = "b"\nexpires = 2026-02-01\n'
TWO = FIRST + FIRST.replace('"b"', '"""\n\n"""')


def wrote(folder: Path, text: str) -> Path:
    file = folder / "interlock.toml"
    file.write_text(text)
    return file


def test_every_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "waived.toml").write_text(WAIVED)
    project = read_project(wrote(tmp_path, WHOLE))
    assert project.paths == (tmp_path / "apis", tmp_path / "shared/schemas")
    assert (project.compat.profile, project.compat.fail_on) == ("strict", "breaking")
    assert project.compat.as_of == date(2026, 11, 26)
    assert project.compat.notice_days == 90
    assert project.compat.severity["parameter-removed"] == "breaking"
    assert project.compat.severity["server-changed"] == Override(
        "safe", "platform", "addresses come from the bundle"
    )
    assert project.lint.severity == {"operation-id-missing": "warning"}
    assert [(one.fingerprint, one.contract, one.expires) for one in project.waivers] == [
        ("0123456789abcdef", None, date(2027, 1, 31)),
        ("fedcba9876543210", "lab-orders", date(2027, 2, 1)),
    ]
    assert [(Path(place.source).name, place.line) for place in project.places] == [
        ("interlock.toml", 23),
        ("waived.toml", 2),
    ]


def test_without_a_file_everything_is_default(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert project_of(tmp_path) == Project()
    assert Project().compat.profile == "standard"
    assert Project().houses == ()


def test_a_file_that_names_no_folder_means_contracts_else_everything(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "interlock.toml").write_text('[compat]\nprofile = "strict"\n')
    project = project_of(tmp_path)
    assert (project.paths, project.houses) == ((tmp_path,), ())
    (tmp_path / "contracts").mkdir()
    assert (project.paths, project.houses) == ((tmp_path / "contracts",), (tmp_path / "contracts",))


def test_it_is_found_upwards_within_the_repository(tmp_path: Path) -> None:
    file = wrote(tmp_path, "")
    below = tmp_path / "repo" / "contracts" / "a"
    below.mkdir(parents=True)
    assert find_project(below) == file.resolve()
    (below / "openapi.yaml").touch()
    assert find_project(below / "openapi.yaml") == file.resolve()
    (tmp_path / "repo" / ".git").mkdir()
    assert find_project(below) is None
    nearer = wrote(tmp_path / "repo", "")
    assert find_project(below) == nearer.resolve()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[contracts]\npath = []\n", 2, "`contracts.path`: there is no such key"),
        ("\n[contract]\n", 2, "`contract`: there is no such key"),
        ('[compat]\n\nprofile = "hard"\n', 3, "`compat.profile`: Invalid enum value 'hard'"),
        ('compat.notice_days = "90"\n', 1, "`compat.notice_days`: Expected `int`, got `str`"),
        ('[compat.severity]\na = "safe"\noperation-removd = "safe"\n', 2, "there is no such rule"),
        ('[compat.severity]\n"operation-removd" = "safe"\n', 2, "did you mean `operation-removed`?"),
        ('[compat.severity]\n"oasdiff/no-such" = "safe"\n', 2, "there is no such rule"),
        ('[compat.severity]\nserver-changed = "safe"\n', 2, "say who answers for that"),
        ('[compat.severity]\nengine-missing = "breaking"\n', 2, "fixed"),
        (
            '[compat.severity]\nserver-changed = {severity = "safe", owner = " ", reason = "x"}\n',
            2,
            "owner is empty",
        ),
        ('[[waiver]]\nfingerprint = "abc"\n', 2, "`waiver[0].fingerprint`: Expected `str` matching regex"),
        (
            '[[waiver]]\nfingerprint = "0123456789abcdef"\nowner = "a"\nreason = "b"\n',
            1,
            "missing required field `expires`",
        ),
        (TWO, 6, "`waiver[1]`: reason is empty"),
        ('[compat]\nwaivers = ["../../waived.toml"]\n', 2, "beside interlock.toml or below it"),
        ('[compat]\nwaivers = ["/etc/hosts"]\n', 2, "beside interlock.toml or below it"),
    ],
)
def test_what_is_wrong_is_told_with_line_and_key(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(ProjectInvalid) as caught:
        read_project(wrote(tmp_path, text))
    assert said in caught.value.message
    assert caught.value.place is not None
    assert caught.value.place.line == line
    assert caught.value.exit_code == 2


def test_what_is_no_toml_is_told_with_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(ProjectUnreadable) as caught:
        read_project(wrote(tmp_path, '[contracts]\npaths = ["a"\n\n[compat]\n'))
    assert caught.value.place is not None
    assert caught.value.place.line == 4
    (tmp_path / "interlock.toml").write_bytes(b"# \xff\n")
    with pytest.raises(ProjectUnreadable, match="not UTF-8"):
        read_project(tmp_path / "interlock.toml")
    with pytest.raises(ProjectUnreadable, match=r"no-such\.toml cannot be read"):
        read_project(wrote(tmp_path, '[compat]\nwaivers = ["no-such.toml"]\n'))
    with pytest.raises(ProjectUnreadable, match="more than"):
        read_project(wrote(tmp_path, "#" * 300_000))


def test_lines_are_found_behind_values_of_several_lines() -> None:
    text = (
        'a = """\n[b]\nc = 1\n"""\n[b]\nlist = [\n  1, # ]\n  2,\n]\n"d e" = 1\n[[x]]\n[[x]]\ny.z = {q = 1}\n'
    )
    assert line_of(text, ("a",)) == 1
    assert line_of(text, ("b",)) == 5
    assert line_of(text, ("b", "list", 1)) == 6
    assert line_of(text, ("b", "d e")) == 10
    assert line_of(text, ("x", 1)) == 12
    assert line_of(text, ("x", 1, "y", "z", "q")) == 13
    assert line_of(text, ("nothing",)) is None
