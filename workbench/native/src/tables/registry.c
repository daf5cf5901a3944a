/* The functions behind the tables of one host by name. */
#include "inner.h"

void wbt_registry_add(wbt_registry *r, wbt_table *t)
{
	*r->last_table = t;
	r->last_table = &t->next;
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
		wbt_registry_add(o->registry, t);
	}
	wbt_unlock();
	return wrong ? ABI_FAILURE : ABI_SUCCESS;
}
