"""Rules that several tests read."""

from __future__ import annotations

BROKEN = """\
- rule: A
  desc: d
  condition: t.num = abc
  output: x %t.nosuch
  priority: WARN
  source: t
- list: l
  items: [a, [b]]
- macro: m
  condition: >
    t.num = 1 and
      t.strr = x
- rule: B
  desc: d
  condition: m and
"""


TWO = """\
- rule: high
  desc: d
  condition: t.num > 3
  output: high n=%t.num s=%t.str
  priority: WARNING
  source: t
  tags: [b, a]
- rule: any
  desc: d
  condition: t.num exists
  output: any %t.num
  priority: DEBUG
  source: t
"""


FILE = """\
# what this is about
- list: l1
  items: [a, 'b']   # letters

- rule: r1
  desc: "quoted on purpose"   # yes
  condition: >
    t.num = 1
    or t.num = 5
  output: 'x %t.str'
  priority: warning # low
  source: t
  tags:
    - b   # second
    - a
  my_key: 5
# the end of r1
- rule: r2
  desc: d
  condition: t.num = 7
  output: y
  priority: INFO
  source: t
"""


RULES = """\
- rule: climbing
  desc: d
  condition: t.path contains "../" and t.num in (400, 404)
  output: o
  priority: INFO
  source: t
- rule: quiet
  desc: d
  condition: t.tags intersects (x)
  output: o
  priority: INFO
  source: t
"""


TESTS = """\
source: t
rules: [rules.yaml]
fields: {t.path: string, t.num: uint64, t.tags: list of string, t.ip: ipaddr}
cases:
  - name: fires
    event: {t.path: /../x, t.num: 400, t.ip: 10.0.0.1, t.tags: null}
    fires: [climbing]
    quiet: quiet
  - name: nothing else
    event: {t.tags: [x, {hex: fffe}]}
    exactly: [quiet]
  - name: wrong on purpose
    event: {t.num: 1}
    fires: [climbing]
"""
