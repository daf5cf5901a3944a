/* Tables that plugins own, used by other plugins; see tables_test.c. */
#include "tables_test.h"

/* ---- a table that a plugin owns: one entry per slot of an array ---- */

enum { SLOTS = 4 };
static struct { bool used; int64_t key; char name[16]; } slot[SLOTS];
static int held, created, fail_all;
static plugin *nested;
static abi_table *nested_table;
static abi_table_input inner_input;
static char accessor_name, accessor_inner;

static const char *o_name(abi_table *t) { return "own"; }
static uint64_t o_size(abi_table *t)
{
	uint64_t n = 0;
	for (int i = 0; i < SLOTS; i++)
		n += slot[i].used;
	return fail_all ? UINT64_MAX : n;
}
static abi_entry *o_get(abi_table *t, const abi_state_data *key)
{
	for (int i = 0; i < SLOTS && !fail_all; i++)
		if (slot[i].used && slot[i].key == key->s64) {
			held++;
			return &slot[i];
		}
	return NULL;
}
static int32_t o_read(abi_table *t, abi_entry *e, const abi_accessor *f,
                      abi_state_data *out)
{
	if (nested) {
		/* A plugin that asks for its own table while answering. */
		abi_state_data key = {.s64 = 1};
		abi_entry *x = wbt_reader()->get_table_entry(nested_table, &key);
		const abi_accessor *g = nested->t->fields.get_table_field(nested_table, "name",
			ABI_STATE_STRING);
		return wbt_reader()->read_entry_field(nested_table, x, g, out);
	}
	if (f == (abi_accessor *)&accessor_inner)
		out->table = &inner_input;
	else
		out->str = ((char *)e) + offsetof(__typeof__(slot[0]), name);
	return fail_all ? ABI_FAILURE : ABI_SUCCESS;
}
static void o_release(abi_table *t, abi_entry *e) { held--; }
static uint32_t o_iterate(abi_table *t, abi_iterator it, void *state)
{
	for (int i = 0; i < SLOTS; i++)
		if (slot[i].used && !it(state, &slot[i]))
			return 0;
	return 1;
}
static int32_t o_clear(abi_table *t)
{
	for (int i = 0; i < SLOTS; i++)
		slot[i].used = false;
	return fail_all;
}
static int32_t o_erase(abi_table *t, const abi_state_data *key)
{
	for (int i = 0; i < SLOTS; i++)
		if (slot[i].used && slot[i].key == key->s64) {
			slot[i].used = false;
			return ABI_SUCCESS;
		}
	return ABI_FAILURE;
}
static abi_entry *o_create(abi_table *t)
{
	for (int i = 0; i < SLOTS && !fail_all; i++)
		if (!slot[i].used) {
			created++;
			return &slot[i];
		}
	return NULL;
}
static void o_destroy(abi_table *t, abi_entry *e) { created--; }
static abi_entry *o_add(abi_table *t, const abi_state_data *key, abi_entry *e)
{
	if (fail_all)
		return NULL;
	__typeof__(slot[0]) *s = (void *)e;
	s->used = true;
	s->key = key->s64;
	created--;
	held++;
	return e;
}
static int32_t o_write(abi_table *t, abi_entry *e, const abi_accessor *f,
                       const abi_state_data *in)
{
	__typeof__(slot[0]) *s = (void *)e;
	snprintf(s->name, sizeof s->name, "%s", in->str);
	return fail_all;
}
static const abi_table_fieldinfo *o_list(abi_table *t, uint32_t *n)
{
	static const abi_table_fieldinfo f[] = {{"name", ABI_STATE_STRING, 0},
	                                        {"inner", ABI_STATE_TABLE, 1}};
	*n = 2;
	return fail_all ? NULL : f;
}
static abi_accessor *o_field(abi_table *t, const char *name, int32_t type)
{
	if (!strcmp(name, "name") && type == ABI_STATE_STRING)
		return (abi_accessor *)&accessor_name;
	if (!strcmp(name, "inner") && type == ABI_STATE_TABLE)
		return (abi_accessor *)&accessor_inner;
	return NULL;
}

static abi_reader_vtable_ext o_reader = {o_name, o_size, o_get, o_read, o_release,
                                         o_iterate};
static abi_writer_vtable o_writer = {o_clear, o_erase, o_create, o_destroy, o_add,
                                     o_write};
static abi_fields_vtable o_fields = {o_list, o_field, o_field};

static abi_table_input own_table(const char *name)
{
	abi_table_input in = {
		.name = name, .key_type = ABI_STATE_INT64, .table = (abi_table *)name,
		.writer = o_writer, .fields = o_fields, .reader_ext = &o_reader,
		.writer_ext = &o_writer, .fields_ext = &o_fields};
	memcpy(&in.reader, &o_reader, sizeof in.reader);
	return in;
}

static void refused_tables(void)
{
	wbt_registry *r = wbt_registry_new();
	plugin a, old;
	join(&a, r, "a", 12);
	join(&old, r, "old", 0);
	abi_table_input good = own_table("own"), bad;
	CHECK(a.t->add_table(&a, NULL) == ABI_FAILURE);
	ERROR(&a, "failure in adding state table defined by plugin 'a': input is null");
	bad = good, bad.name = NULL;
	CHECK(a.t->add_table(&a, &bad) == ABI_FAILURE);
	ERROR(&a, "name is null");
	bad = good, bad.key_type = ABI_STATE_TABLE;
	CHECK(a.t->add_table(&a, &bad) == ABI_FAILURE);
	bad = good, bad.writer_ext = NULL;
	CHECK(a.t->add_table(&a, &bad) == ABI_FAILURE);
	ERROR(&a, "extended vtables must all be defined");
	bad = good, bad.reader.get_table_size = NULL;
	CHECK(a.t->add_table(&a, &bad) == ABI_FAILURE);
	ERROR(&a, "broken or inconsistent reader vtables");
	bad = good, bad.fields.get_table_field = (void *)o_size;
	CHECK(a.t->add_table(&a, &bad) == ABI_FAILURE);
	ERROR(&a, "broken or inconsistent fields vtables");
	bad = own_table("threads");
	CHECK(a.t->add_table(&a, &bad) == ABI_FAILURE);
	ERROR(&a, "table added to registry multiple times: threads");
	CHECK(a.t->add_table(&a, &good) == ABI_SUCCESS);
	CHECK(a.t->add_table(&a, &good) == ABI_FAILURE);
	/* A 3.0 plugin's struct ends before the extended vtables. */
	bad = own_table("old"), bad.reader_ext = (void *)1, bad.writer_ext = (void *)2;
	CHECK(old.t->add_table(&old, &bad) == ABI_SUCCESS);
	abi_table *t = a.t->get_table(&a, "old", ABI_STATE_INT64);
	CHECK(wbt_reader()->iterate_entries(t, o_destroy == NULL ? NULL : visit, NULL) == 0);
	ERROR(&a, "written for plugin API 3.0");
	wbt_registry_free(r);
}

static void forwarding(void)
{
	wbt_registry *r = wbt_registry_new();
	plugin a, b;
	join(&a, r, "a", 12);
	join(&b, r, "b", 12);
	abi_table_input mine = own_table("own");
	inner_input = own_table("inner");
	CHECK(a.t->add_table(&a, &mine) == ABI_SUCCESS);
	CHECK(!b.t->get_table(&b, "own", ABI_STATE_UINT64));
	abi_table *t = b.t->get_table(&b, "own", ABI_STATE_INT64);
	abi_accessor *name = b.t->fields.get_table_field(t, "name", ABI_STATE_STRING);
	CHECK(t && name && name == b.t->fields.get_table_field(t, "name", ABI_STATE_STRING));
	CHECK(!b.t->fields.get_table_field(t, "nope", ABI_STATE_STRING));
	ERROR(&b, "does not say why");
	a.words = "the plugin's own words";
	CHECK(!wbt_reader()->get_table_entry(t, KEY(1)));
	ERROR(&b, "the plugin's own words");
	abi_entry *e = put(&b, t, 1);
	CHECK(e && held == 1 && created == 0);
	CHECK(!wbt_writer()->write_entry_field(t, e, name, &(abi_state_data){.str = "one"}));
	abi_state_data out;
	CHECK(!wbt_reader()->read_entry_field(t, e, name, &out) && !strcmp(out.str, "one"));
	wbt_reader()->release_table_entry(t, e);
	CHECK(held == 0);
	wbt_reader()->release_table_entry(t, e);
	ERROR(&b, "not valid");
	CHECK(held == 0);
	abi_entry *c = wbt_writer()->create_table_entry(t);
	wbt_writer()->destroy_table_entry(t, c);
	CHECK(created == 0);
	/* What is not given back is dropped when the call ends. */
	wbt_writer()->create_table_entry(t);
	wbt_reader()->get_table_entry(t, KEY(1));
	wbt_reader()->get_table_entry(t, KEY(1));
	CHECK(created == 1 && held == 2);
	wbt_call_ended(b.owner);
	CHECK(created == 0 && held == 0);
	put(&b, t, 2);
	walk w = {&b, t, 0, 0, 0, NULL};
	CHECK(wbt_reader()->iterate_entries(t, visit, &w) == 1 && w.seen == 2);
	wbt_call_ended(b.owner);
	CHECK(held == 0);
	/* Tables in tables. */
	abi_accessor *inner = b.t->fields.get_table_field(t, "inner", ABI_STATE_TABLE);
	e = wbt_reader()->get_table_entry(t, KEY(1));
	CHECK(!wbt_reader()->read_entry_field(t, e, inner, &out));
	abi_table *sub = out.table;
	CHECK(!strcmp(((abi_table_input *)sub)->name, "inner"));
	abi_accessor *sub_name = b.t->fields.get_table_field(sub, "name", ABI_STATE_STRING);
	abi_entry *x = wbt_reader()->get_table_entry(sub, KEY(2));
	CHECK(x && !wbt_reader()->read_entry_field(sub, x, sub_name, &out));
	CHECK(wbt_reader()->read_entry_field(sub, e, sub_name, &out));
	ERROR(&b, "is used with table 'inner'");
	inner_input.reader_ext = NULL;
	CHECK(wbt_reader()->read_entry_field(t, e, inner, &out) == ABI_FAILURE);
	ERROR(&b, "unsound sub-table 'inner': extended vtables must all be defined");
	wbt_call_ended(b.owner);
	CHECK(held == 0);
	/* Circles end. */
	nested = &a;
	nested_table = a.t->get_table(&a, "own", ABI_STATE_INT64);
	e = wbt_reader()->get_table_entry(t, KEY(1));
	CHECK(wbt_reader()->read_entry_field(t, e, name, &out) == ABI_FAILURE);
	nested = NULL;
	wbt_call_ended(a.owner);
	wbt_call_ended(b.owner);
	CHECK(held == 0);
	/* Failures of every kind are errors of the caller. */
	e = wbt_reader()->get_table_entry(t, KEY(1));
	c = wbt_writer()->create_table_entry(t);
	uint32_t n = 9;
	fail_all = 1;
	a.words = NULL;
	CHECK(wbt_reader()->get_table_size(t) == UINT64_MAX);
	ERROR(&b, "get_table_size failed on table 'own', and its plugin 'a' does not say why");
	CHECK(wbt_reader()->read_entry_field(t, e, name, &out) && !out.u64);
	CHECK(wbt_writer()->write_entry_field(t, e, name, &out));
	CHECK(!wbt_writer()->add_table_entry(t, KEY(3), c));
	ERROR(&b, "add_table_entry failed");
	CHECK(!wbt_writer()->create_table_entry(t) && wbt_writer()->clear_table(t));
	CHECK(wbt_writer()->erase_table_entry(t, KEY(77)));
	CHECK(!b.t->fields.list_table_fields(t, &n) && n == 0);
	fail_all = 0;
	wbt_writer()->destroy_table_entry(t, c);
	CHECK(created == 0);
	/* The owner goes: its entries are not given back to it. */
	int before = held;
	wbt_retire(a.owner);
	CHECK(wbt_reader()->get_table_size(t) == UINT64_MAX);
	ERROR(&b, "the plugin that owned table 'own' is gone");
	CHECK(!b.t->get_table(&b, "own", ABI_STATE_INT64));
	wbt_leave(a.owner);
	wbt_call_ended(b.owner);
	CHECK(held == before);
	wbt_registry_free(r);
	held = 0;
}

static void snapshot(void)
{
	wbt_registry *r = wbt_registry_new();
	plugin a;
	join(&a, r, "a", 12);
	abi_table *t = threads(&a);
	abi_accessor *comm = a.t->fields.get_table_field(t, "comm", ABI_STATE_STRING);
	for (int i = 0; i < 10; i++)
		wbt_writer()->write_entry_field(t, put(&a, t, i), comm,
			&(abi_state_data){.str = "needle"});
	abi_table_input mine = own_table("own");
	memset(slot, 0, sizeof slot);
	CHECK(a.t->add_table(&a, &mine) == ABI_SUCCESS);
	wbt_call_ended(a.owner);
	uint64_t size = 0;
	uint8_t *bytes = wbt_snapshot(r, 3, &size);
	int found = 0;
	for (uint64_t i = 0; i + 6 <= size; i++)
		found += !memcmp(bytes + i, "needle", 6);
	CHECK(found == 3);
	wb_free(bytes);
	fail_all = 1;
	bytes = wbt_snapshot(r, 3, &size);
	fail_all = 0;
	CHECK(size > 100);
	wb_free(bytes);
	wbt_registry_free(r);
}

void tables_of_plugins(void)
{
	refused_tables();
	forwarding();
	snapshot();
}
