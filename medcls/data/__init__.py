"""Data sets: what a study names as its data, and how images come from files or are made."""

from medcls.data.sources import bone, breast, folder, skin, xray

__all__ = ["bone", "breast", "folder", "skin", "xray"]
