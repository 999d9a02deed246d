"""What a command that was killed left half-written beside the runs' folders goes with the next command."""

import subprocess
import sys


def test_half_written_files_of_a_dead_command_go_and_nothing_else(finished):
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        pass
    (study,) = (finished.work / "studies").iterdir()
    (finished.work / "weights").mkdir(exist_ok=True)
    folders = [finished.work, finished.work / "cache", finished.work / "weights", study]
    before = {path for folder in folders for path in folder.iterdir()}
    halves = [folder / f".{dead.pid}.half" for folder in folders]
    for half in halves:
        half.write_text("half")
    assert finished.run(finished.TINY, "--plan", "--data", finished.images).code == 0
    assert all(half.exists() for half in halves)  # who only looks changes nothing
    assert finished.run(finished.TINY, "--data", finished.images, "--offline").code == 0
    finished.check_clean()
    assert before <= {path for folder in folders for path in folder.iterdir()}
