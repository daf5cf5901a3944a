int64_t wb_text_addresses(const uint8_t *data, const int32_t *offsets, int64_t count,
	uint8_t *out, int64_t room, int32_t *out_offsets);
int64_t wb_text_longest(const uint8_t *data, int64_t size, int64_t count);
