"""What MLflow's client says of an error, in one sentence, and whether it is worth trying again."""

import re

from medcls.utils.errors import TrainingError
from medcls.utils.lazy import mlflow
from medcls.utils.redaction import text_without_secrets

DRIVERS = re.compile(r"\(\w+(\.\w+)+\) ")  # before messages: "(sqlite3.OperationalError) disk full"
REFUSALS = frozenset({"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "INVALID_STATE"})


def sentence(error: Exception, *uris: str) -> str:
    """Return the message of an exception in one line, without the client's own words around it.

    Args:
        error: the exception.
        *uris: whose passwords are removed from the message.
    """
    lines = str(error).strip().splitlines() or [""]
    text = next((line for line in lines if DRIVERS.match(line)), lines[0])
    cause = re.search(r"Caused by \w+\((?:.*?: )?\"?(.*?)\"?\)+$", text)
    message = text_without_secrets(cause.group(1) if cause else text, *uris)[:200]
    if isinstance(error, OSError | TrainingError | mlflow.exceptions.MlflowException):
        return message
    return f"{type(error).__name__}: {message}"


def is_refusal(error: Exception) -> bool:
    """Tell whether the store refused a call, so that trying again would not help."""
    return isinstance(error, mlflow.exceptions.MlflowException) and error.error_code in REFUSALS
