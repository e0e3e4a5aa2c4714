"""A plugin that chooses how vLLM resamples SigLIP's position embeddings.

vLLM calls `register` in each of its processes. What to do is in the environment
(`settings`); without it nothing is touched, not even imported.
"""

import os

_registered = False


def register() -> None:
    """Change vLLM's SigLIP code as the environment says.

    vLLM may call it more than once in a process. It raises, and so ends the server, if
    the environment or the version of vLLM is not understood: a benchmark of code that
    did not run would be worse than none.
    """
    global _registered
    from .settings import Settings

    settings = Settings.from_environ(os.environ)
    if _registered or settings is None:
        return
    from . import install

    install.install(settings)
    _registered = True
