"""The checks of ``yikatong doctor``, one module a subject; see `provisioning.inspections`."""
