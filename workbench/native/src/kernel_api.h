#ifndef WB_KERNEL_API_H
#define WB_KERNEL_API_H
#include <stdint.h>
#include "../cdef/kernel.h"
#endif
