"""Who may come in: the password, the throttle and the security headers."""
