"""The document printer (证明打印机): a machine that prints sheets, behind IPP over HTTP."""
