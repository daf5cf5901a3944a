/*
 * sessions: what every client of a web server did in the last minute.
 *
 * The plugin makes no events. It parses those of `weblog`, keeps one entry per client in
 * the table "sessions", answers fields from it, and sends the async event
 * `scanner_suspected` when a client asks for too many different things that fail.
 */
#include <cstdio>
#include <cstdlib>

#include "falcosecurity_json.h"
#include "falcosecurity_plugin.h"

#include "access_line.h"
#include "client_window.h"

namespace {

const char ALERT[] = "scanner_suspected";
const uint64_t SECOND = 1000000000;

class sessions : public falcosecurity::stateful_plugin {
 public:
  sessions() : m_table("sessions") {
    m_table.field("requests", &client_window::requests, true)
        .field("errors", &client_window::errors, true)
        .field("paths", &client_window::paths, true)
        .field("total", &client_window::total, true)
        .field("first_seen", &client_window::first_seen, true)
        .field("last_seen", &client_window::last_seen, true)
        .field("suspect", &client_window::suspect);
  }

  void get_info(falcosecurity::plugin_info& info) override {
    info.name = "sessions";
    info.description = "Requests, errors and paths per client of a web server";
    info.contact = "github.com/falcosecurity/plugins";
    info.version = "1.0.0";
    info.extract_event_sources = {"weblog"};
    info.fields = {
        {FTYPE_STRING, "session.client", false, "Address of the client, as logged"},
        {FTYPE_UINT64, "session.requests", false,
         "Requests of this client in the window, this one included"},
        {FTYPE_UINT64, "session.errors", false,
         "Of these, answered with status 400 or more"},
        {FTYPE_UINT64, "session.paths", false,
         "Distinct paths that this client asked for in the window"},
        {FTYPE_UINT64, "session.total", false, "Requests of this client so far"},
        {FTYPE_RELTIME, "session.age", false,
         "Time since the first request of this client"},
        {FTYPE_BOOL, "session.suspect", false,
         "The client has crossed the threshold of a scanner"},
    };
  }

  std::vector<uint16_t> event_types() const override {
    return {FALCO_PLUGIN_EVENT_TYPE, FALCO_ASYNC_EVENT_TYPE};
  }

  std::vector<std::string> async_events() const override { return {ALERT}; }

  std::string get_init_schema(ss_plugin_schema_type* type) override {
    *type = SS_PLUGIN_SCHEMA_JSON;
    return R"({
      "$schema": "http://json-schema.org/draft-07/schema#",
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "window_sec": {"type": "integer", "minimum": 1, "maximum": 86400, "default": 60,
          "description": "How far back the counts look, in seconds of event time"},
        "scanner_paths": {"type": "integer", "minimum": 1, "default": 50,
          "description": "Distinct paths in the window that make a scanner"},
        "scanner_errors": {"type": "integer", "minimum": 1, "default": 50,
          "description": "Errors in the window that make a scanner"}
      }
    })";
  }

  ss_plugin_rc init(const char* config) override {
    const falcosecurity::json given = falcosecurity::json::parse(config);
    read(given, "window_sec", m_window_sec);
    read(given, "scanner_paths", m_scanner_paths);
    read(given, "scanner_errors", m_scanner_errors);
    m_table.publish(framework(), *this);
    return SS_PLUGIN_SUCCESS;
  }

  void destroy() override {}

  void parse_event(const falcosecurity::event_view& evt,
                   const falcosecurity::table_access&) override {
    m_current = nullptr;
    if (evt.async_name != nullptr) {
      parse_alert(evt);
      return;
    }
    if (!m_line.parse(reinterpret_cast<const char*>(evt.data), evt.datalen)) {
      return;
    }
    client_window& client = m_table[m_line.client];
    client.add(evt.ts, m_line.path, m_line.status >= 400);
    client.expire(evt.ts, m_window_sec * SECOND);
    m_current = &client;
    m_client = m_line.client;
    m_age = evt.ts - client.first_seen;
    if (!client.suspect && client.paths >= m_scanner_paths &&
        client.errors >= m_scanner_errors) {
      client.suspect = true;
      alert(client, evt.ts);
    }
  }

  bool extract_str(const falcosecurity::event_view&, const std::string&,
                   const std::string&, std::string& value) override {
    value = m_client;
    return m_current != nullptr;
  }

  bool extract_u64(const falcosecurity::event_view&, const std::string& field,
                   const std::string&, uint64_t& value) override {
    if (m_current == nullptr) {
      return false;
    }
    switch (field[8]) { /* after "session." */
      case 'r':
        value = m_current->requests;
        return true;
      case 'e':
        value = m_current->errors;
        return true;
      case 'p':
        value = m_current->paths;
        return true;
      case 't':
        value = m_current->total;
        return true;
      case 'a':
        value = m_age;
        return true;
      default:
        value = m_current->suspect ? 1 : 0;
        return true;
    }
  }

 private:
  static void read(const falcosecurity::json& from, const char* name, uint64_t& into) {
    if (const falcosecurity::json* given = from.find(name)) {
      into = std::strtoull(given->text().c_str(), nullptr, 10);
    }
  }

  /* Tells of a scanner. Without a live capture there is nobody to tell: the event then
   * comes from the capture file. */
  void alert(const client_window& client, uint64_t ts) {
    char counts[96];
    std::snprintf(counts, sizeof counts, " requests=%llu errors=%llu paths=%llu",
                  static_cast<unsigned long long>(client.requests),
                  static_cast<unsigned long long>(client.errors),
                  static_cast<unsigned long long>(client.paths));
    std::string error;
    if (send_async(ALERT, m_line.client + counts, ts, &error)) {
      write_log("suspected scanner " + m_line.client + counts,
                SS_PLUGIN_LOG_SEV_NOTICE);
    }
  }

  /* The fields of our own async event are those of the client it is about. */
  void parse_alert(const falcosecurity::event_view& evt) {
    const char* const data = reinterpret_cast<const char*>(evt.data);
    const std::string text(data, evt.datalen);
    m_client = text.substr(0, text.find(' '));
    m_current = m_table.find(m_client);
    m_age = m_current != nullptr && evt.ts > m_current->first_seen
                ? evt.ts - m_current->first_seen
                : 0;
  }

  uint64_t m_window_sec = 60;
  uint64_t m_scanner_paths = 50;
  uint64_t m_scanner_errors = 50;
  falcosecurity::own_table<std::string, client_window> m_table;
  access_line m_line;
  /* Of the event parsed last: extraction is about the same event. */
  const client_window* m_current = nullptr;
  std::string m_client;
  uint64_t m_age = 0;
};

}  // namespace

GEN_STATEFUL_PLUGIN_API_HOOKS(sessions)
