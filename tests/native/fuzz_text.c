/*
 * Random addresses as text, into rooms of any size. All buffers are exact-size heap
 * blocks, so that the address sanitizer sees every byte read or written outside them.
 * What is written as an address must read back as the same bytes.
 */
#include "chance.h"
#include <arpa/inet.h>

#include "text_api.h"

#define MOST 20

static void check_text(const uint8_t *text, int64_t size, const uint8_t *raw, int32_t n)
{
	char copy[64];
	uint8_t back[16];
	if (n != 4 && n != 16)
		return;
	if (size >= (int64_t)sizeof copy)
		abort();
	memcpy(copy, text, (size_t)size);
	copy[size] = 0;
	if (inet_pton(n == 4 ? AF_INET : AF_INET6, copy, back) != 1 ||
	    memcmp(back, raw, (size_t)n))
		abort();
}

static int64_t one(void)
{
	static const int32_t lengths[] = {0, 1, 4, 4, 4, 15, 16, 16, 16, 17};
	int64_t count = (int64_t)(chance() % MOST);
	int32_t *offsets = malloc((size_t)(count + 1) * 4);
	int32_t *ends = malloc((size_t)(count + 1) * 4);
	offsets[0] = 0;
	for (int64_t i = 0; i < count; i++)
		offsets[i + 1] = offsets[i] + lengths[chance() % 10];
	uint8_t *data = malloc((size_t)offsets[count] + !offsets[count]);
	uint64_t zeros = chance() % 4;
	for (int32_t k = 0; k < offsets[count]; k++)
		data[k] = chance() % 4 < zeros ? 0 : (uint8_t)chance();
	int64_t room = (int64_t)(chance() % 2 ? chance() % 200 : 1200);
	uint8_t *out = malloc((size_t)room + !room);
	int64_t used = wb_text_addresses(data, offsets, count, out, room, ends);
	if (used > room || (used < 0 && room == 1200))
		abort();
	for (int64_t i = 0; used >= 0 && i < count; i++)
		check_text(out + ends[i], ends[i + 1] - ends[i], data + offsets[i],
			   offsets[i + 1] - offsets[i]);
	free(out);
	free(data);
	free(ends);
	free(offsets);
	return 1;
}

int main(int argc, char **argv)
{
	run_cases(argc, argv, one);
	return 0;
}
