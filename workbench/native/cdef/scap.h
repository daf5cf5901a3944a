typedef struct {
	uint32_t max_block;
	int keep_other;
	int phase;
	int ordinary_seen;
	uint64_t offset;
	uint64_t number;
	uint64_t sections;
	uint32_t need;
	uint32_t block_type, header_length, trailer_length;
	uint64_t metadata_blocks, unknown_blocks, other_events, old_events, newer_events,
		malformed_events;
	int has_machine;
	char hostname[129];
} wb_scap_state;
int wb_scap_scan(wb_scap_state *state, const uint8_t *buf, uint64_t len, int at_end,
	uint8_t *data, uint64_t data_room, int32_t *offsets, uint64_t *numbers,
	uint64_t *times, uint32_t *ids, uint16_t *types, uint8_t *marks, int64_t row_room,
	uint64_t *used, int64_t *rows);
int64_t wb_scap_frame(const void *offsets, int wide, const uint8_t *data,
	uint64_t data_len, const uint64_t *times, int64_t first, int64_t count,
	uint8_t *out, uint64_t room, uint64_t *used, int *why);
int wb_scap_check_event(const uint8_t *event, uint64_t len);
uint64_t wb_scap_preamble(uint8_t *out, const char *hostname, uint32_t cpus,
	uint64_t memory_bytes);
