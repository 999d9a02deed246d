"""Learners, and their optimizers, schedules, stopping rules, callbacks and treatments of class imbalance."""

from medcls.training.callbacks import held_out, nothing
from medcls.training.class_imbalance import balanced, effective_number, focal, none, oversample
from medcls.training.early_stopping import early, keep_best, never
from medcls.training.gradient_descent import gradient
from medcls.training.knn import neighbours
from medcls.training.optimizers import adam, adamw, sgd
from medcls.training.schedules import constant, cosine, plateau, step
from medcls.training.transfer import transfer

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
