/*
 * State tables used rightly and wrongly by make-believe plugins, without a host. Run
 * under the address, undefined-behaviour and thread sanitizers; everything that was
 * allocated must be free at the end.
 */
#include "tables_test.h"

static void discovery(void)
{
	wbt_registry *r = wbt_registry_new();
	plugin a;
	uint32_t n = 0;
	join(&a, r, "a", 12);
	abi_table_info *tables = a.t->list_tables(&a, &n);
	CHECK(n == 1 && !strcmp(tables[0].name, "threads"));
	CHECK(tables[0].key_type == ABI_STATE_INT64);
	CHECK(!a.t->get_table(&a, "nothing", ABI_STATE_INT64));
	ERROR(&a, "no table named 'nothing'");
	CHECK(!a.t->get_table(&a, NULL, ABI_STATE_INT64));
	ERROR(&a, "null");
	CHECK(!a.t->get_table(&a, "threads", ABI_STATE_STRING));
	ERROR(&a, "table in registry accessed with wrong key type: table='threads', "
	      "requested='string', actual='int64'");
	abi_table *t = threads(&a);
	CHECK(t && !wbt_last_error(&a));
	CHECK(a.t->get_table(&a, "threads", ABI_STATE_STRING) == t);
	abi_table_input *face = t;
	CHECK(!strcmp(face->name, "threads") && face->key_type == ABI_STATE_INT64);
	CHECK(face->table == t && face->reader_ext && face->writer_ext && face->fields_ext);
	CHECK(!memcmp(&face->reader, face->reader_ext, sizeof face->reader));
	CHECK(!strcmp(face->reader.get_table_name(t), "threads"));
	const abi_table_fieldinfo *f = a.t->fields_ext->list_table_fields(t, &n);
	CHECK(n == 32 && !strcmp(f[0].name, "tid") && f[23].read_only);
	CHECK(a.t->fields.get_table_field(t, "comm", ABI_STATE_STRING));
	CHECK(!a.t->fields.get_table_field(t, "comm", ABI_STATE_INT8));
	ERROR(&a, "incompatible data types for static field: comm");
	CHECK(!a.t->fields.get_table_field(t, "x", ABI_STATE_INT8));
	ERROR(&a, "undefined field 'x' in table 'threads'");
	CHECK(a.t->reader_ext->get_table_size(t) == 0);
	CHECK(!a.t->reader_ext->get_table_entry(t, KEY(5)));
	ERROR(&a, "get_entry found no element at given key");
	CHECK(a.t->writer_ext->erase_table_entry(t, KEY(5)) == ABI_FAILURE);
	ERROR(&a, "table entry not found");
	wbt_registry_free(r);
}

static void sub_tables_at_init(void)
{
	static const char *const names[] = {"file_descriptors", "args", "env", "cgroups"};
	wbt_registry *r = wbt_registry_new();
	plugin a;
	join(&a, r, "a", 12);
	abi_table *t = threads(&a);
	abi_entry *e = a.t->writer_ext->create_table_entry(t);
	for (int i = 0; i < 4; i++) {
		abi_accessor *f = a.t->fields_ext->get_table_field(t, names[i], ABI_STATE_TABLE);
		abi_state_data out, again, in = {.u64 = 0};
		CHECK(a.t->reader_ext->read_entry_field(t, e, f, &out) == ABI_SUCCESS);
		CHECK(a.t->reader_ext->read_entry_field(t, e, f, &again) == ABI_SUCCESS);
		CHECK(out.table && out.table == again.table);
		abi_table_input *sub = out.table;
		CHECK(sub->key_type == (i ? ABI_STATE_UINT64 : ABI_STATE_INT64));
		CHECK(sub->reader_ext->get_table_size(sub) == 0);
		CHECK(sub->fields_ext->get_table_field(sub, i == 0 ? "name" : i == 3 ? "first"
		      : "value", ABI_STATE_STRING));
		CHECK(a.t->writer_ext->write_entry_field(t, e, f, &in) == ABI_FAILURE);
		ERROR(&a, "writing to table fields is currently not supported");
	}
	abi_state_data out;
	abi_accessor *f = a.t->fields_ext->get_table_field(t, "args", ABI_STATE_TABLE);
	a.t->reader_ext->read_entry_field(t, e, f, &out);
	abi_table_input *args = out.table;
	abi_accessor *value = args->fields.get_table_field(args, "value", ABI_STATE_STRING);
	abi_entry *x = args->writer.create_table_entry(args);
	CHECK(args->writer.write_entry_field(args, x, value,
		&(abi_state_data){.str = "-v"}) == ABI_SUCCESS);
	CHECK(args->writer.add_table_entry(args, KEY(0), x));
	CHECK(a.t->writer_ext->add_table_entry(t, KEY(7), e) == e);
	/* Through another sub-table handle, in the next call. */
	wbt_call_ended(a.owner);
	CHECK(!args->reader_ext || wbt_reader()->get_table_size(args) == UINT64_MAX);
	ERROR(&a, "the table handle is not valid");
	e = a.t->reader_ext->get_table_entry(t, KEY(7));
	CHECK(e && a.t->reader_ext->read_entry_field(t, e, f, &out) == ABI_SUCCESS);
	abi_table *again = out.table;
	x = wbt_reader()->get_table_entry(again, KEY(0));
	CHECK(wbt_reader()->read_entry_field(again, x, value, &out) == ABI_SUCCESS);
	CHECK(!strcmp(out.str, "-v"));
	/* The table's entry goes; what is held stays readable until the call ends. */
	CHECK(wbt_writer()->clear_table(t) == ABI_SUCCESS);
	CHECK(wbt_reader()->read_entry_field(again, x, value, &out) == ABI_SUCCESS);
	CHECK(!strcmp(out.str, "-v"));
	wbt_registry_free(r);
}

static void fields_at_run_time(void)
{
	wbt_registry *r = wbt_registry_new();
	plugin a, b;
	join(&a, r, "a", 12);
	join(&b, r, "b", 12);
	abi_table *t = threads(&a), *u = threads(&b);
	CHECK(t != u);
	abi_entry *e = put(&a, t, 1);
	abi_accessor *f = a.t->fields.add_table_field(t, "mine", ABI_STATE_STRING);
	CHECK(f && f == b.t->fields.add_table_field(u, "mine", ABI_STATE_STRING));
	CHECK(f == b.t->fields.get_table_field(u, "mine", ABI_STATE_STRING));
	CHECK(!b.t->fields.get_table_field(u, "mine", ABI_STATE_BOOL));
	ERROR(&b, "incompatible data types for dynamic field: mine");
	CHECK(!wbt_last_error(&a));
	CHECK(!a.t->fields.add_table_field(t, "mine", ABI_STATE_BOOL));
	ERROR(&a, "multiple definitions of dynamic field with different types in struct: "
	      "mine, prevtype=string, newtype=bool");
	CHECK(!a.t->fields.add_table_field(t, "comm", ABI_STATE_STRING));
	ERROR(&a, "can't add dynamic field already defined as static: comm");
	CHECK(!a.t->fields.add_table_field(t, "new", ABI_STATE_TABLE));
	ERROR(&a, "can't add dynamic field of type table: new");
	CHECK(!a.t->fields.add_table_field(t, "new", 77));
	ERROR(&a, "unknown type 77");
	CHECK(!a.t->fields.add_table_field(t, "", ABI_STATE_BOOL));
	CHECK(!a.t->fields.add_table_field(t, NULL, ABI_STATE_BOOL));
	abi_state_data out = {.u64 = 5};
	CHECK(wbt_reader()->read_entry_field(t, e, f, &out) == ABI_SUCCESS);
	CHECK(!strcmp(out.str, ""));
	char text[] = "value";
	CHECK(wbt_writer()->write_entry_field(t, e, f, &(abi_state_data){.str = text}) == 0);
	memset(text, 'x', 5);
	abi_entry *seen = wbt_reader()->get_table_entry(u, KEY(1));
	CHECK(wbt_reader()->read_entry_field(u, seen, f, &out) == ABI_SUCCESS);
	CHECK(!strcmp(out.str, "value"));
	CHECK(wbt_writer()->write_entry_field(t, e, f, &(abi_state_data){.str = NULL}) == 0);
	CHECK(!strcmp(out.str, "value"));
	static const struct { int32_t type; uint64_t in, out; } cases[] = {
		{ABI_STATE_INT8, ~0ull, 0xff}, {ABI_STATE_UINT8, ~0ull, 0xff},
		{ABI_STATE_INT16, ~0ull, 0xffff}, {ABI_STATE_UINT16, ~0ull, 0xffff},
		{ABI_STATE_INT32, ~0ull, 0xffffffff}, {ABI_STATE_UINT32, ~0ull, 0xffffffff},
		{ABI_STATE_INT64, ~0ull, ~0ull}, {ABI_STATE_UINT64, ~0ull, ~0ull},
		{ABI_STATE_BOOL, 2, 1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char name[16];
		snprintf(name, sizeof name, "n%zu", i);
		f = a.t->fields.add_table_field(t, name, cases[i].type);
		CHECK(!wbt_writer()->write_entry_field(t, e, f,
			&(abi_state_data){.u64 = cases[i].in}));
		CHECK(!wbt_reader()->read_entry_field(t, e, f, &out));
		CHECK(out.u64 == cases[i].out);
	}
	f = a.t->fields.get_table_field(t, "tid", ABI_STATE_INT64);
	CHECK(!wbt_reader()->read_entry_field(t, e, f, &out) && out.s64 == 1);
	f = a.t->fields.get_table_field(t, "cwd", ABI_STATE_STRING);
	CHECK(wbt_writer()->write_entry_field(t, e, f, &(abi_state_data){.str = "/"}) != 0);
	ERROR(&a, "attempt to write to read-only static struct field: cwd");
	wbt_registry_free(r);
}

static void misuse(void)
{
	wbt_registry *r = wbt_registry_new();
	plugin a, b;
	join(&a, r, "a", 12);
	join(&b, r, "b", 12);
	abi_table *t = threads(&a), *u = threads(&b);
	abi_reader_vtable_ext *in = wbt_reader();
	abi_writer_vtable *out = wbt_writer();
	abi_accessor *comm = a.t->fields.get_table_field(t, "comm", ABI_STATE_STRING);
	abi_state_data data = {.str = "x"};
	abi_entry *e = out->create_table_entry(t);
	CHECK(!out->add_table_entry(u, KEY(1), e));
	ERROR(&b, "the entry belongs to another plugin");
	CHECK(in->read_entry_field(u, e, comm, &data) == ABI_FAILURE && !data.u64);
	in->release_table_entry(t, e);
	ERROR(&a, "created and not added");
	CHECK(!out->add_table_entry(t, NULL, e));
	CHECK(out->add_table_entry(t, KEY(1), e) == e);
	CHECK(!out->add_table_entry(t, KEY(2), e));
	ERROR(&a, "add_entry called on entry not created by create_table_entry");
	out->destroy_table_entry(t, e);
	ERROR(&a, "destroy_table_entry called on entry not created by create_table_entry");
	CHECK(in->get_table_size(t) == 1);
	in->release_table_entry(t, e);
	CHECK(!wbt_last_error(&a));
	in->release_table_entry(t, e);
	ERROR(&a, "the entry handle is not valid");
	CHECK(in->read_entry_field(t, e, comm, &data) == ABI_FAILURE);
	ERROR(&a, "the entry handle is not valid");
	e = out->create_table_entry(t);
	out->destroy_table_entry(t, e);
	out->destroy_table_entry(t, e);
	ERROR(&a, "not valid");
	CHECK(in->read_entry_field(t, (abi_entry *)0x8, comm, &data) == ABI_FAILURE);
	CHECK(in->read_entry_field((abi_table *)0x8, NULL, NULL, NULL) == ABI_FAILURE);
	ERROR(&a, "the table handle is not valid");
	e = in->get_table_entry(t, KEY(1));
	CHECK(in->read_entry_field(t, e, (abi_accessor *)e, &data) == ABI_FAILURE);
	ERROR(&a, "the field accessor is not valid");
	CHECK(in->read_entry_field(t, e, comm, NULL) == ABI_FAILURE);
	CHECK(out->write_entry_field(t, e, comm, NULL) == ABI_FAILURE);
	CHECK(!in->get_table_entry(t, NULL) && out->erase_table_entry(t, NULL));
	CHECK(!in->iterate_entries(t, NULL, NULL));
	abi_accessor *args = a.t->fields.get_table_field(t, "args", ABI_STATE_TABLE);
	CHECK(!in->read_entry_field(t, e, args, &data));
	abi_table *sub = data.table;
	CHECK(in->read_entry_field(sub, e, comm, &data) == ABI_FAILURE);
	ERROR(&a, "an accessor of table 'threads' is used with table 'args'");
	abi_accessor *value = a.t->fields.get_table_field(sub, "value", ABI_STATE_STRING);
	CHECK(in->read_entry_field(sub, e, value, &data) == ABI_FAILURE);
	ERROR(&a, "an entry of table 'threads' is used with table 'args'");
	CHECK(!a.t->get_table(&data, "threads", ABI_STATE_INT64));
	ERROR(&a, "the owner handle is not valid");
	CHECK(a.t->list_tables(NULL, NULL) == NULL);
	wbt_leave(b.owner);
	CHECK(in->get_table_size(u) == UINT64_MAX);
	CHECK(!b.t || !wbt_last_error(&b) || 1);
	wbt_registry_free(r);
	CHECK(in->get_table_size(t) == UINT64_MAX);
}

static void iteration(void)
{
	wbt_registry *r = wbt_registry_new();
	plugin a;
	join(&a, r, "a", 12);
	abi_table *t = threads(&a);
	for (int i = 0; i < 100; i++)
		put(&a, t, i);
	put(&a, t, 50);
	CHECK(wbt_reader()->get_table_size(t) == 100);
	walk w = {&a, t, 0, 0, 0, NULL};
	CHECK(wbt_reader()->iterate_entries(t, visit, &w) == 1 && w.seen == 100);
	abi_state_data out;
	abi_accessor *tid = a.t->fields.get_table_field(t, "tid", ABI_STATE_INT64);
	CHECK(wbt_reader()->read_entry_field(t, w.last, tid, &out) == ABI_FAILURE);
	w = (walk){&a, t, 0, 10, 0, NULL};
	CHECK(wbt_reader()->iterate_entries(t, visit, &w) == 0 && w.seen == 10);
	w = (walk){&a, t, 0, 0, 5, NULL};
	CHECK(wbt_reader()->iterate_entries(t, visit, &w) == 1 && w.seen == 5);
	CHECK(wbt_reader()->get_table_size(t) == 0);
	wbt_registry_free(r);
}

/* ---- many threads at once, one of them ending calls ---- */

static _Atomic int go_on;
static _Atomic long turns;

static void *routine(void *arg)
{
	plugin *p = arg;
	wbt_routine_thread(1);
	abi_table *t = threads(p);
	abi_accessor *comm = p->t->fields.get_table_field(t, "comm", ABI_STATE_STRING);
	unsigned x = (unsigned)(uintptr_t)pthread_self();
	size_t sum = 0;
	while (go_on) {
		for (int i = 0; i < 20; i++) {
			x = x * 1103515245 + 12345;
			int64_t key = x >> 16 & 15;
			abi_state_data out, in = {.str = x & 1024 ? "short" : "a longer text"};
			abi_entry *e = x & 2048 ? put(p, t, key)
				: wbt_reader()->get_table_entry(t, KEY(key));
			wbt_writer()->write_entry_field(t, e, comm, &in);
			if (!wbt_reader()->read_entry_field(t, e, comm, &out))
				sum += strlen(out.str);
			if (x & 4096)
				wbt_writer()->erase_table_entry(t, KEY(key));
			if (x & 8192)
				wbt_reader()->release_table_entry(t, e);
			wbt_last_error(p);
		}
		wbt_routine_ended(p->owner);
		turns++;
	}
	wbt_routine_thread(0);
	return (void *)(sum | 1);
}

static void threads_together(int rounds)
{
	wbt_registry *r = wbt_registry_new();
	plugin a, b;
	pthread_t pool[3];
	join(&a, r, "a", 12);
	join(&b, r, "b", 12);
	go_on = 1;
	pthread_create(&pool[0], NULL, routine, &a);
	pthread_create(&pool[1], NULL, routine, &a);
	pthread_create(&pool[2], NULL, routine, &b);
	abi_table *t = threads(&a);
	abi_accessor *comm = a.t->fields.get_table_field(t, "comm", ABI_STATE_STRING);
	for (int i = 0; i < rounds || turns < rounds / 10; i++) {
		abi_state_data out;
		abi_entry *e = wbt_reader()->get_table_entry(t, KEY(i & 15));
		wbt_writer()->write_entry_field(t, e, comm, &(abi_state_data){.str = "main"});
		if (!wbt_reader()->read_entry_field(t, e, comm, &out))
			CHECK(strlen(out.str) < 20);
		walk w = {&a, t, 0, 0, i % 64 == 63, NULL};
		wbt_reader()->iterate_entries(t, visit, &w);
		wbt_call_ended(a.owner);
		wbt_call_ended(b.owner);
	}
	go_on = 0;
	for (int i = 0; i < 3; i++)
		pthread_join(pool[i], NULL);
	wbt_registry_free(r);
}

int main(int argc, char **argv)
{
	discovery();
	sub_tables_at_init();
	fields_at_run_time();
	misuse();
	iteration();
	tables_of_plugins();
	threads_together(argc > 1 ? atoi(argv[1]) : 200);
	if (wb_live_objects()) {
		printf("%ld objects are still alive\n", (long)wb_live_objects());
		return 1;
	}
	puts("ok");
	return 0;
}
