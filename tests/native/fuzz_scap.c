/*
 * Feeds random and mutated capture files, in random pieces, to the scanner, and what it
 * found back to the writer. Inputs and outputs are exact-size heap blocks, so that the
 * address sanitizer sees every byte read or written outside them.
 */
#include <stdio.h>
#include <stdlib.h>
#include "chance.h"
#include "scap_api.h"
#include "scap/layout.h"

static uint64_t put_event(uint8_t *p, uint32_t payload)
{
	uint32_t len = PLUGIN_PAYLOAD + payload, total = ((2 + len + 3) & ~3u) + 12;

	memset(p, 0, total);
	put32(p, chance() % 8 ? EVENT_LARGE : EVENT_V2);
	put32(p + 4, total);
	uint8_t *e = p + 10;
	put64(e, chance());
	put32(e + 16, len);
	put16(e + 20, PLUGIN_EVENT);
	put32(e + 22, 2);
	put32(e + 26, 4);
	put32(e + 30, payload);
	put32(e + 34, 999);
	put32(p + total - 4, total);
	return total;
}

static uint64_t build(uint8_t *p)
{
	uint64_t n = wb_scap_preamble(p, "host", 2, 0);
	int events = (int)(chance() % 20);

	for (int i = 0; i < events; i++)
		n += put_event(p + n, (uint32_t)(chance() % 100));
	for (int i = (int)(chance() % 8); i > 0; i--) {
		uint64_t at = chance() % n;
		if (chance() % 2)
			p[at] = (uint8_t)chance();
		else if (at + 4 <= n)
			put32(p + at, (uint32_t)(chance() % 3 ? chance() % 300 : chance()));
	}
	if (chance() % 16 == 0)
		for (uint64_t i = 0; i < n; i++)
			p[i] = (uint8_t)chance();
	return chance() % 4 ? n : chance() % (n + 1);
}

static int64_t found, damaged;
static uint8_t *file;

static int64_t one(void)
{
	uint64_t size = build(file), at = 0, ends = size;
	wb_scap_state state = {.max_block = 1 << 20, .keep_other = chance() % 2};
	int why = WB_SCAP_MORE;

	while (why == WB_SCAP_MORE) {
		uint64_t piece = 1 + chance() % 200;
		if (state.need > piece)
			piece = state.need;
		int at_end = piece >= ends - at;
		if (at_end)
			piece = ends - at;
		int64_t room = 1 + (int64_t)(piece / 40), rows;
		uint64_t used;
		uint8_t *in = malloc(piece), *data = malloc(piece);
		int32_t *offsets = malloc((size_t)(room + 1) * 4);
		uint64_t *numbers = malloc((size_t)room * 8);
		uint64_t *times = malloc((size_t)room * 8);
		uint32_t *ids = malloc((size_t)room * 4);
		uint16_t *types = malloc((size_t)room * 2);
		uint8_t *marks = malloc((size_t)room);
		memcpy(in, file + at, piece);
		why = wb_scap_scan(&state, in, piece, at_end, data, piece, offsets,
			numbers, times, ids, types, marks, room, &used, &rows);
		at += used;
		found += rows;
		if (why == WB_SCAP_FULL)
			abort(); /* the bounds above always suffice */
		uint64_t out_room = chance() % 4000, out_used;
		uint8_t *out = malloc(out_room);
		int fault;
		wb_scap_frame(offsets, 0, data, (uint64_t)offsets[rows], times, 0,
			rows, out, out_room, &out_used, &fault);
		if (fault < 0 && fault != WB_SCAP_EVENT_LARGE &&
			fault != WB_SCAP_EVENT_TIMELESS)
			abort(); /* what was read is sound */
		free(out);
		free(in); free(data); free(offsets); free(numbers);
		free(times); free(ids); free(types); free(marks);
		if (!used && why == WB_SCAP_MORE && !state.need && piece < 8 && at_end)
			abort();
	}
	damaged += why < 0;
	return 1;
}

int main(int argc, char **argv)
{
	file = malloc(1 << 16);
	int64_t cases = run_cases(argc, argv, one);
	free(file);
	printf("%lld events, %lld damaged files\n", (long long)found,
	       (long long)damaged);
	return cases < 1000 || (found > cases && damaged > cases / 20) ? 0 : 1;
}
