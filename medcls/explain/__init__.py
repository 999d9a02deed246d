"""What a network has made of its data: figures from a model and a data set."""

from medcls.explain.plane import frames

__all__ = ["frames"]
