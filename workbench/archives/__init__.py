"""Many capture files as one thing, on threads or on a Dask cluster.

files ─▶ listing (footers, index) ─▶ parts ─▶ one job per part, here or on workers
─▶ merged result. A part is read as Events, so that verdicts are those of Events.
"""
