"""All saliency methods by name, with one interface: (network, images, classes, *, layer) -> saliency maps."""

from types import MappingProxyType
from typing import Protocol

from medcls.explain.cam import grad_cam, grad_cam_plus_plus, hires_cam
from medcls.explain.guided import guided_backpropagation, guided_grad_cam
from medcls.explain.layer_probe import Classes, Images, Maps
from medcls.explain.score_cam import score_cam
from medcls.utils.lazy import keras


class Method(Protocol):
    """A saliency method, such as `medcls.explain.grad_cam`."""

    def __call__(self, network: "keras.Model", images: Images, classes: Classes, *, layer: str = "") -> Maps:
        """Return saliency maps of shape (n, height, width), float32, 0..1.

        Args:
            network: a Keras classifier, built as one flat graph.
            images: of shape (n, height, width, channels), 0..255.
            classes: the class whose map is wanted: one number for all images, or one per image, of shape (n,).
            layer: the name of a layer with maps; by default the last convolution.
        """


METHODS: MappingProxyType[str, Method] = MappingProxyType(
    {
        "Grad-CAM": grad_cam,
        "Grad-CAM++": grad_cam_plus_plus,
        "HiResCAM": hires_cam,
        "Score-CAM": score_cam,
        "guided backpropagation": guided_backpropagation,
        "guided Grad-CAM": guided_grad_cam,
    }
)
"""Each method under the name that its paper gives it."""
