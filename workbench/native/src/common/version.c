#include "common_api.h"

int wb_core_version(void)
{
	return 1;
}
