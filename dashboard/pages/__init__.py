"""The pages people look at, one module each. A new page is a module and its name in :data:`PAGES`.

A page module has ``PATH``, ``TITLE``, ``ORDER`` and ``AREA`` ("marketing" or "operations"), ``layout(services,
**query)``, which draws it for what the address says, and ``register(app, services)``, which adds its callbacks. What is
written in ``TITLE`` is said in the navigation, in the language of the request.
"""

from dashboard.pages import (
    audiences,
    choose_k,
    compare,
    data,
    drift,
    exports,
    migration,
    new_run,
    run,
    runs,
    segments,
    value,
)

PAGES = (segments, audiences, exports, value, compare, choose_k, drift, migration, new_run, runs, run, data)
