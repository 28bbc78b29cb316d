"""Channel `api`: JSON over HTTP under `/api/v1`, with an OpenAPI document.

Spec: RFC 9110 (HTTP), RFC 9457 (problem details), RFC 6750 (bearer tokens),
draft-ietf-httpapi-idempotency-key-header. Authenticates by an API token of a user, with scopes.
"""

from channels.api.channel import ApiChannel

channel = ApiChannel
