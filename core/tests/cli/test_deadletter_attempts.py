"""`penstock deadletter list` after a run in which the message at fault had to be looked for."""

import json
from pathlib import Path
from textwrap import dedent

from tests.command_line import Penstock

APP = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: InMemoryGateway
metadata: {name: memory}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: words}
spec: {gateway: {name: memory}, contentType: text/plain}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: shouts}
spec: {gateway: {name: memory}, contentType: text/plain}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata: {name: oops}
spec: {gateway: {name: memory}, contentType: text/plain}
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Processor
metadata: {name: upper}
spec:
  inputs: [{stream: words, startOffset: earliest}]
  outputs: [{stream: shouts}]
  window: {type: Count, count: 4}
  delivery: {maxDeliveries: 2, backoff: {initial: 1ms}, deadLetter: {stream: oops}}
  template: {spec: {containers: [{command: [penstock-invoker, "function:upper"]}]}}
"""
FUNCTION = """
    from collections.abc import Iterator

    def upper(words: Iterator[str]) -> Iterator[str]:
        for word in list(words):
            if word == "bad":
                raise ValueError("no such word")
            yield word.upper()
"""


def test_attempts_are_those_of_the_window_and_of_each_part(
    penstock: Penstock, tmp_path: Path
) -> None:
    (tmp_path / "function.py").write_text(dedent(FUNCTION))
    (tmp_path / "app.yaml").write_text(APP)
    with penstock.run(tmp_path / "app.yaml") as session:
        penstock("publish", "words", "--lines", stdin="one\ntwo\nthree\nbad\n")
        session.shows(r'processor "upper": words\[0\] 3 goes to the dead letters: .*no such word')
        # The log comes first: that the letter is stored, its first reader sees.
        penstock("subscribe", "oops", "--from-beginning", "--count", "1")
        [letter] = json.loads(penstock("deadletter", "list", "oops", "--output", "json").stdout)
    # Twice with all four, once with the two of the second half, once alone.
    assert (letter["offset"], letter["attempts"]) == (3, 4)
    assert "ValueError: no such word" in letter["error"]
