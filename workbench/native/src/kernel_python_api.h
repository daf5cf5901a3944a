/* cdef/kernel_python.h declares a callback only; cffi writes its C side. */
