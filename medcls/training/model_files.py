"""The network in a run directory: all of it, or its head alone where the pretrained body is unchanged.

A work directory has the weights of pretrained bodies once for all runs, as they may be large: VGG19 up to its first
dense layer takes half a gigabyte, a head on it 16 kilobytes.
"""

import json
from pathlib import Path

from medcls.tracking.run_dir import RunDir
from medcls.training.backbone import begin_body, halves
from medcls.training.network import bare, save
from medcls.utils.errors import BadInputError
from medcls.utils.files import read_json, write_atomically, write_json
from medcls.utils.lazy import keras
from medcls.utils.tensors import KerasModel


def keep(network: KerasModel, body: str, folder: RunDir) -> None:
    """Write a network into a run directory.

    Args:
        network: from images to predictions.
        body: the name in the work directory of the weights that the network's pretrained body still has; "" if it has
            no such body.
        folder: the run directory.
    """
    if not body:
        save(network, folder.model)
        return
    write_atomically(_head(folder), lambda file: halves(network).head.save_weights(file.name))
    write_json(_description(folder), {"body": body, "network": json.loads(bare(network).to_json())})


def file(folder: RunDir) -> Path | None:
    """Return the file that holds the run's network or describes it; None where there is no network."""
    if folder.model.exists():
        return folder.model
    if _description(folder).exists() and _head(folder).exists():
        return _description(folder)
    return None


def put_together(folder: RunDir) -> KerasModel:
    """Return the network whose head is in the run directory and whose body's weights are in the work directory.

    Raises:
        BadInputError: the work directory no longer has the body's weights, or a file is damaged.
    """
    description = read_json(_description(folder)) or {}
    try:
        network = keras.models.model_from_json(json.dumps(description["network"]))
        parts = halves(network)
        begin_body(parts.body, folder.saved_weights(description["body"]))
        parts.head.load_weights(_head(folder))
    except BadInputError:
        raise
    except Exception as error:  # a damaged file makes Keras raise anything
        raise BadInputError(
            f"The network in {folder.path} is damaged: remove {_description(folder).name} and run the study again."
        ) from error
    return network


def _description(folder: RunDir) -> Path:
    return folder.path / "borrowed.json"


def _head(folder: RunDir) -> Path:
    return folder.path / "head.weights.h5"
