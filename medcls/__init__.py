"""medcls: experiment-tracking studies for deep learning on medical images."""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from medcls.notebook import load as load
    from medcls.notebook import run as run
    from medcls.spec import Variant as Variant
    from medcls.study import Study as Study

__all__ = ["Study", "Variant", "load", "run"]
__version__ = "0.1.0"

# TensorFlow's faster kernels, which by itself it uses only where the processor has AVX-512: on one with AVX2 they made
# a step of AlexNet and of ResNet 1.4 to 2 times as fast, with the same bits from run to run. It must be said before the
# first import of TensorFlow; whoever sets it to 0 has the last word.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def __getattr__(name: str) -> Any:
    """Import what a notebook asks for when it does, so that nothing else waits for it."""
    places = {"Study": "medcls.study", "Variant": "medcls.spec", "load": "medcls.notebook", "run": "medcls.notebook"}
    if name not in places:
        raise AttributeError(f"module 'medcls' has no attribute {name!r}")
    return getattr(importlib.import_module(places[name]), name)
