"""Sealed certificates (证明): verified, laid out, and checked again on paper.

What the platform sends is verified by `certificate`, laid out by `composer` in a child process of
its own, and what a printed sheet's QR proves offline is told by `qr_check`. Importing these loads
neither typst nor the QR encoder.
"""
