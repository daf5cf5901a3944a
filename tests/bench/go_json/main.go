// A source whose events are JSON texts, decoded again for every extraction, as most Go
// plugins do. Without an SDK, so that it builds anywhere.
package main

/*
#cgo CFLAGS: -I${SRCDIR}/../../../workbench/native/src/common
#include <stdlib.h>
#include <string.h>
#include "abi.h"

static inline void give_number(abi_field *f, uint64_t *where, uint64_t value)
{
	*where = value;
	f->res.u64 = where;
	f->res_len = 1;
}
static inline void give_text(abi_field *f, const char **where, char *text)
{
	*where = text;
	f->res.str = where;
	f->res_len = 1;
}
static inline abi_field *field_at(const abi_extract_input *in, uint32_t i)
{
	return &in->fields[i];
}
static inline const uint8_t *payload_of(const abi_event_input *in)
{
	return ((const abi_plugin_event *)in->evt)->data;
}
static inline uint32_t payload_bytes(const abi_event_input *in)
{
	return ((const abi_plugin_event *)in->evt)->data_len;
}
static inline void set_event(abi_event_c **events, uint32_t i, uint8_t *at, uint64_t ts,
                             const void *text, uint32_t len)
{
	abi_plugin_event *e = (abi_plugin_event *)at;
	*e = (abi_plugin_event){{ts, ABI_NO_TID, 38 + len, 322, 2}, 4, len, 997};
	memcpy(e->data, text, len);
	events[i] = (abi_event_c *)e;
}
typedef const char *text;
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"strconv"
	"unsafe"
)

const (
	batch    = 128
	slot     = 512
	textSize = 256
)

type record struct {
	Number uint64 `json:"number"`
	User   string `json:"user"`
	Path   string `json:"path"`
	Size   uint64 `json:"size"`
	Agent  string `json:"agent"`
}

var (
	sent, count uint64
	memory      = (*[batch * slot]byte)(C.malloc(batch * slot))
	events      = (**C.abi_event_c)(C.malloc(batch * 8))
	numbers     = (*[4]C.uint64_t)(C.malloc(32))
	pointers    = (*[4]*C.char)(C.malloc(32))
	texts       = (*[4][textSize]byte)(C.malloc(4 * textSize))
	constants   = map[string]C.text{}
)

func constant(s string) C.text {
	if _, known := constants[s]; !known {
		constants[s] = C.CString(s)
	}
	return constants[s]
}

//export plugin_get_required_api_version
func plugin_get_required_api_version() C.text { return constant("3.0.0") }

//export plugin_get_name
func plugin_get_name() C.text { return constant("go_json") }

//export plugin_get_version
func plugin_get_version() C.text { return constant("0.1.0") }

//export plugin_get_description
func plugin_get_description() C.text { return constant("decodes JSON") }

//export plugin_get_contact
func plugin_get_contact() C.text { return constant("") }

//export plugin_get_last_error
func plugin_get_last_error(s unsafe.Pointer) C.text { return constant("") }

//export plugin_get_id
func plugin_get_id() C.uint32_t { return 997 }

//export plugin_get_event_source
func plugin_get_event_source() C.text { return constant("go_json") }

//export plugin_get_fields
func plugin_get_fields() C.text {
	return constant(`[{"type": "uint64", "name": "go.number", "desc": "d"},` +
		`{"type": "string", "name": "go.user", "desc": "d"},` +
		`{"type": "string", "name": "go.path", "desc": "d"},` +
		`{"type": "uint64", "name": "go.size", "desc": "d"}]`)
}

//export plugin_init
func plugin_init(in unsafe.Pointer, rc *C.int32_t) unsafe.Pointer {
	*rc = 0
	return C.malloc(1)
}

//export plugin_destroy
func plugin_destroy(s unsafe.Pointer) { C.free(s) }

//export plugin_open
func plugin_open(s unsafe.Pointer, params C.text, rc *C.int32_t) unsafe.Pointer {
	count, _ = strconv.ParseUint(C.GoString(params), 10, 64)
	sent = 0
	*rc = 0
	return C.malloc(1)
}

//export plugin_close
func plugin_close(s, h unsafe.Pointer) { C.free(h) }

//export plugin_next_batch
func plugin_next_batch(s, h unsafe.Pointer, n *C.uint32_t, out ***C.abi_event_c) C.int32_t {
	k := uint32(0)
	for ; k < batch && sent < count; k++ {
		text := fmt.Sprintf(`{"number": %d, "user": "user%d", "path": "/srv/data/%x/%d.json", `+
			`"size": %d, "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:120.0)"}`,
			sent, sent%400, sent*2654435761, sent, sent*17)
		at := (*C.uint8_t)(unsafe.Pointer(&memory[k*slot]))
		C.set_event(events, C.uint32_t(k), at, C.uint64_t(1700000000000000000+sent),
			unsafe.Pointer(unsafe.StringData(text)), C.uint32_t(len(text)))
		sent++
	}
	*n = C.uint32_t(k)
	*out = events
	if sent < count {
		return 0
	}
	return 2
}

func giveText(f *C.abi_field, id int, value string) {
	n := copy(texts[id][:textSize-1], value)
	texts[id][n] = 0
	C.give_text(f, (**C.char)(unsafe.Pointer(&pointers[id])),
		(*C.char)(unsafe.Pointer(&texts[id][0])))
}

//export plugin_extract_fields
func plugin_extract_fields(s unsafe.Pointer, ev *C.abi_event_input,
	in *C.abi_extract_input) C.int32_t {
	payload := (*byte)(unsafe.Pointer(C.payload_of(ev)))
	data := unsafe.Slice(payload, C.payload_bytes(ev))
	var r record
	if json.Unmarshal(data, &r) != nil {
		return 1
	}
	for i := C.uint32_t(0); i < in.num_fields; i++ {
		f := C.field_at(in, i)
		switch f.field_id {
		case 0:
			C.give_number(f, &numbers[0], C.uint64_t(r.Number))
		case 1:
			giveText(f, 1, r.User)
		case 2:
			giveText(f, 2, r.Path)
		case 3:
			C.give_number(f, &numbers[3], C.uint64_t(r.Size))
		}
	}
	return 0
}

func main() {}
