"""Events and rules like those of a busy cluster: the mix the condition benchmarks use.

A check is a tuple (field, operator, value or values); a rule is an ``and`` of checks,
negated checks and shared macros. One description gives the condition text and the
pyarrow expressions that it is compared with.
"""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa

FIELDS = [
    {"name": "b.size", "type": "uint64", "desc": ""},
    {"name": "b.code", "type": "uint64", "desc": ""},
    {"name": "b.user", "type": "string", "desc": ""},
    {"name": "b.verb", "type": "string", "desc": ""},
    {"name": "b.path", "type": "string", "desc": ""},
    {"name": "b.ip", "type": "ipaddr", "desc": ""},
    {"name": "b.net", "type": "ipnet", "desc": ""},
    {"name": "b.tags", "type": "string", "isList": True, "desc": ""},
    {"name": "b.flag", "type": "bool", "desc": ""},
]
VERBS = [f"verb{i}" for i in range(36)] + ["get", "list", "create", "delete"]
USERS = [f"user{i:03d}" for i in range(392)] + [
    "admin", "root", "system:node", "system:admin", "svc-build", "svc-deploy", "eve", "bob",
]  # fmt: skip
TAGS = [f"tag{i}" for i in range(24)]
_TOPS = ["api", "home", "var", "usr", "etc", "opt"]
_MIDS = ["log", "lib", "docker", "ssh", "cache", "v1", "pods", "secrets", "config"]
_ENDS = [".json", ".log", ".conf", ".sh", "", ".tmp"]


def _picked(rng, names, rows):
    # A few values are common, most are rare, as in real logs.
    weights = 1.0 / np.arange(1, len(names) + 1)
    weights /= weights.sum()
    return rng.choice(len(names), rows, p=weights).astype(np.int32)


def make_table(rows, seed=7):
    """Give a table of ``rows`` rows; user, verb and tags are dictionary-encoded."""
    rng = np.random.default_rng(seed)
    verb = pa.DictionaryArray.from_arrays(_picked(rng, VERBS, rows), pa.array(VERBS))
    users = _picked(rng, USERS, rows)
    user = pa.DictionaryArray.from_arrays(
        pa.array(users, mask=rng.random(rows) < 0.02), pa.array(USERS)
    )
    tops, mids, ends = (rng.integers(0, len(x), rows) for x in (_TOPS, _MIDS, _ENDS))
    path = pa.array(
        [
            f"/{_TOPS[a]}/{_MIDS[b]}/{n:07x}/data{_ENDS[c]}"
            for n, (a, b, c) in enumerate(zip(tops, mids, ends, strict=True))
        ],
        pa.binary(),
    )
    v4 = rng.integers(0, 2**32, rows, dtype=np.uint64)
    kinds = rng.random(rows)
    ip = pa.array(
        [
            None if k < 0.1 else bytes(15) + b"\1" if k < 0.2 else int(v).to_bytes(4)
            for v, k in zip(v4, kinds, strict=True)
        ],
        pa.binary(),
    )
    sizes = rng.integers(0, 5, rows)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    tags = pa.ListArray.from_arrays(
        pa.array(offsets),
        pa.DictionaryArray.from_arrays(
            _picked(rng, TAGS, int(offsets[-1])), pa.array(TAGS)
        ),
    )
    table = pa.table(
        {
            "b.size": pa.array((rng.pareto(1.2, rows) * 500).astype(np.uint64)),
            "b.code": pa.array(rng.choice([200, 301, 403, 404, 500], rows).astype(np.uint64)),
            "b.user": user,
            "b.verb": verb,
            "b.path": path,
            "b.ip": ip,
            "b.net": ip,
            "b.tags": tags,
            "b.flag": pa.array(rng.random(rows) < 0.3),
        }
    )  # fmt: skip
    # What pyarrow needs for networks: IPv4 as a number, null elsewhere.
    number = pa.array(v4.astype(np.uint32), mask=(kinds < 0.2))
    return table, number


def make_rules(count, seed=11):
    """Give ``count`` rules as lists of (negated, check) with shared macros spelled out."""
    rnd = random.Random(seed)
    cheap = [
        *(("b.verb", "=", rnd.choice(VERBS[:12])) for _ in range(8)),
        *(("b.verb", "in", tuple(rnd.sample(VERBS, 4))) for _ in range(14)),
        *(("b.user", "=", rnd.choice(USERS)) for _ in range(30)),
        *(("b.user", "in", tuple(rnd.sample(USERS, 10))) for _ in range(10)),
        *(("b.user", "startswith", p) for p in ("svc-", "system:", "user1")),
        *(("b.user", "contains", p) for p in ("min", "sys", "r0", "99")),
        ("b.user", "regex", "(admin|root|user[0-9]+5)"),
        *(("b.size", ">", n) for n in (100, 1000, 5000, 10000, 100000)),
        *(("b.code", "=", n) for n in (200, 403, 404, 500)),
        *(("b.code", ">=", n) for n in (400, 500)),
        ("b.flag", "=", "true"),
        ("b.flag", "=", "false"),
        *(("b.net", "=", n) for n in ("10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12")),
        ("b.ip", "exists", None),
        *(("b.tags", "intersects", tuple(rnd.sample(TAGS, 3))) for _ in range(12)),
        *(("b.tags", "in", tuple(rnd.sample(TAGS, 12))) for _ in range(4)),
    ]
    costly = [
        *(("b.path", "startswith", f"/{t}/{m}") for t in _TOPS for m in _MIDS[:3]),
        *(("b.path", "contains", f"/{m}/") for m in _MIDS),
        *(("b.path", "endswith", e) for e in _ENDS if e),
        *(("b.path", "contains", h) for h in ("00ff", "beef", "/data.sh", "c0de")),
        *(("b.path", "glob", g) for g in ("/home/*/data.sh", "/etc/*.conf", "*/ssh/*")),
        *(("b.path", "regex", r) for r in ("/usr/.*[.]sh", "/api/v1/.*[.]json")),
        *(
            ("b.path", "regex", r)
            for r in ("/(home|opt)/.*ff/.*", ".*[0-9]{3}/data[.]log")
        ),
    ]
    macros = [[(False, c)] for c in rnd.sample(cheap, 6)] + [
        [(False, rnd.choice(cheap)), (rnd.random() < 0.4, rnd.choice(costly))]
        for _ in range(8)
    ]
    rules = []
    for _ in range(count):
        parts = list(rnd.choice(macros))
        parts += [(rnd.random() < 0.2, rnd.choice(cheap))]
        if rnd.random() < 0.75:
            parts += [(rnd.random() < 0.25, rnd.choice(costly))]
        if rnd.random() < 0.4:
            parts += [(rnd.random() < 0.3, rnd.choice(cheap))]
        rules.append(parts)
    return rules


def _quoted(value):
    return f'"{value}"' if isinstance(value, str) else str(value)


def check_text(check):
    field, operator, value = check
    if operator == "exists":
        return f"{field} exists"
    if isinstance(value, tuple):
        return f"{field} {operator} ({', '.join(map(_quoted, value))})"
    quoted = field in ("b.path", "b.user")
    return f"{field} {operator} {_quoted(value) if quoted else value}"


def rule_text(rule):
    return " and ".join(
        f"not {check_text(check)}" if negated else check_text(check)
        for negated, check in rule
    )
