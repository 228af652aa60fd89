"""Everything around training: the command line, the loop, run folders, tracking and figures."""
