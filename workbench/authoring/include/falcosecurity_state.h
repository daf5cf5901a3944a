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
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace falcosecurity {

/* ------------------------------------------------------------------ values of tables */

/* How a C++ type stands in a table: its code, and the way in and out. */
template <typename T>
struct state_value;

#define FALCOSECURITY_STATE_VALUE(cpp_type, type_code, member)                          \
  template <>                                                                           \
  struct state_value<cpp_type> {                                                        \
    static constexpr ss_plugin_state_type code = type_code;                             \
    static cpp_type get(const ss_plugin_state_data& d) { return d.member; }             \
    static void put(const cpp_type& v, ss_plugin_state_data& d) { d.member = v; }       \
  };
FALCOSECURITY_STATE_VALUE(int8_t, SS_PLUGIN_ST_INT8, s8)
FALCOSECURITY_STATE_VALUE(int16_t, SS_PLUGIN_ST_INT16, s16)
FALCOSECURITY_STATE_VALUE(int32_t, SS_PLUGIN_ST_INT32, s32)
FALCOSECURITY_STATE_VALUE(int64_t, SS_PLUGIN_ST_INT64, s64)
FALCOSECURITY_STATE_VALUE(uint8_t, SS_PLUGIN_ST_UINT8, u8)
FALCOSECURITY_STATE_VALUE(uint16_t, SS_PLUGIN_ST_UINT16, u16)
FALCOSECURITY_STATE_VALUE(uint32_t, SS_PLUGIN_ST_UINT32, u32)
FALCOSECURITY_STATE_VALUE(uint64_t, SS_PLUGIN_ST_UINT64, u64)
#undef FALCOSECURITY_STATE_VALUE

template <>
struct state_value<bool> {
  static constexpr ss_plugin_state_type code = SS_PLUGIN_ST_BOOL;
  static bool get(const ss_plugin_state_data& d) { return d.b != 0; }
  static void put(const bool& v, ss_plugin_state_data& d) { d.b = v ? 1 : 0; }
};

/* Text handed out points into the value: it must outlive what reads it. */
template <>
struct state_value<std::string> {
  static constexpr ss_plugin_state_type code = SS_PLUGIN_ST_STRING;
  static std::string get(const ss_plugin_state_data& d) {
    return d.str != nullptr ? d.str : "";
  }
  static void put(const std::string& v, ss_plugin_state_data& d) { d.str = v.c_str(); }
};

/* What went wrong with a table, in the framework's words where it has some. */
struct table_error : std::runtime_error {
  explicit table_error(const std::string& what) : std::runtime_error(what) {}
};

/* ---------------------------------------------------------------- tables of others */

/* Access to tables during parse_event. */
struct table_access {
  ss_plugin_owner_t* owner;
  const char* (*last_error)(ss_plugin_owner_t*);
  ss_plugin_table_reader_vtable_ext* reader;
  ss_plugin_table_writer_vtable_ext* writer; /* NULL during extraction */

  [[noreturn]] void fail(const char* what) const {
    const char* words = last_error != nullptr ? last_error(owner) : nullptr;
    throw table_error(std::string(what) + ": " +
                      (words != nullptr && *words != 0 ? words : "no reason given"));
  }
};

/* An entry in our hands; given back when this goes. */
class table_entry {
 public:
  table_entry(const table_access& access, ss_plugin_table_t* table,
              ss_plugin_table_entry_t* entry)
      : m_access(access), m_table(table), m_entry(entry) {}
  table_entry(table_entry&& other) noexcept
      : m_access(other.m_access), m_table(other.m_table), m_entry(other.m_entry) {
    other.m_entry = nullptr;
  }
  table_entry(const table_entry&) = delete;
  table_entry& operator=(const table_entry&) = delete;
  ~table_entry() {
    if (m_entry != nullptr) {
      m_access.reader->release_table_entry(m_table, m_entry);
    }
  }

  explicit operator bool() const { return m_entry != nullptr; }

  template <typename T>
  T get(ss_plugin_table_field_t* field) const {
    ss_plugin_state_data data;
    if (m_access.reader->read_entry_field(m_table, m_entry, field, &data) !=
        SS_PLUGIN_SUCCESS) {
      m_access.fail("cannot read a field");
    }
    return state_value<T>::get(data);
  }

  template <typename T>
  void set(ss_plugin_table_field_t* field, const T& value) {
    ss_plugin_state_data data;
    data.u64 = 0;
    state_value<T>::put(value, data);
    if (m_access.writer == nullptr ||
        m_access.writer->write_entry_field(m_table, m_entry, field, &data) !=
            SS_PLUGIN_SUCCESS) {
      m_access.fail("cannot write a field");
    }
  }

 private:
  table_access m_access;
  ss_plugin_table_t* m_table;
  ss_plugin_table_entry_t* m_entry;
};

/* A table of the framework or of another plugin, found in init, kept for good. */
template <typename Key>
class table_ref {
 public:
  void find(const ss_plugin_init_input& in, const char* name) {
    m_access = {in.owner, in.get_owner_last_error, nullptr, nullptr};
    if (in.tables == nullptr) {
      throw table_error("the framework offers no tables");
    }
    m_fields = in.tables->fields_ext;
    m_table = in.tables->get_table(in.owner, name, state_value<Key>::code);
    if (m_table == nullptr) {
      m_access.fail("cannot find a table");
    }
  }

  template <typename T>
  ss_plugin_table_field_t* field(const char* name) const {
    return checked(m_fields->get_table_field(m_table, name, state_value<T>::code));
  }

  /* The same field for everybody who adds it. */
  template <typename T>
  ss_plugin_table_field_t* add_field(const char* name) const {
    return checked(m_fields->add_table_field(m_table, name, state_value<T>::code));
  }

  /* Empty when there is none. */
  table_entry get(const table_access& access, const Key& key) const {
    ss_plugin_state_data data;
    data.u64 = 0;
    state_value<Key>::put(key, data);
    return table_entry(access, m_table, access.reader->get_table_entry(m_table, &data));
  }

  table_entry add(const table_access& access, const Key& key) const {
    ss_plugin_state_data data;
    data.u64 = 0;
    state_value<Key>::put(key, data);
    ss_plugin_table_entry_t* made = access.writer->create_table_entry(m_table);
    made = made == nullptr ? nullptr
                           : access.writer->add_table_entry(m_table, &data, made);
    if (made == nullptr) {
      access.fail("cannot add an entry");
    }
    return table_entry(access, m_table, made);
  }

  bool erase(const table_access& access, const Key& key) const {
    ss_plugin_state_data data;
    data.u64 = 0;
    state_value<Key>::put(key, data);
    return access.writer->erase_table_entry(m_table, &data) == SS_PLUGIN_SUCCESS;
  }

 private:
  ss_plugin_table_field_t* checked(ss_plugin_table_field_t* field) const {
    if (field == nullptr) {
      m_access.fail("cannot get a field");
    }
    return field;
  }

  table_access m_access = {nullptr, nullptr, nullptr, nullptr};
  ss_plugin_table_fields_vtable_ext* m_fields = nullptr;
  ss_plugin_table_t* m_table = nullptr;
};

/* ----------------------------------------------------------------- tables of our own */

/*
 * A map that others may read and write as a table. Entries are shared: one that was
 * erased lives on in the hands that hold it. Fields are members of Entry; others may
 * add fields of their own at run time. Not for several threads at once.
 */
template <typename Key, typename Entry>
class own_table {
 public:
  struct row {
    Entry value;
    std::vector<std::string> texts; /* of fields that others added */
    std::vector<ss_plugin_state_data> numbers;
  };
  typedef std::map<Key, std::shared_ptr<row>> rows;

  explicit own_table(const std::string& name) : m_name(name) {}
  own_table(const own_table&) = delete;
  own_table& operator=(const own_table&) = delete;

  template <typename T>
  own_table& field(const std::string& name, T Entry::* member, bool read_only = false) {
    m_fields.emplace_back(new member_field<T>(name, member, read_only));
    return *this;
  }

  /* Makes it known; in init. */
  void publish(const ss_plugin_init_input& in, plugin_base& plugin) {
    m_plugin = &plugin;
    ss_plugin_table_input table;
    std::memset(static_cast<void*>(&table), 0, sizeof table);
    table.name = m_name.c_str();
    table.key_type = state_value<Key>::code;
    table.table = this;
    table.reader = {get_name, get_size, get_entry, read_field};
    table.writer = writer();
    table.fields = {list_fields, get_field, add_field};
    ss_plugin_table_reader_vtable_ext reader = {get_name,   get_size,      get_entry,
                                                read_field, release_entry, iterate};
    ss_plugin_table_writer_vtable_ext writer_ext = writer();
    ss_plugin_table_fields_vtable_ext fields_ext = table.fields;
    table.reader_ext = &reader;
    table.writer_ext = &writer_ext;
    table.fields_ext = &fields_ext;
    if (in.tables == nullptr ||
        in.tables->add_table(in.owner, &table) != SS_PLUGIN_SUCCESS) {
      table_access{in.owner, in.get_owner_last_error, nullptr, nullptr}.fail(
          "cannot publish a table");
    }
  }

  /* The entry of a key, made when missing. */
  Entry& operator[](const Key& key) {
    std::shared_ptr<row>& found = m_rows[key];
    if (!found) {
      found = std::make_shared<row>();
    }
    return found->value;
  }

  Entry* find(const Key& key) {
    const auto found = m_rows.find(key);
    return found == m_rows.end() ? nullptr : &found->second->value;
  }

  rows& all() { return m_rows; }

 private:
  struct any_field {
    any_field(const std::string& name_, ss_plugin_state_type type_, bool read_only_)
        : name(name_), type(type_), read_only(read_only_) {}
    virtual ~any_field() = default;
    virtual void get(row& r, ss_plugin_state_data& out) const = 0;
    virtual void set(row& r, const ss_plugin_state_data& in) const = 0;
    std::string name;
    ss_plugin_state_type type;
    bool read_only;
  };

  template <typename T>
  struct member_field : any_field {
    member_field(const std::string& name_, T Entry::* member_, bool read_only_)
        : any_field(name_, state_value<T>::code, read_only_), member(member_) {}
    void get(row& r, ss_plugin_state_data& out) const override {
      state_value<T>::put(r.value.*member, out);
    }
    void set(row& r, const ss_plugin_state_data& in) const override {
      r.value.*member = state_value<T>::get(in);
    }
    T Entry::* member;
  };

  struct added_field : any_field {
    added_field(const std::string& name_, ss_plugin_state_type type_, size_t place_)
        : any_field(name_, type_, false), place(place_) {}
    void get(row& r, ss_plugin_state_data& out) const override {
      grow(r);
      if (this->type == SS_PLUGIN_ST_STRING) {
        out.str = r.texts[place].c_str();
      } else {
        out = r.numbers[place];
      }
    }
    void set(row& r, const ss_plugin_state_data& in) const override {
      grow(r);
      if (this->type == SS_PLUGIN_ST_STRING) {
        r.texts[place] = in.str != nullptr ? in.str : "";
      } else {
        r.numbers[place] = in;
      }
    }
    void grow(row& r) const {
      if (r.texts.size() <= place) {
        ss_plugin_state_data zero;
        zero.u64 = 0;
        r.texts.resize(place + 1);
        r.numbers.resize(place + 1, zero);
      }
    }
    size_t place;
  };

  /* An entry in somebody's hands. */
  struct hold {
    std::shared_ptr<row> r;
  };

  static own_table& self(ss_plugin_table_t* t) { return *static_cast<own_table*>(t); }

  /* Nothing thrown crosses the border; what() becomes the plugin's last error. */
  template <typename Result, typename Work>
  static Result guard(ss_plugin_table_t* t, Result otherwise, Work work) noexcept {
    try {
      return work(self(t));
    } catch (const std::exception& error) {
      try {
        self(t).m_plugin->set_last_error(error.what());
      } catch (...) {
      }
    } catch (...) {
    }
    return otherwise;
  }

  static ss_plugin_table_writer_vtable writer() {
    return {clear, erase, create_entry, destroy_entry, add_entry, write_field};
  }
  static const char* get_name(ss_plugin_table_t* t) { return self(t).m_name.c_str(); }
  static uint64_t get_size(ss_plugin_table_t* t) { return self(t).m_rows.size(); }

  static ss_plugin_table_entry_t* get_entry(ss_plugin_table_t* t,
                                            const ss_plugin_state_data* key) {
    return guard<ss_plugin_table_entry_t*>(t, nullptr, [key](own_table& table) {
      const auto found = table.m_rows.find(state_value<Key>::get(*key));
      if (found == table.m_rows.end()) {
        throw table_error("table '" + table.m_name + "' has no entry of that key");
      }
      return new hold{found->second};
    });
  }

  static ss_plugin_rc read_field(ss_plugin_table_t* t, ss_plugin_table_entry_t* e,
                                 const ss_plugin_table_field_t* f,
                                 ss_plugin_state_data* out) {
    return guard(t, SS_PLUGIN_FAILURE, [=](own_table&) {
      static_cast<const any_field*>(f)->get(*static_cast<hold*>(e)->r, *out);
      return SS_PLUGIN_SUCCESS;
    });
  }

  static void release_entry(ss_plugin_table_t*, ss_plugin_table_entry_t* e) {
    delete static_cast<hold*>(e);
  }

  static ss_plugin_bool iterate(ss_plugin_table_t* t, ss_plugin_table_iterator_func_t it,
                                ss_plugin_table_iterator_state_t* state) {
    return guard<ss_plugin_bool>(t, 0, [=](own_table& table) -> ss_plugin_bool {
      const rows walked = table.m_rows; /* the visitor may change the table */
      for (const auto& one : walked) {
        hold held{one.second};
        if (!it(state, &held)) {
          return 0;
        }
      }
      return 1;
    });
  }

  static ss_plugin_rc clear(ss_plugin_table_t* t) {
    self(t).m_rows.clear();
    return SS_PLUGIN_SUCCESS;
  }

  static ss_plugin_rc erase(ss_plugin_table_t* t, const ss_plugin_state_data* key) {
    return guard(t, SS_PLUGIN_FAILURE, [key](own_table& table) {
      if (table.m_rows.erase(state_value<Key>::get(*key)) == 0) {
        throw table_error("table '" + table.m_name + "' has no entry of that key");
      }
      return SS_PLUGIN_SUCCESS;
    });
  }

  static ss_plugin_table_entry_t* create_entry(ss_plugin_table_t* t) {
    return guard<ss_plugin_table_entry_t*>(
        t, nullptr, [](own_table&) { return new hold{std::make_shared<row>()}; });
  }

  static void destroy_entry(ss_plugin_table_t*, ss_plugin_table_entry_t* e) {
    delete static_cast<hold*>(e);
  }

  static ss_plugin_table_entry_t* add_entry(ss_plugin_table_t* t,
                                            const ss_plugin_state_data* key,
                                            ss_plugin_table_entry_t* e) {
    return guard<ss_plugin_table_entry_t*>(t, nullptr, [=](own_table& table) {
      table.m_rows[state_value<Key>::get(*key)] = static_cast<hold*>(e)->r;
      return e;
    });
  }

  static ss_plugin_rc write_field(ss_plugin_table_t* t, ss_plugin_table_entry_t* e,
                                  const ss_plugin_table_field_t* f,
                                  const ss_plugin_state_data* in) {
    return guard(t, SS_PLUGIN_FAILURE, [=](own_table&) {
      const any_field* field = static_cast<const any_field*>(f);
      if (field->read_only) {
        throw table_error("field '" + field->name + "' is read-only");
      }
      field->set(*static_cast<hold*>(e)->r, *in);
      return SS_PLUGIN_SUCCESS;
    });
  }

  static const ss_plugin_table_fieldinfo* list_fields(ss_plugin_table_t* t,
                                                      uint32_t* n) {
    return guard<const ss_plugin_table_fieldinfo*>(t, nullptr, [n](own_table& table) {
      table.m_listed.clear();
      for (const auto& field : table.m_fields) {
        table.m_listed.push_back(
            {field->name.c_str(), field->type, field->read_only ? 1u : 0u});
      }
      *n = static_cast<uint32_t>(table.m_listed.size());
      return table.m_listed.data();
    });
  }

  any_field* named(const char* name, ss_plugin_state_type type) {
    for (const auto& field : m_fields) {
      if (field->name == name) {
        if (field->type != type) {
          throw table_error("field '" + field->name + "' of table '" + m_name +
                            "' has another type");
        }
        return field.get();
      }
    }
    return nullptr;
  }

  static ss_plugin_table_field_t* get_field(ss_plugin_table_t* t, const char* name,
                                            ss_plugin_state_type type) {
    return guard<ss_plugin_table_field_t*>(t, nullptr, [=](own_table& table) {
      any_field* found = table.named(name, type);
      if (found == nullptr) {
        throw table_error("table '" + table.m_name + "' has no field '" + name + "'");
      }
      return found;
    });
  }

  static ss_plugin_table_field_t* add_field(ss_plugin_table_t* t, const char* name,
                                            ss_plugin_state_type type) {
    return guard<ss_plugin_table_field_t*>(t, nullptr, [=](own_table& table) {
      any_field* found = table.named(name, type);
      if (found == nullptr) {
        if (type == SS_PLUGIN_ST_TABLE) {
          throw table_error("fields added at run time cannot hold tables");
        }
        found = new added_field(name, type, table.m_added++);
        table.m_fields.emplace_back(found);
      }
      return found;
    });
  }

  std::string m_name;
  plugin_base* m_plugin = nullptr;
  std::vector<std::unique_ptr<any_field>> m_fields;
  std::vector<ss_plugin_table_fieldinfo> m_listed;
  size_t m_added = 0;
  rows m_rows;
};

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
