"""The sub-commands of `duograd`, one module each with `main(arguments) -> exit code`."""
