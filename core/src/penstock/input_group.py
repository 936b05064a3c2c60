"""In which group each input of a processor is read."""

from collections.abc import Hashable, Sequence

from penstock.plugin import Group


def input_groups(
    group: Group, aliases: Sequence[str], streams: Sequence[Hashable]
) -> Sequence[Group]:
    """The groups of the inputs, in their order.

    One stream under two aliases is read twice: members of one group would share it. The first
    alias has the processor's group, each further one a group named after both.

    Args:
        group: The processor's.
        aliases: The inputs.
        streams: What each of them reads, in any form that tells streams apart.
    """
    return [
        Group(f"{group.name}.{alias}", group.version) if stream in streams[:number] else group
        for number, (alias, stream) in enumerate(zip(aliases, streams, strict=True))
    ]
