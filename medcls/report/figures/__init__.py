"""Figures: arrays in, Matplotlib figures or picture files out."""
