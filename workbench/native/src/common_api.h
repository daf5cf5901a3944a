#ifndef WB_COMMON_API_H
#define WB_COMMON_API_H
#include <stdint.h>
#include "../cdef/common.h"
#endif
