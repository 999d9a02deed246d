"""Optuna's side of a study: trials, their storage, what is proposed and pruned."""
