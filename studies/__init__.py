"""One file per study; each runs as a script."""
