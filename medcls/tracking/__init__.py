"""Run directories and work directories, their locks and their remote copies, and the mirror of runs in MLflow."""
