/* The functions behind the fields vtable: which fields a table has, and new ones. */
#include "inner.h"

const abi_table_fieldinfo *wbt_list_fields(abi_table *t, uint32_t *n)
{
	uint32_t ignored = 0;
	uint32_t *count = n ? n : &ignored;
	*count = 0;
	wbt_view *v = wbt_enter(t, "list_table_fields");
	if (!v)
		return NULL;
	if (v->store) {
		wbt_schema *s = v->schema;
		v->listed = wb_realloc(v->listed, (s->count + 1) * sizeof *v->listed);
		for (uint32_t i = 0; i < s->count; i++)
			v->listed[i] = (abi_table_fieldinfo){
				s->fields[i]->name, s->fields[i]->type, s->fields[i]->read_only};
		*count = s->count;
		const abi_table_fieldinfo *listed = v->listed;
		wbt_unlock();
		return listed;
	}
	wbt_trip trip;
	if (!wbt_trip_begin(v, &trip, "list_table_fields"))
		return NULL;
	const abi_table_fieldinfo *listed =
		trip.how.fields.list_table_fields(trip.how.table, count);
	wbt_trip_end();
	if (!listed) {
		*count = 0;
		wbt_trip_failed(&trip);
	}
	return listed;
}

/* Our accessor for one of a plugin's. */
static abi_accessor *wrap(abi_table *t, const wbt_trip *trip, abi_accessor *foreign,
                          const char *name, int32_t type)
{
	if (!foreign) {
		wbt_trip_failed(trip);
		return NULL;
	}
	wbt_view *v = wbt_enter(t, trip->function);
	if (!v)
		return NULL;
	wbt_schema *s = v->schema;
	wbt_field *f = NULL;
	for (uint32_t i = 0; i < s->count && !f; i++)
		if (s->fields[i]->foreign == foreign && s->fields[i]->type == type)
			f = s->fields[i];
	if (!f) {
		f = wbt_schema_add(s, name, type);
		f->foreign = foreign;
	}
	wbt_unlock();
	return (abi_accessor *)f;
}

abi_accessor *wbt_get_field(abi_table *t, const char *name, int32_t type)
{
	wbt_view *v = wbt_enter(t, "get_table_field");
	if (!v)
		return NULL;
	if (!name) {
		wbt_refuse(v, "get_table_field: the name is null");
		return NULL;
	}
	if (v->store) {
		wbt_field *f = wbt_schema_find(v->schema, name);
		if (f && f->type == type) {
			wbt_unlock();
			return (abi_accessor *)f;
		}
		if (f)
			wbt_refuse(v, "incompatible data types for %s field: %s",
			           f->is_static ? "static" : "dynamic", name);
		else
			wbt_refuse(v, "undefined field '%s' in table '%s'", name, v->face.name);
		return NULL;
	}
	wbt_trip trip;
	if (!wbt_trip_begin(v, &trip, "get_table_field"))
		return NULL;
	abi_accessor *a = trip.how.fields.get_table_field(trip.how.table, name, type);
	wbt_trip_end();
	return wrap(t, &trip, a, name, type);
}

abi_accessor *wbt_add_field(abi_table *t, const char *name, int32_t type)
{
	wbt_view *v = wbt_enter(t, "add_table_field");
	if (!v)
		return NULL;
	if (!name || !*name) {
		wbt_refuse(v, "add_table_field: the name is %s", name ? "empty" : "null");
		return NULL;
	}
	if (v->store) {
		wbt_field *f = wbt_schema_find(v->schema, name);
		if (type == ABI_STATE_TABLE)
			wbt_refuse(v, "can't add dynamic field of type table: %s", name);
		else if (!wbt_is_value_type(type))
			wbt_refuse(v, "can't add dynamic field of unknown type %d: %s", type, name);
		else if (f && f->is_static)
			wbt_refuse(v, "can't add dynamic field already defined as static: %s", name);
		else if (f && f->type != type)
			wbt_refuse(v, "multiple definitions of dynamic field with different types in "
			           "struct: %s, prevtype=%s, newtype=%s", name,
			           wbt_type_name(f->type), wbt_type_name(type));
		else {
			if (!f)
				f = wbt_schema_add(v->schema, name, type);
			wbt_unlock();
			return (abi_accessor *)f;
		}
		return NULL;
	}
	wbt_trip trip;
	if (!wbt_trip_begin(v, &trip, "add_table_field"))
		return NULL;
	abi_accessor *a = trip.how.fields.add_table_field(trip.how.table, name, type);
	wbt_trip_end();
	return wrap(t, &trip, a, name, type);
}

abi_fields_vtable wbt_fields_vtable = {wbt_list_fields, wbt_get_field, wbt_add_field};
