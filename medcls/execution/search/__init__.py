"""Hyperparameter search with Optuna: trials, their storage, proposals, pruning and plots."""
