"""The commands that the issue form asks for print JSON."""

import json
import re
from pathlib import Path

FORM = Path(__file__).parents[2] / ".github/ISSUE_TEMPLATE/gradient_is_called_wrong.yml"


def test_the_commands_of_the_issue_form_print_json(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("my_layer.py").write_text("from backprop.layers import ReLU as MyLayer\n", encoding="utf-8")
    commands = re.findall(r"`backprop ([^`]*)`", FORM.read_text(encoding="utf-8"))
    assert [command.split()[0] for command in commands] == ["check", "info"]
    for command in commands:
        ran = call(*command.split())
        assert ran.code == 0 and json.loads(ran.out)["command"] == command.split()[0], ran.err
