"""Features of a borrowed network that were being computed when everything was killed."""

from pathlib import Path

import crash_outcomes as outcomes
import pytest
from crash_commands import Command, until

from medcls.training.feature_cache import BATCH

FLAGS = ("--weights", "random", "--offline", "--threads", "1")
BATCH_BYTES = BATCH * 512 * 4  # VGG16 ends in 512 maps, which are averaged


def sizes(command: Command, pattern: str) -> list[int]:
    return [path.stat().st_size for path in command.work.glob(f"cache/features/*.{pattern}")]


@pytest.mark.slow
def test_they_go_on_where_they_were_and_the_run_has_the_same_bits(images: Path, tmp_path: Path):
    undisturbed, killed = (Command("tiny_borrowed", images, tmp_path / name, FLAGS) for name in ("whole", "killed"))
    assert undisturbed.run().code == 0
    running = killed.start()
    assert until(lambda: max(sizes(killed, "unfinished"), default=0) > 2 * BATCH_BYTES)
    running.kill()
    assert running.leaves_nothing()
    (part,) = killed.work.glob("cache/features/*.unfinished")
    held, file = part.read_bytes(), part.stat().st_ino
    assert len(held) < sizes(undisturbed, "npy")[0]
    assert killed.run().code == 0
    (whole,) = killed.work.glob("cache/features/*.npy")
    (other,) = undisturbed.work.glob("cache/features/*.npy")
    assert whole.read_bytes() == other.read_bytes()
    assert whole.stat().st_ino == file  # not another one, computed anew
    assert whole.read_bytes()[: 2 * BATCH_BYTES] == held[: 2 * BATCH_BYTES]
    assert outcomes.summary(killed) == outcomes.summary(undisturbed)
