"""`medcls schema`: a valid JSON schema, printed or written to a file."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from medcls.cli.main import main

DRAFT = "https://json-schema.org/draft/2020-12/schema"


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the schema that the command prints."""
    assert main(["schema"]) == 0
    schema: dict[str, Any] = json.loads(capsys.readouterr().out)
    return schema


def test_the_schema_is_valid_and_says_its_draft(printed: dict[str, Any]) -> None:
    assert printed["$schema"] == DRAFT
    jsonschema.Draft202012Validator.check_schema(printed)
    assert {"study", "question", "runs", "answers"} <= set(printed["required"])


@pytest.mark.parametrize("summary", [{}, [], {"study": 1}, "summary"])
def test_what_is_not_a_summary_does_not_fit_the_schema(printed: dict[str, Any], summary: object) -> None:
    assert not jsonschema.Draft202012Validator(printed).is_valid(summary)


def test_a_file_has_what_is_printed(printed: dict[str, Any], tmp_path: Path, capsys) -> None:
    path = tmp_path / "summary.schema.json"
    assert main(["schema", "--out", str(path)]) == 0
    assert json.loads(path.read_text()) == printed
    assert str(path) in capsys.readouterr().out


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, capsys) -> None:
    assert main(["schema", "--out", str(tmp_path / "nowhere" / "schema.json")]) == 2
    assert "--out" in capsys.readouterr().err


def test_help_does_not_import_pydantic() -> None:
    code = (
        "import sys, medcls.cli.main as c\ntry: c.main(['schema', '--help'])\nexcept SystemExit: pass\n"
        "print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "--out FILE" in done.stdout
    assert done.stdout.endswith("False\n")
