"""How many threads a run gets, and that a network is built once to tell."""

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from medcls import TrainingError, Variant, data, models, training
from medcls.execution.threads import STEP_WORK, Placement, threads_for
from medcls.spec.run import Run
from medcls.tasks import MULTICLASS

VARIANT = Variant(
    partial(data.xray), partial(training.gradient, model=partial(models.resnet, depth=8), batch_size=8), MULTICLASS
)
SOURCE = SimpleNamespace(name="xray")


def run(seed: int, variant: Variant = VARIANT) -> Run:
    return Run(variant, "sha256:0", seed=seed)


@given(operations=st.integers(0, 10**11), batch_size=st.integers(1, 512), cores=st.integers(1, 64))
def test_threads_divide_the_cores_and_grow_with_the_work(operations: int, batch_size: int, cores: int):
    threads = threads_for(operations, batch_size, cores)
    assert cores % threads == 0
    assert threads <= threads_for(2 * operations, batch_size, cores)
    assert threads <= max(1, operations * batch_size / STEP_WORK)


def test_a_network_is_built_once_and_remembered(tmp_path: Path):
    asked: list[Any] = []

    def measure(run: Any, source: Any) -> dict[str, int]:
        asked.append(run)
        return {"operations": STEP_WORK // 2}

    for _ in range(2):  # two commands
        placement = Placement(4, None, tmp_path / "cache" / "networks.json", measure)
        assert [placement.threads(run(seed), SOURCE) for seed in range(5)] == [4] * 5
    assert len(asked) == 1
    wider = VARIANT.with_("learner.model.base", 64)
    assert placement.threads(run(0, wider), SOURCE) == 4
    assert len(asked) == 2


def test_a_network_that_cannot_be_built_is_tried_once(tmp_path: Path):
    asked: list[Any] = []

    def measure(run: Any, source: Any) -> dict[str, int]:
        asked.append(run)
        raise TrainingError("measure: ValueError: no such network")

    placement = Placement(4, None, tmp_path / "networks.json", measure)
    assert [placement.threads(run(seed), SOURCE) for seed in range(5)] == [1] * 5
    assert len(asked) == 1
    assert not (tmp_path / "networks.json").exists()


def test_the_users_own_number_needs_no_network(tmp_path: Path):
    def measure(run: Any, source: Any) -> dict[str, int]:
        raise AssertionError

    assert Placement(4, 3, tmp_path / "networks.json", measure).threads(run(0), SOURCE) == 3
    assert Placement(1, None, tmp_path / "networks.json", measure).threads(run(0), SOURCE) == 1
