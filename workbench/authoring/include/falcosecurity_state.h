/*
 * falcosecurity_state.h: plugins in C++ (11 or newer) that keep state. Included by
 * falcosecurity_plugin.h; do not include it yourself.
 *
 *   class my_plugin : public falcosecurity::stateful_plugin { ... };
 *   GEN_STATEFUL_PLUGIN_API_HOOKS(my_plugin)
 *
 * Such a plugin extracts as an extractor_plugin does, and
 *
 *   - sees every event once in parse_event, before anything is extracted from it;
 *   - may publish tables of its own (own_table) and use tables of others (table_ref),
 *     which both begin in init;
 *   - may send async events by the names it announces, from any thread, between a
 *     capture's start and its end.
 *
 * Licensed under the Apache License 2.0.
 */
#ifndef FALCOSECURITY_STATE_H
#define FALCOSECURITY_STATE_H

#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "falcosecurity_tables.h"

namespace falcosecurity {

/* ------------------------------------------------------------- plugins that keep state */

class stateful_plugin : public extractor_plugin {
 public:
  /* Called once per event, before any value is extracted from it. */
  virtual void parse_event(const event_view& evt, const table_access& tables) = 0;
  /* Event types wanted, in parse_event and in extraction. */
  virtual std::vector<uint16_t> event_types() const { return {FALCO_PLUGIN_EVENT_TYPE}; }
  /* Names of the async events that send_async may send. */
  virtual std::vector<std::string> async_events() const { return {}; }
  /* A capture starts or ends. Threads that send must be gone when stop returns. */
  virtual void start_async() {}
  virtual void stop_async() {}

  /*
   * Sends an async event; from any thread. `ts` in ns, all ones: now. False with
   * `error` filled when no capture runs or the framework refuses.
   */
  bool send_async(const std::string& name, const std::string& data,
                  uint64_t ts = UINT64_MAX, std::string* error = nullptr) {
    const std::lock_guard<std::mutex> lock(m_async_lock);
    char words[1024] = "no capture is running";
    if (m_handler == nullptr) {
      return refused(error, words);
    }
    const uint64_t tid = UINT64_MAX;
    const uint16_t type = FALCO_ASYNC_EVENT_TYPE;
    const uint32_t name_len = static_cast<uint32_t>(name.size() + 1);
    const uint32_t data_len = static_cast<uint32_t>(data.size());
    const uint32_t total = 42 + name_len + data_len;
    const uint32_t rest[5] = {3, 4, name_len, data_len, 0};
    m_async_bytes.assign(total, 0);
    char* bytes = m_async_bytes.data();
    std::memcpy(bytes, &ts, 8);
    std::memcpy(bytes + 8, &tid, 8);
    std::memcpy(bytes + 16, &total, 4);
    std::memcpy(bytes + 20, &type, 2);
    std::memcpy(bytes + 22, rest, 20);
    std::memcpy(bytes + 42, name.c_str(), name_len);
    std::copy(data.begin(), data.end(), bytes + 42 + name_len);
    const falco_wire_event* evt = reinterpret_cast<const falco_wire_event*>(bytes);
    words[0] = 0;
    return m_handler(m_async_owner, evt, words) == SS_PLUGIN_SUCCESS ||
           refused(error, words);
  }

  void set_async_handler(ss_plugin_owner_t* owner,
                         ss_plugin_async_event_handler_t handler) {
    if (handler == nullptr) {
      stop_async();
    }
    {
      const std::lock_guard<std::mutex> lock(m_async_lock);
      m_async_owner = owner;
      m_handler = handler;
    }
    if (handler != nullptr) {
      start_async();
    }
  }

 private:
  static bool refused(std::string* error, const char* words) {
    if (error != nullptr) {
      *error = words;
    }
    return false;
  }

  std::mutex m_async_lock;
  std::vector<char> m_async_bytes;
  ss_plugin_owner_t* m_async_owner = nullptr;
  ss_plugin_async_event_handler_t m_handler = nullptr;
};

#ifdef __GNUC__
#pragma GCC visibility push(hidden)
#endif
namespace detail {

/* What a stateful plugin says before it is initialised. */
template <typename Plugin>
const std::string& async_names_of() noexcept {
  static const std::string* const known = [] {
    std::string* made = new std::string("[");
    const auto tell = [made](const char*) { *made = "["; };
    guarded(0, tell, [made] {
      for (const std::string& name : Plugin().async_events()) {
        *made += (made->size() > 1 ? "," : "") + quoted(name);
      }
      return 0;
    });
    *made += "]";
    return made;
  }();
  return *known;
}

template <typename Plugin>
uint16_t* event_types_of(uint32_t* n, ss_plugin_t*) noexcept {
  static std::vector<uint16_t>* const known = [] {
    std::vector<uint16_t>* made = new std::vector<uint16_t>;
    guarded(0, [](const char*) {}, [made] { return *made = Plugin().event_types(), 0; });
    return made;
  }();
  *n = static_cast<uint32_t>(known->size());
  return known->data();
}

template <typename Plugin>
ss_plugin_rc parse(ss_plugin_t* plugin, const ss_plugin_event_input* evt,
                   const ss_plugin_event_parse_input* in) noexcept {
  state<Plugin>* s = state_of<Plugin>(plugin);
  return guarded(
      SS_PLUGIN_FAILURE, [s](const char* what) { s->tell(what); },
      [&]() -> ss_plugin_rc {
        const event_view view = view_of(evt);
        s->plugin->parse_event(
            view, table_access{in->owner, in->get_owner_last_error,
                               in->table_reader_ext, in->table_writer_ext});
        return SS_PLUGIN_SUCCESS;
      });
}

template <typename Plugin>
ss_plugin_rc set_async(ss_plugin_t* plugin, ss_plugin_owner_t* owner,
                       ss_plugin_async_event_handler_t handler) noexcept {
  state<Plugin>* s = state_of<Plugin>(plugin);
  return guarded(
      SS_PLUGIN_FAILURE, [s](const char* what) { s->tell(what); },
      [&]() -> ss_plugin_rc {
        s->plugin->set_async_handler(owner, handler);
        return SS_PLUGIN_SUCCESS;
      });
}

}  // namespace detail
#ifdef __GNUC__
#pragma GCC visibility pop
#endif
}  // namespace falcosecurity

/* Exports a plugin that keeps state. Once per library, at the end of its source. */
#define GEN_STATEFUL_PLUGIN_API_HOOKS(plugin_class)                                     \
  static_assert(std::is_base_of<falcosecurity::stateful_plugin, plugin_class>::value,   \
                "give the class of the plugin");                                        \
  FALCOSECURITY_COMMON_HOOKS(plugin_class)                                              \
  extern "C" {                                                                          \
  uint16_t* plugin_get_extract_event_types(uint32_t* n, ss_plugin_t* s) {               \
    return falcosecurity::detail::event_types_of<plugin_class>(n, s);                   \
  }                                                                                     \
  uint16_t* plugin_get_parse_event_types(uint32_t* n, ss_plugin_t* s) {                 \
    return falcosecurity::detail::event_types_of<plugin_class>(n, s);                   \
  }                                                                                     \
  const char* plugin_get_parse_event_sources(void) {                                    \
    return falcosecurity::detail::about_of<plugin_class>().sources.c_str();             \
  }                                                                                     \
  ss_plugin_rc plugin_parse_event(ss_plugin_t* s, const ss_plugin_event_input* evt,     \
                                  const ss_plugin_event_parse_input* in) {              \
    return falcosecurity::detail::parse<plugin_class>(s, evt, in);                      \
  }                                                                                     \
  const char* plugin_get_async_events(void) {                                           \
    return falcosecurity::detail::async_names_of<plugin_class>().c_str();               \
  }                                                                                     \
  const char* plugin_get_async_event_sources(void) {                                    \
    return falcosecurity::detail::about_of<plugin_class>().sources.c_str();             \
  }                                                                                     \
  ss_plugin_rc plugin_set_async_event_handler(                                          \
      ss_plugin_t* s, ss_plugin_owner_t* owner,                                         \
      const ss_plugin_async_event_handler_t handler) {                                  \
    return falcosecurity::detail::set_async<plugin_class>(s, owner, handler);           \
  }                                                                                     \
  }

#endif /* FALCOSECURITY_STATE_H */
