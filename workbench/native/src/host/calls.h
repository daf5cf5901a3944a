/* Every function that a plugin of any version may export: one row each. The order is
 * that of wb_call and of nothing else. */
#ifndef WB_CALLS_H
#define WB_CALLS_H

#define WB_CALLS(X) \
	X(get_required_api_version) \
	X(get_type) \
	X(free_mem) \
	X(get_version) \
	X(get_name) \
	X(get_description) \
	X(get_contact) \
	X(init) \
	X(destroy) \
	X(get_last_error) \
	X(get_init_schema) \
	X(get_id) \
	X(get_event_source) \
	X(open) \
	X(close) \
	X(next) \
	X(next_batch) \
	X(list_open_params) \
	X(get_progress) \
	X(event_to_string) \
	X(get_fields) \
	X(extract_fields) \
	X(get_extract_event_sources) \
	X(get_extract_event_types) \
	X(parse_event) \
	X(get_parse_event_sources) \
	X(get_parse_event_types) \
	X(get_async_events) \
	X(get_async_event_sources) \
	X(set_async_event_handler) \
	X(set_config) \
	X(get_metrics) \
	X(capture_open) \
	X(capture_close) \
	X(dump_state) \
	X(get_required_event_schema_version) \
	X(register_async_extractor) \
	X(extract_str) \
	X(extract_u64)

typedef enum wb_call {
	WB_CALL_none = 0,
	WB_CALL_dlopen, /* the library's own constructors run here */
#define X(name) WB_CALL_##name,
	WB_CALLS(X)
#undef X
	WB_CALL_COUNT
} wb_call;

#endif
