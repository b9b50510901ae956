"""Signing in to model providers: how, what a sign-in leaves behind, and how its tokens are renewed."""
