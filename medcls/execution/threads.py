"""How many threads a run gets: a small network uses a second thread badly, a large one well."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from medcls.utils.errors import TrainingError
from medcls.utils.files import read_json, write_json
from medcls.utils.records import is_count, is_shaped

STEP_WORK = 1_000_000_000
"""Multiply-adds of a forward batch that keep one more thread busy: between the AlexNets of base 8 (0.2e9, better
side by side) and base 32 (3e9, better one after the other on all threads), both measured at batch size 8."""


def threads_for(operations: int, batch_size: int, cores: int) -> int:
    """Return the threads of a run from its network's multiply-adds an image, its batch size and the cores.

    A divisor of the cores, so that runs of one kind fill the machine.
    """
    wanted = operations * batch_size / STEP_WORK
    return max(threads for threads in range(1, cores + 1) if cores % threads == 0 and threads <= max(1.0, wanted))


class Placement:
    """Threads of runs on this machine; networks are measured once and remembered in `memory`.

    Args:
        cores: how many threads may be at work in all.
        fixed: the user's own number of threads, if any.
        memory: a JSON file of multiply-adds by network.
        measure: (run, its data source) -> {"operations": ...}, by building the network; raises TrainingError.
    """

    def __init__(
        self, cores: int, fixed: int | None, memory: Path, measure: Callable[[Any, Any], dict[str, int]]
    ) -> None:
        self._cores, self._fixed, self._memory, self._measure = cores, fixed, memory, measure
        self._known: dict[str, dict[str, int]] = _remembered(memory)
        self._failed: set[str] = set()

    def threads(self, run: Any, source: Any) -> int:
        """Return how many threads the run gets: one where no network can be built, as the run itself will say."""
        if self._fixed is not None or self._cores == 1:
            return self._fixed or 1
        parameters = run.variant.parameters()
        network = {
            path: value for path, value in parameters.items() if path.startswith(("learner.model", "data.", "task"))
        }
        name = repr(sorted((path, value) for path, value in network.items() if path != "data.source"))
        if name in self._failed or not self._measured(name, run, source):
            return 1
        batch_size = int(parameters.get("learner.batch_size") or 1)
        return threads_for(self._known[name]["operations"], batch_size, self._cores)

    def _measured(self, name: str, run: Any, source: Any) -> bool:
        """Tell whether the network is known by now; what could not be built is not tried again for every run."""
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
    """Return the networks in a file that are known; others are measured again."""
    known = read_json(memory)
    if not isinstance(known, dict):
        return {}
    return {name: network for name, network in known.items() if is_shaped(network, {"operations": is_count})}
