"""Looking for good hyper-parameters: a space over a variant's paths, and an Optuna study that proposes."""

from medcls.search.space import Search, choice, floats, integers

__all__ = ["Search", "choice", "floats", "integers"]
