#ifndef WB_SANDBOX_API_H
#define WB_SANDBOX_API_H
#include <stdint.h>
#include "../cdef/sandbox.h"
#endif
