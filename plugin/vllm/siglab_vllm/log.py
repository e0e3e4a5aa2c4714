"""The plugin's own log.

It is outside vLLM's tree of loggers: what proves that a mode ran must be seen whatever
VLLM_LOGGING_LEVEL and VLLM_CONFIGURE_LOGGING say.
"""

import logging
import sys


def logger() -> logging.Logger:
    """A logger that writes to standard error, set up on first use."""
    log = logging.getLogger("siglab_vllm")
    if not log.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(levelname)s %(asctime)s %(message)s", "%m-%d %H:%M:%S"))
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    return log
