/* Dictionary-encoded columns: one look into a table answers up to eight checks. */
#include "kernel.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* Bit b of the 64 bytes becomes word b. */
static void transpose(const uint8_t bytes[64], int32_t count, uint64_t *const *out,
		      int64_t k)
{
#if defined(__SSE2__)
	__m128i v[4];
	for (int j = 0; j < 4; j++)
		v[j] = _mm_loadu_si128((const void *)(bytes + 16 * j));
	for (int b = 7; b >= 0; b--) {
		if (b < count) {
			uint64_t word = 0;
			for (int j = 0; j < 4; j++)
				word |= (uint64_t)(uint32_t)_mm_movemask_epi8(v[j])
					<< (16 * j);
			out[b][k] = word;
		}
		for (int j = 0; j < 4; j++)
			v[j] = _mm_add_epi8(v[j], v[j]);
	}
#else
	for (int b = 0; b < count; b++) {
		uint64_t word = 0;
		for (int j = 0; j < 8; j++) {
			uint64_t eight;
			memcpy(&eight, bytes + 8 * j, 8);
			eight = (eight >> b & 0x0101010101010101ULL) *
				0x0102040810204080ULL;
			word |= (eight >> 56) << (8 * j);
		}
		out[b][k] = word;
	}
#endif
}

#define LOOK(TYPE)                                                             \
	do {                                                                   \
		const TYPE *codes = (const TYPE *)dict->values + dict->offset +    \
				    start + k * 64;                            \
		for (int64_t i = 0; i < rows; i++) {                           \
			uint64_t code = codes[i];                              \
			bytes[i] = lut[code < limit ? code : limit];           \
		}                                                              \
	} while (0)

void wbk_gather(const wbk_column *dict, int64_t start, int64_t n, const uint8_t *lut,
		int32_t count, uint64_t *const *out)
{
	uint64_t limit = (uint64_t)dict->child->length;
	uint8_t bytes[64];
	for (int64_t k = 0; k < wbk_words(n); k++) {
		int64_t rows = n - k * 64 < 64 ? n - k * 64 : 64;
		if (rows < 64)
			memset(bytes, 0, sizeof bytes);
		switch (dict->width) {
		case 1:
			LOOK(uint8_t);
			break;
		case 2:
			LOOK(uint16_t);
			break;
		case 4:
			LOOK(uint32_t);
			break;
		default:
			LOOK(uint64_t);
		}
		transpose(bytes, count, out, k);
	}
	if (!dict->validity)
		return;
	for (int64_t k = 0; k < wbk_words(n); k++) {
		uint64_t valid;
		wbk_load_bits(dict->validity, dict->offset + start + k * 64,
			      n - k * 64 < 64 ? n - k * 64 : 64, &valid);
		for (int b = 0; b < count; b++)
			out[b][k] &= valid;
	}
}
