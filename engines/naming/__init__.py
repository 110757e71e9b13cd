"""Names, actions and colours of segments."""
