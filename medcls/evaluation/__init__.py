"""Scores, intervals and answers: arrays in, dictionaries out; no Keras."""
