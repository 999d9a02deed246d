"""Decoded images: cached on disk, and served in batches."""
