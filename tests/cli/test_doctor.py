"""`medcls doctor`: what it looks at, and what it says of what is ill."""

import shutil
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace

import pytest

from medcls.cli import machine_checks, main
from medcls.cli.machine_checks import Check, check_machine


def found(uri: str, work: Path) -> dict[str, Check]:
    return {check.name: check for check in check_machine(uri, work)}


@pytest.mark.slow
def test_a_machine_that_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    work = tmp_path / "deep" / "work"
    code = main.main(["doctor", "--tracking-uri", f"sqlite:///{tmp_path / 'm.db'}", "--work-dir", str(work)])
    lines = capsys.readouterr().out.splitlines()
    words = (
        "Python",
        "packages",
        "extra dicom",
        "extra onnx",
        "cores",
        "memory",
        "GPU",
        "store",
        "work directory",
        "data",
    )
    for word in words:
        assert any(line[5:].startswith(word) for line in lines), word
    failed = [line for line in lines if line.startswith("FAIL")]
    assert code == bool(failed)
    assert not any(line.startswith("FAIL packages") for line in lines), lines
    assert not list(tmp_path.iterdir())  # it only looks


def test_a_package_that_is_missing_or_of_another_version_is_named(monkeypatch: pytest.MonkeyPatch):
    asked = ["numpy>=99", "nothing-of-the-kind>=1", 'pydicom>=1; extra == "dicom"', 'tomli; python_version < "3"']
    monkeypatch.setattr(metadata, "requires", lambda _: asked)
    check = machine_checks._packages()
    assert not check.ok
    assert check.finding == f"numpy is {metadata.version('numpy')}, not >=99; nothing-of-the-kind is missing"
    assert "-c constraints.txt" in check.remedy


def test_a_store_that_does_not_answer_and_a_full_disk_are_ill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert not machine_checks._store("http://user:secret@127.0.0.1:9").ok
    assert "secret" not in machine_checks._store("http://user:secret@127.0.0.1:9").finding
    (tmp_path / "not.db").write_text("no database")
    assert not machine_checks._store(f"sqlite:///{tmp_path / 'not.db'}").ok
    assert machine_checks._store(f"sqlite:///{tmp_path / 'none.db'}").ok
    for free, ok in ((2**40, True), (2**30, False)):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: SimpleNamespace(free=free))
        assert machine_checks._work_directory(tmp_path / "a" / "b").ok == ok
