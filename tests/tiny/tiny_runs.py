"""Single runs of a small network, one of which kills itself: python tests/tiny/tiny_runs.py --data FOLDER."""

import os
import signal
from typing import Any

from tiny_search import BASE

from medcls import Study, main


def deadly(images: Any) -> Any:
    """Kill the process that builds the network, as one out of memory is killed."""
    os.kill(os.getpid(), signal.SIGKILL)
    return images


STUDY = Study(
    name="tiny_runs",
    question="Does a run that is killed end as one that is not?",
    variants={"small": BASE, "deadly": BASE.with_("learner.model", deadly)},
)

if __name__ == "__main__":
    main(STUDY)
