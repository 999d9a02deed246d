"""Trained models at work: predictions, masks and saliency maps of image files."""
