"""The most certain errors: which images, in which order, with which words, pixel by pixel."""

import numpy as np
import pytest
from figure_parts import check_texts, predicted

from medcls.report.figures import worst_errors

CLASSES = ("Melanoma", "Naevus", "Keratosis")


def sheet(n: int, size: int = 28, channels: int = 1, **how):
    labels, probabilities = predicted(n, 3, **how)
    chosen = worst_errors.worst(labels, probabilities)
    images = np.random.default_rng(0).integers(0, 256, (len(chosen), size, size, channels), np.uint8)
    files = [f"folder/image {row}.png" for row in chosen]
    wrong = worst_errors.Misclassified(images, labels[chosen], probabilities[chosen], files, CLASSES)
    figure = worst_errors.certain_errors(wrong, "run")
    return figure, images, labels, probabilities, chosen


def test_the_most_certain_come_first_and_at_most_twelve() -> None:
    labels, probabilities = predicted(100, 3)
    chosen = worst_errors.worst(labels, probabilities)

    wrong = [row for row in range(100) if probabilities[row].argmax() != labels[row]]
    assert chosen.tolist() == sorted(wrong, key=lambda row: -probabilities[row].max())[:12]


def test_each_image_says_what_it_is_what_it_was_taken_for_and_its_file() -> None:
    figure, images, labels, probabilities, chosen = sheet(60)
    check_texts(figure)

    said = [text.get_text() for text in figure.texts if text is not figure._suptitle]
    for place, row in enumerate(chosen):
        taken = probabilities[row].argmax()
        assert said[3 * place : 3 * place + 3] == [
            f"true: {CLASSES[labels[row]]}",
            f"→ {CLASSES[taken]}  {probabilities[row, taken]:.2f}",
            f"image {row}.png",
        ]
    assert len(said) == 3 * len(images)


@pytest.mark.parametrize(("size", "channels", "factor"), [(28, 1, 6), (100, 3, 1), (1, 1, 192)])
def test_small_images_are_enlarged_by_whole_pixels(size: int, channels: int, factor: int) -> None:
    figure, images, *_ = sheet(40, size, channels)

    assert len(figure.images) == len(images)
    for drawn, image in zip(figure.images, images, strict=True):
        shown = np.asarray(drawn.get_array()).reshape(size * factor, size * factor, channels)
        np.testing.assert_array_equal(shown, np.kron(image, np.ones((factor, factor, 1), np.uint8)))


def test_every_pixel_of_the_image_is_one_of_the_figure() -> None:
    figure, images, *_ = sheet(40, 100)
    figure.canvas.draw()
    drawn = np.asarray(figure.canvas.buffer_rgba())
    for artist, image in zip(figure.images, images, strict=True):
        left, top = round(artist.ox), drawn.shape[0] - round(artist.oy) - 100
        shades = drawn[top : top + 100, left : left + 100, 0].astype(int)
        assert np.abs(shades - image[:, :, 0]).max() <= 1


def test_large_images_are_averaged_over_blocks() -> None:
    figure, images, *_ = sheet(40, 901)

    shown = np.asarray(figure.images[0].get_array())
    assert shown.shape == (225, 225)
    assert shown[0, 0] == pytest.approx(images[0, :4, :4].mean(), abs=0.51)


def test_no_error_is_said_in_words() -> None:
    figure, images, *_ = sheet(20, skill=50)

    assert not len(images)
    assert "No image was misclassified." in [text.get_text() for text in figure.texts]
    check_texts(figure)
