from workbench.api.declarations import cdef
from workbench.api.versions import VERSIONS

__all__ = ["VERSIONS", "cdef"]
