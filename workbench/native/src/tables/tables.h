/*
 * State tables: one registry per host, one owner per plugin. Everything a plugin can
 * hold on to (owner, table, accessor, entry) is checked against the set of live handles
 * before it is touched, so that misuse ends in an error and never in a crash.
 */
#ifndef WB_TABLES_H
#define WB_TABLES_H
#include "../common/abi.h"

typedef struct wbt_registry wbt_registry;
typedef struct wbt_owner wbt_owner;

wbt_registry *wbt_registry_new(void);
/* Every owner must have left. */
void wbt_registry_free(wbt_registry *registry);

/*
 * Let a plugin in. handle: the pointer it gets as its owner. minor: of its declared 3.x
 * version. last_error(handle): its own words about its last failure, or NULL.
 */
wbt_owner *wbt_join(wbt_registry *registry, abi_owner *handle, const char *name,
                    uint32_t minor, const char *(*last_error)(abi_owner *handle));
/* Its tables are gone for everybody; it may still use those of others. */
void wbt_retire(wbt_owner *owner);
/* Forget it with everything it holds. */
void wbt_leave(wbt_owner *owner);

/* What a plugin is given; the pointers live as long as the owner. */
const abi_init_tables_input *wbt_init_input(wbt_owner *owner);
abi_reader_vtable_ext *wbt_reader(void);
abi_writer_vtable *wbt_writer(void);

/* The calling thread's last table error of this owner, NULL for none. */
const char *wbt_last_error(abi_owner *handle);
/* Record an error for the calling thread. */
void wbt_fail(abi_owner *handle, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A call into the plugin ended: what it did not give back is dropped. */
void wbt_call_ended(wbt_owner *owner);

/* Mark the calling thread as one that runs routines (1) or as an ordinary one (0). */
void wbt_routine_thread(int on);
/* A routine returned: what the calling thread did not give back is dropped. */
void wbt_routine_ended(wbt_owner *owner);

/*
 * Write all tables with at most max_rows entries each as bytes (see snapshot.c). Returns
 * a block for wb_free, its size in *bytes. No plugin call may be running.
 */
uint8_t *wbt_snapshot(wbt_registry *registry, uint64_t max_rows, uint64_t *bytes);
#endif
