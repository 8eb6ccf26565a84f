"""Keep the garbage collector away from what lives as long as the process."""

import gc


def settle() -> None:
    """Call once an application that serves requests is made.

    A full collection looks at everything that lives, and mappings, schemas and templates live for
    ever: 200 ms in the middle of somebody's request, for nothing.
    """
    gc.collect()
    gc.freeze()
