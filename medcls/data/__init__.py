"""Data sets: what a study names as its data, and how images come from files or are made."""

from medcls.data.sources import folder, xray

__all__ = ["folder", "xray"]
