"""What the forkserver imports once, so that a worker starts in milliseconds."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: F401
import psutil  # noqa: F401
import tensorflow  # noqa: F401
from sklearn import metrics, model_selection  # noqa: F401

import medcls.training  # noqa: F401
