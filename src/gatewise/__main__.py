"""``python -m gatewise`` is the command ``gatewise``."""

from gatewise.cli import main

if __name__ == "__main__":
    main()
