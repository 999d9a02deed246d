"""The weights of pretrained networks: chosen, downloaded, checked, and kept in the work directory."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from medcls.data.loading.sealed import is_sealed, is_sound, seal
from medcls.execution.planning.datasets import StudyData
from medcls.execution.planning.weights import kept
from medcls.models.backbones import imagenet_file
from medcls.spec.variant import Variant
from medcls.tracking.run_dir import saved_weights
from medcls.training.backbone import IMAGENET, MODEL, PATH, RANDOM, Origin, origin, write_pretrained
from medcls.utils.errors import BadInputError

VARIABLE = "MEDCLS_WEIGHTS"

Conditions = Sequence[tuple[str, Variant]]


def with_pretrained(
    conditions: Conditions, given: str | None, work: Path, *, few: bool
) -> tuple[list[tuple[str, Variant]], str | None]:
    """Return the variants with the pretrained weights that --weights, MEDCLS_WEIGHTS or the variants ask for.

    The weights of a file are named by the digest of their values.

    Args:
        conditions: the study's variants with their names.
        given: the value of --weights, None if it is not given.
        work: the work directory.
        few: whether random weights replace those of ImageNet if nobody asks for these and they are not downloaded
            (--smoke).

    Returns:
        The variants, and the value of --weights if no network of the study is pretrained, else None.

    Raises:
        BadInputError: no such file, or a damaged one.
    """
    if not any(PATH in variant.parameters() for _, variant in conditions):
        return list(conditions), given
    requested = given or os.environ.get(VARIABLE)
    changed = []
    for name, variant in conditions:
        if PATH not in variant.parameters():
            changed.append((name, variant))
            continue
        weights = requested or str(variant.get(PATH))
        if not requested and weights == IMAGENET and few and not _is_downloaded(variant, work):
            weights = RANDOM
        if weights not in (IMAGENET, RANDOM):
            weights = kept(weights, work)
        changed.append((name, variant.with_(PATH, weights)))
    return changed, None


def _is_downloaded(variant: Variant, work: Path) -> bool:
    size = int(variant.get("data.size"))
    network = origin(variant.get(MODEL), IMAGENET)
    return saved_weights(work, network.file((size, size))).exists() or _imagenet_file(network).exists()


def _imagenet_file(network: Origin) -> Path:
    return imagenet_file(network.backbone, network.alpha, network.layer)


def prepare(
    conditions: Conditions, sources: StudyData, work: Path, ask: Callable[..., Any], given: str | None
) -> Iterator[str]:
    """Check the pretrained weights and copy them into the work directory; yield a sentence for each random network.

    Args:
        conditions: the study's variants with their names.
        sources: the study's data sets.
        work: the work directory.
        ask: calls a function in a process that may use TensorFlow.
        given: the value of --weights, None if it is not given.

    Raises:
        BadInputError: weights that cannot be downloaded, or that belong to another network.
    """
    done: set[Path] = set()
    for name, variant in conditions:
        if PATH not in variant.parameters():
            continue
        bundle = sources.of(variant).bundle
        network = origin(variant.get(MODEL), str(variant.get(PATH)))
        path = saved_weights(work, network.file(bundle.shape))
        if path.exists() and not is_sealed(path):
            seal(path, path)
        if not is_sound(path):
            if path.exists():
                yield f"The weights {path} are damaged and will be created again."
            copy = saved_weights(work, network.pretrained)
            complaint = ask(write_pretrained, variant, bundle.shape, len(bundle.classes), path, copy)
            if complaint:
                original = given or os.environ.get(VARIABLE) or str(copy)
                raise BadInputError(_sentence(complaint.replace(str(copy), original), name, network))
            seal(path, path)
        if network.pretrained == RANDOM and path not in done:
            yield f"The {network.backbone} of {name} has random weights; it is not pretrained on ImageNet."
        done.add(path)


def _sentence(complaint: str, name: str, network: Origin) -> str:
    """Return what is wrong with the weights of a variant's network, and what to do."""
    if network.pretrained == RANDOM:
        return f"The network of {name} cannot be built: {complaint}"
    if network.pretrained != IMAGENET:
        remedy = f"Give weights of {network.backbone}, or choose other variants with --only."
        return f"The weights of {name}: {complaint} {remedy}"
    file = _imagenet_file(network)
    return (
        f"The ImageNet weights of {network.backbone} could not be downloaded ({complaint}): put the file {file.name} "
        f"into {file.parent}, name a file of weights with --weights FILE, or use --weights random."
    )
