#ifndef WB_TABLES_INNER_H
#define WB_TABLES_INNER_H
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "../common/memory.h"
#include "tables.h"

/* Sub-table handles that ended are left alone until so many others have: plugins also
 * read the struct behind the handle, which no check of ours can catch. */
#define WBT_SPENT_VIEWS 64

/* Forwarded calls within forwarded calls: beyond this a plugin goes in circles. */
#define WBT_MAX_DEPTH 16

typedef struct wbt_schema wbt_schema;
typedef struct wbt_store wbt_store;
typedef struct wbt_record wbt_record;
typedef struct wbt_table wbt_table;
typedef struct wbt_view wbt_view;

/* Text of a built-in table; the next pointer serves the list of texts to free. */
typedef struct wbt_text {
	struct wbt_text *next;
	const void *thread;
	char chars[];
} wbt_text;

/* A field of a kind of table; its address is the plugins' accessor, for good. */
typedef struct wbt_field {
	wbt_schema *schema;
	uint32_t slot;
	char *name;
	int32_t type;
	bool read_only, is_static;
	abi_accessor *foreign; /* of the plugin that owns the table */
	wbt_schema *inner;     /* kind of the sub-tables in a TABLE field */
} wbt_field;

/* The fields that tables of one kind have. */
struct wbt_schema {
	char *name;
	int32_t key_type;
	wbt_field **fields;
	uint32_t count, room;
	wbt_schema *next; /* all of a registry */
};

/* A built-in table's entry. refs: one for the table, one per loan and pinned view. */
struct wbt_record {
	wbt_store *home; /* NULL outside a table */
	const wbt_schema *schema;
	uint64_t key;
	uint32_t refs;
	uint32_t slots;
	abi_state_data *values; /* STRING: chars of a wbt_text; TABLE: a wbt_store */
	wbt_record *chain;      /* in its hash bucket */
	wbt_record *before, *after;
};

/* A built-in table's content, entries in the order they were added. */
struct wbt_store {
	wbt_schema *schema;
	wbt_record **buckets;
	uint32_t mask;
	uint64_t size;
	wbt_record *first, *last;
};

/* How to reach a table that a plugin owns. */
typedef struct wbt_foreign {
	wbt_owner *owner; /* NULL once it retired */
	abi_table *table;
	bool extended; /* has release_table_entry and iterate_entries */
	abi_reader_vtable_ext reader;
	abi_writer_vtable writer;
	abi_fields_vtable fields;
} wbt_foreign;

/* A table of the registry: built-in (store) or a plugin's. */
struct wbt_table {
	char *name;
	int32_t key_type;
	wbt_schema *schema;
	wbt_store *store;
	wbt_foreign *foreign;
	wbt_table *next;
};

/* A table as one plugin sees it; the address of its first member is the handle. */
struct wbt_view {
	abi_table_input face;
	wbt_owner *owner;
	wbt_schema *schema;
	wbt_store *store;
	wbt_foreign *foreign;
	bool own_foreign; /* a sub-table's, freed with the view */
	wbt_record *pin;  /* the entry a sub-table lives in */
	const wbt_field *pin_field;
	bool temporary;
	const void *thread;
	char *name_copy; /* of a foreign sub-table */
	abi_table_fieldinfo *listed;
	wbt_view *next;
};

/* ITERATED: lent for one step of an iteration, which takes it back itself. */
typedef enum { WBT_BORROWED, WBT_CREATED, WBT_ITERATED } wbt_loan_kind;

/* An entry in a plugin's hands; its address is the plugin's entry handle. */
typedef struct wbt_loan {
	wbt_owner *owner;
	wbt_loan_kind kind;
	const void *thread;
	wbt_store *store; /* where it may be added */
	wbt_record *record;
	wbt_foreign foreign; /* for giving it back, also when the view is gone */
	abi_entry *entry;
	wbt_schema *schema;
	struct wbt_loan *before, *after;
} wbt_loan;

struct wbt_owner {
	wbt_registry *registry;
	abi_owner *handle;
	char *name;
	uint32_t minor;
	const char *(*last_error)(abi_owner *handle);
	abi_init_tables_input init;
	wbt_view *views;
	wbt_view *spent, **last_spent; /* handles that ended, oldest first */
	uint32_t spent_count;
	wbt_loan *loans;
	abi_table_info *listed;
	wbt_text *copies; /* texts read by routine threads */
	_Atomic uint32_t litter; /* loans, temporary views, copies */
	wbt_owner *next;
};

struct wbt_registry {
	wbt_table *tables, **last_table;
	wbt_schema *schemas;
	wbt_owner *owners;
	wbt_text *graveyard; /* texts replaced while someone may still read them */
	_Atomic uint32_t buried;
	wbt_owner *host; /* reads tables for the snapshot */
	abi_init_tables_input offered; /* what each owner is given */
};

/* ---- live handles and the lock (live.c) ---- */
typedef enum { WBT_OWNER = 1, WBT_VIEW, WBT_FIELD, WBT_LOAN } wbt_kind;
void wbt_lock(void);
void wbt_unlock(void);
void wbt_live_add(const void *handle, wbt_kind kind, void *object);
void wbt_live_remove(const void *handle);
void *wbt_live_find(const void *handle, wbt_kind kind);

/* ---- kinds of tables (schema.c) ---- */
wbt_schema *wbt_schema_new(wbt_registry *r, const char *name, int32_t key_type);
wbt_field *wbt_schema_add(wbt_schema *s, const char *name, int32_t type);
wbt_field *wbt_schema_find(const wbt_schema *s, const char *name);
void wbt_schemas_free(wbt_registry *r);
wbt_schema *wbt_threads_schema(wbt_registry *r);
const char *wbt_type_name(int32_t type);
bool wbt_is_value_type(int32_t type);

/* ---- built-in content (store.c) ---- */
wbt_store *wbt_store_new(wbt_schema *s);
void wbt_store_clear(wbt_registry *r, wbt_store *s);
void wbt_store_free(wbt_registry *r, wbt_store *s);
wbt_record *wbt_store_find(const wbt_store *s, uint64_t key);
void wbt_store_put(wbt_registry *r, wbt_store *s, uint64_t key, wbt_record *record);
void wbt_store_take(wbt_registry *r, wbt_store *s, wbt_record *record);
wbt_record *wbt_record_new(const wbt_schema *s);
void wbt_record_drop(wbt_registry *r, wbt_record *record);
/* The value of a field, with room made for fields added since. */
abi_state_data *wbt_record_value(wbt_record *record, const wbt_field *field);
void wbt_record_write(wbt_registry *r, wbt_record *record, const wbt_field *field,
                      const abi_state_data *value);
void wbt_texts_free(wbt_text **list);
wbt_text *wbt_text_of(const char *chars);
wbt_text *wbt_text_new(const char *chars);

/* ---- errors and the threads they belong to (errors.c) ---- */
const void *wbt_thread(void);
bool wbt_in_routine(void);
void wbt_error_clear(wbt_owner *owner);
void wbt_error_set(wbt_owner *owner, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- views and loans (holdings.c) ---- */
wbt_view *wbt_view_new(wbt_owner *owner, const char *name, int32_t key_type,
                       wbt_schema *schema, bool temporary);
/* Let go of what a view holds and of its handle. */
void wbt_view_end(wbt_view *v);
wbt_loan *wbt_lend(wbt_view *view, wbt_record *record, abi_entry *entry,
                   wbt_loan_kind kind);
/* Unlink and free a loan. Returns true when the entry of a plugin's table must still be
 * given back, with *back filled for wbt_give_back after unlocking. */
typedef struct wbt_return {
	wbt_foreign how;
	abi_entry *entry;
	wbt_loan_kind kind;
} wbt_return;
bool wbt_loan_end(wbt_loan *loan, wbt_return *back);
void wbt_give_back(const wbt_return *back);
/* Drop what one thread (or, with all, everybody) left of an owner. */
void wbt_drop_litter(wbt_owner *owner, const void *thread, bool all);

/* ---- the functions plugins call (reading.c, writing.c, fields.c) ---- */
extern abi_reader_vtable_ext wbt_reader_vtable;
extern abi_writer_vtable wbt_writer_vtable;
extern abi_fields_vtable wbt_fields_vtable;
const abi_table_fieldinfo *wbt_list_fields(abi_table *t, uint32_t *n);
abi_accessor *wbt_get_field(abi_table *t, const char *name, int32_t type);
abi_accessor *wbt_add_field(abi_table *t, const char *name, int32_t type);

/* ---- what all of them begin with (forward.c) ---- */
/* Lock and find the view; NULL: not live, error set, not locked. */
wbt_view *wbt_enter(abi_table *t, const char *function);
/* The same, and a null key is refused. */
wbt_view *wbt_enter_key(abi_table *t, const abi_state_data *key, const char *function);
/* A call into the plugin that owns a table. */
typedef struct wbt_trip {
	wbt_foreign how;
	wbt_owner *caller;
	abi_owner *caller_handle, *owner_handle;
	const char *(*last_error)(abi_owner *handle);
	uint32_t owner_minor;
	char table[128], owner[128];
	const char *function;
} wbt_trip;
/* Called locked, always unlocks; false with an error when the table is out of reach. */
bool wbt_trip_begin(wbt_view *view, wbt_trip *trip, const char *function);
void wbt_trip_end(void);
/* End a trip that gave a return code, which is returned; a failure is recorded. */
int32_t wbt_trip_done(const wbt_trip *trip, int32_t rc);
/* The owner failed: its words become the caller's error. */
void wbt_trip_failed(const wbt_trip *trip);
/* Lend an entry that the owner of a table handed out; NULL: its words are the error. */
abi_entry *wbt_adopt(abi_table *t, const wbt_trip *trip, abi_entry *e,
                     wbt_loan_kind kind);
/* The loan behind an entry handle used with a table, the field behind an accessor.
 * NULL: refused and unlocked. */
wbt_loan *wbt_loan_of(wbt_view *v, const abi_entry *e, const char *function);
const wbt_field *wbt_field_of(wbt_view *v, const abi_accessor *f,
                              const char *function);
/* End a loan and unlock; the owner of the table gets its entry back. */
void wbt_hand_back(wbt_loan *loan);
/* Unlock and return after an error. */
void wbt_refuse(wbt_view *view, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Check and copy a plugin's vtables; NULL when sound, else what is wrong. */
const char *wbt_copy_vtables(const abi_table_input *in, uint32_t minor,
                             wbt_foreign *out);

/* ---- the registry (registry.c) ---- */
void wbt_registry_add(wbt_registry *r, wbt_table *t);
abi_table_info *wbt_list_tables(abi_owner *handle, uint32_t *n);
abi_table *wbt_get_table(abi_owner *handle, const char *name, int32_t key_type);
int32_t wbt_add_table(abi_owner *handle, const abi_table_input *in);
#endif
