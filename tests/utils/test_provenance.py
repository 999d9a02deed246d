"""The user's code: its commit where the study's file is in a repository, its changes, and never a password."""

import os
import subprocess
from pathlib import Path

import pytest

from medcls.utils.provenance import UserCode, user_code

ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
PERSON = ("-c", "user.name=somebody", "-c", "user.email=somebody@example.org")


def git(folder: Path, *words: str) -> str:
    command = ["git", *PERSON, *words]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **ALONE}, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a study's file in a repository of its own, committed."""
    folder = tmp_path / "project" / "studies"
    folder.mkdir(parents=True)
    file = folder / "mine.py"
    file.write_text("EPOCHS = 3\n")
    git(folder, "init", "-q")
    git(folder, "add", "mine.py")
    git(folder, "commit", "-q", "-m", "begin")
    return file


def test_a_committed_study_has_its_commit_and_no_changes(study: Path) -> None:
    commit = git(study.parent, "rev-parse", "HEAD")
    assert user_code(study, keep=True) == UserCode(study, "EPOCHS = 3\n", commit, is_dirty=False, diff="")


def test_changes_are_kept_without_passwords_unless_they_are_not_wanted(study: Path) -> None:
    helper = study.with_name("helper.py")
    helper.write_text("SIZE = 1\n")
    git(study.parent, "add", "helper.py")
    git(study.parent, "commit", "-q", "-m", "help")
    helper.write_text("SIZE = 2\nSTORE = 'postgresql://me:hidden-word@host/db'\nAPI_KEY = 'hidden-word'\n")
    study.write_text("EPOCHS = 3\nTOKEN = 'hidden-word'\n")
    code = user_code(study, keep=True)
    assert code.is_dirty
    assert "-SIZE = 1\n+SIZE = 2\n" in code.diff
    assert "EPOCHS = 3" in code.text
    assert "postgresql://host/db" in code.diff
    assert "hidden-word" not in code.text + code.diff

    bare = user_code(study, keep=False)
    assert (bare.text, bare.diff) == ("", "")
    assert (bare.commit, bare.is_dirty) == (code.commit, True)


def test_a_study_that_was_never_committed_is_a_change(study: Path) -> None:
    other = study.with_name("other.py")
    other.write_text("EPOCHS = 4\n")
    assert not user_code(study, keep=True).is_dirty
    code = user_code(other, keep=True)
    assert (code.text, code.is_dirty) == ("EPOCHS = 4\n", True)


def test_a_study_outside_git_or_ignored_by_it_has_no_commit(study: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("EPOCHS = 5\n")
    assert user_code(outside, keep=True) == UserCode(outside, "EPOCHS = 5\n")
    study.with_name(".gitignore").write_text("environment/\n")
    installed = study.parent / "environment" / "lib" / "theirs.py"
    installed.parent.mkdir(parents=True)
    installed.write_text("EPOCHS = 6\n")
    assert user_code(installed, keep=True).commit is None


def test_very_long_changes_are_cut_off_and_foreign_letters_do_no_harm(study: Path) -> None:
    study.write_bytes(b"NAME = 'J\xf6rg'\n" + b"# a line\n" * 200_000)
    code = user_code(study, keep=True)
    assert "J\ufffdrg" in code.diff
    assert len(code.diff) < 1_001_000
    assert code.diff.endswith("characters)\n")
