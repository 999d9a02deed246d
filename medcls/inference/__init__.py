"""Inference: predictions, masks and saliency maps of image files, from exported or registered models."""
