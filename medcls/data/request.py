"""The request that a data function answers: a source and how its images are wanted."""

from dataclasses import dataclass

from medcls.data.levels import White
from medcls.utils.errors import BadInputError


@dataclass(frozen=True)
class Request:
    """A data set as a study wants it: the parameters of its data function.

    Attributes:
        name: what the study calls it.
        source: a folder, a labels.csv, a file of arrays or a built-in name.
        size: height and width of the images in pixels.
        channels: 1 (grey) or 3 (RGB).
        patients: whose the images are: "" as far as the files say it, "none", "folder" or a pattern
            (`patients.with_patients`).
        white: what is white in images of more than 8 bits: None for what their bits hold, a stored value, or "image" or
            "set" for percentiles (`levels.white_known`).
    """

    name: str
    source: str
    size: int
    channels: int
    patients: str = ""
    white: White = None

    def refuse_patients(self, why: str) -> None:
        """Refuse a choice of patients where there are no files whose names or folders could tell them.

        Raises:
            BadInputError: there is such a choice.
        """
        if self.patients:
            raise BadInputError(f"data.patients={self.patients} is for image files, and {why}: leave it out.")

    def refuse_white(self, why: str) -> None:
        """Refuse a choice of white where there are no image files that could have more than 8 bits.

        Raises:
            BadInputError: there is such a choice.
        """
        if self.white is not None:
            raise BadInputError(f"data.white={self.white} is for image files, and {why}: leave it out.")

    def check_shape(self) -> None:
        """Refuse a size or number of channels that no image has.

        Raises:
            BadInputError: such a size, or such a number of channels.
        """
        if self.size < 1:
            raise BadInputError(
                f"data.size={self.size}: give the height and width of the images in pixels, at least 1."
            )
        if self.channels not in (1, 3):
            raise BadInputError(f"data.channels={self.channels}: give 1 (grey) or 3 (RGB).")
