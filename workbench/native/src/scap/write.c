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

/* Frame one event as a block at p. Returns its bytes, 0 and *why not. */
static uint64_t frame_event(const uint8_t *event, uint64_t len, uint64_t time, uint8_t *p,
	uint64_t room, int *why)
{
	*why = wb_scap_check_event(event, len);
	if (*why != WB_SCAP_OK)
		return 0;
	int large = wide_lengths(get16(event + 20));
	uint64_t body = (2 + len + 3) & ~3ull;
	uint64_t total = BLOCK_HEADER + body + BLOCK_TRAILER;
	uint64_t own_time = get64(event);

	if (total > (large ? UINT32_MAX : SMALL_BODY_LIMIT + BLOCK_HEADER))
		*why = WB_SCAP_EVENT_LARGE;
	else if (total > room)
		*why = WB_SCAP_NO_ROOM;
	else if (own_time == NO_TIME && time == NO_TIME)
		*why = WB_SCAP_EVENT_TIMELESS;
	if (*why != WB_SCAP_OK)
		return 0;
	put32(p, large ? EVENT_LARGE : EVENT_V2);
	put32(p + 4, (uint32_t)total);
	put16(p + 8, 0); /* cpu */
	memcpy(p + 10, event, len);
	put64(p + 10, own_time == NO_TIME ? time : own_time);
	memset(p + 10 + len, 0, body - 2 - len);
	put32(p + BLOCK_HEADER + body, (uint32_t)total);
	return total;
}

int64_t wb_scap_frame(const void *offsets, int wide, const uint8_t *data,
	uint64_t data_len, const uint64_t *times, int64_t first, int64_t count,
	uint8_t *out, uint64_t room, uint64_t *used, int *why)
{
	int64_t row = first;

	*why = WB_SCAP_OK;
	*used = 0;
	for (; row < count; row++) {
		uint64_t from = row_offset(offsets, wide, row);
		uint64_t to = row_offset(offsets, wide, row + 1);
		if (from > to || to > data_len) {
			*why = WB_SCAP_EVENT_OFFSETS;
			break;
		}
		uint64_t bytes = frame_event(data + from, to - from,
			times ? times[row] : NO_TIME, out + *used, room - *used, why);
		if (!bytes)
			break;
		*used += bytes;
	}
	return row;
}
