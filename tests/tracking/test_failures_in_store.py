"""What went wrong, as the store shows it."""

from pathlib import Path

import pytest
from tracking_stores import Command, content


@pytest.mark.slow
def test_a_failed_run_is_shown_with_its_traceback(pictures: Path, tmp_path: Path) -> None:
    command = Command("tracked_variants", pictures, tmp_path)
    code, _ = command.run()

    nodes = {node["name"]: node for node in content(command.store).values()}
    statuses = {name: node["status"] for name, node in nodes.items()}
    assert code == 1
    assert statuses == {
        "tracked_variants on pictures0": "FAILED",
        "sound · best": "FINISHED",
        "sound · seed 0": "FINISHED",
        "diverging": "FAILED",
        "diverging · seed 0": "FAILED",
    }
    assert "diverged" in nodes["diverging · seed 0"]["tags"]["medcls.error"]
    (trace,) = tmp_path.glob("mlruns/*/*/artifacts/traceback.txt")
    assert "Traceback (most recent call last)" in trace.read_text()
    first, last = nodes["sound · seed 0"]["times"], nodes["diverging · seed 0"]["times"]
    assert last[0] >= first[1]  # it waited for the only worker: that is not its own time
