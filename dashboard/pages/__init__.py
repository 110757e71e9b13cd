"""The pages people look at, one module each. A new page is a module and its name in :data:`PAGES`.

A page of one file is a module here; one with parts is a package, whose module ``page`` comes first. The module has
``PATH``, ``TITLE``, ``ORDER`` and ``AREA``, ``layout(services, **query)``, which draws it for what the address says,
and ``register(app, services)``, which adds its callbacks. ``AREA`` is its group of links in the navigation
("marketing", "models" or "data"; None where a button of another page leads to it), ``ORDER`` its place there, and
``TITLE`` what is said there, in the language of the request.
"""

from dashboard.pages.audiences import page as audiences
from dashboard.pages.choose_k import page as choose_k
from dashboard.pages.compare import page as compare
from dashboard.pages.data import page as data
from dashboard.pages.drift import page as drift
from dashboard.pages.exports import page as exports
from dashboard.pages.migration import page as migration
from dashboard.pages.new_run import page as new_run
from dashboard.pages.run import page as run
from dashboard.pages.runs import page as runs
from dashboard.pages.segments import page as segments
from dashboard.pages.value import page as value

PAGES = (segments, audiences, exports, value, compare, choose_k, drift, migration, new_run, runs, run, data)
