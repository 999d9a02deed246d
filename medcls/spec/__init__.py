"""What an experiment is: studies, variants, runs, search spaces. Standard library only."""

from medcls.spec.run import Run
from medcls.spec.search_space import Search, choice, floats, integers
from medcls.spec.study import Study
from medcls.spec.variant import Variant, grid

__all__ = ["Run", "Search", "Study", "Variant", "choice", "floats", "grid", "integers"]
