#ifndef WB_HOST_API_H
#define WB_HOST_API_H
#include <stdint.h>
#include "../cdef/host.h"
#endif
