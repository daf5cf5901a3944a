/*
 * falcosecurity_plugin.h: Falco plugins in C++ (11 or newer), from this one header.
 *
 *   class my_plugin : public falcosecurity::source_plugin { ... };
 *   class my_instance : public falcosecurity::plugin_instance { ... };
 *   GEN_SOURCE_PLUGIN_API_HOOKS(my_plugin, my_instance)
 *
 * The classes and methods are those of the C++ SDK that the plugin developers guide
 * describes; the functions generated are those of the current plugin API (3.12). What
 * that means for code written to the guide:
 *
 *   - `ss_plugin_event` is the guide's view of an event: evtnum, data, datalen, ts. The
 *     event of the C API is called `falco_wire_event` here.
 *   - `plugin_info.id` may be left out; it is 999 then, the id for trials.
 *   - `plugin_field.arg_required` declares an argument that must be given; it reaches
 *     extract_str and extract_u64 as text. Other fields take none.
 *   - A call may throw: nothing crosses the C border, what() becomes the last error,
 *     and the call fails. A value whose extraction throws is absent.
 *   - init may be called many times; every state is an object of its own. One more
 *     object, made on demand and never initialised, answers get_info.
 *
 * Beyond the guide: fields of the newer types (bool, reltime, abstime through
 * extract_u64; ipaddr, ipnet through extract_str as 4 or 16 bytes), `write_log`, and
 * `extractor_plugin` with GEN_EXTRACTOR_PLUGIN_API_HOOKS for plugins without events.
 * falcosecurity_state.h, which comes along, adds plugins that parse events, keep tables
 * and send async events.
 *
 * Licensed under the Apache License 2.0.
 */
#ifndef FALCOSECURITY_PLUGIN_H
#define FALCOSECURITY_PLUGIN_H

#ifdef FALCO_PLUGIN_TYPES_H /* the C header came first and has taken the name */
typedef ss_plugin_event falco_wire_event;
#define FALCOSECURITY_NAME_TAKEN
#else
#define ss_plugin_event falco_wire_event
#include "falco_plugin.h"
#undef ss_plugin_event
#endif

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <list>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace falcosecurity {

/* --------------------------------------------------------- what authors fill and read */

/* A field: name, type, and whether it needs an argument in brackets. */
typedef struct plugin_field {
  ss_plugin_field_type ftype;
  std::string name;
  bool arg_required;
  std::string description;
} plugin_field;

/* What a plugin says about itself. */
typedef struct plugin_info {
  uint32_t id = 999; /* unregistered plugins: 999 */
  std::string name;
  std::string description;
  std::string contact;
  std::string version; /* x.y.z */
  std::string event_source;
  std::list<plugin_field> fields;
  std::list<std::string> extract_event_sources; /* none: every source */
} plugin_info;

/* An event that plugin_instance::next fills. `ts` in ns; all ones: now. */
typedef struct plugin_event {
  uint64_t evtnum = 0; /* numbers are the framework's: ignored */
  std::vector<uint8_t> data;
  uint64_t ts = UINT64_MAX;
} plugin_event;

/* An event that values are extracted from. */
typedef struct event_view {
  uint64_t evtnum;
  const uint8_t* data;
  uint32_t datalen;
  uint64_t ts;
  const char* async_name; /* of an async event, whose data this is; else NULL */
} event_view;

/* ------------------------------------------------------------- what authors implement */

/* What every plugin has. Authors derive from source_plugin or extractor_plugin. */
class plugin_base {
 public:
  typedef falcosecurity::event_view ss_plugin_event;

  plugin_base() = default;
  plugin_base(const plugin_base&) = delete;
  plugin_base& operator=(const plugin_base&) = delete;
  virtual ~plugin_base() = default;

  virtual void get_info(plugin_info& info) = 0;
  virtual ss_plugin_rc init(const char* config) = 0;
  /* Called once before the object is deleted, after a failed init too. */
  virtual void destroy() = 0;
  /* True: `extract_val` was filled. False: the event has no such value. */
  virtual bool extract_str(const ss_plugin_event& evt, const std::string& field,
                           const std::string& arg, std::string& extract_val) = 0;
  virtual bool extract_u64(const ss_plugin_event& evt, const std::string& field,
                           const std::string& arg, uint64_t& extract_val) = 0;
  virtual std::string get_init_schema(ss_plugin_schema_type* schema_type) {
    *schema_type = SS_PLUGIN_SCHEMA_NONE;
    return "";
  }

  void set_last_error(const std::string& error) { m_last_error = error; }
  const std::string& get_last_error() const { return m_last_error; }

  /* Writes a line to the framework's log. Works from init on, from any thread. */
  void write_log(const std::string& text,
                 ss_plugin_log_severity severity = SS_PLUGIN_LOG_SEV_INFO) const {
    if (m_log_fn != nullptr) {
      m_log_fn(m_owner, nullptr, text.c_str(), severity);
    }
  }
  void set_framework(const ss_plugin_init_input* in) {
    m_framework = in;
    if (in != nullptr) {
      m_owner = in->owner;
      m_log_fn = in->log_fn;
    }
  }

 protected:
  /* What the framework hands to init: tables, for instance. During init only. */
  const ss_plugin_init_input& framework() const { return *m_framework; }

 private:
  const ss_plugin_init_input* m_framework = nullptr;
  std::string m_last_error;
  ss_plugin_owner_t* m_owner = nullptr;
  ss_plugin_log_fn_t m_log_fn = nullptr;
};

/* A running stream of events. */
class plugin_instance_iface {
 public:
  virtual ~plugin_instance_iface() = default;
  virtual ss_plugin_rc open(const char* params) = 0;
  /* Called after a successful open; the object is deleted afterwards. */
  virtual void close() = 0;
  virtual ss_plugin_rc next(plugin_event& evt) = 0;
  virtual std::string get_progress(uint32_t& progress_pct) = 0;
};

class plugin_instance : public plugin_instance_iface {
 public:
  std::string get_progress(uint32_t& progress_pct) override {
    progress_pct = 0;
    return "";
  }
};

/* A plugin that makes events and extracts values from them. */
class source_plugin_iface : public plugin_base {
 public:
  virtual plugin_instance* create_instance(class source_plugin& plugin) = 0;
  virtual std::string event_to_string(const uint8_t* data, uint32_t datalen) = 0;
  /* A JSON array of {"value", "desc"}; the default is empty. */
  virtual std::string list_open_params(ss_plugin_rc* rc) {
    *rc = SS_PLUGIN_SUCCESS;
    return "[]";
  }
};

class source_plugin : public source_plugin_iface {};

/* A plugin that extracts values from events of other plugins. */
class extractor_plugin : public plugin_base {};

/* ----------------------------------------------------------- behind the generated hooks */

/* Functions that remember something must not be shared by two plugins of one process
 * whose classes have the same names: hidden, whatever flags the plugin is built with.
 * Classes that authors derive from are as visible as theirs, and remember nothing. */
#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif
namespace detail {

inline std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    char escape[8];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

inline const char* type_name(ss_plugin_field_type type) {
  switch (type) {
    case FTYPE_UINT64:
      return "uint64";
    case FTYPE_RELTIME:
      return "reltime";
    case FTYPE_ABSTIME:
      return "abstime";
    case FTYPE_BOOL:
      return "bool";
    case FTYPE_IPADDR:
      return "ipaddr";
    case FTYPE_IPNET:
      return "ipnet";
    default:
      return "string";
  }
}

inline std::string fields_json(const std::list<plugin_field>& fields) {
  std::string out = "[";
  for (const plugin_field& field : fields) {
    out += out.size() > 1 ? ",{" : "{";
    out += "\"type\":" + quoted(type_name(field.ftype));
    out += ",\"name\":" + quoted(field.name);
    out += ",\"desc\":" + quoted(field.description);
    out += field.arg_required ? ",\"arg\":{\"isRequired\":true,\"isKey\":true}}" : "}";
  }
  return out + "]";
}

/* Runs `work` and returns what it does; `otherwise` and a told error if it throws. */
template <typename Result, typename Tell, typename Work>
Result guarded(Result otherwise, Tell tell, Work work) noexcept {
  try {
    return work();
  } catch (const std::exception& error) {
    try {
      tell(error.what());
    } catch (...) {
    }
  } catch (...) {
    try {
      tell("the plugin threw something that is no std::exception");
    } catch (...) {
    }
  }
  return otherwise;
}

/* The texts of one class of plugins. Made when first asked for; never destroyed, so
 * that it does not matter who asks while the process ends. */
struct about {
  plugin_info info;
  std::string fields;
  std::string sources;
  std::string schema;
  ss_plugin_schema_type schema_type = SS_PLUGIN_SCHEMA_NONE;
};

template <typename Plugin>
const about& about_of() noexcept {
  static const about* const known = [] {
    about* made = new about;
    const auto tell = [made](const char* text) {
      std::fprintf(stderr, "get_info of the plugin failed: %s\n", text);
      made->info = plugin_info();
    };
    guarded(0, tell, [made] {
      std::unique_ptr<Plugin> plugin(new Plugin);
      plugin->get_info(made->info);
      made->info.id = made->info.id == 0 ? 999 : made->info.id;
      made->fields = fields_json(made->info.fields);
      for (const std::string& source : made->info.extract_event_sources) {
        made->sources += (made->sources.empty() ? "[" : ",") + quoted(source);
      }
      made->sources += made->sources.empty() ? "" : "]";
      made->schema = plugin->get_init_schema(&made->schema_type);
      return 0;
    });
    return made;
  }();
  return *known;
}

/* An event of a plugin or, for plugins that ask for them, an async event. */
inline event_view view_of(const ss_plugin_event_input* in) {
  event_view view = {in->evtnum, nullptr, 0, in->evt->ts, nullptr};
  const char* const bytes = reinterpret_cast<const char*>(in->evt);
  if (in->evt->type != FALCO_ASYNC_EVENT_TYPE) {
    view.data = reinterpret_cast<const uint8_t*>(
        falco_plugin_payload(in->evt, &view.datalen));
    return view;
  }
  uint32_t name_len = 0;
  uint32_t data_len = 0;
  if (in->evt->len < 42) {
    return view;
  }
  std::memcpy(&name_len, bytes + 30, sizeof name_len);
  std::memcpy(&data_len, bytes + 34, sizeof data_len);
  if (in->evt->nparams == 3 && name_len > 0 && name_len <= in->evt->len - 42 &&
      data_len <= in->evt->len - 42 - name_len && bytes[42 + name_len - 1] == 0) {
    view.async_name = bytes + 42;
    view.data = reinterpret_cast<const uint8_t*>(bytes) + 42 + name_len;
    view.datalen = data_len;
  }
  return view;
}

/* What a framework calls the state of a plugin. */
template <typename Plugin>
struct state {
  struct result {
    std::string text;
    const char* c_str = nullptr;
    uint64_t number = 0;
    ss_plugin_bool flag = 0;
    ss_plugin_byte_buffer buffer = {0, nullptr};
  };

  std::unique_ptr<Plugin> plugin;
  std::string error; /* while there is no object to keep it */
  std::vector<result> results;
  std::string text; /* of event_to_string */
  std::string params; /* of list_open_params */

  void tell(const char* what) {
    if (plugin) {
      plugin->set_last_error(what);
    } else {
      error = what;
    }
  }

  static state* create(const ss_plugin_init_input* in, ss_plugin_rc* rc) noexcept {
    *rc = SS_PLUGIN_FAILURE;
    state* made = new (std::nothrow) state;
    if (made != nullptr) {
      *rc = guarded(
          SS_PLUGIN_FAILURE, [made](const char* what) { made->tell(what); },
          [made, in] {
            made->plugin.reset(new Plugin);
            made->plugin->set_framework(in);
            return made->plugin->init(in->config != nullptr ? in->config : "");
          });
      if (made->plugin) {
        made->plugin->set_framework(nullptr);
      }
    }
    return made;
  }

  static void remove(state* s) noexcept {
    const auto nobody = [](const char* what) {
      std::fprintf(stderr, "destroy of the plugin failed: %s\n", what);
    };
    if (s != nullptr) {
      guarded(0, nobody, [s] {
        if (s->plugin) {
          s->plugin->destroy();
        }
        return 0;
      });
      guarded(0, nobody, [s] { return delete s, 0; });
    }
  }

  static const char* last_error(const state* s) noexcept {
    return s == nullptr ? ""
           : s->plugin  ? s->plugin->get_last_error().c_str()
                        : s->error.c_str();
  }

  /* Asks the plugin for one value. False: it has none. */
  bool answer(const event_view& evt, ss_plugin_extract_field& f, result& r) {
    const std::string field = f.field != nullptr ? f.field : "";
    const std::string arg = f.arg_present && f.arg_key != nullptr ? f.arg_key : "";
    const bool is_text =
        f.ftype == FTYPE_STRING || f.ftype == FTYPE_IPADDR || f.ftype == FTYPE_IPNET;
    r.text.clear();
    r.number = 0;
    if (is_text ? !plugin->extract_str(evt, field, arg, r.text)
                : !plugin->extract_u64(evt, field, arg, r.number)) {
      return false;
    }
    if (f.ftype == FTYPE_STRING) {
      r.c_str = r.text.c_str();
      f.res.str = &r.c_str;
    } else if (is_text) {
      r.buffer.len = static_cast<uint32_t>(r.text.size());
      r.buffer.ptr = r.text.data();
      f.res.buf = &r.buffer;
    } else if (f.ftype == FTYPE_BOOL) {
      r.flag = r.number != 0 ? 1 : 0;
      f.res.boolean = &r.flag;
    } else {
      f.res.u64 = &r.number;
    }
    return true;
  }

  ss_plugin_rc extract(const ss_plugin_event_input* evt,
                       const ss_plugin_field_extract_input* in) noexcept {
    const event_view view = view_of(evt);
    const auto said = [this](const char* what) { tell(what); };
    return guarded(SS_PLUGIN_FAILURE, said, [&]() -> ss_plugin_rc {
      if (view.data == nullptr) {
        tell("not an event of a plugin");
        return SS_PLUGIN_FAILURE;
      }
      if (results.size() < in->num_fields) {
        results.resize(in->num_fields);
      }
      bool sound = true;
      for (uint32_t i = 0; i < in->num_fields; i++) {
        ss_plugin_extract_field& f = in->fields[i];
        f.res_len = 0;
        const int found = guarded(
            -1, said, [&] { return answer(view, f, results[i]) ? 1 : 0; });
        f.res_len = found == 1 ? 1 : 0;
        sound = sound && found >= 0;
      }
      /* A failure takes all values of the call with it: only when there is but one. */
      return sound || in->num_fields > 1 ? SS_PLUGIN_SUCCESS : SS_PLUGIN_FAILURE;
    });
  }
};

/* What a framework calls an instance: the author's object and the batch in hand. */
struct capture {
  static constexpr size_t batch_events = 256;
  static constexpr size_t batch_bytes = size_t(4) << 20;

  std::unique_ptr<plugin_instance> instance;
  plugin_event event;
  std::vector<char> bytes;
  std::vector<size_t> starts;
  std::vector<falco_wire_event*> events;
  ss_plugin_rc ended = SS_PLUGIN_SUCCESS; /* a code that waits for its turn */
  std::string reason; /* the last error that belongs to it */
  std::string progress;

  /* Collects events until the batch is full, the source pauses, or 30 ms are over. */
  ss_plugin_rc fill() {
    const auto stop = std::chrono::steady_clock::now() + std::chrono::milliseconds(30);
    bytes.clear();
    starts.clear();
    while (starts.size() < batch_events && bytes.size() < batch_bytes) {
      event.data.clear();
      event.ts = UINT64_MAX;
      const ss_plugin_rc rc = instance->next(event);
      if (rc != SS_PLUGIN_SUCCESS) {
        return rc;
      }
      if (event.data.size() > UINT32_MAX - FALCO_PLUGIN_EVENT_OVERHEAD) {
        throw std::length_error("an event is larger than 4 GiB");
      }
      const size_t start = bytes.size();
      bytes.resize(start + FALCO_PLUGIN_EVENT_OVERHEAD + event.data.size());
      falco_plugin_event_begin(&bytes[start], event.ts,
                               static_cast<uint32_t>(event.data.size()));
      std::copy(event.data.begin(), event.data.end(),
                bytes.begin() + static_cast<std::ptrdiff_t>(
                                    start + FALCO_PLUGIN_EVENT_OVERHEAD));
      starts.push_back(start);
      if (std::chrono::steady_clock::now() >= stop) {
        break;
      }
    }
    return SS_PLUGIN_SUCCESS;
  }

  /* Events first: a code that comes with some is told on the next call, alone. */
  ss_plugin_rc next_batch(plugin_base& plugin, uint32_t* nevts,
                          falco_wire_event*** evts) {
    const auto tell = [&plugin](const char* what) { plugin.set_last_error(what); };
    if (ended != SS_PLUGIN_SUCCESS) {
      plugin.set_last_error(reason); /* other calls may have failed since */
      return ended;
    }
    const ss_plugin_rc rc = guarded(SS_PLUGIN_FAILURE, tell, [this] { return fill(); });
    if (starts.empty()) {
      return rc;
    }
    ended = rc == SS_PLUGIN_TIMEOUT ? SS_PLUGIN_SUCCESS : rc;
    reason = plugin.get_last_error();
    events.clear();
    for (const size_t start : starts) {
      events.push_back(reinterpret_cast<falco_wire_event*>(&bytes[start]));
    }
    *nevts = static_cast<uint32_t>(events.size());
    *evts = events.data();
    return SS_PLUGIN_SUCCESS;
  }
};

/* The functions of a source, over the untyped handles of the C API. */
template <typename Plugin>
state<Plugin>* state_of(ss_plugin_t* s) {
  return static_cast<state<Plugin>*>(s);
}

template <typename Plugin>
ss_instance_t* open_instance(ss_plugin_t* plugin, const char* params,
                             ss_plugin_rc* rc) noexcept {
  state<Plugin>* s = state_of<Plugin>(plugin);
  *rc = SS_PLUGIN_FAILURE;
  return guarded<capture*>(
      nullptr, [s](const char* what) { s->tell(what); },
      [&]() -> capture* {
        std::unique_ptr<capture> made(new capture);
        made->instance.reset(s->plugin->create_instance(*s->plugin));
        if (!made->instance) {
          s->tell("the plugin created no instance");
          return nullptr;
        }
        *rc = made->instance->open(params != nullptr ? params : "");
        return *rc == SS_PLUGIN_SUCCESS ? made.release() : nullptr;
      });
}

template <typename Plugin>
void close_instance(ss_plugin_t* plugin, ss_instance_t* instance) noexcept {
  state<Plugin>* s = state_of<Plugin>(plugin);
  capture* c = static_cast<capture*>(instance);
  const auto said = [s](const char* what) { s->tell(what); };
  if (c != nullptr) {
    guarded(0, said, [c] { return c->instance->close(), 0; });
    guarded(0, said, [c] { return delete c, 0; });
  }
}

template <typename Plugin>
ss_plugin_rc next_batch(ss_plugin_t* plugin, ss_instance_t* instance, uint32_t* nevts,
                        falco_wire_event*** evts) noexcept {
  state<Plugin>* s = state_of<Plugin>(plugin);
  *nevts = 0;
  *evts = nullptr;
  return guarded(
      SS_PLUGIN_FAILURE, [s](const char* what) { s->tell(what); },
      [&] { return static_cast<capture*>(instance)->next_batch(*s->plugin, nevts, evts); });
}

template <typename Plugin>
const char* progress(ss_plugin_t* plugin, ss_instance_t* instance,
                     uint32_t* pct) noexcept {
  state<Plugin>* s = state_of<Plugin>(plugin);
  capture* c = static_cast<capture*>(instance);
  *pct = 0;
  return guarded<const char*>(
      "", [s](const char* what) { s->tell(what); },
      [&] { return (c->progress = c->instance->get_progress(*pct)).c_str(); });
}

template <typename Plugin>
const char* open_params(ss_plugin_t* plugin, ss_plugin_rc* rc) noexcept {
  state<Plugin>* s = state_of<Plugin>(plugin);
  *rc = SS_PLUGIN_FAILURE;
  return guarded<const char*>(
      nullptr, [s](const char* what) { s->tell(what); },
      [&] {
        ss_plugin_rc said = SS_PLUGIN_SUCCESS; /* the guide lets authors leave it */
        s->params = s->plugin->list_open_params(&said);
        *rc = said;
        return s->params.c_str();
      });
}

template <typename Plugin>
const char* event_string(ss_plugin_t* plugin, const ss_plugin_event_input* e) noexcept {
  state<Plugin>* s = state_of<Plugin>(plugin);
  uint32_t size = 0;
  const char* payload = falco_plugin_payload(e->evt, &size);
  return guarded<const char*>(
      nullptr, [s](const char* what) { s->tell(what); },
      [&] {
        s->text = s->plugin->event_to_string(
            reinterpret_cast<const uint8_t*>(payload), payload != nullptr ? size : 0);
        return s->text.c_str();
      });
}

}  // namespace detail
#ifdef __GNUC__
#pragma GCC visibility pop
#endif
}  // namespace falcosecurity

#ifndef FALCOSECURITY_NAME_TAKEN
typedef falcosecurity::event_view ss_plugin_event;
#endif

/* --------------------------------------------------------------- the generated hooks */

#define FALCOSECURITY_COMMON_HOOKS(plugin_class)                                        \
  extern "C" {                                                                          \
  const char* plugin_get_required_api_version(void) { return PLUGIN_API_VERSION_STR; }  \
  const char* plugin_get_name(void) {                                                   \
    return falcosecurity::detail::about_of<plugin_class>().info.name.c_str();           \
  }                                                                                     \
  const char* plugin_get_description(void) {                                            \
    return falcosecurity::detail::about_of<plugin_class>().info.description.c_str();    \
  }                                                                                     \
  const char* plugin_get_contact(void) {                                                \
    return falcosecurity::detail::about_of<plugin_class>().info.contact.c_str();        \
  }                                                                                     \
  const char* plugin_get_version(void) {                                                \
    return falcosecurity::detail::about_of<plugin_class>().info.version.c_str();        \
  }                                                                                     \
  const char* plugin_get_fields(void) {                                                 \
    return falcosecurity::detail::about_of<plugin_class>().fields.c_str();              \
  }                                                                                     \
  const char* plugin_get_extract_event_sources(void) {                                  \
    return falcosecurity::detail::about_of<plugin_class>().sources.c_str();             \
  }                                                                                     \
  const char* plugin_get_init_schema(ss_plugin_schema_type* schema_type) {              \
    const auto& about = falcosecurity::detail::about_of<plugin_class>();                \
    *schema_type = about.schema_type;                                                   \
    return about.schema.c_str();                                                        \
  }                                                                                     \
  ss_plugin_t* plugin_init(const ss_plugin_init_input* input, ss_plugin_rc* rc) {       \
    return falcosecurity::detail::state<plugin_class>::create(input, rc);               \
  }                                                                                     \
  void plugin_destroy(ss_plugin_t* s) {                                                 \
    falcosecurity::detail::state<plugin_class>::remove(                                 \
        static_cast<falcosecurity::detail::state<plugin_class>*>(s));                   \
  }                                                                                     \
  const char* plugin_get_last_error(ss_plugin_t* s) {                                   \
    return falcosecurity::detail::state<plugin_class>::last_error(                      \
        static_cast<falcosecurity::detail::state<plugin_class>*>(s));                   \
  }                                                                                     \
  ss_plugin_rc plugin_extract_fields(ss_plugin_t* s, const ss_plugin_event_input* evt,  \
                                     const ss_plugin_field_extract_input* in) {         \
    return static_cast<falcosecurity::detail::state<plugin_class>*>(s)->extract(evt,    \
                                                                                in);    \
  }                                                                                     \
  }

/* Exports a plugin with events. Once per library, at the end of its source. */
#define GEN_SOURCE_PLUGIN_API_HOOKS(plugin_class, instance_class)                       \
  static_assert(                                                                        \
      std::is_base_of<falcosecurity::source_plugin, plugin_class>::value &&             \
          std::is_base_of<falcosecurity::plugin_instance, instance_class>::value,       \
      "give the class of the plugin and the class of its instances");                   \
  FALCOSECURITY_COMMON_HOOKS(plugin_class)                                              \
  extern "C" {                                                                          \
  uint32_t plugin_get_id(void) {                                                        \
    return falcosecurity::detail::about_of<plugin_class>().info.id;                     \
  }                                                                                     \
  const char* plugin_get_event_source(void) {                                           \
    return falcosecurity::detail::about_of<plugin_class>().info.event_source.c_str();   \
  }                                                                                     \
  ss_instance_t* plugin_open(ss_plugin_t* s, const char* params, ss_plugin_rc* rc) {    \
    return falcosecurity::detail::open_instance<plugin_class>(s, params, rc);           \
  }                                                                                     \
  void plugin_close(ss_plugin_t* s, ss_instance_t* h) {                                 \
    falcosecurity::detail::close_instance<plugin_class>(s, h);                          \
  }                                                                                     \
  ss_plugin_rc plugin_next_batch(ss_plugin_t* s, ss_instance_t* h, uint32_t* nevts,     \
                                 falco_wire_event*** evts) {                            \
    return falcosecurity::detail::next_batch<plugin_class>(s, h, nevts, evts);          \
  }                                                                                     \
  const char* plugin_get_progress(ss_plugin_t* s, ss_instance_t* h, uint32_t* pct) {    \
    return falcosecurity::detail::progress<plugin_class>(s, h, pct);                    \
  }                                                                                     \
  const char* plugin_list_open_params(ss_plugin_t* s, ss_plugin_rc* rc) {               \
    return falcosecurity::detail::open_params<plugin_class>(s, rc);                     \
  }                                                                                     \
  const char* plugin_event_to_string(ss_plugin_t* s, const ss_plugin_event_input* e) {  \
    return falcosecurity::detail::event_string<plugin_class>(s, e);                     \
  }                                                                                     \
  }

#include "falcosecurity_state.h"

/* Exports a plugin that only extracts. */
#define GEN_EXTRACTOR_PLUGIN_API_HOOKS(plugin_class)                                    \
  static_assert(std::is_base_of<falcosecurity::extractor_plugin, plugin_class>::value,  \
                "give the class of the plugin");                                        \
  FALCOSECURITY_COMMON_HOOKS(plugin_class)

#endif /* FALCOSECURITY_PLUGIN_H */
