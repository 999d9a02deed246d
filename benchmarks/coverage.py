"""Simulation of verdicts: how often they claim what is not there, and how often the interval holds the truth.

    python -m benchmarks.coverage [STUDIES]

Prints docs/statistics.md's table: for each number of images, images a patient and seeds, STUDIES (1,000) studies of
networks that do not differ over all patients. Each image's difference is the sum of what the seeds' training adds, of
how much better one variant is on this patient and on this image (the interaction), and of chance. Each cell has the
share of false verdicts of the crossed test without, with moderate and with strong interaction, then that of the paired
test over seeds alone with strong interaction. Coverage is 100% less that share.
"""

import sys
from dataclasses import dataclass

import numpy as np
from scipy import stats

from medcls.evaluation.crossed import Numbers, uncertainty
from medcls.evaluation.paired_tests import LEVEL

SEEDS, IMAGES, A_PATIENT = (3, 5, 10, 24), (40, 133, 200, 1000), (1, 5, 20)
INTERACTIONS = (0.0, 0.1, 0.25)  # none, moderate, strong: standard deviations over images of a difference in rightness
OF_SEEDS, OF_CHANCE = 0.02, 0.35  # standard deviations over seeds, and over seeds and images
OF_PATIENTS = 0.5  # the share of the interaction's variance that images of one patient have in common


@dataclass(frozen=True)
class Cell:
    """A kind of study: how many seeds and patients, images a patient, and the interaction's standard deviation."""

    seeds: int
    patients: int
    images: int
    interaction: float


def simulated(cell: Cell, generator: np.random.Generator) -> Numbers:
    """Return the patients' mean differences in one study, of shape (seeds, patients); their true mean is 0."""
    alike = OF_PATIENTS if cell.images > 1 else 1.0
    variance = cell.interaction**2 * (alike + (1 - alike) / cell.images)
    of_patients = generator.normal(0, variance**0.5, (1, cell.patients))
    of_seeds = generator.normal(0, OF_SEEDS, (cell.seeds, 1))
    chance = generator.normal(0, OF_CHANCE / cell.images**0.5, (cell.seeds, cell.patients))
    return np.asarray(of_seeds + of_patients + chance, np.float64)


def false_verdicts(cell: Cell, studies: int) -> tuple[float, float]:
    """Return the shares of studies with a false verdict: of the crossed test, and of the test over seeds alone."""
    generator = np.random.default_rng(22)
    of_crossed, of_seeds = [], []
    for _ in range(studies):
        values = simulated(cell, generator)
        found = uncertainty(values)
        if found is not None:
            of_crossed.append((abs(values.mean()) / found.error, found.df))
        of_seeds.append(abs(values.mean()) / float(stats.sem(values.mean(axis=1))))
    ratios, df = np.transpose(of_crossed)
    by_crossed = int(np.sum(ratios > stats.t.ppf(1 - LEVEL / 2, df)))
    by_seeds = int(np.sum(of_seeds > stats.t.ppf(1 - LEVEL / 2, cell.seeds - 1)))
    return by_crossed / studies, by_seeds / studies


def main() -> None:
    """Print the table."""
    studies = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print("| images | a patient | " + " | ".join(f"{seeds} seeds" for seeds in SEEDS) + " |")
    print("|---|---|" + "---|" * len(SEEDS))
    for images in IMAGES:
        for a_patient in A_PATIENT:
            texts = []
            for seeds in SEEDS:
                shares = []
                for interaction in INTERACTIONS:
                    cell = Cell(seeds, images // a_patient, a_patient, interaction)
                    both, alone = false_verdicts(cell, studies)
                    shares.append(f"{both:.1%}".rstrip("%"))
                texts.append(f"{' '.join(shares)} ({alone:.0%})")
            print(f"| {images} | {a_patient} | {' | '.join(texts)} |", flush=True)


if __name__ == "__main__":
    main()
