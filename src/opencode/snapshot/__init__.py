"""Snapshots of a directory's files in a private git repository: what changed since, and putting files back.

Sessions decide when a snapshot is taken and keep the hashes; the user's own repository is only ever read.
"""
