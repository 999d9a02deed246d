"""Benchmark of parallel runs: two runs side by side against one after the other on all threads.

    python -m benchmarks.side_by_side [PAIRS]

It also prints how many threads medcls gives to a small and to a large network on this machine.
"""

import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.workload import decoded, finish, job, variant
from medcls.execution.executors.local import LocalExecutor, available_cores
from medcls.execution.threads import threads_for
from medcls.spec.variant import Variant
from medcls.training.network import measure

EPOCHS = 4


def main(pairs: int) -> None:
    """Measure pairs of runs, and print the ratios of their wall times for a small and a large network."""
    cores = available_cores()
    executor = LocalExecutor(cores, cores)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name, chosen in (("small (base 8)", variant(8, EPOCHS)), ("large (base 32)", variant(32, 2))):
            decoded(work, chosen)
            cost = executor.ask(measure, chosen, (chosen.get("data.size"), chosen.get("data.size"), 1), 9)
            threads = threads_for(cost["operations"], chosen.get("learner.batch_size"), cores)
            ratios = [_ratio(executor, work, chosen, cores, 2 * pair) for pair in range(pairs)]
            print(
                f"{name}: {cost['operations'] / 1e6:.0f} million multiply-adds per image, runs on {threads} of "
                f"{cores} threads; one after the other on {cores} threads takes {median(ratios):.2f} times as "
                f"long as side by side ({min(ratios):.2f} to {max(ratios):.2f})"
            )
    executor.stop()


def _ratio(executor: LocalExecutor, work: Path, chosen: Variant, cores: int, seed: int) -> float:
    """Return the time of two runs, one after the other on all threads, divided by that of two on one thread each.

    Args:
        executor: carries out the runs.
        work: the work directory.
        chosen: the variant.
        cores: the number of threads of this machine.
        seed: of the first run.
    """
    together = finish(executor, [job(work, chosen, seed + number, threads=1) for number in (1000, 1001)])
    in_turn = finish(executor, [job(work, chosen, seed + number, threads=cores) for number in (0, 1)])
    return in_turn / together


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
