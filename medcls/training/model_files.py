"""What a run's folder keeps of its network: all of it, or the head alone where the body is borrowed and unchanged.

A work folder has the weights of borrowed bodies once for all runs, and they may be large: VGG19 up to its first dense
layer takes half a gigabyte, a head on it 16 kilobytes.
"""

import json
from pathlib import Path
from typing import Any

from medcls.tracking.run_dir import RunDir
from medcls.training.backbone import begin_body, halves
from medcls.training.network import bare, save
from medcls.utils.errors import BadInputError
from medcls.utils.files import read_json, write_atomically, write_json
from medcls.utils.lazy import keras


def keep(network: Any, body: str, folder: RunDir) -> None:
    """Write a network into a run's folder.

    Args:
        network: from images to predictions.
        body: what the work folder calls the weights that the network's borrowed body still has; "" if none has.
        folder: the run's.
    """
    if not body:
        save(network, folder.model)
        return
    write_atomically(_head(folder), lambda file: halves(network).head.save_weights(file.name))
    write_json(_borrowed(folder), {"body": body, "network": json.loads(bare(network).to_json())})


def file(folder: RunDir) -> Path | None:
    """Return the file that holds the run's network or says how it is put together; None where there is no network."""
    if folder.model.exists():
        return folder.model
    return _borrowed(folder) if _borrowed(folder).exists() and _head(folder).exists() else None


def put_together(folder: RunDir) -> Any:
    """Return the network of which the folder has the head alone.

    Raises:
        BadInputError: the work folder has its body's weights no more, or a file is damaged.
    """
    told = read_json(_borrowed(folder)) or {}
    try:
        network = keras.models.model_from_json(json.dumps(told["network"]))
        parts = halves(network)
        begin_body(parts.body, folder.saved_weights(told["body"]))
        parts.head.load_weights(_head(folder))
    except BadInputError:
        raise
    except Exception as error:  # a damaged file makes Keras raise anything
        raise BadInputError(
            f"The network in {folder.path} is damaged: remove {_borrowed(folder).name} and run the study again."
        ) from error
    return network


def _borrowed(folder: RunDir) -> Path:
    return folder.path / "borrowed.json"


def _head(folder: RunDir) -> Path:
    return folder.path / "head.weights.h5"
