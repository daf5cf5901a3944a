/* What one client did lately: counts over a sliding window of event time. */
#ifndef CLIENT_WINDOW_H
#define CLIENT_WINDOW_H

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

/* The counts are fields of the table "sessions"; plugins and people read them there. */
struct client_window {
  uint64_t requests = 0; /* in the window */
  uint64_t errors = 0; /* of these, with status 400 or more */
  uint64_t paths = 0; /* distinct ones */
  uint64_t total = 0; /* requests since the start */
  uint64_t first_seen = 0; /* ns since the epoch */
  uint64_t last_seen = 0;
  bool suspect = false; /* crossed the threshold and was told of */

  void add(uint64_t ts, uint64_t path, bool error) {
    seen.push_back({ts, path, error});
    requests++;
    errors += error ? 1 : 0;
    paths += per_path[path]++ == 0 ? 1 : 0;
    total++;
    first_seen = total == 1 ? ts : first_seen;
    last_seen = ts > last_seen ? ts : last_seen;
  }

  /* Forgets what is older than the window; a log is nearly in order of time. */
  void expire(uint64_t now, uint64_t window_ns) {
    while (!seen.empty() && now > window_ns && seen.front().ts < now - window_ns) {
      const request& old = seen.front();
      requests--;
      errors -= old.error ? 1 : 0;
      const auto path = per_path.find(old.path);
      if (--path->second == 0) {
        per_path.erase(path);
        paths--;
      }
      seen.pop_front();
    }
  }

 private:
  struct request {
    uint64_t ts;
    uint64_t path; /* hashed */
    bool error;
  };
  std::deque<request> seen;
  std::unordered_map<uint64_t, uint32_t> per_path;
};

#endif
