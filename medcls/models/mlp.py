"""The multilayer perceptron: hidden dense layers on pixels or on the coordinates of points."""

from medcls.models.dense_head import hidden_layers
from medcls.spec.constraints import constrained, one_of, rates, units
from medcls.utils.tensors import KerasTensor


@constrained(units("hidden", (100,)), one_of("activation", "sigmoid", "relu", "tanh"), rates("dropout"))
def mlp(
    examples: KerasTensor, *, hidden: tuple[int, ...] = (100,), activation: str = "sigmoid", dropout: float = 0.0
) -> KerasTensor:
    """Return the features of a multilayer perceptron.

    Args:
        examples: Keras tensor of images, of shape (batch, height, width, channels), 0..1, or of points, of shape
            (batch, coordinates).
        hidden: units of the hidden layers; the task adds the output layer.
        activation: "sigmoid", "relu" or "tanh".
        dropout: rate after each hidden layer.

    Returns:
        Keras tensor of shape (batch, features).
    """
    return hidden_layers(examples, hidden, dropout, len(hidden), activation=activation)
