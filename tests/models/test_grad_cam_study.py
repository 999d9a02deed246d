"""Task 8: the network of the assignment to the parameter, two learning rates, femurs with letters and without."""

import keras

from medcls.training.network import network
from studies.task8_grad_cam import STUDY


def test_the_network_is_that_of_the_assignment() -> None:
    variant = STUDY.variants["1e-5"]
    built = network(variant.get("learner.model"), variant.task, (128, 128, 1), 2)

    assert built.count_params() == 304_474
    assert built.layers[-1].units == 2
    assert [layer.rate for layer in built.layers if isinstance(layer, keras.layers.Dropout)] == [0.4, 0.4, 0.4]
    assert built.get_layer("Last_ConvLayer").output.shape == (None, 8, 8, 64)


def test_variants_differ_in_the_learning_rate_alone() -> None:
    rates = {name: variant.get("learner.optimizer.learning_rate") for name, variant in STUDY.variants.items()}
    assert rates == {"1e-5": 1e-5, "1e-3": 1e-3}
    said = [variant.parameters() for variant in STUDY.variants.values()]
    assert [path for path in said[0] if said[0][path] != said[1][path]] == ["learner.optimizer.learning_rate"]
    assert (said[0]["learner.batch_size"], said[0]["learner.epochs"], said[0]["task"]) == (8, 80, "multiclass")
    moves = {path: value for path, value in STUDY.variants["1e-5"].hashed().items() if "augment." in path}
    assert moves == {
        "learner.augment.rotation": 10.0,
        "learner.augment.width_shift": 0.1,
        "learner.augment.height_shift": 0.1,
        "learner.augment.horizontal_flip": True,
    }


def test_every_network_is_asked_with_letters_and_without() -> None:
    seen = [(name, variant.data.func.__name__, variant.get("data.size")) for name, variant in STUDY.conditions]
    assert seen == [(name, data, 128) for data in ("bone", "bone_unlettered") for name in ("1e-5", "1e-3")]
    assert STUDY.explain is not None
