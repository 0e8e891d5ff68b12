"""The PKI application of third-generation cards; begin with `application`."""
