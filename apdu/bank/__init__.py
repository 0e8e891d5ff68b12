"""The bank application; begin with `account`."""
