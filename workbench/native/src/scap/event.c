#include "scap_api.h"
#include "scap/layout.h"

int wb_scap_check_event(const uint8_t *event, uint64_t len)
{
	if (len < EVENT_HEADER || get32(event + 16) != len)
		return WB_SCAP_EVENT_SHORT;
	uint16_t type = get16(event + 20);
	uint32_t params = get32(event + 22);
	uint64_t width = wide_lengths(type) ? 4 : 2;
	uint64_t total = EVENT_HEADER + (uint64_t)params * width;

	if (total > len)
		return WB_SCAP_EVENT_LENGTHS;
	const uint8_t *lens = event + EVENT_HEADER;
	for (uint32_t i = 0; i < params; i++) {
		total += width == 4 ? get32(lens + 4ull * i) : get16(lens + 2ull * i);
		if (total > len)
			return WB_SCAP_EVENT_LENGTHS;
	}
	return WB_SCAP_OK;
}
