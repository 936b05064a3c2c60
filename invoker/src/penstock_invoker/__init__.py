"""Hosts a Python function behind the function protocols."""
