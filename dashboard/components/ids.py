"""The ids that more than one module of the dashboard uses; a page's own ids start with the page's name."""

LOCATION = "url"  # dcc.Location: path and query string are the state of the view
THEME = "theme"  # dcc.Store, local: "light" or "dark"; figures take it as an Input
DATASET = "context-dataset"  # the three pickers of the header
SNAPSHOT = "context-snapshot"
RUN = "context-run"
PUBLISHED = "publish-done"  # dcc.Store: the publication that was made last in this window
