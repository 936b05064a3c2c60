"""Members come, go and die, and their partitions move."""

from collections import Counter

from penstock.plugin import Assigned, Capability, Revoked, Subscription
from penstock.testing.doomed import Doomed
from penstock.testing.expectation import expect, expect_that
from penstock.testing.filling import fill, numbers
from penstock.testing.member import Member
from penstock.testing.owners import Owners
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig
from penstock.testing.way import Way

NO_GRACE_OVER_RIFF = {Way.RIFF: "riff's protocol has no word for a revocation or a release"}
LONGEST_GRACE = 5.0  # seconds that a case waits out

HANDED_ON = "These partitions go to another member as soon as this one has released them."


async def until_shared(partitions: int, *members: Member) -> None:
    """Wait until each member holds partitions, and all of them are held."""
    held = [member.partitions for member in members]
    await members[0].until(
        lambda: all(held) and sorted(one for each in held for one in each) == [*range(partitions)],
        f"{len(members)} members share {partitions} partitions",
    )


async def first_revocation(rig: Rig, member: Member) -> Revoked:
    """Wait until a member is told to give partitions up, with time to finish."""
    await member.until(lambda: bool(member.revocations), f"partitions of {member.name} are revoked")
    [revocation] = member.revocations
    if revocation.grace == 0:
        rig.not_applicable("the gateway gives no grace: what it revokes is lost")
    return revocation


async def grace_of(rig: Rig) -> float:
    """How many seconds the gateway grants a member for what is revoked."""
    topic, group = await rig.topic(partitions=2), rig.group()
    first = await rig.join(topic, group)
    await first.until_holding(2)
    second = await rig.join(topic, group)
    await until_shared(2, first, second)
    await rig.leave(second)
    await rig.leave(first)
    return first.revocations[0].grace


async def until_told(subscription: Subscription, partitions: set[int]) -> None:
    """Wait until a subscription has told that these partitions are assigned."""
    told: set[int] = set()
    while not partitions <= told:
        event = await subscription.next_event()
        if isinstance(event, Assigned):
            told |= event.partitions
        else:
            told -= event.partitions
            await subscription.release(event.partitions)


class Rebalancing(Chapter):
    """`Assigned`, `Revoked` and `Subscription.release`, with several partitions."""

    title = "rebalancing"
    needs = frozenset({Capability.PARTITIONS})

    @promise(
        Assigned, "These partitions are now read by this member, from the group's position on."
    )
    async def test_who_joins_gets_a_share(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=4), rig.group()
        first = await rig.join(topic, group)
        await first.until_holding(4)
        second = await rig.join(topic, group)
        await until_shared(4, first, second)
        offsets = await fill(rig, topic, 4, least=1)
        total = sum(map(len, offsets.values()))
        await first.until(lambda: first.count + second.count >= total, "both read their share")
        expect_that(first.records, "partitions of the first member", first.records, "some")
        expect_that(second.records, "partitions of the second member", second.records, "some")

    @promise(Subscription.close, "Leave the group at once")
    async def test_the_share_of_who_leaves_goes_to_the_others(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=4), rig.group()
        first, second = await rig.join(topic, group), await rig.join(topic, group)
        await until_shared(4, first, second)
        await rig.leave(first)
        await second.until_holding(4)
        offsets = await fill(rig, topic, 4, least=1)
        await second.until(
            lambda: all(set(of) <= set(offsets_of(second, at)) for at, of in offsets.items()),
            f"{second.name} reads all partitions",
        )

    @promise(Revoked, HANDED_ON, not_over=NO_GRACE_OVER_RIFF)
    async def test_nothing_is_handed_on_before_it_is_released(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=2), rig.group()
        first = await rig.join(topic, group, releases=False)
        await first.until_holding(2)
        second = await rig.join(topic, group)
        revocation = await first_revocation(rig, first)
        await rig.settle()
        early = second.partitions & revocation.partitions
        expect("what the next owner holds before the release", early, set())
        await first.release()
        await until_shared(2, first, second)

    @promise(
        Subscription.release,
        "Confirm that this member is done with revoked partitions: they may be handed on.",
        not_over=NO_GRACE_OVER_RIFF,
    )
    async def test_the_next_owner_starts_behind_what_was_acked_in_the_grace(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=2), rig.group()
        first = await rig.join(topic, group, releases=False)
        await first.until_holding(2)
        before = await fill(rig, topic, 2, least=5)
        await first.until_read(sum(map(len, before.values())))
        second = await rig.join(topic, group)
        await first_revocation(rig, first)
        await first.ack_all()
        await first.release()
        await until_shared(2, first, second)
        after = await fill(rig, topic, 2, least=5)
        await first.until(
            lambda: all(
                of[-1] in (*offsets_of(first, at), *offsets_of(second, at))
                for at, of in after.items()
            ),
            "the last record of each partition is read",
        )
        for partition in (0, 1):
            expect(
                f"offsets of partition {partition} that the two have read",
                offsets_of(first, partition) + offsets_of(second, partition),
                before[partition] + after[partition],
            )

    @promise(Revoked, "partitions: Reads of them have ended.", not_over=NO_GRACE_OVER_RIFF)
    async def test_reads_of_what_is_revoked_end(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=2), rig.group()
        first = await rig.join(topic, group)
        await first.until_holding(2)  # and a read of each is pending
        second = await rig.join(topic, group)
        revocation = await first_revocation(rig, first)  # which a member tells when they have
        await until_shared(2, first, second)
        for partition in revocation.partitions - first.partitions:
            records = list(await first.subscription.read(partition, 10))
            expect("records of a partition that was given up", records, [])

    @promise(
        Revoked,
        "grace: Seconds in which the member may finish and ack; after that the gateway goes on "
        "without its release.",
        not_over=NO_GRACE_OVER_RIFF,
    )
    async def test_after_the_grace_they_are_handed_on_without_a_release(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=2), rig.group()
        first = await rig.join(topic, group, releases=False)
        await first.until_holding(2)
        second = await rig.join(topic, group)
        revocation = await first_revocation(rig, first)
        if revocation.grace > LONGEST_GRACE:
            rig.not_applicable(f"its grace is longer than the {LONGEST_GRACE:g} s of the suite")
        await second.until(
            lambda: bool(second.partitions & revocation.partitions),
            f"{second.name} is assigned what {first.name} does not release",
        )

    @promise(
        Subscription.ack,
        "Those of a partition that the member has lost by now may be dropped: somebody else acks "
        "it.",
        not_over=NO_GRACE_OVER_RIFF,
    )
    async def test_an_ack_that_comes_too_late_is_no_error(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=2), rig.group()
        first = await rig.join(topic, group)
        await first.until_holding(2)
        offsets = await fill(rig, topic, 2, least=3)
        await first.until_read(sum(map(len, offsets.values())))
        second = await rig.join(topic, group)
        await until_shared(2, first, second)
        [lost] = second.partitions
        await first.subscription.ack({lost: offsets[lost][0]})
        await second.subscription.ack({lost: offsets[lost][1]})
        positions = (await rig.positions(topic, group)).get(0, {})
        expect("the position, acked by its owner", positions.get(lost), offsets[lost][1])

    @promise(
        Subscription.next_event,
        "A partition is assigned before it is read, and not assigned again before it was revoked "
        "and released.",
    )
    async def test_a_partition_that_comes_back_is_read_from_the_position(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=2), rig.group()
        first = await rig.join(topic, group)
        before = await fill(rig, topic, 2, least=3)
        await first.until_read(sum(map(len, before.values())))
        await first.ack_all()
        second = await rig.join(topic, group)
        await until_shared(2, first, second)
        await rig.leave(second)
        await first.until_holding(2)
        after = await fill(rig, topic, 2, least=3)
        await first.until_read(sum(map(len, (*before.values(), *after.values()))))
        read = {at: offsets_of(first, at) for at in first.records}
        expect("offsets by partition", read, {at: before[at] + after[at] for at in before})

    @promise(
        Subscription.read, "One gives none, too, before `next_event` has told that it is assigned."
    )
    async def test_what_comes_back_is_not_read_before_that_was_told(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=2), rig.group()
        if await grace_of(rig) > LONGEST_GRACE:
            rig.not_applicable(f"its grace is longer than the {LONGEST_GRACE:g} s of the suite")
        first = await rig.subscribe(topic, group)
        await until_told(first, {0, 1})
        offsets = await fill(rig, topic, 2, least=3)
        second = await rig.join(topic, group)
        await second.until(lambda: bool(second.partitions), "it is given what is not released")
        [partition] = second.partitions
        await rig.leave(second)
        await rig.settle()
        expect("records of what was lost", list(await first.read(partition, 10)), [])
        await until_told(first, {partition})
        records = await first.read(partition, 10)
        expect("the first offset of what came back", records[0].offset, offsets[partition][0])

    @promise(Subscription.release, "they may be handed on.", not_over=NO_GRACE_OVER_RIFF)
    async def test_no_two_members_read_a_partition_at_once(self, rig: Rig) -> None:
        await members_come_and_go(rig, Owners())

    @promise(Subscription.ack, "the group resumes behind it.")
    async def test_while_members_come_and_go_nothing_is_lost(self, rig: Rig) -> None:
        await members_come_and_go(rig, owners=None)

    @promise(
        Capability.PARTITIONS,
        "A stream may have more than one partition, shared among a group's members.",
    )
    async def test_the_share_of_who_dies_goes_to_the_others(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=2), rig.group()
        offsets = await fill(rig, topic, 2, least=3)
        async with Doomed(rig, topic, group) as doomed:
            await doomed.until_read(1)
            member = await rig.join(topic, group)
            await doomed.kill()
            await member.until(
                lambda: all(set(of) <= set(offsets_of(member, at)) for at, of in offsets.items()),
                f"{member.name} reads what the member that was killed had not acked",
                within=rig.patience + rig.backend.session,
            )


def offsets_of(member: Member, partition: int) -> list[int]:
    """The offsets that a member has read of a partition."""
    return [record.offset for record in member.records.get(partition, ())]


async def members_come_and_go(rig: Rig, owners: Owners | None) -> None:
    """Publish and read, while members join and leave; each acks what it reads."""
    topic, group = await rig.topic(partitions=3), rig.group()
    everybody: list[Member] = []
    present: list[Member] = []
    published = 0
    for step in ("join", "join", "leave", "join", "leave"):
        if step == "join":
            present.append(await rig.join(topic, group, acks=True, owners=owners))
            everybody.append(present[-1])
        else:
            await rig.leave(present.pop(0))
        await rig.publish(topic, numbers(30, start=published))
        published += 30
        await present[0].until(
            lambda: len(read_by(everybody)) >= published,  # noqa: B023 - awaited at once
            f"all of {published} messages are read by one of the members",
        )
    [last] = present
    await last.until_holding(3)
    await rig.publish(topic, numbers(30, start=published))
    published += 30
    await last.until(lambda: len(read_by(everybody)) >= published, "the last messages are read")
    expected = {b"%d" % number for number in range(published)}
    expect("messages that nobody has read", expected - read_by(everybody).keys(), set())


def read_by(members: list[Member]) -> Counter[bytes]:
    """How often each payload was read."""
    return Counter(payload for member in members for payload in member.payloads)
