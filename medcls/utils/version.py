"""The version of medcls."""

__version__ = "0.1.0"
