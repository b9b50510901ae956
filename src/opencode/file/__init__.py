"""The files of a project: searching them, reading them, and changing them safely."""
