"""The time left that a study shows while it works: epochs that were there before say nothing of how fast it is."""

import pytest

from medcls.utils import console
from medcls.utils.console import Line, Screen

WATCHED = '''
from medcls.utils.console import Screen

shown = Screen.show
def show(self, lines, done, at_hand, total):
    """Tell what is shown."""
    print("SHOWN", done, at_hand, total)
    shown(self, lines, done, at_hand, total)
Screen.show = show

if __name__'''


@pytest.mark.parametrize(
    ("epochs", "done", "at_hand", "total", "said"),
    [
        ((10, 10), 0, 0.4, 2, "50 min left"),  # 4 epochs of 40 in 200 s, 60 to come
        ((10, 10), 0, 0.0, 2, "10 min left"),  # 20 epochs in 200 s
        ((10, 10), 3, 3.4, 5, "50 min left"),  # three runs that were there change nothing
        ((9, 8), 0, 0.4, 2, ""),  # too little to tell
        ((20,), 1, 0.0, 2, "67 s left"),  # 60 epochs in 200 s, 20 to come
    ],
)
def test_the_time_left_is_told_from_the_epochs_trained_here(monkeypatch, capsys, epochs, done, at_hand, total, said):
    now = [1000.0]
    monkeypatch.setattr(console.time, "monotonic", lambda: now[0])
    with Screen() as shown:
        now[0] += 200
        shown.show([Line(f"seed {place}", epoch, 40, "") for place, epoch in enumerate(epochs)], done, at_hand, total)
    out = capsys.readouterr().out
    assert f"{done} of {total} runs{', ' + said if said else ''};" in out


def test_epochs_that_a_longer_run_shares_are_at_hand(finished, tmp_path):
    study = tmp_path / "other" / finished.TINY.name
    study.parent.mkdir()
    study.write_text(finished.TINY.read_text().replace("\nif __name__", WATCHED))
    ended = finished.run(study, "--data", finished.images, "--offline", "--set", "learner.epochs=8", "--seeds", "0,1,2")
    assert ended.code == 0, ended.err
    told = [line.split()[1:] for line in ended.out.splitlines() if line.startswith("SHOWN")]
    assert told[-1] == ["6", "1.0", "6"]  # 2 epochs of 8 of four runs; seed 2 is new
