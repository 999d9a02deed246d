"""What a network has learnt: saliency maps of where it looks, their sanity checks, and its decision boundary."""

from medcls.explain.cam import grad_cam, grad_cam_plus_plus, hires_cam
from medcls.explain.decision_map import frames
from medcls.explain.guided import guided_backpropagation, guided_grad_cam
from medcls.explain.saliency import heat_maps
from medcls.explain.score_cam import score_cam

__all__ = [
    "frames",
    "grad_cam",
    "grad_cam_plus_plus",
    "guided_backpropagation",
    "guided_grad_cam",
    "heat_maps",
    "hires_cam",
    "score_cam",
]
