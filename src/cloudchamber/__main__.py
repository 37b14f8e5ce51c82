"""The command line, as `python -m cloudchamber`."""

from cloudchamber.cli import main

if __name__ == "__main__":
    main(prog_name="cloudchamber")
