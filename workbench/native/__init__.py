"""The C core: plugin host, event pump and condition kernel in one cffi extension.

Imported by ``host/handles.py`` and ``condition/execution/kernel.py`` only.
"""
