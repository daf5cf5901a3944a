"""Events in files: ``.scap``, Parquet, and the comparison of recording and replay.

Works on Arrow tables and knows nothing of plugins or ``Events``.
"""
