"""Event sources of official plugins: their fields, and Sigma's names for them.

The fields are those of the plugins' releases named here; a test holds them against the
built plugins. A mapping names only fields that hold what Sigma's name says: where the
plugin gives something else (``ct.user`` may be the role behind a session), the JSON of
the event is read with the json plugin instead.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from workbench.errors import RulesError
from workbench.fields.declarations import ArgInfo, FieldInfo, FieldTable
from workbench.fields.spelling import nearest_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["SOURCES", "SigmaSource", "source_of"]

# Name, then ":" and its type if it is not string, "[]" for a list, "/" and what the
# argument is: required, index, key.
_JSON = "json.value:/rk json.obj json.rawtime jevt.value:/rk jevt.obj jevt.rawtime"
_CLOUDTRAIL = """
ct.id ct.error ct.errormessage ct.time ct.src ct.shortsrc ct.name ct.user
ct.originaluser ct.user.accountid ct.user.identitytype ct.user.principalid ct.user.arn
ct.region ct.response.subnetid ct.response.reservationid ct.response
ct.request.availabilityzone ct.request.cluster ct.request.functionname
ct.request.groupname ct.request.host ct.request.name ct.request.policy ct.request.reason
ct.request.target ct.request.documentname ct.request.serialnumber ct.request.servicename
ct.request.subnetid ct.request.taskdefinition ct.request.username ct.request ct.srcip
ct.useragent ct.info ct.managementevent ct.readonly ct.requestid ct.eventtype
ct.apiversion ct.resources ct.recipientaccountid ct.serviceeventdetails ct.sharedeventid
ct.vpcendpointid ct.eventcategory ct.addendum.reason ct.addendum.updatedfields
ct.addendum.originalrequestid ct.addendum.originaleventid
ct.sessioncredentialfromconsole ct.edgedevicedetails ct.tlsdetails.tlsversion
ct.tlsdetails.ciphersuite ct.tlsdetails.clientprovidedhostheader ct.additionaleventdata
s3.uri s3.bucket s3.key s3.bytes:uint64 s3.bytes.in:uint64 s3.bytes.out:uint64
s3.cnt.get:uint64 s3.cnt.put:uint64 s3.cnt.other:uint64 ec2.name ec2.imageid
ec2.imageids:[]/i ecr.repository ecr.imagetag iam.role iam.policy
"""
_K8S_AUDIT = """
ka.auditid ka.stage ka.auth.decision ka.auth.reason ka.auth.openshift.decision
ka.validations.admission.policy.failure ka.security.pod.violations
ka.auth.openshift.username ka.user.name ka.user.groups:[] ka.impuser.name ka.verb ka.uri
ka.uri.param:/rk ka.target.name ka.target.namespace ka.target.resource
ka.target.subresource ka.target.pod.name ka.req.binding.subjects:[]
ka.req.binding.subjects.user_names:[] ka.req.binding.subjects.serviceaccount_names:[]
ka.req.binding.subjects.serviceaccount_ns_names:[]
ka.req.binding.subjects.group_names:[] ka.req.binding.role
ka.req.binding.subject.has_name:/rk ka.req.configmap.name ka.req.configmap.obj
ka.req.pod.containers.args:[]/i ka.req.pod.containers.command:[]/i
ka.req.pod.containers.name:[]/i ka.req.pod.containers.image:[]/i ka.req.container.image
ka.req.pod.containers.image.repository:[]/i ka.req.container.image.repository
ka.req.pod.host_ipc ka.req.pod.host_network ka.req.container.host_network
ka.req.pod.host_pid ka.req.pod.containers.host_port:[]/i
ka.req.pod.containers.privileged:[]/i ka.req.container.privileged
ka.req.pod.containers.allow_privilege_escalation:[]/i
ka.req.pod.containers.read_only_fs:[]/i ka.req.pod.run_as_user
ka.req.pod.containers.run_as_user:[]/i ka.req.pod.containers.eff_run_as_user:[]/i
ka.req.pod.run_as_group ka.req.pod.containers.run_as_group:[]/i
ka.req.pod.containers.eff_run_as_group:[]/i ka.req.pod.containers.proc_mount:[]/i
ka.req.role.rules:[] ka.req.role.rules.apiGroups:[]/i
ka.req.role.rules.nonResourceURLs:[]/i ka.req.role.rules.verbs:[]/i
ka.req.role.rules.resources:[]/i ka.req.pod.fs_group ka.req.pod.supplemental_groups:[]
ka.req.pod.containers.add_capabilities:[]/i ka.req.service.type
ka.req.service.ports:[]/i ka.req.pod.volumes.hostpath:[]/i ka.req.volume.hostpath:/rk
ka.req.pod.volumes.flexvolume_driver:[]/i ka.req.pod.volumes.volume_type:[]/i
ka.resp.name ka.response.code ka.response.reason ka.useragent ka.sourceips:[]/i
ka.cluster.name
"""
# The same fields of other containers; only init containers have ports.
_CONTAINERS = [w for w in _K8S_AUDIT.split() if ".pod.containers." in w]
_K8S_AUDIT += " ".join(
    word.replace(".containers.", f".{kind}.")
    for kind in ("initContainers", "ephemeralContainers")
    for word in _CONTAINERS
    if kind == "initContainers" or ".host_port" not in word
)
_OKTA = """
okta.app okta.behaviors okta.org okta.evt.type okta.evt.legacytype okta.severity
okta.message okta.published okta.logonlysecuritydata okta.actor.id okta.actor.Type
okta.actor.alternateid okta.actor.name okta.client.zone okta.client.ip
okta.client.device okta.client.id okta.client.geo.city okta.client.geo.state
okta.client.geo.country okta.client.geo.postalcode okta.client.geo.lat
okta.client.geo.lon okta.useragent.os okta.useragent.browser okta.useragent.raw
okta.result okta.reason okta.transaction.id okta.transaction.type okta.requesturi
okta.principal.id okta.principal.alternateid okta.principal.type okta.principal.name
okta.authentication.step okta.authentication.sessionid okta.authentication.provider
okta.authentication.credentialprovider okta.security.asnumber:uint64
okta.security.asorg okta.security.isp okta.security.domain okta.security.isproxy
okta.target.user.id okta.target.user.alternateid okta.target.user.name
okta.target.group.id okta.target.group.alternateid okta.target.group.name
okta.target.app.alternateid okta.targets.displayName:/i
okta.mfa.failure.countlast:uint64/ri okta.mfa.deny.countlast:uint64/ri
"""
_GITHUB = """
github.type github.action github.user github.repo github.repo.url github.repo.name
github.repo.description github.org github.owner github.repo.public
github.collaborator.name github.collaborator.role github.webhook.id github.webhook.type
github.commit.added github.commit.modified github.commit.removed github.diff.has_secrets
github.diff.committed_secrets.desc github.diff.committed_secrets.files
github.diff.committed_secrets.lines github.diff.committed_secrets.links
github.workflow.has_miners github.workflow.miners.type github.workflow.filename
"""
_GCP = """
gcp.user gcp.callerIP gcp.userAgent gcp.authorizationInfo gcp.serviceName
gcp.policyDelta gcp.request gcp.methodName gcp.cloudfunctions.function
gcp.cloudsql.databaseId gcp.compute.instanceId gcp.compute.networkId
gcp.compute.subnetwork gcp.compute.subnetworkId gcp.dns.zone gcp.iam.serviceAccount
gcp.iam.serviceAccountId gcp.location gcp.logging.sink gcp.projectId gcp.resourceName
gcp.resourceType gcp.resourceLabels gcp.storage.bucket gcp.time
"""


def _fields(text: str) -> FieldTable:
    return FieldTable(_declared(text))


def _declared(text: str) -> Iterator[FieldInfo]:
    for word in text.split():
        name, _, rest = word.partition(":")
        kind, _, letters = rest.partition("/")
        arg = ArgInfo("r" in letters, "i" in letters, "k" in letters)
        type_ = kind.removesuffix("[]") or "string"
        yield FieldInfo(name, type_, kind.endswith("[]"), arg=arg if letters else None)


@dataclass(frozen=True, slots=True)
class SigmaSource:
    """An event source, as rules of Sigma are brought to it.

    ``logsources``: pairs of product and service that its events are, "" for any.
    ``mapping``: Sigma's field → Falco's. ``json_roots``: first parts of Sigma's names
    that are paths into the event's JSON. ``aside``: service → why its rules do not fit.
    """

    name: str
    fields: Mapping[str, FieldInfo]
    logsources: tuple[tuple[str, str], ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    json_roots: tuple[str, ...] = ()
    aside: Mapping[str, str] = field(default_factory=dict)


def _pairs(text: str) -> dict[str, str]:
    """Read lines of a field of Falco and Sigma's names for it."""
    found = {}
    for line in text.strip().splitlines():
        ours, *theirs = line.split()
        found.update(dict.fromkeys(theirs, ours))
    return found


SOURCES: Mapping[str, SigmaSource] = {
    source.name: source
    for source in (
        SigmaSource(
            "aws_cloudtrail",
            _fields(_CLOUDTRAIL + _JSON),
            (("aws", "cloudtrail"),),
            _pairs("""
ct.name eventName
ct.src eventSource
ct.id eventID
ct.region awsRegion
ct.srcip sourceIPAddress
ct.useragent userAgent
ct.error errorCode
ct.errormessage errorMessage
ct.requestid requestID
ct.eventtype eventType
ct.apiversion apiVersion
ct.readonly readOnly
ct.managementevent managementEvent
ct.eventcategory eventCategory
ct.recipientaccountid recipientAccountId
ct.sharedeventid sharedEventID
ct.vpcendpointid vpcEndpointId
ct.user.identitytype userIdentity.type
ct.user.accountid userIdentity.accountId
ct.user.principalid userIdentity.principalId
ct.user.arn userIdentity.arn
ct.tlsdetails.tlsversion tlsDetails.tlsVersion
ct.tlsdetails.ciphersuite tlsDetails.cipherSuite
"""),
            (
                "requestParameters",
                "responseElements",
                "additionalEventData",
                "userIdentity",
                "serviceEventDetails",
            ),
        ),
        SigmaSource(
            "k8s_audit",
            _fields(f"{_K8S_AUDIT} {_JSON}"),
            (("kubernetes", "audit"),),
            _pairs("""
ka.auditid auditID
ka.stage stage
ka.verb verb
ka.uri requestURI
ka.useragent userAgent
ka.sourceips sourceIPs
ka.user.name user.username username
ka.user.groups user.groups
ka.impuser.name impersonatedUser.username
ka.target.name objectRef.name
ka.target.namespace objectRef.namespace namespace
ka.target.resource objectRef.resource resource
ka.target.subresource objectRef.subresource subresource
ka.response.code responseStatus.code
ka.response.reason responseStatus.reason
ka.req.pod.containers.add_capabilities capabilities
ka.req.pod.volumes.hostpath hostPath
json.value[/objectRef/apiGroup] apiGroup
"""),
            ("objectRef", "requestObject", "responseObject", "annotations", "user"),
        ),
        SigmaSource(
            "okta",
            _fields(_OKTA + _JSON),
            (("okta", "okta"),),
            _pairs("""
okta.evt.type eventType eventtype
okta.evt.legacytype legacyEventType legacyeventtype
okta.severity severity
okta.message displayMessage displaymessage
okta.actor.id actor.id
okta.actor.Type actor.type
okta.actor.alternateid actor.alternateId actor.alternateid
okta.actor.name actor.displayName actor.displayname
okta.client.ip client.ipAddress client.ipaddress
okta.client.zone client.zone
okta.client.device client.device
okta.client.geo.city client.geographicalContext.city
okta.client.geo.country client.geographicalContext.country
okta.useragent.raw client.userAgent.rawUserAgent client.user_agent.raw_user_agent
okta.useragent.os client.userAgent.os
okta.useragent.browser client.userAgent.browser
okta.result outcome.result
okta.reason outcome.reason
okta.transaction.id transaction.id
okta.transaction.type transaction.type
okta.security.asnumber securityContext.asNumber securitycontext.asnumber
okta.security.asorg securityContext.asOrg securitycontext.asorg
okta.security.isp securityContext.isp securitycontext.isp
okta.security.domain securityContext.domain securitycontext.domain
okta.security.isproxy securityContext.isProxy securitycontext.isproxy
"""),
            ("debugContext", "authenticationContext"),
        ),
        SigmaSource(
            "github",
            _fields(_GITHUB + _JSON),
            (("github", ""),),
            _pairs("""
github.action action
github.user sender.login
github.repo.url repository.html_url
github.org organization.login
github.owner repository.owner.login
"""),
            ("repository", "organization", "sender"),
            {
                "audit": "the github plugin reads webhooks, whose actions and fields "
                "are not those of the audit log"
            },
        ),
        SigmaSource(
            "gcp_auditlog",
            _fields(_GCP + _JSON),
            (("gcp", "gcp.audit"), ("gcp", "")),
            _pairs("""
gcp.methodName gcp.audit.method_name protoPayload.methodName
gcp.methodName data.protoPayload.methodName
gcp.serviceName gcp.audit.service_name protoPayload.serviceName
gcp.serviceName data.protoPayload.serviceName
gcp.user protoPayload.authenticationInfo.principalEmail
gcp.callerIP protoPayload.requestMetadata.callerIp
gcp.userAgent protoPayload.requestMetadata.callerSuppliedUserAgent
gcp.resourceType resource.type data.resource.type
"""),
            ("protoPayload", "resource"),
        ),
    )
}


def source_of(given: Any) -> SigmaSource:
    """Return the source that a name stands for, or the one of a Plugin or Events.

    Raises RulesError.
    """
    if isinstance(given, str):
        known = SOURCES.get(given)
        if known is not None:
            return known
        near = nearest_names(given, SOURCES)
        meant = f"did you mean {near[0]}? " if near else ""
        raise RulesError(
            f"no fields are known of the source {given!r}: {meant}Known are "
            f"{', '.join(SOURCES)}; for another, give a Plugin or Events as source"
        )
    named = getattr(given, "sources", None)
    names = [] if named is None or callable(named) else list(dict.fromkeys(named))
    if len(names) != 1:
        kind = type(given).__name__
        found = ", ".join(names) or "none"
        raise RulesError(
            f"source: a name, or a Plugin or Events with one event source, not this "
            f"{kind} (it has {found})"
        )
    fields = FieldTable(given.fields_of(names[0]).values())
    known = SOURCES.get(names[0])
    if known is None:
        return SigmaSource(names[0], fields)
    return SigmaSource(
        known.name,
        FieldTable([*fields.values(), *known.fields.values()]),
        known.logsources,
        known.mapping,
        known.json_roots,
        known.aside,
    )
