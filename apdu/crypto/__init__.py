"""Commercial cryptography (商用密码) and 3DES for cards, configuration and the terminal's key.

Import the algorithm that you need: ``from apdu.crypto import sm2``. Nothing is loaded here, and
each module loads its own library at its first use, so that a sub-command that needs no
cryptography does not pay for it.
"""
