/* Which fields to extract, grouped into C calls. */
#ifndef WB_SELECTION_H
#define WB_SELECTION_H

#include "builder.h"

/* A column request: one field with its argument. */
typedef struct wb_request {
	wb_plugin *plugin;
	uint32_t field_id;
	uint32_t type;
	bool is_list;
	bool arg_present;
	bool offsets; /* two more columns: start and length */
	bool warned;
	uint32_t wave; /* which call it takes part in; see filter.h */
	uint32_t col;
	char *field;
	char *key; /* NULL when the argument is not a key */
	char *arg; /* the argument as 0.x wants it: text, never NULL */
	uint64_t index;
} wb_request;

/* How the fields of a group are asked for. The framework asks for one at a time and
 * plugins rely on it, some by giving every value in the same buffer. One call for all is
 * up to twice as fast (Go: ten times), so it is used where it is seen to give the same. */
enum { WB_ASK_SINGLY, WB_ASK_TRIAL, WB_ASK_TOGETHER };

typedef struct wb_group {
	wb_plugin *plugin;
	uint32_t wave;
	uint32_t n;
	uint32_t cap;
	wb_request **requests;
	wb_column **cols; /* of the requests */
	void *fields; /* abi_field[], abi_field_a2[] or abi_field_a1[] */
	abi_extract_input input;
	abi_value_offsets offsets;
	uint32_t failures;
	uint8_t ask;
	uint32_t trial; /* events compared so far, or since the last comparison */
	bool active; /* the plugin extracts from this event source */
} wb_group;

typedef struct wb_selection {
	wb_request **requests;
	uint32_t nrequests;
	wb_group **groups;
	uint32_t ngroups;
	uint8_t *scratch; /* for 3.x events built from older ones */
	uint64_t scratch_cap;
} wb_selection;

void wb_selection_free(wb_selection *s);
wb_request *wb_selection_add(wb_selection *s);
/* Group the wanted fields and fill the C structs. */
void wb_selection_plan(wb_selection *s, wb_builder *b, const char *source,
                       bool one_field_per_call);
/* The 3.x form of an event, built if need be; valid until the next event. */
uint8_t *wb_selection_blob(wb_selection *s, wb_event *event, uint32_t plugin_id);
/* Extract the columns of a wave of row `row`. */
void wb_selection_run(wb_selection *s, wb_builder *b, wb_event *event, uint64_t row,
                      const char *source, uint32_t source_id, uint32_t wave);
uint8_t wb_kind_of(uint32_t field_type);
/* Offer an event to every parsing plugin (pump/parse.c). */
void wb_parse_event(wb_host *host, wb_event *event, const char *source,
                    wb_selection *selection, uint32_t source_id);

#endif
