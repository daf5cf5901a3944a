#ifndef WB_LIVE_API_H
#define WB_LIVE_API_H
#include <stdint.h>
#include "host_api.h"
#include "../cdef/live.h"
#endif
