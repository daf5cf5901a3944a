/* Packed programs with bytes changed: refused, or run inside their buffers.
 * Usage: fuzz_packed PROGRAM ROUNDS; prints how many of them ran. */
#include <assert.h>
#include <stdio.h>

#include "chance.h"
#include "kernel/packed.h"

#define ROWS 200
#define ITEMS 500

static uint64_t numbers[ITEMS];
static uint8_t bits[ITEMS / 8 + 8], validity[ITEMS / 8 + 8];
static int32_t offsets[ITEMS + 1], codes[ITEMS], lists[ROWS + 1];
static uint8_t *text;

static uint32_t upto(uint64_t n) { return n ? (uint32_t)(chance() % n) : 0; }

static void fill(void)
{
	/* On the heap, so that a look beyond its end is seen. */
	int32_t end = 0;
	for (int i = 0; i < ITEMS; i++) {
		numbers[i] = upto(40);
		codes[i] = (int32_t)upto(60);
		offsets[i + 1] = end += (int32_t)upto(30);
	}
	text = malloc((size_t)end + 1);
	for (int32_t i = 0; i < end; i++)
		text[i] = "abcdefg/*?.-_0123"[upto(17)];
	for (size_t i = 0; i < sizeof bits; i++) {
		bits[i] = (uint8_t)upto(256);
		validity[i] = (uint8_t)upto(256);
	}
	for (int i = 0; i < ROWS; i++)
		lists[i + 1] = lists[i] + (int32_t)upto(3);
}

static void values_of(wbk_column *out, wbk_column *values, uint32_t kind, int coded)
{
	*out = (wbk_column){.kind = (int32_t)kind, .length = ROWS, .values = numbers};
	if (kind == WBK_BOOL)
		out->values = bits;
	if (kind != WBK_BYTES32)
		return;
	*out = (wbk_column){.kind = WBK_BYTES32, .length = ROWS, .values = offsets,
	                    .data = text, .data_bytes = offsets[ITEMS]};
	if (!coded)
		return;
	*values = *out;
	values->length = 50;
	*out = (wbk_column){.kind = WBK_DICT, .width = 4, .length = ROWS, .values = codes,
	                    .child = values};
}

static void run(wbk_packed *p)
{
	uint64_t out[4];
	for (int64_t n = 1; n <= ROWS; n += 1 + (int64_t)upto(90)) {
		for (uint32_t i = 0; i < p->n_columns; i++) {
			wbk_bound *b = &p->bound[i];
			int coded = (p->wanted[i].kind & 0xff) == WBK_BYTES32 && upto(2);
			int list = (p->wanted[i].kind & WBK_PACKED_LIST) != 0;
			values_of(list ? &b->items : &b->rows, &b->values, p->wanted[i].kind & 0xff,
			          coded);
			if (list) {
				b->items.length = lists[ROWS];
				b->rows = (wbk_column){.kind = WBK_LIST32, .length = n,
				                       .values = lists, .child = &b->items};
			}
			b->rows.length = n;
			b->rows.validity = upto(2) ? validity : NULL;
			wbk_packed_bind(p, i, coded);
		}
		assert(!wbk_packed_run(p, n, out));
		for (int64_t i = n; i < wbk_words(n) * 64; i++)
			assert(!(out[i >> 6] >> (i & 63) & 1));
	}
}

int main(int argc, char **argv)
{
	FILE *file = argc > 2 ? fopen(argv[1], "rb") : NULL;
	if (!file)
		return 2;
	static uint8_t original[1 << 16];
	size_t size = fread(original, 1, sizeof original, file);
	fclose(file);
	seed = 88172645463325252u;
	fill();
	long ran = 0;
	for (long round = 0; round < atol(argv[2]); round++) {
		size_t length = round && !upto(8) ? upto((uint32_t)size) : size;
		uint8_t *bytes = malloc(length + 1);
		memcpy(bytes, original, length);
		for (uint32_t k = round ? upto(4) : 0; k && length; k--)
			bytes[upto((uint32_t)length)] = (uint8_t)(upto(2) ? upto(256) : upto(4));
		wbk_packed *p = wbk_packed_new(bytes, length, 128);
		free(bytes);
		assert(p || round);
		if (p) {
			run(p);
			ran++;
		}
		wbk_packed_free(p);
	}
	free(text);
	printf("%ld\n", ran);
	return 0;
}
