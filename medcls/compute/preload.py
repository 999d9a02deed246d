"""What the forkserver imports once, so that a worker starts in milliseconds."""

import os

_screen = os.dup(2)
_nowhere = os.open(os.devnull, os.O_WRONLY)
os.dup2(_nowhere, 2)  # TensorFlow greets on standard error whatever its log level is

import keras  # noqa: E402, F401
import psutil  # noqa: E402, F401
import tensorflow  # noqa: E402, F401
from sklearn import metrics, model_selection  # noqa: E402, F401

import medcls.training  # noqa: E402, F401

os.dup2(_screen, 2)
os.close(_screen)
os.close(_nowhere)
