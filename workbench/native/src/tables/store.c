/* Content of built-in tables: entries by key, kept while anybody holds them. */
#include "inner.h"

wbt_text *wbt_text_of(const char *chars)
{
	return (wbt_text *)(chars - offsetof(wbt_text, chars));
}

wbt_text *wbt_text_new(const char *chars)
{
	size_t n = strlen(chars) + 1;
	wbt_text *t = wb_alloc(sizeof *t + n);
	memcpy(t->chars, chars, n);
	return t;
}

void wbt_texts_free(wbt_text **list)
{
	for (wbt_text *t = *list, *next; t; t = next) {
		next = t->next;
		wb_free(t);
	}
	*list = NULL;
}

/* The plugin that read it may look at it until its call ends. */
static void bury(wbt_registry *r, const char *chars)
{
	if (!chars)
		return;
	wbt_text *t = wbt_text_of(chars);
	t->next = r->graveyard;
	r->graveyard = t;
	atomic_fetch_add_explicit(&r->buried, 1, memory_order_relaxed);
}

wbt_store *wbt_store_new(wbt_schema *s)
{
	wbt_store *store = wb_alloc(sizeof *store);
	store->schema = s;
	return store;
}

static wbt_record **bucket(const wbt_store *s, uint64_t key)
{
	uint64_t h = key * 0x9E3779B97F4A7C15ull;
	return &s->buckets[(h >> 32) & s->mask];
}

wbt_record *wbt_store_find(const wbt_store *s, uint64_t key)
{
	if (!s->buckets)
		return NULL;
	for (wbt_record *r = *bucket(s, key); r; r = r->chain)
		if (r->key == key)
			return r;
	return NULL;
}

static void grow(wbt_store *s)
{
	uint64_t size = s->buckets ? 2 * ((uint64_t)s->mask + 1) : 16;
	wb_free(s->buckets);
	s->buckets = wb_alloc(size * sizeof *s->buckets);
	s->mask = (uint32_t)size - 1;
	for (wbt_record *r = s->first; r; r = r->after) {
		wbt_record **b = bucket(s, r->key);
		r->chain = *b;
		*b = r;
	}
}

void wbt_store_take(wbt_registry *reg, wbt_store *s, wbt_record *r)
{
	wbt_record **at = bucket(s, r->key);
	while (*at != r)
		at = &(*at)->chain;
	*at = r->chain;
	*(r->before ? &r->before->after : &s->first) = r->after;
	*(r->after ? &r->after->before : &s->last) = r->before;
	r->chain = r->before = r->after = NULL;
	r->home = NULL;
	s->size--;
	wbt_record_drop(reg, r);
}

void wbt_store_put(wbt_registry *reg, wbt_store *s, uint64_t key, wbt_record *r)
{
	wbt_record *old = wbt_store_find(s, key);
	if (old)
		wbt_store_take(reg, s, old);
	if (!s->buckets || s->size > s->mask)
		grow(s);
	wbt_record **b = bucket(s, key);
	r->key = key;
	r->home = s;
	r->refs++;
	r->chain = *b;
	*b = r;
	r->before = s->last;
	*(s->last ? &s->last->after : &s->first) = r;
	s->last = r;
	s->size++;
}

void wbt_store_clear(wbt_registry *reg, wbt_store *s)
{
	while (s->first)
		wbt_store_take(reg, s, s->first);
}

void wbt_store_free(wbt_registry *reg, wbt_store *s)
{
	wbt_store_clear(reg, s);
	wb_free(s->buckets);
	wb_free(s);
}

wbt_record *wbt_record_new(const wbt_schema *schema)
{
	wbt_record *r = wb_alloc(sizeof *r);
	r->schema = schema;
	return r;
}

void wbt_record_drop(wbt_registry *reg, wbt_record *r)
{
	if (--r->refs)
		return;
	for (uint32_t i = 0; i < r->slots; i++) {
		int32_t type = r->schema->fields[i]->type;
		if (type == ABI_STATE_STRING)
			bury(reg, r->values[i].str);
		else if (type == ABI_STATE_TABLE && r->values[i].table)
			wbt_store_free(reg, r->values[i].table);
	}
	wb_free(r->values);
	wb_free(r);
}

abi_state_data *wbt_record_value(wbt_record *r, const wbt_field *field)
{
	if (field->slot >= r->slots) {
		uint32_t slots = r->schema->count;
		r->values = wb_realloc(r->values, slots * sizeof *r->values);
		memset(r->values + r->slots, 0, (slots - r->slots) * sizeof *r->values);
		r->slots = slots;
	}
	return &r->values[field->slot];
}

void wbt_record_write(wbt_registry *reg, wbt_record *r, const wbt_field *field,
                      const abi_state_data *value)
{
	abi_state_data *at = wbt_record_value(r, field);
	switch (field->type) {
	case ABI_STATE_STRING:
		bury(reg, at->str);
		at->str = value->str ? wbt_text_new(value->str)->chars : NULL;
		return;
	case ABI_STATE_INT8: case ABI_STATE_UINT8:
		*at = (abi_state_data){.u64 = 0};
		at->u8 = value->u8;
		return;
	case ABI_STATE_INT16: case ABI_STATE_UINT16:
		*at = (abi_state_data){.u64 = 0};
		at->u16 = value->u16;
		return;
	case ABI_STATE_INT32: case ABI_STATE_UINT32:
		*at = (abi_state_data){.u64 = 0};
		at->u32 = value->u32;
		return;
	case ABI_STATE_BOOL:
		*at = (abi_state_data){.u64 = 0};
		at->b = value->b != 0;
		return;
	default:
		at->u64 = value->u64;
	}
}
