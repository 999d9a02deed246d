"""Masks: what their values mean, what they mark, and what resizing does to them."""
