"""Scores, intervals, paired tests, answers and the summary of a study: arrays in, numbers out; no Keras."""
