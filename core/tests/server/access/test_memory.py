"""What is remembered, and for how long."""

from penstock.server.access.memory import Memory


def test_an_answer_is_forgotten_at_its_time() -> None:
    memory: Memory[str, int] = Memory(2)
    memory.keep("a", 1, until=10)
    assert memory.recall("a", 9.9) == 1
    assert memory.recall("a", 10) is None
    assert memory.recall("a", 9) is None


def test_the_oldest_makes_room() -> None:
    memory: Memory[str, int] = Memory(2)
    for number, question in enumerate("abac"):
        memory.keep(question, number, until=10)
    assert [memory.recall(question, 0) for question in "abc"] == [2, None, 3]
