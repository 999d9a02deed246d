"""What a summary says of a comparison of two variants."""

from dataclasses import dataclass, field

from medcls.evaluation.verdict import Verdict
from medcls.utils.typed_json import OMITTED_IF_NONE


@dataclass(frozen=True)
class JudgedOn:
    """The validation images that a comparison crosses with the seeds, so that it holds for new patients, too.

    Attributes:
        images: how many.
        patients: of how many patients they are, None where these are unknown and each image counts by itself.
        share: the share of the difference's variance, 0 to 1, that comes from them and that no seed reduces.
        df: the degrees of freedom of the interval.
    """

    images: int
    patients: int | None
    share: float
    df: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two variants compared by one score on one data set, over seeds or folds.

    Attributes:
        data: the name of the data set.
        metric: the name of the score.
        a: the name of the first variant.
        b: the name of the second variant, which is judged.
        difference: the mean of b - a over the pairs of runs.
        ci95: its 95% interval; both ends the difference itself where there is no interval.
        p: of the paired test, None where there is none.
        p_adjusted: p corrected for all comparisons of the study (Holm) and for all looks.
        n: the number of pairs that differ from one another.
        runs: the number of pairs, with those that repeat another to the bit.
        detectable: the smallest difference that would be found with 80% power; None for one pair, and where it would
            be larger than any difference that the score can have.
        mcnemar: p of McNemar's test on the images of the only pair, None where there are more or none.
        verdict: of b against a, in the score's better direction.
        judged_on: the images that are crossed with the seeds; None where the test is over seeds or folds alone.
    """

    data: str
    metric: str
    a: str
    b: str
    difference: float
    ci95: tuple[float, float]
    p: float | None = None
    p_adjusted: float | None
    n: int
    runs: int = 0
    detectable: float | None = None
    mcnemar: float | None = None
    verdict: Verdict
    judged_on: JudgedOn | None = field(default=None, metadata=OMITTED_IF_NONE)

    @property
    def repeats_nothing(self) -> bool:
        """Whether all its runs are one pair again and again, as no seed changes anything."""
        return self.n == 1 < self.runs

    @property
    def repeated(self) -> int:
        """How many pairs of runs repeat another to the bit."""
        return max(self.runs - self.n, 0)
