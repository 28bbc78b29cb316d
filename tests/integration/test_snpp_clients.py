"""The real clients of Debian against our listener: Perl's Net::SNPP and HylaFAX's sendpage."""

import asyncio
import getpass
import os
import pty
import select
import shutil
import subprocess
import time
from collections.abc import Sequence
from functools import cache

import pytest

from call_core.commands import Call, Name
from channels.kit.pager_login import token_text
from tests.integration.test_snpp_channel import served
from tests.support.pagers import PAGER, SECRET, PagerCore
from tests.support.scripted_core import ANNA

pytestmark = pytest.mark.anyio
END_S = 30.0
PERL_SCRIPT = r"""
use strict; use Net::SNPP;
my ($port, $pager, $secret) = @ARGV;
my $snpp = Net::SNPP->new('127.0.0.1', Port => $port, Timeout => 20) or die 'no greeting';
sub told { my ($name, $well) = @_; print "$name ", $well ? 1 : 0, ' ', $snpp->code, "\n" }
told('wrong', $snpp->login($pager, 'wrong'));
told('login', $snpp->login($pager, $secret));
told('send', $snpp->send(Pager => ['callgate', 'other'], Message => 'call mom',
                         Coverage => 1, Alert => 1, ServiceLevel => 2));
told('two_way', $snpp->two_way);
told('pager', $snpp->pager_id('callgate'));
told('type', $snpp->reply_type('MULTICHOICE'));
told('data', $snpp->data(".call dad\n"));
told('choice', $snpp->message_response(1, 'yes'));
my @sent = $snpp->send_two_way;
my @status = $snpp->message_status($sent[0], $sent[1]);
print "status $sent[3] $status[0] $status[4] $status[3]\n";
told('help', defined $snpp->help);
told('xwho', defined $snpp->xwho);
told('site', $snpp->site('HELP'));
told('reset', $snpp->reset);
"""


@cache
def has_perl_client() -> bool:
    """Whether Perl finds Net::SNPP."""
    perl = shutil.which("perl")
    return (
        bool(perl)
        and not subprocess.run(  # noqa: S603  (a fixed command)
            [str(perl), "-MNet::SNPP", "-e", "1"], check=False, capture_output=True
        ).returncode
    )


@pytest.mark.peer("libnet-snpp-perl")
@pytest.mark.skipif(not has_perl_client(), reason="needs libnet-snpp-perl: deploy/peers/install")
async def test_perls_client_pages_and_asks() -> None:
    """Every method of Net::SNPP, options behind PAGE and its `RTYP 1` included."""
    core = PagerCore()
    async with served(core) as (_, port):
        words = ["perl", "-e", PERL_SCRIPT, str(port), PAGER, SECRET]
        program = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        out, _ = await asyncio.wait_for(program.communicate(), END_S)
    assert program.returncode == 0
    lines = out.decode().splitlines()
    status = next(line for line in lines if line.startswith("status"))
    lines.remove(status)
    assert lines == [
        "wrong 0 550",
        "login 1 250",
        "send 1 250",
        "two_way 1 250",
        "pager 0 850",  # it knows no success but 2xx here, and goes on
        "type 1 250",
        "data 1 250",
        "choice 1 250",
        "help 1 250",
        "xwho 0 500",
        "site 0 500",
        "reset 1 250",
    ]
    assert status.startswith("status 8 1 888 1 ")
    assert core.asked[0].command == Call(Name("mom"))
    assert core.asked[1].text == ".call dad"


def sendpage(port: int, arguments: Sequence[str], text: str | None, secret: str) -> tuple[int, str]:
    """Run sendpage on a terminal, where it asks for the secret; return its status and words."""
    reading, writing = os.pipe()
    os.write(writing, (text or "").encode())
    os.close(writing)
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover  (another process)
        if text is not None:
            os.dup2(reading, 0)
        os.execvp("sendpage", ["sendpage", "-h", f"127.0.0.1:{port}", *arguments])  # noqa: S606, S607  (a peer that is installed)
    os.close(reading)
    said, told, end = b"", False, time.monotonic() + END_S
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            piece = os.read(terminal, 1000)
        except OSError:
            break
        if not piece:
            break
        said += piece
        if not told and b"assword" in said:
            told = True
            os.write(terminal, f"{secret}\n".encode())
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.decode()


@pytest.mark.peer("hylafax-client")
@pytest.mark.skipif(
    not shutil.which("sendpage"), reason="needs hylafax-client: deploy/peers/install"
)
@pytest.mark.parametrize(
    ("arguments", "text", "status"),
    [
        (["-p", "callgate", "call mom"], None, 0),
        (["-l", "3", "-s", "hello", "-p", "callgate"], "call mom\n", 0),
        (["-a", "now + 2 hours", "-p", "callgate", "call mom"], None, 0),
        (["-p", "callgate", "-p", "other", "call mom"], None, 0),
        (["-p", "callgate"], "call mom", 255),  # it never ends such a message
    ],
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
async def test_sendpage_pages(arguments: list[str], text: str | None, status: int) -> None:
    """It logs in as the Unix user, is asked for the secret, and takes every reply as it should."""
    core = PagerCore()
    core.pagers[token_text("snpp", getpass.getuser(), SECRET)] = ANNA
    async with served(core, data_s=1.0) as (_, port):
        ended, said = await asyncio.to_thread(sendpage, port, arguments, text, SECRET)
    assert ended % 256 == status, said
    assert [request.text.strip() for request in core.asked[:1]] == (
        ["call mom"] if not status else []
    )
    for request in core.asked:
        assert isinstance(request.command, Call)
        assert (request.command.at is not None) is ("-a" in arguments)
    if status:
        assert "421 Timeout" in said
