"""Data that no study can use: one sentence that names it, exit code 2, nothing half-written, nothing in the store."""

from pathlib import Path

import pytest


def cut(file: Path) -> None:
    """Leave half of a file."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_an_empty_folder_is_refused(place, tmp_path):
    (tmp_path / "empty").mkdir()
    place.run(place.BONUS, "--data", tmp_path / "empty").check_complaint(
        2, tmp_path / "empty", "no PNG, JPEG, BMP, TIFF or DICOM"
    )
    place.check_untouched()


def test_a_folder_that_does_not_exist_is_named_and_the_built_in_names_with_it(place, tmp_path):
    place.run(place.BONUS, "--data", tmp_path / "nowhere").check_complaint(2, tmp_path / "nowhere", "xray")
    place.check_untouched()


def test_one_class_is_no_task(place, draw, tmp_path):
    folder = draw(tmp_path / "images", *(f"only/{number}.png" for number in range(12)))
    place.run(place.BONUS, "--data", folder).check_complaint(2, folder, "one class only (only)")
    place.check_untouched()


def test_a_class_with_fewer_images_than_folds_is_named(place, draw, tmp_path):
    folder = draw(tmp_path / "images", *(f"many/{number}.png" for number in range(12)), "rare/0.png", "rare/1.png")
    place.run(place.BONUS, "--data", folder, "--folds", 5).check_complaint(2, folder, "Class rare", "5 folds")
    place.check_untouched()


@pytest.mark.parametrize(
    ("name", "spoil", "reason"),
    [
        ("a/0.jpg", lambda file: file.write_text("This is no image."), "not a PNG, JPEG, BMP, TIFF or DICOM image"),
        ("a/0.jpg", cut, ""),
        ("a/0.png", lambda file: file.write_bytes(b""), "empty file"),
    ],
    ids=["text", "truncated", "empty"],
)
def test_a_bad_file_is_named_before_anything_is_trained(place, draw, images, name, spoil, reason):
    spoil(draw(images, name) / name)
    place.run(place.BONUS, "--data", images).check_complaint(2, images, name, reason)
    place.check_untouched()


def test_all_bad_files_are_named_at_once(place, draw, images):
    draw(images, "b/3.jpg")
    (images / "a" / "2.png").write_text("This is no image.")
    cut(images / "b" / "3.jpg")
    (images / "c" / "7.png").write_bytes(b"")
    place.run(place.BONUS, "--data", images).check_complaint(2, "3 of 37 images", "a/2.png", "b/3.jpg", "c/7.png")
    place.check_untouched()


def test_a_plan_complains_of_bad_data_too(place, tmp_path):
    place.run(place.BONUS, "--plan", "--data", tmp_path / "nowhere").check_complaint(2, tmp_path / "nowhere")
    place.check_untouched()
