/* The tables of one host by name. */
#include "inner.h"

static void add(wbt_registry *r, wbt_table *t)
{
	*r->last_table = t;
	r->last_table = &t->next;
}

wbt_registry *wbt_registry_new(void)
{
	wbt_registry *r = wb_alloc(sizeof *r);
	r->last_table = &r->tables;
	wbt_lock();
	wbt_table *t = wb_alloc(sizeof *t);
	t->name = wb_copy_text("threads");
	t->key_type = ABI_STATE_INT64;
	t->schema = wbt_threads_schema(r);
	t->store = wbt_store_new(t->schema);
	add(r, t);
	wbt_unlock();
	r->host = wbt_join(r, r, "workbench", 12, NULL);
	return r;
}

void wbt_registry_free(wbt_registry *r)
{
	while (r->owners)
		wbt_leave(r->owners);
	wbt_lock();
	for (wbt_table *t = r->tables, *next; t; t = next) {
		next = t->next;
		if (t->store)
			wbt_store_free(r, t->store);
		wb_free(t->foreign);
		wb_free(t->name);
		wb_free(t);
	}
	wbt_schemas_free(r);
	wbt_texts_free(&r->graveyard);
	wbt_unlock();
	wb_free(r);
}

static wbt_owner *enter(abi_owner *handle, const char *function)
{
	wbt_lock();
	wbt_owner *o = wbt_live_find(handle, WBT_OWNER);
	if (!o) {
		wbt_unlock();
		wbt_error_set(NULL, "%s: the owner handle is not valid", function);
		return NULL;
	}
	wbt_error_clear(o);
	return o;
}

/* Tables of plugins that are gone stay in the list, for handles to them, unseen. */
static bool visible(const wbt_table *t) { return t->store || t->foreign->owner; }

static wbt_table *find(wbt_registry *r, const char *name)
{
	for (wbt_table *t = r->tables; t; t = t->next)
		if (visible(t) && !strcmp(t->name, name))
			return t;
	return NULL;
}

abi_table_info *wbt_list_tables(abi_owner *handle, uint32_t *n)
{
	uint32_t count = 0;
	if (n)
		*n = 0;
	wbt_owner *o = enter(handle, "list_tables");
	if (!o)
		return NULL;
	for (wbt_table *t = o->registry->tables; t; t = t->next)
		count += visible(t);
	o->listed = wb_realloc(o->listed, (count + 1) * sizeof *o->listed);
	count = 0;
	for (wbt_table *t = o->registry->tables; t; t = t->next)
		if (visible(t))
			o->listed[count++] = (abi_table_info){t->name, t->key_type};
	abi_table_info *listed = o->listed;
	wbt_unlock();
	if (n)
		*n = count;
	return listed;
}

abi_table *wbt_get_table(abi_owner *handle, const char *name, int32_t key_type)
{
	wbt_owner *o = enter(handle, "get_table");
	if (!o)
		return NULL;
	wbt_table *t = name ? find(o->registry, name) : NULL;
	abi_table *found = NULL;
	if (!name)
		wbt_error_set(o, "get_table: the name is null");
	else if (!t)
		wbt_error_set(o, "no table named '%s' in the registry", name);
	else {
		for (wbt_view *v = o->views; v && !found; v = v->next)
			if (!v->temporary && v->store == t->store && v->foreign == t->foreign)
				found = (abi_table *)&v->face;
		if (!found && t->key_type != key_type)
			wbt_error_set(o, "table in registry accessed with wrong key type: "
			              "table='%s', requested='%s', actual='%s'", t->name,
			              wbt_type_name(key_type), wbt_type_name(t->key_type));
		else if (!found) {
			wbt_view *v = wbt_view_new(o, t->name, t->key_type, t->schema, false);
			v->store = t->store;
			v->foreign = t->foreign;
			found = (abi_table *)&v->face;
		}
	}
	wbt_unlock();
	return found;
}

const char *wbt_copy_vtables(const abi_table_input *in, uint32_t minor,
                             wbt_foreign *out)
{
	const abi_reader_vtable *r = &in->reader;
	const abi_writer_vtable *w = &in->writer;
	const abi_fields_vtable *f = &in->fields;

	memset(out, 0, sizeof *out);
	if (!wbt_is_value_type(in->key_type))
		return "key type is not usable";
	if (!r->get_table_name || !r->get_table_size || !r->get_table_entry ||
	    !r->read_entry_field)
		return "broken or inconsistent reader vtables";
	if (!w->clear_table || !w->erase_table_entry || !w->create_table_entry ||
	    !w->destroy_table_entry || !w->add_table_entry || !w->write_entry_field)
		return "broken or inconsistent writer vtables";
	if (!f->list_table_fields || !f->get_table_field || !f->add_table_field)
		return "broken or inconsistent fields vtables";
	out->table = in->table;
	out->writer = *w;
	out->fields = *f;
	memcpy(&out->reader, r, sizeof *r);
	/* Plugins of 3.0 hand over a shorter struct. */
	if (minor < 1)
		return NULL;
	if (!in->reader_ext || !in->writer_ext || !in->fields_ext)
		return "extended vtables must all be defined";
	if (memcmp(in->reader_ext, r, sizeof *r) || !in->reader_ext->release_table_entry ||
	    !in->reader_ext->iterate_entries)
		return "broken or inconsistent reader vtables";
	if (memcmp(in->writer_ext, w, sizeof *w))
		return "broken or inconsistent writer vtables";
	if (memcmp(in->fields_ext, f, sizeof *f))
		return "broken or inconsistent fields vtables";
	out->reader = *in->reader_ext;
	out->extended = true;
	return NULL;
}

int32_t wbt_add_table(abi_owner *handle, const abi_table_input *in)
{
	wbt_owner *o = enter(handle, "add_table");
	if (!o)
		return ABI_FAILURE;
	wbt_foreign how;
	const char *wrong = NULL;
	if (!in)
		wrong = "input is null";
	else if (!in->name)
		wrong = "name is null";
	else
		wrong = wbt_copy_vtables(in, o->minor, &how);
	if (wrong)
		wbt_error_set(o, "failure in adding state table defined by plugin '%s': %s",
		              o->name, wrong);
	else if (find(o->registry, in->name)) {
		wrong = in->name;
		wbt_error_set(o, "table added to registry multiple times: %s", in->name);
	} else {
		wbt_table *t = wb_alloc(sizeof *t);
		how.owner = o;
		t->name = wb_copy_text(in->name);
		t->key_type = in->key_type;
		t->schema = wbt_schema_new(o->registry, in->name, in->key_type);
		t->foreign = wb_alloc(sizeof how);
		*t->foreign = how;
		add(o->registry, t);
	}
	wbt_unlock();
	return wrong ? ABI_FAILURE : ABI_SUCCESS;
}
