"""Echo messages per second of `refimpl` beside other servers: `python -m bench`, or `make bench`."""
