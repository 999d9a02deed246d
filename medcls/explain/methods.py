"""All ways to draw a class activation map, under one interface: (network, images, class) -> maps."""

from collections.abc import Callable
from types import MappingProxyType

from medcls.explain.cam import grad_cam, grad_cam_plus_plus, hires_cam
from medcls.explain.guided import guided_backpropagation, guided_grad_cam
from medcls.explain.layer_probe import Maps
from medcls.explain.score_cam import score_cam

METHODS: MappingProxyType[str, Callable[..., Maps]] = MappingProxyType(
    {
        "Grad-CAM": grad_cam,
        "Grad-CAM++": grad_cam_plus_plus,
        "HiResCAM": hires_cam,
        "Score-CAM": score_cam,
        "guided backpropagation": guided_backpropagation,
        "guided Grad-CAM": guided_grad_cam,
    }
)
"""Each under the name that its paper gives it."""
