"""What a comparison may say."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a comparison lets one say of the second variant against the first."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "not distinguishable"
    ONE_RUN = "one run only"
