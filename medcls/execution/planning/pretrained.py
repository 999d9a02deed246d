"""Whose weights the borrowed networks of a study have: chosen, fetched, checked, and laid into the work folder."""

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
    """Return the variants with the borrowed weights that --weights, the environment or they themselves ask for.

    A file's weights are known by the digest of what is in them. What --weights says is returned too, unless it was
    for borrowed networks. With `few` images (--smoke), random weights stand in for ImageNet's where these are neither
    there nor asked for.

    Raises:
        BadInputError: no such file, or a damaged one.
    """
    if not any(PATH in variant.parameters() for _, variant in conditions):
        return list(conditions), given

    def chosen(variant: Variant) -> Variant:
        if PATH not in variant.parameters():
            return variant
        asked = given or os.environ.get(VARIABLE)
        wanted = asked or str(variant.get(PATH))
        if not asked and wanted == IMAGENET and few and not _at_hand(variant, work):
            wanted = RANDOM
        return variant.with_(PATH, wanted if wanted in (IMAGENET, RANDOM) else kept(wanted, work))

    return [(name, chosen(variant)) for name, variant in conditions], None


def _at_hand(variant: Variant, work: Path) -> bool:
    size = int(variant.get("data.size"))
    found = origin(variant.get(MODEL), IMAGENET)
    return saved_weights(work, found.file((size, size))).exists() or _imagenet_file(found).exists()


def _imagenet_file(found: Origin) -> Path:
    return imagenet_file(found.backbone, found.alpha, found.layer)


def prepare(
    conditions: Conditions, sources: StudyData, work: Path, ask: Callable[..., Any], given: str | None
) -> Iterator[str]:
    """Lay the borrowed weights into the work folder, checked; yield a sentence for each network that has random ones.

    Args:
        conditions: the study's variants with their names.
        sources: its data sets.
        work: the work folder.
        ask: calls a function in a process that may use TensorFlow.
        given: what --weights says.

    Raises:
        BadInputError: they cannot be fetched, or are of another network.
    """
    done = set()
    for name, variant in conditions:
        if PATH not in variant.parameters():
            continue
        bundle = sources.of(variant).bundle
        found = origin(variant.get(MODEL), str(variant.get(PATH)))
        path = saved_weights(work, found.file(bundle.shape))
        if path.exists() and not is_sealed(path):
            seal(path, path)
        if not is_sound(path):
            if path.exists():
                yield f"The weights {path} are damaged: they are made again."
            copy = saved_weights(work, found.pretrained)
            complaint = ask(write_pretrained, variant, bundle.shape, len(bundle.classes), path, copy)
            if complaint:
                original = given or os.environ.get(VARIABLE) or str(copy)
                raise BadInputError(_told(complaint.replace(str(copy), original), name, found))
            seal(path, path)
        if found.pretrained == RANDOM and path not in done:
            yield f"The {found.backbone} of {name} has random weights: its features have learnt nothing from ImageNet."
        done.add(path)


def _told(complaint: str, name: str, found: Origin) -> str:
    if found.pretrained == RANDOM:
        return f"The network of {name} cannot be built: {complaint}"
    if found.pretrained != IMAGENET:
        return f"The weights of {name}: {complaint} Give {found.backbone}'s, or choose other variants with --only."
    file = _imagenet_file(found)
    return (
        f"The ImageNet weights of {found.backbone} could not be had ({complaint}): put the file {file.name} into "
        f"{file.parent}, name a file of them with --weights FILE, or say --weights random."
    )
