"""medcls: experiment-tracking studies for deep learning on medical images."""

import importlib
import os
from typing import TYPE_CHECKING, Any

from medcls.utils.version import __version__ as __version__

if TYPE_CHECKING:  # editors and mypy follow these; at run time a name is imported when it is first asked for
    from medcls.cli.study import main as main
    from medcls.execution.api import load as load
    from medcls.execution.api import run as run
    from medcls.report.results import results as results
    from medcls.spec import Search as Search
    from medcls.spec import Study as Study
    from medcls.spec import Variant as Variant
    from medcls.spec import grid as grid
    from medcls.utils.errors import BadInputError as BadInputError
    from medcls.utils.errors import TrainingError as TrainingError

__all__ = ["BadInputError", "Search", "Study", "TrainingError", "Variant", "grid", "load", "main", "results", "run"]

# TensorFlow's faster kernels, which by itself it uses only where the processor has AVX-512: on one with AVX2 they made
# a step of AlexNet and of ResNet 1.4 to 2 times as fast, with the same bits from run to run. It must be said before the
# first import of TensorFlow; whoever sets it to 0 has the last word.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def __getattr__(name: str) -> Any:
    """Import a name of the face when it is first asked for, so that nothing else waits for it."""
    homes = {
        "BadInputError": "medcls.utils.errors",
        "Search": "medcls.spec",
        "Study": "medcls.spec",
        "TrainingError": "medcls.utils.errors",
        "Variant": "medcls.spec",
        "grid": "medcls.spec",
        "load": "medcls.execution.api",
        "main": "medcls.cli.study",
        "results": "medcls.report.results",
        "run": "medcls.execution.api",
    }
    if name not in homes:
        raise AttributeError(f"module 'medcls' has no attribute {name!r}")
    return getattr(importlib.import_module(homes[name]), name)


def __dir__() -> list[str]:
    """Return the names of the package with those not imported yet, so that an interpreter completes them."""
    return sorted({*globals(), *__all__})
