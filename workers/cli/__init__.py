"""The command line, `emostream`: one file a command."""
