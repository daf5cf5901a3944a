"""The fields that Sigma rules are converted to are those of the built plugins."""

from __future__ import annotations

import pytest

import workbench as wb
from workbench.sigma.sources import SOURCES

pytestmark = [pytest.mark.go, pytest.mark.official]

PLUGINS = {
    "aws_cloudtrail": "cloudtrail",
    "k8s_audit": "k8saudit",
    "okta": "okta",
    "github": "github",
    "gcp_auditlog": "gcpaudit",
}


def shape(field):
    arg = field.arg and (field.arg.required, field.arg.index, field.arg.key)
    return field.type, field.is_list, arg


@pytest.mark.parametrize(("source", "name"), PLUGINS.items(), ids=PLUGINS)
def test_the_fields_known_are_those_of_the_plugins(official, source, name):
    declared = [
        field
        for plugin in (name, "json")
        for field in wb.inspect(official(plugin)).fields.values()
    ]
    known = SOURCES[source].fields
    assert {f.name: shape(f) for f in declared} == {
        n: shape(f) for n, f in known.items()
    }
