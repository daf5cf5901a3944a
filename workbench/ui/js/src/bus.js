// The channel to Python: one message per update, questions with answers, and the state
// of every part as this view knows it.
let views = 0;

export function makeBus(model) {
  views += 1;
  const view = `${Date.now().toString(36)}${views}`;
  const state = {};
  const entries = [];
  const passing = [];
  const waiting = new Map();
  const newest = new Map();
  let serial = 0;
  let seq = -1;
  let greeted = false;
  let started = () => {};
  let alive = true;

  function run(part, changed) {
    for (const entry of entries) {
      if (entry.part !== part || !entry.keys.some((key) => changed.has(key))) continue;
      tell(entry);
    }
    for (const entry of passing) {
      if (entry.part === part && changed.has(entry.key)) entry.update(state[part][entry.key]);
    }
  }

  // What is the same as before draws nothing: a click must find what it began on.
  function tell(entry) {
    const values = entry.keys.map((key) => state[entry.part][key]);
    const text = JSON.stringify(values);
    if (text === entry.seen) return;
    entry.seen = text;
    entry.update(...values);
  }

  function take(parts) {
    const all = [];
    for (const [part, values] of Object.entries(parts)) {
      const mine = (state[part] = state[part] || {});
      const changed = new Set();
      for (const [key, value] of Object.entries(values)) {
        mine[key] = value;
        changed.add(key);
      }
      all.push([part, changed]);
    }
    for (const [part, changed] of all) run(part, changed);
  }

  async function hello() {
    const whole = await ask("lab", "hello");
    if (!whole || !alive) return;
    seq = whole.seq;
    take(whole.parts);
    if (!greeted) {
      greeted = true;
      started();
    }
  }

  function receive(message, buffers) {
    if (!message) return;
    if (message.do === "state") {
      if (greeted && message.seq > seq + 1) hello();
      if (message.seq > seq) seq = message.seq;
      if (greeted) take(message.parts);
    } else if (message.do === "rest") {
      if (greeted && message.seq > seq) hello();
    } else if (message.do === "reply") {
      const done = waiting.get(message.id);
      waiting.delete(message.id);
      if (done) done(buffers && buffers.length ? buffers[0] : message.value);
    }
  }

  function send(part, what, values) {
    model.send({ p: part, do: what, ...(values || {}) });
  }

  function ask(part, what, values) {
    serial += 1;
    const id = `${view}:${serial}`;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      model.send({ p: part, do: what, ...(values || {}), id });
    });
  }

  // Only the newest question of a kind is answered: null for one overtaken.
  async function latest(part, what, values) {
    const kind = `${part} ${what}`;
    const mine = (newest.get(kind) || 0) + 1;
    newest.set(kind, mine);
    const answer = await ask(part, what, values);
    return newest.get(kind) === mine && alive ? answer : null;
  }

  model.on("msg:custom", receive);
  return {
    view,
    state,
    send,
    ask,
    latest,
    hello,
    get: (part) => state[part] || {},
    // Call update(...values) now, when they are known, and whenever one is sent.
    watch(part, keys, update) {
      const list = [].concat(keys);
      const entry = { part, keys: list, update, seen: null };
      entries.push(entry);
      if (state[part]) tell(entry);
    },
    // Call update(value) each time the value is sent, never for what is known already.
    on(part, key, update) {
      passing.push({ part, key, update });
    },
    start(done) {
      started = done;
      hello();
    },
    stop() {
      alive = false;
      model.off("msg:custom", receive);
    },
  };
}
