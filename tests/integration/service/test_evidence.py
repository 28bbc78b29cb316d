"""What a request may do by how surely it is known who sent it, and who the user is."""

import pytest

from call_core.administration import AddToken, DisableUser, SetPassword, TopUp
from call_core.customers.limits import Limits
from call_core.outcomes import Asked, from_json
from call_core.requests import Evidence
from tests.integration.service.conftest import MakeService
from tests.support.service import Service, call_id
from tests.support.world import CELL, OFFICE, UK, US, User

pytestmark = pytest.mark.anyio

PROVEN, VOUCHED, CLAIMED = Evidence.PROVEN, Evidence.VOUCHED, Evidence.CLAIMED


async def _key_wanted(service: Service) -> bool:
    """Whether the newest call's first phone must press a key."""
    return (await service.world.calls())[-1].first.last_leg.accept


@pytest.mark.parametrize(("evidence", "key"), [(PROVEN, False), (VOUCHED, True)])
async def test_the_accept_key_may_be_off_for_proven_requests_only(
    service: Service, ada: User, evidence: Evidence, *, key: bool
) -> None:
    """A trusted phone rings without the key for a proven user, with it for a vouched one."""
    assert await service.said(ada, f"call {US}", evidence=evidence) == "call_launched"
    assert await _key_wanted(service) is key


@pytest.mark.parametrize("evidence", [PROVEN, VOUCHED])
async def test_only_phones_on_file_are_rung_first(
    service: Service, ada: User, evidence: Evidence
) -> None:
    """A call from a number that is nobody's is refused, however sure we are."""
    line = f"call {US} from +12125550199"
    assert await service.said(ada, line, evidence=evidence) == "phone_not_yours"


VOUCHED_LIMITS = {
    "a known country": (f"call {US}", "call_launched"),
    "a new country": (f"call {UK}", "confirm_from_proven"),
    "four people": ("conf +13125550123, +13125550124, +13125550125", "conference_launched"),
    "five people": (
        "conf +13125550123, +13125550124, +13125550125, +13125550126",
        "confirm_from_proven",
    ),
    "a new number in the directory": (f"save bob {US}", "confirm_from_proven"),
    "a new number on a slot": (f"slot 3 {US}", "confirm_from_proven"),
    "a phone of one's own on a slot": ("slot 3 cell", "slot_set"),
    "the directory is listed": ("dir", "directory"),
    "an entry is forgotten": ("forget nobody", "no_such_entry"),
    "money": ("balance", "balance"),
    "a price": (f"quote {US}", "quote"),
}


@pytest.mark.parametrize(("line", "code"), VOUCHED_LIMITS.values(), ids=VOUCHED_LIMITS)
async def test_what_vouched_may_do(service: Service, ada: User, line: str, code: str) -> None:
    """Beyond its limits a vouched request asks for a `go` from a proven channel."""
    assert await service.said(ada, line, evidence=VOUCHED) == code
    if code == "confirm_from_proven":
        assert not await service.legs_up()
        assert await service.said(ada, "go", evidence=VOUCHED) == "unproven"
        assert await service.said(ada, "go", channel="web") != "unproven"


@pytest.mark.parametrize(("limit", "third"), [(126_000, "call_launched"), (125_999, "asks")])
async def test_vouched_launches_of_a_day_count_together(
    make_service: MakeService, limit: int, third: str
) -> None:
    """Up to `vouched_daily_spend`, held and posted, a vouched user launches; beyond it asks."""
    service = await make_service(limits=Limits(vouched_daily_spend_micros=limit))
    ada = await service.world.user(await service.world.customer(), "Ada")
    codes = [await service.said(ada, f"call +1312555012{n}", evidence=VOUCHED) for n in range(3)]
    wanted = "call_launched" if third == "call_launched" else "confirm_from_proven"
    assert codes == ["call_launched", "call_launched", wanted]
    for _ in range(3 if third == "call_launched" else 2):
        call = next(iter(service.world.engine.driver.live.values())).call
        await service.said(ada, f"hangup {call.ref}", channel="web")
        await service.world.advance(2)
    # What cost nothing counts no more.
    assert await service.said(ada, "call +13125550129", evidence=VOUCHED) == "call_launched"


async def test_a_go_of_another_user_is_none(service: Service, ada: User) -> None:
    """Only the same user's proven request confirms."""
    bob = await service.world.user(ada.customer_id, "Bob", phones=False)
    asked = await service.ask(ada, f"call {UK}", evidence=VOUCHED)
    assert await service.said(bob, f"go {asked.ref}") == "nothing_to_confirm"
    assert await service.said(ada, f"go {asked.ref}") == "call_launched"


async def test_private_answers_of_a_vouched_session_go_to_the_address_on_file(
    service: Service, ada: User
) -> None:
    """Whoever sits at an unproven session does not see money; the mailbox of the user does."""
    more = {"channel": "web", "evidence": VOUCHED}
    assert await service.said(ada, "balance", **more) == "answer_sent"
    ((kind, body, _, channel, address, _),) = await service.outbox()
    assert (kind, channel, address) == ("outcome", "smtp", ada.address)
    assert from_json(body).code == "balance"
    assert await service.said(ada, f"quote {US}", **more) == "quote"


class TestClaimed:
    """Nobody vouched: nobody is rung, and the address on file is asked, seldom."""

    async def _challenge(self, service: Service, user: User) -> Asked:
        asked = await service.ask(user, f"call {US}", evidence=CLAIMED)
        assert isinstance(asked, Asked), asked
        assert asked.code == "challenge"
        assert not await service.legs_up()
        return asked

    async def test_a_launch_is_a_question_to_the_address_on_file(
        self, service: Service, ada: User
    ) -> None:
        """The mail names the number masked, and carries a code that no other place shows."""
        asked = await self._challenge(service, ada)
        (row,) = service.sent
        assert (row.address, row.kind) == (ada.address, "outcome")
        assert "0123" in str(asked.fields["to"])
        assert US not in str(asked.fields["to"])
        assert len(str(asked.fields["secret"])) == 6

    async def test_the_code_launches_with_the_accept_key(self, service: Service, ada: User) -> None:
        """Whoever reads the mailbox may launch, as one who is vouched for."""
        asked = await self._challenge(service, ada)
        line = f"go {asked.ref} {asked.fields['secret']}"
        done = await service.ask(ada, line, evidence=CLAIMED)
        assert (done.code, done.ref) == ("call_launched", asked.ref)
        assert await _key_wanted(service)
        assert [row.kind for row in service.sent] == ["outcome", "outcome"]

    @pytest.mark.parametrize("evidence", [PROVEN, VOUCHED, CLAIMED])
    @pytest.mark.parametrize("line", ["go", "go {ref}", "go {ref} 000000", "1"])
    async def test_without_the_code_nothing_rings(
        self, service: Service, ada: User, evidence: Evidence, line: str
    ) -> None:
        """A stranger's question is not answered by a `go` that was meant for another."""
        asked = await self._challenge(service, ada)
        code = await service.said(ada, line.format(ref=asked.ref), evidence=evidence)
        assert code in ("wrong_code", "unproven", "not_a_choice")
        assert not await service.legs_up()

    async def test_five_wrong_codes_close_the_question(self, service: Service, ada: User) -> None:
        """Codes cannot be tried one after the other."""
        asked = await self._challenge(service, ada)
        for n in range(4):
            await service.said(ada, f"go {asked.ref} 00000{n}", evidence=CLAIMED)
        right = f"go {asked.ref} {asked.fields['secret']}"
        await service.said(ada, f"go {asked.ref} 000009", evidence=CLAIMED)
        assert await service.said(ada, right, evidence=CLAIMED) != "call_launched"
        assert not await service.legs_up()

    async def test_challenges_are_rare(self, service: Service, ada: User) -> None:
        """One in ten minutes, three a day."""
        codes = []
        for wait_s in (0, 599, 1, 600, 600, 86_400):
            service.world.wall.jump(wait_s * 1_000 + 1)
            codes.append(await service.said(ada, f"call {US}", evidence=CLAIMED))
        assert codes == [
            "challenge",
            "challenge_too_soon",
            "challenge",
            "challenge",
            "challenge_too_many",
            "challenge",
        ]

    @pytest.mark.parametrize(
        ("hour", "code"),
        [
            (6, "challenge_at_night"),
            (7, "challenge"),
            (21, "challenge"),
            (22, "challenge_at_night"),
        ],
    )
    async def test_nothing_is_written_at_night(
        self, service: Service, ada: User, hour: int, code: str
    ) -> None:
        """Between 22 and 7 by the user's own clock nobody is asked."""
        service.world.wall.jump(((hour - 8) % 24) * 3_600_000)
        assert await service.said(ada, f"call {US}", evidence=CLAIMED) == code

    @pytest.mark.parametrize(
        "line", ["balance", "history", "hangup", "save bob " + US, "dir", "next", "phones"]
    )
    async def test_everything_else_is_refused(self, service: Service, ada: User, line: str) -> None:
        """Nothing is told and nothing is changed for somebody who may be anybody."""
        assert await service.said(ada, line, evidence=CLAIMED) == "unproven"

    async def test_a_stranger_cannot_fill_the_mailbox_with_refusals(
        self, service: Service, ada: User
    ) -> None:
        """Refusals to a claimed sender are written as seldom as challenges."""
        for line in ("balance", "history", "call", f"{UK} {US}"):
            await service.ask(ada, line, evidence=CLAIMED)
        assert len(service.sent) == 1

    async def test_a_stranger_does_not_push_a_question_aside(
        self, service: Service, ada: User
    ) -> None:
        """While the user is asked something, no challenge takes its place."""
        asked = await service.ask(ada, f"call {UK}", evidence=VOUCHED)
        assert await service.said(ada, f"call {US}", evidence=CLAIMED) == "challenge_too_soon"
        assert await service.said(ada, f"{UK} {US}", evidence=CLAIMED) == "two_numbers"
        assert await service.said(ada, f"go {asked.ref}") == "call_launched"

    async def test_stop_is_obeyed_whoever_says_it(self, service: Service, ada: User) -> None:
        """An opt-out needs no proof."""
        assert await service.said(ada, "stop", evidence=CLAIMED) == "opted_out"


@pytest.mark.parametrize(
    ("scopes", "line", "code"),
    [
        (("read",), "balance", "balance"),
        (("read",), f"call {US}", "scope_missing"),
        (("read",), "hangup", "scope_missing"),
        (("call",), f"call {US}", "call_launched"),
        (("call",), "balance", "scope_missing"),
        (("read", "call"), f"save bob {US}", "saved"),
        ((), "menu", "scope_missing"),
    ],
)
async def test_a_token_does_what_its_scopes_say(
    service: Service, ada: User, scopes: tuple[str, ...], line: str, code: str
) -> None:
    """A command outside the scopes of a token is refused by name."""
    assert await service.said(ada, line, channel="api", scopes=scopes) == code


class TestRoles:
    """Members, administrators, and people of other customers."""

    @pytest.fixture
    async def boss(self, service: Service, ada: User) -> User:
        """The administrator of Ada's customer."""
        return await service.world.user(ada.customer_id, "Boss", role="administrator", phones=False)

    async def test_an_administrator_sees_and_ends_a_member_s_call_audited(
        self, service: Service, ada: User, boss: User
    ) -> None:
        """See and hang up, by the member's ref, with the administrator in the audit."""
        launched = await service.ask(ada, f"call {US}")
        assert await service.said(boss, f"who {launched.ref}", channel="web") == "who"
        assert await service.said(boss, f"hangup {launched.ref}") == "hung_up"
        await service.world.advance(5)
        assert not await service.legs_up()
        ((_, actor, subject),) = await service.audited("call.hangup")
        assert (actor, subject) == (boss.id, call_id(launched))

    @pytest.mark.parametrize("line", ["add +13125550177", "mute all", "move office", "lock"])
    async def test_an_administrator_does_not_join(
        self, service: Service, ada: User, boss: User, line: str
    ) -> None:
        """Nothing but the end may be done to somebody else's call."""
        launched = await service.ask(ada, f"call {US}")
        assert await service.said(boss, f"{line} {launched.ref}") == "not_your_call"

    @pytest.mark.parametrize(
        "line", ["who {}", "hangup {}", "status {}", "why {}", "add mom {}", "skip {}", "code {} X"]
    )
    @pytest.mark.parametrize("role", ["member", "administrator"])
    async def test_other_customers_have_no_such_call(
        self, service: Service, ada: User, line: str, role: str
    ) -> None:
        """A ref means nothing to anybody but its owner and their administrator."""
        other = await service.world.customer("Other")
        eve = await service.world.user(other, "Eve", role=role, phones=False)
        launched = await service.ask(ada, f"call {US}")
        assert await service.said(eve, line.format(launched.ref)) == "no_such_call"
        assert len(await service.legs_up()) == 1

    async def test_colleagues_have_no_such_call(self, service: Service, ada: User) -> None:
        """A member's calls are not another member's."""
        bob = await service.world.user(ada.customer_id, "Bob", phones=False)
        launched = await service.ask(ada, f"call {US}")
        assert await service.said(bob, f"hangup {launched.ref}") == "no_such_call"

    async def test_members_administer_themselves_only(
        self, service: Service, ada: User, boss: User
    ) -> None:
        """A password of another user, or anybody's money, is out of a member's reach."""
        web = {"channel": "web"}
        assert await service.said(ada, SetPassword(ada.id, "hash"), **web) == "password_set"
        assert await service.said(ada, SetPassword(boss.id, "hash"), **web) == "no_such_user"
        assert await service.said(ada, DisableUser(boss.id), **web) == "not_administrator"
        assert await service.said(ada, TopUp("Acme", 1), **web) == "not_operator"

    async def test_administrators_reach_their_own_customer_only(
        self, service: Service, ada: User, boss: User
    ) -> None:
        """Users of another customer do not exist for them."""
        other = await service.world.customer("Other")
        eve = await service.world.user(other, "Eve", phones=False)
        web = {"channel": "web"}
        assert await service.said(boss, SetPassword(eve.id, "hash"), **web) == "no_such_user"
        assert await service.said(boss, DisableUser("Eve"), **web) == "no_such_user"
        assert await service.said(boss, SetPassword(ada.id, "hash"), **web) == "password_set"
        assert await service.said(boss, TopUp("Acme", 1), **web) == "not_operator"

    async def test_a_token_is_never_wider_than_who_makes_it(
        self, service: Service, ada: User
    ) -> None:
        """What a token may not do, no token made with it may."""
        narrow = {"channel": "api", "scopes": ("read", "admin")}
        token = AddToken(ada.id, "0" * 64, "mine", ("read", "call"))
        assert await service.said(ada, token, **narrow) == "scope_missing"
        token = AddToken(ada.id, "0" * 64, "mine", ("read",))
        assert await service.said(ada, token, **narrow) == "token_added"

    async def test_a_disabled_user_is_refused_everything(self, service: Service, ada: User) -> None:
        """Neither calls nor questions, and no list of the directory."""
        await service.world.administer(DisableUser(ada.id))
        for line in (f"call {US}", "balance", "dir", f"save bob {US}"):
            assert await service.said(ada, line) == "user_inactive"
        assert await service.said(ada, "stop") == "opted_out"


async def test_where_the_caller_s_own_numbers_are(service: Service, ada: User) -> None:
    """The default phone is rung for anybody who is known well enough."""
    await service.ask(ada, f"call {US}", evidence=VOUCHED)
    assert (await service.world.only_call()).first.last_leg.number in (OFFICE, CELL)
