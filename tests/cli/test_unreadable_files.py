"""A file that is not there has one code, whichever command was to read it."""

import pytest

from cli.main import main


@pytest.mark.parametrize("command", [["diff", "{}", "{}"], ["check", "{}"], ["proxy", "run", "{}", "--mock"]])
def test_a_file_that_is_not_there_is_told_alike(command, tmp_path, capsys):
    missing = str(tmp_path / "nowhere.yaml")
    with pytest.raises(SystemExit) as ended:
        main([word.format(missing) for word in command])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("error[document-unreadable]")
    assert missing in said
