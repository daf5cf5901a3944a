/*
 * falcosecurity_tables.h: state tables for plugins in C++ (11 or newer). Comes along with
 * falcosecurity_plugin.h; do not include it yourself.
 *
 * table_ref: a table of the framework or of another plugin, found in init.
 * own_table: a map of our own that others may read and write.
 *
 * Licensed under the Apache License 2.0.
 */
#ifndef FALCOSECURITY_TABLES_H
#define FALCOSECURITY_TABLES_H

#include <cstring>
#include <map>
#include <memory>
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

}  // namespace falcosecurity

#endif /* FALCOSECURITY_TABLES_H */
