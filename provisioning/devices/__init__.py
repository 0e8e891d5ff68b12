"""``yikatong devices``: list, test, watch, udev."""
