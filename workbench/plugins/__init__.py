"""Plugins as people hold them: Plugin, Workbench, Capture and the session pool."""
