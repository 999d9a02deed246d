"""Where runs run, and how many threads each gets."""
