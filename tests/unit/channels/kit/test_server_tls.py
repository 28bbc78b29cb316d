"""Certificates of our own servers, and the sentence when one cannot be used."""

import ssl
from pathlib import Path

import pytest
import trustme

from channels.kit.server_tls import TlsError, server_tls


def test_a_certificate_and_its_key_may_be_one_file_and_must_belong_together(tmp_path: Path) -> None:
    """What is no PEM at all is told in the same way."""
    authority, paths = trustme.CA(), [tmp_path / "one.pem", tmp_path / "two.pem"]
    for path in paths:
        pem = authority.issue_cert("gw.example.org").private_key_and_cert_chain_pem
        pem.write_to_path(str(path))
    assert server_tls("snpp", None, None) is None
    assert isinstance(server_tls("snpp", paths[0], None), ssl.SSLContext)
    with pytest.raises(TlsError, match=r"one\.pem and .*two\.pem"):
        server_tls("snpp", paths[0], paths[1])
    paths[0].write_text("nonsense", encoding="utf-8")
    with pytest.raises(TlsError, match=r"snpp\.tls_certificate"):
        server_tls("snpp", paths[0], None)
