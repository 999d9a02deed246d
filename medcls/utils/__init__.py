"""Tools for all other packages: files, errors, the console, signals, paths, hashes."""
