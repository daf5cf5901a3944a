"""Sigma rules as Falco rules, through pySigma (the extra ``sigma``).

files ─▶ documents ─▶ pySigma's rules ─pipeline─▶ fields of the plugin ─backend─▶
conditions ─▶ rules, and one diagnostic for each construct that Falco cannot express
"""

from __future__ import annotations
