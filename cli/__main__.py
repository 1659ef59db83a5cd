"""`python -m cli`: the same as `interlock`, for child processes that must use the same interpreter."""

from cli.main import main

if __name__ == "__main__":
    main()
