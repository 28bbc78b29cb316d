"""The certificate with which a channel's own server offers TLS."""

import ssl
from pathlib import Path


class TlsError(Exception):
    """A certificate cannot be used; the message is one sentence for the operator."""


def server_tls(channel: str, certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return what a server offers TLS with; None without a certificate.

    Args:
        channel: whose settings these are, for the sentence.
        certificate: a PEM chain.
        key: its private key; None when that is in the same file.

    Raises:
        TlsError: a file cannot be read, or the two do not belong together.
    """
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        files = str(certificate) if key is None else f"{certificate} and {key}"
        raise TlsError(
            f"Channel {channel} cannot use {files} ({error.strerror or error}); mend "
            f"{channel}.tls_certificate or {channel}.tls_key."
        ) from error
    return context
