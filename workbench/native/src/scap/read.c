/*
 * Blocks → events of a binary column. A section header opens a section, metadata blocks
 * follow in any order, the first event block ends them; between events only another
 * section header may stand (concatenated files).
 */
#include "scap_api.h"
#include "scap/layout.h"

typedef struct {
	uint8_t *data;
	uint64_t data_room, data_used;
	int32_t *offsets;
	uint64_t *numbers, *times;
	uint32_t *ids;
	uint16_t *types;
	uint8_t *marks;
	int64_t room, rows;
} sink;

static int is_event_block(uint32_t type)
{
	switch (type) {
	case EVENT_V1: case EVENT_V1_OLD: case EVENT_V1_FLAGS: case EVENT_V2:
	case EVENT_V2_FLAGS: case EVENT_LARGE: case EVENT_LARGE_FLAGS:
		return 1;
	}
	return 0;
}

static int is_known_metadata(uint32_t type)
{
	if (type == MACHINE_BLOCK || type == MACHINE_BLOCK_OLD)
		return 1;
	if ((type >= 0x202 && type <= 0x220) || (type & 0xFFE0FFFFu) == 0x8000ABCDu)
		return 1;
	return 0;
}

static int section(wb_scap_state *s, const uint8_t *block, uint32_t total)
{
	if (total < SECTION_BYTES)
		return WB_SCAP_BAD_LENGTH;
	if (get16(block + 12) > 1)
		return WB_SCAP_NEW_MAJOR;
	s->trailer_length = get32(block + total - 4);
	if (s->trailer_length != total)
		return WB_SCAP_BAD_TRAILER;
	s->sections++;
	s->phase = 1;
	s->ordinary_seen = 0;
	return 0;
}

static int metadata(wb_scap_state *s, const uint8_t *block, uint32_t type,
	uint32_t total)
{
	s->trailer_length = get32(block + total - 4);
	if (s->trailer_length != total)
		return WB_SCAP_BAD_TRAILER;
	if (!is_known_metadata(type)) {
		s->unknown_blocks++;
		return 0;
	}
	if (type != MACHINE_BLOCK && type != MACHINE_BLOCK_OLD) {
		s->metadata_blocks++;
		return 0;
	}
	if (total < BLOCK_HEADER + MACHINE_BODY + BLOCK_TRAILER)
		return WB_SCAP_BAD_LENGTH;
	memcpy(s->hostname, block + BLOCK_HEADER + MACHINE_HOSTNAME, HOSTNAME_BYTES);
	s->hostname[HOSTNAME_BYTES] = 0;
	s->has_machine = 1;
	return 0;
}

/* A plugin or async event whose parameters have the shape that plugins rely on. */
static int well_formed(const uint8_t *event, uint32_t len, uint16_t type)
{
	uint32_t params = get32(event + 22);

	if (type == PLUGIN_EVENT)
		return params == 2 && len >= PLUGIN_PAYLOAD && get32(event + 26) == 4;
	return params == 3 && len > ASYNC_NAME && get32(event + 26) == 4 &&
		get32(event + 30) > 0 && !event[ASYNC_NAME + get32(event + 30) - 1];
}

static int give(wb_scap_state *s, sink *out, const uint8_t *event, uint32_t len,
	uint16_t type, int state_only)
{
	int ours = type == PLUGIN_EVENT || type == ASYNC_EVENT;
	int leading = !s->ordinary_seen && initial_state(type);
	int keep = ours ? well_formed(event, len, type) : s->keep_other;

	if (keep) {
		if (out->rows >= out->room || len > out->data_room - out->data_used ||
			out->data_used + len > INT32_MAX)
			return WB_SCAP_FULL;
		int64_t row = out->rows++;
		memcpy(out->data + out->data_used, event, len);
		out->data_used += len;
		out->offsets[row + 1] = (int32_t)out->data_used;
		out->numbers[row] = s->number + 1;
		out->times[row] = get64(event);
		out->ids[row] = ours ? get32(event + 34 + 4 * (type == ASYNC_EVENT)) : 0;
		out->types[row] = type;
		out->marks[row] = (uint8_t)((state_only ? WB_SCAP_STATE_ONLY : 0) |
			(leading ? WB_SCAP_LEADING : 0));
	} else if (ours)
		s->malformed_events++;
	else
		s->other_events++;
	if (!leading)
		s->ordinary_seen = 1;
	s->number++;
	return 0;
}

static int event_block(wb_scap_state *s, sink *out, const uint8_t *block, uint32_t type,
	uint32_t total)
{
	if (type == EVENT_V1 || type == EVENT_V1_OLD || type == EVENT_V1_FLAGS) {
		/* Never plugin events; only the numbering goes on. */
		s->old_events++;
		s->number++;
		s->ordinary_seen = 1;
		return 0;
	}
	int flagged = type == EVENT_V2_FLAGS || type == EVENT_LARGE_FLAGS;
	int small = type == EVENT_V2 || type == EVENT_V2_FLAGS;
	uint32_t skip = BLOCK_HEADER + 2 + (flagged ? 4 : 0);

	if (total < skip + EVENT_HEADER + BLOCK_TRAILER)
		return WB_SCAP_BAD_LENGTH;
	if (small && total - BLOCK_HEADER > SMALL_BODY_LIMIT)
		return WB_SCAP_BAD_LENGTH;
	const uint8_t *event = block + skip;
	uint16_t kind = get16(event + 20);
	if (kind >= EVENT_TYPES) {
		s->newer_events++;
		return 0;
	}
	uint32_t len = get32(event + 16);
	if (len > total - skip - BLOCK_TRAILER || wb_scap_check_event(event, len))
		return WB_SCAP_BAD_EVENT;
	return give(s, out, event, len, kind, flagged && (get32(block + 10) & 1));
}

/* Handle one whole block. 0, WB_SCAP_FULL or damage. */
static int block(wb_scap_state *s, sink *out, const uint8_t *p, uint32_t type,
	uint32_t total)
{
	if (s->phase == 0)
		return section(s, p, total);
	if (is_event_block(type)) {
		s->phase = 2;
		return event_block(s, out, p, type, total);
	}
	if (s->phase == 2)
		return type == SECTION_BLOCK ? section(s, p, total) : WB_SCAP_BAD_BLOCK;
	/* Two files joined, the first without events. */
	if (type == SECTION_BLOCK)
		return section(s, p, total);
	return metadata(s, p, type, total);
}

/* Is there a whole block at p? Its type and length are in the state then; *why not. */
static int whole_block(wb_scap_state *s, const uint8_t *p, uint64_t left, int at_end,
	int *why)
{
	if (left < BLOCK_HEADER) {
		*why = !at_end ? WB_SCAP_MORE : left ? WB_SCAP_CUT : WB_SCAP_END;
		/* The type alone tells a file that is no capture from a cut one. */
		if (s->phase == 0 && left >= 4 && get32(p) != SECTION_BLOCK)
			*why = WB_SCAP_BAD_SECTION;
		return 0;
	}
	uint32_t type = get32(p), total = get32(p + 4);
	s->block_type = type;
	s->header_length = total;
	if (s->phase == 0 && type != SECTION_BLOCK)
		*why = WB_SCAP_BAD_SECTION;
	/* Before the length: that of a byte-swapped file is nonsense. */
	else if (type == SECTION_BLOCK && left >= 12 && get32(p + 8) != SECTION_MAGIC)
		*why = WB_SCAP_BAD_MAGIC;
	else if (total < BLOCK_HEADER + BLOCK_TRAILER)
		*why = WB_SCAP_BAD_LENGTH;
	else if (total > s->max_block)
		*why = WB_SCAP_BIG_BLOCK;
	else if (total <= left)
		return 1;
	else {
		s->need = total;
		*why = at_end ? WB_SCAP_CUT : WB_SCAP_MORE;
	}
	return 0;
}

int wb_scap_scan(wb_scap_state *s, const uint8_t *buf, uint64_t len, int at_end,
	uint8_t *data, uint64_t data_room, int32_t *offsets, uint64_t *numbers,
	uint64_t *times, uint32_t *ids, uint16_t *types, uint8_t *marks, int64_t row_room,
	uint64_t *used, int64_t *rows)
{
	sink out = {data, data_room, 0, offsets, numbers, times, ids, types, marks,
		row_room, 0};
	uint64_t at = 0;
	int why;

	offsets[0] = 0;
	s->need = 0;
	while (whole_block(s, buf + at, len - at, at_end, &why)) {
		why = block(s, &out, buf + at, s->block_type, s->header_length);
		if (why)
			break;
		at += s->header_length;
	}
	s->offset += at;
	*used = at;
	*rows = out.rows;
	return why;
}
