#include "text_api.h"

int64_t wb_text_longest(const uint8_t *data, int64_t size, int64_t count)
{
	int64_t at = 0, longest = 0;

	for (int64_t word = 0; word < count; word++) {
		if (size - at < 4)
			return -1;
		int64_t length = (int64_t)data[at] | (int64_t)data[at + 1] << 8 |
			(int64_t)data[at + 2] << 16 | (int64_t)data[at + 3] << 24;
		at += 4;
		if (length > size - at)
			return -1;
		at += length;
		if (length > longest)
			longest = length;
	}
	return longest;
}
