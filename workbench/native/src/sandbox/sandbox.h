/* How the parts of the sandbox know each other. */
#ifndef WB_SANDBOX_H
#define WB_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

/* How a system call is judged; RULE_… look at its arguments. */
typedef enum wb_rule {
	WB_DENY, /* refused and told */
	WB_ALLOW,
	WB_WATCH, /* Landlock judges; the guard tells what it will say */
	WB_RULE_CLONE,
	WB_RULE_OWN_PROCESS, /* the first argument is our own process */
	WB_RULE_OWN_OR_ZERO, /* … or 0, which means the same */
	WB_RULE_PRIORITY,
	WB_RULE_FCNTL,
	WB_RULE_IOCTL,
	WB_RULE_PRCTL,
	WB_RULE_PERSONALITY,
	WB_RULE_SOCKET,
	WB_RULE_SOCKETPAIR,
	WB_RULE_NETWORK, /* allowed with the network */
	WB_RULE_TRUNCATE, /* watched where Landlock knows of it */
	WB_RULE_ABSENT, /* as if this kernel had no such call: callers know another way */
} wb_rule;

typedef struct wb_call_rule {
	int nr;
	wb_rule rule;
} wb_call_rule;

/* What a denied or watched call is called, and where its paths are: the numbers of the
 * arguments with the folder and the path, -1 for none. */
typedef struct wb_call_words {
	int nr;
	const char *name;
	int8_t folder;
	int8_t path;
	int8_t folder2;
	int8_t path2;
} wb_call_words;

extern const wb_call_rule wb_call_rules[];
extern const unsigned wb_call_rules_count;
extern const wb_call_words wb_call_texts[];
extern const unsigned wb_call_texts_count;

wb_rule wb_rule_of(int nr);
const wb_call_words *wb_words_of(int nr);

/* What the guard knows. `readable` and `writable`: canonical paths, each followed by a
 * line feed. */
typedef struct wb_guard {
	int log_fd;
	int pid; /* of the process that is guarded */
	int landlock;
	const volatile struct wb_shared_page *page;
	const char *readable;
	const char *writable;
} wb_guard;

/* Hand the guard the descriptor by which it hears of calls, and let go of it. */
int wb_guard_give(int listener);
/* Let the guard end: nothing will be handed to it. */
void wb_guard_dismiss(void);

/* Whether Landlock judges this call; the filter denies it otherwise. */
bool wb_guard_watches(const wb_guard *guard, int nr);

struct sc_request;
/* Say in `text` what was denied; false when nothing was. */
bool wb_guard_describe(const wb_guard *guard, const struct sc_request *request, char *text,
                       unsigned room);

#endif
