"""--help and --plan: without TensorFlow and MLflow; nothing is trained, nothing is written to the store."""

import subprocess
import sys

import pytest

HEAVY = {"keras", "matplotlib", "mlflow", "tensorflow"}
IMPORTED = """
import atexit, runpy, sys
atexit.register(lambda: print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr))
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.mark.parametrize("flags", ["--help", "--plan", "--plan --smoke"])
def test_no_heavy_package_is_imported(place, flags):
    command = [sys.executable, "-c", IMPORTED, place.BONUS, "--work-dir", place.work, *flags.split()]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0
    assert HEAVY & set(done.stderr.split()) == set()


def test_help_says_the_question_the_flags_and_the_variants(place):
    ended = place.run(place.BONUS, "--help")
    assert ended.code == 0
    for word in ("X-ray regions", "--data", "--set", "--trials", "--timeout", "--json", "variants: resnet"):
        assert word in ended.out
    place.check_untouched()


def test_a_plan_before_the_first_run(place, images):
    ended = place.run(place.TINY, "--plan", "--data", images)
    assert ended.code == 0
    assert ended.err == ""
    for label in ("narrow seed 0", "narrow seed 1", "wide seed 0", "wide seed 1"):
        assert label in ended.out
    assert "4 new." in ended.out
    assert "unknown" in ended.out
    place.check_untouched()


def test_a_plan_of_a_search_without_a_home(place, images):
    ended = place.run(place.BONUS, "--plan", "--data", images, "--trials", 7, "--folds", 2, without=["HOME"])
    assert ended.code == 0
    assert ended.err == ""
    assert "0 of 7 trials" in ended.out
    assert "15 not yet proposed." in ended.out
    place.check_untouched()


@pytest.mark.parametrize(
    ("only", "runs"),
    [(["grey, plain"], 3), (["colour, plain,grey, augmented", "grey, plain"], 9), ([" grey, plain , grey, plain"], 3)],
)
def test_variants_whose_names_have_commas_can_be_chosen(place, only, runs):
    study = place.BONUS.with_name("task4_augmentation_alexnet.py")
    ended = place.run(study, "--plan", *(part for each in only for part in ("--only", each)))
    assert (ended.code, ended.err) == (0, "")
    assert f"\n{runs} new." in ended.out
    wrong = place.run(study, "--plan", "--only", "grey, plain,grey,augmented")
    wrong.check_complaint(2, "--only grey:", '"grey, plain", "grey, augmented", "colour, plain"')


def test_a_setting_of_text_can_be_emptied(place):
    study = place.BONUS.with_name("breast_vgg19_knn.py")
    settings = ["--set", "learner.model.backbone=mobilenet_v2", "--set", "learner.model.layer=", "--weights", "random"]
    ended = place.run(study, "--plan", *settings)
    assert (ended.code, ended.err) == (0, "")
    assert "\n20 new." in ended.out
    place.run(study, "--plan", *settings[:2], *settings[4:]).check_complaint(
        2, "learner.model.layer='fc1'", "leave it out"
    )


@pytest.mark.parametrize("folds", [3, 5])
def test_a_few_images_of_a_rare_class_are_of_patients_enough_to_be_cut(place, draw, tmp_path, folds):
    rows = [("a", number // 3, number) for number in range(36)]
    rows += [
        ("b", 20 + patient, 100 * patient + n) for patient in range(folds + 1) for n in range(1 + 9 * (patient > 1))
    ]
    folder = draw(tmp_path / "images", *(f"{number}{label}.png" for label, _, number in rows))
    lines = [f"{number}{label}.png,{label},{patient}" for label, patient, number in rows]
    (folder / "labels.csv").write_text("\n".join(["path,label,patient", *lines]))
    for flags in ([], ["--smoke"]):
        ended = place.run(place.TINY, "--plan", "--folds", folds, "--data", folder, *flags)
        assert (ended.code, ended.err) == (0, "")
