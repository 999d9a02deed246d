"""Checks of the image size that a network needs."""

from medcls.utils.errors import BadInputError
from medcls.utils.tensors import KerasTensor


def check_halves(name: str, images: KerasTensor, times: int) -> None:
    """Check that height and width of images can be halved several times without a remainder.

    Args:
        name: the name of the network, for the message.
        images: Keras tensor of shape (batch, height, width, channels).
        times: how many times the network halves its images.

    Raises:
        BadInputError: the images cannot be halved so many times.
    """
    height, width = images.shape[1:3]
    step = 2**times
    if height % step or width % step:
        nearest = max(step * round(height / step), step)
        raise BadInputError(
            f"{name} halves its images {times} times, but {height}x{width} cannot be halved so often: set data.size to "
            f"a multiple of {step}, e.g. {nearest}."
        )
