"""Tasks 4 and 5: the networks of the assignment to the parameter; variants that differ in augmentation alone."""

from typing import Any

import pytest

from medcls.spec.study import Study
from medcls.training.network import network
from studies import task4_augmentation_alexnet as task4
from studies import task5_augmentation_vgg as task5

MOVES = {"rotation": 10.0, "width_shift": 0.1, "height_shift": 0.1, "horizontal_flip": True}


@pytest.mark.parametrize(
    ("study", "variant", "channels", "parameters"),
    [
        (task4.STUDY, "grey, augmented", 1, 5_460_865),
        (task4.STUDY, "colour, plain", 3, 5_462_017),
        (task5.STUDY, "augmented", 1, 15_246_273),
    ],
)
def test_networks_are_those_of_the_assignment(study: Study, variant: str, channels: int, parameters: int) -> None:
    chosen = study.variants[variant]
    size = chosen.get("data.size")

    built = network(chosen.get("learner.model"), chosen.task, (size, size, chosen.get("data.channels")), 2)

    assert built.input_shape == (None, 128, 128, channels)
    assert built.count_params() == parameters
    dropouts = [layer.rate for layer in built.layers if type(layer).__name__ == "Dropout"]
    assert dropouts == [0.4, 0.4]


@pytest.mark.parametrize("study", [task4.STUDY, task5.STUDY])
def test_variants_differ_in_augmentation_and_channels_alone(study: Study) -> None:
    said: list[dict[str, Any]] = [variant.parameters() for variant in study.variants.values()]
    differing = {path for each in said for path, value in each.items() if any(o.get(path) != value for o in said)}

    assert {path for path in differing if not path.startswith("learner.augment")} <= {"data.channels"}
    for name, variant in study.variants.items():
        moves = {path.rpartition(".")[2]: value for path, value in variant.hashed().items() if "augment." in path}
        assert moves == (MOVES if "augmented" in name else {})
    assert len(study.seeds) >= 3


def test_task_5_sees_skin_and_bone() -> None:
    seen = [(variant.data.func.__name__, variant.get("data.size")) for _, variant in task5.STUDY.conditions]
    assert seen == [("skin", 128)] * 2 + [("bone", 128)] * 2
