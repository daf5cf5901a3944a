/* A registry, and the plugins that join and leave it. */
#include "inner.h"

wbt_registry *wbt_registry_new(void)
{
	wbt_registry *r = wb_alloc(sizeof *r);
	r->last_table = &r->tables;
	r->offered = (abi_init_tables_input){
		.list_tables = wbt_list_tables, .get_table = wbt_get_table,
		.add_table = wbt_add_table, .fields = wbt_fields_vtable,
		.fields_ext = &wbt_fields_vtable, .reader_ext = &wbt_reader_vtable,
		.writer_ext = &wbt_writer_vtable};
	wbt_lock();
	wbt_table *t = wb_alloc(sizeof *t);
	t->name = wb_copy_text("threads");
	t->key_type = ABI_STATE_INT64;
	t->schema = wbt_threads_schema(r);
	t->store = wbt_store_new(t->schema);
	wbt_registry_add(r, t);
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

wbt_owner *wbt_join(wbt_registry *registry, abi_owner *handle, const char *name,
                    uint32_t minor, const char *(*last_error)(abi_owner *handle))
{
	wbt_owner *o = wb_alloc(sizeof *o);
	o->registry = registry;
	o->handle = handle;
	o->name = wb_copy_text(name ? name : "");
	o->minor = minor;
	o->last_error = last_error;
	o->init = registry->offered;
	wbt_lock();
	o->next = registry->owners;
	registry->owners = o;
	wbt_live_add(handle, WBT_OWNER, o);
	wbt_unlock();
	return o;
}

const abi_init_tables_input *wbt_init_input(wbt_owner *owner) { return &owner->init; }
abi_reader_vtable_ext *wbt_reader(void) { return &wbt_reader_vtable; }
abi_writer_vtable *wbt_writer(void) { return &wbt_writer_vtable; }

static void views_free(wbt_view *v)
{
	while (v) {
		wbt_view *next = v->next;
		wb_free(v);
		v = next;
	}
}

void wbt_retire(wbt_owner *owner)
{
	wbt_lock();
	for (wbt_table *t = owner->registry->tables; t; t = t->next)
		if (t->foreign && t->foreign->owner == owner)
			t->foreign->owner = NULL;
	/* Sub-tables of its tables in others' hands, and their entries, are gone too. */
	for (wbt_owner *o = owner->registry->owners; o; o = o->next) {
		for (wbt_view *v = o->views; v; v = v->next)
			if (v->own_foreign && v->foreign->owner == owner)
				v->foreign->owner = NULL;
		for (wbt_loan *l = o->loans; l; l = l->after)
			if (l->foreign.owner == owner)
				l->foreign.owner = NULL;
	}
	wbt_unlock();
}

void wbt_leave(wbt_owner *owner)
{
	wbt_registry *r = owner->registry;
	wbt_retire(owner);
	wbt_drop_litter(owner, NULL, true);
	wbt_lock();
	wbt_live_remove(owner->handle);
	for (wbt_view *v = owner->views; v; v = v->next)
		wbt_view_end(v);
	views_free(owner->views);
	views_free(owner->spent);
	wbt_owner **at = &r->owners;
	while (*at != owner)
		at = &(*at)->next;
	*at = owner->next;
	wbt_unlock();
	wb_free(owner->listed);
	wb_free(owner->name);
	wb_free(owner);
}
