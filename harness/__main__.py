"""`python -m harness` is `wsconform`."""

from harness.cli import main

if __name__ == "__main__":
    main()
