"""Every conformance case as a test, for a server without a test file: `pytest --pyargs harness.conformance`.

A folder, since pytest gives a file from elsewhere, when it is named itself, no name in its node ids.
"""
