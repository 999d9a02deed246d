"""The best run's model, restored from its folder and put into the registry."""

from medcls.export import registry
from medcls.run import Job, restored


def crown(job: Job, uri: str, run_id: str, name: str) -> str:
    """Register a finished job's model as `name`@champion in the store at `uri`; return the version."""
    fitted = restored(job)
    return registry.register(fitted.model, fitted.weights_sha256, uri, run_id, name, fitted.best_epoch)
