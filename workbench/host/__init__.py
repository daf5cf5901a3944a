"""What runs beside the plugins: in the worker process, or in-process when asked."""
