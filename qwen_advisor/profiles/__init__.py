"""Hardware profiles: a machine as a file, written whole and read back exactly, or written by hand in a few words."""
