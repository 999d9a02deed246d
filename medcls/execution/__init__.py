"""Studies carried out: planned, run, searched, and brought to their results."""
