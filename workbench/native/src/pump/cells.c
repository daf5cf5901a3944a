/* Values that a plugin gave, into columns. Everything a plugin may get wrong about a value
 * ends here: no result, no string, impossible counts and sizes. */
#include "cells.h"

void wb_complain(wb_request *request, const char *what)
{
	if (request->warned)
		return;
	request->warned = true;
	wb_warn(request->plugin, "field %s: %s; such values are left out (said once)",
	        request->field, what);
}

/* Store element i of a result array as element e. False: it cannot be stored. */
static inline bool store(wb_column *c, wb_request *request, const abi_field *f,
                         uint64_t i, uint64_t e)
{
	switch (request->type) {
	case ABI_STRING: {
		const char *text = f->res.str[i];
		if (__builtin_expect(!text, 0)) {
			wb_complain(request, "the plugin gave a NULL string");
			return false;
		}
		if (__builtin_expect(wb_put_text(c, e, text), 1))
			return true;
		wb_complain(request, "a string larger than 1 GiB");
		return false;
	}
	case ABI_BOOL:
		wb_put_bool(c, e, f->res.boolean[i]);
		return true;
	case ABI_IPADDR:
	case ABI_IPNET: {
		const abi_byte_buffer *buf = &f->res.buf[i];
		if ((buf->len == 4 || buf->len == 16) && buf->ptr)
			return wb_put_address(c, e, buf->ptr, buf->len);
		if (buf->len) /* Go gives an empty one for a nil address */
			wb_complain(request, "an address that has neither 4 nor 16 bytes");
		return false;
	}
	default:
		wb_put_u64(c, e, f->res.u64[i]);
		return true;
	}
}

static void store_list(wb_column *c, wb_request *request, const abi_field *f,
                       uint64_t row)
{
	uint64_t n = f->res_len;
	if (n > WB_LIST_MAX) {
		wb_complain(request, "a list of an impossible length");
		n = 0;
	}
	uint64_t first = c->elems;
	for (uint64_t i = 0; i < n; i++) {
		if (c->elems + 1 >= c->offsets_cap)
			wb_column_grow_elems(c, c->elems + 1);
		if (store(c, request, f, i, c->elems))
			c->elems++;
	}
	if (c->elems == first) {
		wb_cell_null(c, row);
		return;
	}
	*c->budget -= (int64_t)(c->elems - first) * 8;
	c->lists[row + 1] = (int32_t)c->elems;
}

/* Did an earlier field of this call give the same text? */
static __attribute__((noinline)) bool met_before(wb_request *const *requests,
                                                 const abi_field *f, uint32_t before,
                                                 const char *text)
{
	for (uint32_t i = 0; i < before; i++)
		if (requests[i]->type == ABI_STRING && f[i].res_len && f[i].res.any &&
		    f[i].res.str[0] == text)
			return true;
	return false;
}

bool wb_store_cells(wb_request *const *requests, wb_column *const *cols,
                    const abi_field *f, uint32_t n, uint64_t row, bool watch)
{
	const abi_field *fields = f;
	const void *array = NULL;
	uint64_t met = 0; /* one bit for each text, by its address */
	for (uint32_t i = 0; i < n; i++, f++) {
		wb_column *c = cols[i];
		wb_request *request = requests[i];
		const void *res = f->res.any;
		if (!f->res_len || !res) {
			if (f->res_len)
				wb_complain(request, "a NULL result with a length");
			wb_cell_null(c, row);
			continue;
		}
		if (watch) {
			if (__builtin_expect(res == array, 0))
				return false;
			array = res;
			const char *text = request->type == ABI_STRING ? f->res.str[0] : NULL;
			if (text) {
				uint64_t bit = 1ull << ((uintptr_t)text >> 4 & 63);
				if ((met & bit) && *text && met_before(requests, fields, i, text))
					return false;
				met |= bit;
			}
		}
		if (request->is_list)
			store_list(c, request, f, row);
		else if (!store(c, request, f, 0, row))
			wb_cell_null(c, row);
	}
	return true;
}

void wb_rewind_cells(wb_column *const *cols, uint32_t n, uint64_t row)
{
	for (uint32_t i = 0; i < n; i++) {
		wb_column *c = cols[i];
		uint8_t bit = (uint8_t)(1u << (row & 7));
		if (!(c->validity[row >> 3] & bit)) {
			c->validity[row >> 3] |= bit;
			c->nulls--;
		}
		if (c->is_list)
			c->elems = (uint64_t)c->lists[row];
		if (c->kind == WB_KIND_BYTES && !c->dict_on)
			c->data_len = (uint64_t)c->offsets[c->is_list ? c->elems : row];
	}
}

void wb_store_value(wb_column *c, wb_request *request, bool present, const char *text,
                    uint64_t number, uint64_t row)
{
	if (!present) {
		wb_cell_null(c, row);
	} else if (request->type != ABI_STRING) {
		wb_put_u64(c, row, number);
	} else if (!text) {
		wb_complain(request, "the plugin gave a NULL string");
		wb_cell_null(c, row);
	} else if (!wb_put_text(c, row, text)) {
		wb_cell_null(c, row);
	}
}

void wb_null_cells(wb_builder *b, wb_request *request, uint64_t row)
{
	wb_cell_null(&b->cols[request->col], row);
	if (!request->offsets)
		return;
	wb_cell_null(&b->cols[request->col + 1], row);
	wb_cell_null(&b->cols[request->col + 2], row);
}

/* ---- the same values again? -------------------------------------------------- */

static uint64_t mix(uint64_t h, const void *bytes, uint64_t len)
{
	const uint8_t *at = bytes;
	for (uint64_t i = 0; i < len; i++)
		h = (h ^ at[i]) * 0x100000001b3u;
	return h;
}

uint64_t wb_value_digest(const wb_request *request, const abi_field *f)
{
	uint64_t n = f->res_len, h = 0xcbf29ce484222325u ^ n;
	if (!f->res.any || n > WB_LIST_MAX)
		return h;
	if (!request->is_list && n > 1)
		n = 1;
	for (uint64_t i = 0; i < n; i++) {
		switch (request->type) {
		case ABI_STRING:
			if (f->res.str[i])
				h = mix(h, f->res.str[i], strlen(f->res.str[i]) + 1);
			break;
		case ABI_BOOL:
			h = mix(h, &(uint8_t){f->res.boolean[i] != 0}, 1);
			break;
		case ABI_IPADDR:
		case ABI_IPNET:
			if (f->res.buf[i].ptr && f->res.buf[i].len <= 16)
				h = mix(h, f->res.buf[i].ptr, f->res.buf[i].len);
			break;
		default:
			h = mix(h, &f->res.u64[i], 8);
		}
	}
	return h;
}
