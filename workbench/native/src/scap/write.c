/* Events of a binary column → event blocks. */
#include "scap_api.h"
#include "scap/layout.h"

uint64_t wb_scap_preamble(uint8_t *out, const char *hostname, uint32_t cpus,
	uint64_t memory_bytes)
{
	uint8_t *p = out;

	put32(p, SECTION_BLOCK);
	put32(p + 4, SECTION_BYTES);
	put32(p + 8, SECTION_MAGIC);
	put16(p + 12, 1); /* major */
	put16(p + 14, 2); /* minor */
	put64(p + 16, UINT64_MAX); /* section length: not known while streaming */
	put32(p + 24, SECTION_BYTES);
	p += SECTION_BYTES;

	uint32_t total = BLOCK_HEADER + MACHINE_BODY + BLOCK_TRAILER;
	uint8_t *body = p + BLOCK_HEADER;
	put32(p, MACHINE_BLOCK);
	put32(p + 4, total);
	memset(body, 0, MACHINE_BODY);
	put32(body, cpus);
	put64(body + 4, memory_bytes);
	if (hostname)
		memcpy(body + MACHINE_HOSTNAME, hostname, strnlen(hostname, HOSTNAME_BYTES - 1));
	put32(body + MACHINE_BODY, total);
	return SECTION_BYTES + total;
}

static uint64_t row_offset(const void *offsets, int wide, int64_t row)
{
	if (wide)
		return (uint64_t)((const int64_t *)offsets)[row];
	return (uint64_t)(int64_t)((const int32_t *)offsets)[row];
}

int64_t wb_scap_frame(const void *offsets, int wide, const uint8_t *data,
	uint64_t data_len, const uint64_t *times, int64_t first, int64_t count,
	uint8_t *out, uint64_t room, uint64_t *used, int *why)
{
	uint8_t *p = out, *end = out + room;
	int64_t row = first;

	*why = WB_SCAP_OK;
	for (; row < count; row++) {
		uint64_t from = row_offset(offsets, wide, row);
		uint64_t to = row_offset(offsets, wide, row + 1);
		if (from > to || to > data_len) {
			*why = WB_SCAP_EVENT_OFFSETS;
			break;
		}
		const uint8_t *event = data + from;
		uint64_t len = to - from;
		if ((*why = wb_scap_check_event(event, len)) != WB_SCAP_OK)
			break;
		int large = wide_lengths(get16(event + 20));
		uint64_t body = (2 + len + 3) & ~3ull;
		uint64_t total = BLOCK_HEADER + body + BLOCK_TRAILER;
		if (total > (large ? UINT32_MAX : SMALL_BODY_LIMIT + BLOCK_HEADER)) {
			*why = WB_SCAP_EVENT_LARGE;
			break;
		}
		if (total > (uint64_t)(end - p)) {
			*why = WB_SCAP_NO_ROOM;
			break;
		}
		uint64_t time = get64(event);
		if (time == NO_TIME) {
			if (!times || times[row] == NO_TIME) {
				*why = WB_SCAP_EVENT_TIMELESS;
				break;
			}
			time = times[row];
		}
		put32(p, large ? EVENT_LARGE : EVENT_V2);
		put32(p + 4, (uint32_t)total);
		put16(p + 8, 0); /* cpu */
		memcpy(p + 10, event, len);
		put64(p + 10, time);
		memset(p + 10 + len, 0, body - 2 - len);
		put32(p + BLOCK_HEADER + body, (uint32_t)total);
		p += total;
	}
	*used = (uint64_t)(p - out);
	return row;
}
