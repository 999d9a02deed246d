"""Tools of no room's own: files, errors, the console, signals, paths, hashes."""
