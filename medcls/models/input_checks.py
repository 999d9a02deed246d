"""What sizes of images a network takes."""

from medcls.utils.errors import BadInputError
from medcls.utils.tensors import KerasTensor


def check_halves(name: str, images: KerasTensor, times: int) -> None:
    """Check that images, of shape (batch, height, width, channels), can be halved so often without a rest.

    Raises:
        BadInputError: they cannot, so that what comes up again would not fit what went down.
    """
    height, width = images.shape[1:3]
    step = 2**times
    if height % step or width % step:
        nearest = max(step * round(height / step), step)
        raise BadInputError(
            f"{name} halves its images {times} times and {height}x{width} cannot be halved so often: set data.size to "
            f"a multiple of {step}, e.g. {nearest}."
        )
