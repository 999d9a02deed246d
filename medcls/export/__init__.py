"""Models on their way out of the harness."""
