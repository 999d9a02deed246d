"""Ways of learning, and the optimizers, schedules, stopping rules and answers to imbalance that they take."""

from medcls.training.gradient import gradient
from medcls.training.imbalance import balanced, effective_number, focal, none, oversample
from medcls.training.neighbours import neighbours
from medcls.training.optimizers import adam, adamw, sgd
from medcls.training.schedules import constant, cosine, plateau, step
from medcls.training.stopping import early, keep_best, never
from medcls.training.transfer import transfer
from medcls.training.watching import held_out, nothing

__all__ = [
    "adam",
    "adamw",
    "balanced",
    "constant",
    "cosine",
    "early",
    "effective_number",
    "focal",
    "gradient",
    "held_out",
    "keep_best",
    "neighbours",
    "never",
    "none",
    "nothing",
    "oversample",
    "plateau",
    "sgd",
    "step",
    "transfer",
]
