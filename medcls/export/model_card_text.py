"""What a model card says of a model that tells images apart, and of one that tells pixels apart."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from medcls.export.metadata import Facts, in_pillow

FEW = 30  # images, below which a score says little

Rows = list[list[str]]


@dataclass(frozen=True)
class Wording:
    """The sentences in which one kind of model differs from the other.

    Attributes:
        does: facts -> what it does, after "A network that".
        counts: facts, parts of the data -> rows of a table, a first word and a number of images for each part.
        scores: the name of a score -> what a person calls it, where that is not the name itself.
        before, after: facts -> lines of Python that read `images`, and that make something of the `answers` to them.
        command: what it is used by, in its folder.
        limits: facts -> what it cannot do.
    """

    does: Callable[[Facts], str]
    counts: Callable[[Facts, Sequence[str]], Rows]
    scores: Mapping[str, str]
    before: Callable[[Facts], list[str]]
    after: Callable[[Facts], list[str]]
    command: str
    limits: Callable[[Facts], list[str]]


def wording(facts: Facts) -> Wording:
    """Return how to speak of a model."""
    return OF_MASKS if facts.pixels else OF_CLASSES


def scored(facts: Facts) -> str:
    """Return the part of the data whose scores the card shows image by image or class by class."""
    return "test" if facts.best and facts.best["test"] else "validation"


def _tells_classes(facts: Facts) -> str:
    classes = facts.data["classes"]
    return f"tells {len(classes)} classes apart: {', '.join(classes)}"


def _by_class(facts: Facts, parts: Sequence[str]) -> Rows:
    return [
        *([name, *(str(facts.counts[part][name]) for part in parts)] for name in facts.data["classes"]),
        *_in_all(facts, parts),
    ]


def _in_all(facts: Facts, parts: Sequence[str]) -> Rows:
    return [["all", *(str(sum(facts.counts[part].values())) for part in parts)]]


def _reading(facts: Facts) -> list[str]:
    return ["from PIL import Image, ImageOps", "import numpy as np", *in_pillow(facts.shape)]


def _reading_with_its_size(facts: Facts) -> list[str]:
    opened, *others = in_pillow(facts.shape)
    return ["from PIL import Image, ImageOps", "import numpy as np", opened, "own_size = image.size", *others]


def _marking(facts: Facts) -> list[str]:  # noqa: ARG001
    return [
        "probabilities = Image.fromarray(np.asarray(answers)[0, ..., 0])",
        "probabilities = np.asarray(probabilities.resize(own_size, Image.Resampling.BILINEAR))",
        'Image.fromarray(np.where(probabilities > 0.5, 255, 0).astype("uint8")).save("mask.png")',
    ]


def _limits_of_classes(facts: Facts) -> list[str]:
    limits = [
        f"It always names one of its {len(facts.data['classes'])} classes, whatever the image shows.",
        "Images of another scanner, hospital or population than the training data's may be classified worse.",
        "Its probabilities are as training left them: 0.9 need not mean right in nine of ten cases; the expected "
        "calibration error above says how far they are off in the mean.",
    ]
    rare = [name for name, count in facts.counts[scored(facts)].items() if count < FEW]
    if rare:
        limits.append(f"Scored on fewer than {FEW} images each, so that little is known of: {', '.join(rare)}.")
    return limits


def _limits_of_masks(facts: Facts) -> list[str]:
    limits = [
        "It looks for one kind of thing and marks what resembles it, also in an image of something else.",
        "Images of another scanner, hospital or population than the training data's may be marked worse.",
        "The scores are means over images: look at the standard deviation and the worst image, too. Where nothing was "
        "found, or nothing was to be found, both distances count as the image's diagonal.",
        "Scores and distances are of images of the size that it takes, in its pixels.",
    ]
    count = sum(facts.counts[scored(facts)].values())
    if count < FEW:
        limits.append(f"Scored on {count} images only, so that little is known.")
    return limits


OF_CLASSES = Wording(
    does=_tells_classes,
    counts=_by_class,
    scores=MappingProxyType(
        {
            "auc": "AUC",
            "brier": "Brier score",
            "ece": "expected calibration error",
            "gap": "accuracy in training beyond that here",
            "macro_f1": "macro F1",
        }
    ),
    before=_reading,
    after=lambda facts: ["print(answers)"],  # noqa: ARG005
    command="medcls predict . image.png folder_of_images",
    limits=_limits_of_classes,
)
OF_MASKS = Wording(
    does=lambda facts: f"finds the {facts.data['classes'][0]} of an image, pixel by pixel",
    counts=_in_all,
    scores=MappingProxyType(
        {
            "dice": "Dice",
            "dice_own_size": "Dice at the images' own sizes",
            "dice_sd": "Dice, standard deviation over images",
            "dice_worst": "Dice of the worst image",
            "empty_in_both": "images without a target in which nothing was found",
            "empty_masks": "images without a target, which count in no Dice",
            "false_alarm_rate": "share of the images without a target in which something was found",
            "gap": "Dice in training beyond that here",
            "hausdorff95": "Hausdorff distance, 95th percentile, in pixels",
            "hausdorff95_sd": "Hausdorff distance, standard deviation",
            "iou": "IoU",
            "iou_own_size": "IoU at the images' own sizes",
            "iou_sd": "IoU, standard deviation",
            "precision_sd": "precision, standard deviation",
            "recall_sd": "recall, standard deviation",
            "surface_distance": "average symmetric surface distance, in pixels",
            "surface_distance_sd": "surface distance, standard deviation",
        }
    ),
    before=_reading_with_its_size,
    after=_marking,
    command="medcls predict . image.png folder_of_images --mask new_folder",
    limits=_limits_of_masks,
)
