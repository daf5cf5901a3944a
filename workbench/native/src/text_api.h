#ifndef WB_TEXT_API_H
#define WB_TEXT_API_H
/*
 * Values as text, a column at a time, for people to read. Nothing here allocates.
 */
#include <stdint.h>

/*
 * Addresses of a contiguous Arrow binary column as text: 4 bytes as a dotted quad, 16
 * as the shortest IPv6 text, no bytes as no text, others as 0x and hexadecimal digits.
 * out_offsets has count + 1 entries. Returns the bytes written, or -1 when room is too
 * small.
 */
int64_t wb_text_addresses(const uint8_t *data, const int32_t *offsets, int64_t count,
	uint8_t *out, int64_t room, int32_t *out_offsets);

/*
 * The size of the longest of count words, each behind its size in four bytes, little
 * endian. Returns -1 when they do not lie within the size bytes of data.
 */
int64_t wb_text_longest(const uint8_t *data, int64_t size, int64_t count);

#endif
