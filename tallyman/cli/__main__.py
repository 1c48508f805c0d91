"""`python -m tallyman.cli` is `tallyman`."""

from tallyman.cli.main import main

main()
