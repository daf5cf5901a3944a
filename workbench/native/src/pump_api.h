#ifndef WB_PUMP_API_H
#define WB_PUMP_API_H
#include <stdint.h>
#include "host_api.h"
#include "live_api.h"
#include "../cdef/pump.h"
#endif
