"""Made-up summaries of finished studies, for whatever reads them."""

from typing import Any

import numpy as np
from typed_summaries import answered, typed

from medcls.evaluation.answers import compare, final
from medcls.evaluation.summary import StudySummary

ANSWERS = (
    compare("plain", "dropout", "val_accuracy", "Does <dropout> help?"),
    compare("plain", "dropout", "gap", "And the gap?", expected="better"),
    final("accuracy", "val_accuracy"),
)


def summary(seeds: int = 3, kind: str = "phantom", epochs: int = 20, **more: Any) -> StudySummary:
    """Return the summary of two variants on skin: one learns its images by heart, the other less so."""
    rng = np.random.default_rng(0)
    runs = []
    for variant, best, gap in (("plain", 0.9, 0.12), ("dropout", 0.81, 0.03)):
        for seed in range(seeds):
            rise = 1 - np.exp(-np.arange(1, epochs + 1) / 8)
            training = np.clip(best * rise + rng.normal(0, 0.004, epochs), 0, 1)
            validation = np.clip((best - gap) * rise + rng.normal(0, 0.004, epochs), 0, 1)
            runs.append(
                {
                    "key": f"{variant}{seed}",
                    "data": "skin",
                    "variant": variant,
                    "seed": seed,
                    "fold": None,
                    "status": "finished",
                    "error": None,
                    "best_epoch": epochs - 1,
                    "params": {
                        "learner.model.dropout": 0.4 * (variant == "dropout"),
                        "learner.epochs": epochs,
                        "seed": seed,
                        "folds": None,
                    },
                    "metrics": {"accuracy": float(validation[-1]), "gap": float(training[-1] - validation[-1])},
                    "history": {
                        "accuracy": training.tolist(),
                        "val_accuracy": validation.tolist(),
                        "loss": (1.2 - training).tolist(),
                        "val_loss": (1.2 - validation).tolist(),
                    },
                }
            )
    data = {
        "name": "skin",
        "source": "skin",
        "kind": kind,
        "fingerprint": "sha256:" + "0" * 64,
        "classes": ["Mel", "Nev"],
        "n": {"train": 1000, "validation": 200},
        "counts": {"train": {"Mel": 500, "Nev": 500}, "validation": {"Mel": 100, "Nev": 100}},
        "findings": [{"kind": "copies_across_parts", "sentence": "12 copies lie across sets.", "count": 12}],
    }
    found = {
        "study": "task1a_dropout",
        "question": "What does dropout change?",
        "smoke": False,
        "command": "python studies/task1a_dropout.py --seeds 0,1,2",
        "document": "What does dropout change?\n\n    python this.py\n\nWhy: dropout thins\nthe network.",
        "git_commit": "abcdef0123456789",
        "git_dirty": False,
        "data_sets": [data],
        "runs": runs,
        "best": {},
        **more,
    }
    return answered(typed(found), ANSWERS)
