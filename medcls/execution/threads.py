"""Chooses the number of threads of a run: a small network makes little use of a second thread, a large one does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from medcls.utils.errors import TrainingError
from medcls.utils.files import read_json, write_json
from medcls.utils.records import is_count, is_shaped

STEP_WORK = 1_000_000_000
"""The multiply-adds of a forward batch that keep one more thread busy.

Measured at batch size 8, AlexNets of base 8 (0.2e9) train faster side by side, and AlexNets of base 32 (3e9) one after
the other on all threads; the number lies in between.
"""


def threads_for(operations: int, batch_size: int, cores: int) -> int:
    """Return the number of threads of a run, a divisor of the cores, so that equal runs fill the machine.

    Args:
        operations: the multiply-adds of the network for one image.
        batch_size: of the training.
        cores: of the machine.
    """
    wanted = operations * batch_size / STEP_WORK
    most = 1
    for threads in range(2, cores + 1):
        if cores % threads == 0 and threads <= wanted:
            most = threads
    return most


class Placement:
    """Chooses the number of threads of runs; each network is measured once and remembered in a file.

    Args:
        cores: the largest number of threads at work at the same time.
        fixed: the number of threads that the user asked for, None to choose it.
        memory: the JSON file with the multiply-adds of each network.
        measure: (run, its data set) -> {"operations": ...}, by building the network; raises TrainingError.
    """

    def __init__(
        self, cores: int, fixed: int | None, memory: Path, measure: Callable[[Any, Any], dict[str, int]]
    ) -> None:
        self._cores, self._fixed, self._memory, self._measure = cores, fixed, memory, measure
        self._known: dict[str, dict[str, int]] = _remembered(memory)
        self._failed: set[str] = set()

    def threads(self, run: Any, source: Any) -> int:
        """Return the number of threads of a run; 1 where its network cannot be built, which the run itself reports."""
        if self._fixed is not None or self._cores == 1:
            return self._fixed or 1
        parameters = run.variant.parameters()
        network = []
        for path, value in parameters.items():
            if path.startswith(("learner.model", "data.", "task")) and path != "data.source":
                network.append((path, value))
        name = repr(sorted(network))
        if name in self._failed or not self._measured(name, run, source):
            return 1
        batch_size = int(parameters.get("learner.batch_size") or 1)
        return threads_for(self._known[name]["operations"], batch_size, self._cores)

    def _measured(self, name: str, run: Any, source: Any) -> bool:
        """Measure a network unless it is known; return whether it is known then.

        Args:
            name: of the network in the file.
            run: that has the network.
            source: the run's data set.
        """
        if name not in self._known:
            try:
                self._known[name] = self._measure(run, source)
            except TrainingError:
                self._failed.add(name)
                return False
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._memory, self._known)
        return True


def _remembered(memory: Path) -> dict[str, dict[str, int]]:
    """Return the networks in a file, without those whose entry is damaged: they are measured again."""
    record = read_json(memory)
    networks: dict[str, dict[str, int]] = {}
    for name, network in record.items() if isinstance(record, dict) else ():
        if is_shaped(network, {"operations": is_count}):
            networks[name] = network
    return networks
