"""What must hold between resources."""

from collections.abc import Callable

import pytest

from penstock.plugin import Plugins
from penstock.resources.manifest import Manifests

Read = Callable[..., Manifests]

HEAD = "---\napiVersion: streaming.projectriff.io/v1alpha1\n"


def resource(kind: str, name: str, spec: str = "{}", namespace: str = "default") -> str:
    metadata = f"{{name: {name}, namespace: {namespace}}}"
    return f"{HEAD}kind: {kind}\nmetadata: {metadata}\nspec: {spec}\n"


def processor(
    name: str,
    inputs: str,
    outputs: str = "",
    containers: str = "[{command: [run]}]",
    *,
    dead_letters: str = "",
) -> str:
    sides = [f"{{stream: {one}}}" for one in inputs.split()]
    results = [f"{{stream: {one}}}" for one in outputs.split()]
    template = f"{{spec: {{containers: {containers}}}}}"
    delivery = f", delivery: {{deadLetter: {{stream: {dead_letters}}}}}" if dead_letters else ""
    return resource(
        "Processor",
        name,
        f"{{inputs: [{', '.join(sides)}], outputs: [{', '.join(results)}], template: {template}"
        f"{delivery}}}",
    )


MEMORY = resource("InMemoryGateway", "memory")


def streams(*names: str, namespace: str = "default") -> str:
    return "".join(
        resource("Stream", name, "{gateway: {name: memory}}", namespace) for name in names
    )


@pytest.fixture
def found(read: Read) -> Callable[[str], list[str]]:
    """The problems of a text, without file and line."""
    return lambda text: [str(one).partition(": ")[2] for one in read(text).problems]


Found = Callable[[str], list[str]]


class TestReferences:
    def test_a_misspelt_stream(self, read: Read) -> None:
        text = MEMORY + streams("numbers", "averages") + processor("averager", "nubmers")
        problems = [str(one) for one in read(text).problems]
        assert problems == [
            (
                'app.yaml:20: Processor "averager": spec.inputs[0].stream: no Stream "nubmers" in '
                'namespace "default" (there are: averages, numbers); did you mean "numbers"?'
            )
        ]

    def test_a_missing_output_stream(self, found: Found) -> None:
        assert found(MEMORY + streams("a") + processor("p", "a", "a results")) == [
            (
                'Processor "p": spec.outputs[1].stream: no Stream "results" in namespace "default" '
                "(there are: a)"
            ),
            (
                'warning: Processor "p": spec.outputs: what it writes comes back to it: p -> a -> '
                "p; make sure that this ends"
            ),
        ]

    def test_a_missing_gateway(self, found: Found) -> None:
        assert found(streams("numbers")) == [
            (
                'Stream "numbers": spec.gateway.name: no gateway "memory" in namespace "default" '
                "(there is none)"
            )
        ]

    def test_a_gateway_of_another_namespace(self, found: Found) -> None:
        assert found(MEMORY + streams("numbers", namespace="team-a")) == [
            (
                'Stream "numbers": spec.gateway.name: no gateway "memory" in namespace "team-a" '
                '(there is none); one is in namespace "default", and references stay within theirs'
            )
        ]

    def test_a_reference_with_a_namespace_in_it(self, found: Found) -> None:
        text = MEMORY + streams("numbers") + processor("p", "default/numbers")
        assert found(text) == [
            (
                'Processor "p": spec.inputs[0].stream: no Stream "default/numbers" in namespace '
                '"default" (there are: numbers); one is in namespace "default", and references '
                "stay within theirs"
            )
        ]

    def test_what_is_there_but_wrong_is_not_missed_as_well(self, found: Found) -> None:
        text = resource("KafkaGateway", "memory") + streams("numbers").replace("Stream", "Streem")
        kinds = [one.partition(": kind: ")[0] for one in found(text + processor("p", "numbers"))]
        assert kinds == ['KafkaGateway "memory"', 'Streem "numbers"']

    def test_nothing_is_missed_where_a_document_could_not_be_read(self, found: Found) -> None:
        assert len(found(MEMORY + processor("p", "numbers") + "---\n{")) == 1

    def test_an_abstract_gateway_serves_streams_on_a_cluster(
        self, read: Read, riff_plugins: Plugins
    ) -> None:
        text = resource("Gateway", "memory") + streams("numbers")
        assert read(text, riff_plugins, local=False).problems == []
        assert [str(one) for one in read(text, riff_plugins).problems] == [
            (
                'app.yaml:3: Gateway "memory": kind: is a gateway\'s pods; the local runtime runs '
                "gateways of a concrete kind, such as InMemoryGateway"
            )
        ]


class TestNames:
    def test_two_streams(self, read: Read) -> None:
        text = MEMORY + streams("numbers", "averages", "numbers")
        assert [str(one) for one in read(text).problems] == [
            (
                'app.yaml:19: Stream "numbers": metadata.name: the name is taken in namespace '
                '"default" by the Stream at app.yaml:9; give one of them another'
            )
        ]

    def test_gateways_of_two_kinds(self, read: Read, riff_plugins: Plugins) -> None:
        text = MEMORY + resource("KafkaGateway", "memory", "{bootstrapServers: kafka:9092}")
        assert [str(one) for one in read(text, riff_plugins).problems] == [
            (
                'app.yaml:9: KafkaGateway "memory": metadata.name: the name is taken in namespace '
                '"default" by the InMemoryGateway at app.yaml:4; give one of them another'
            )
        ]

    def test_one_name_in_two_namespaces_or_kinds(self, found: Found) -> None:
        other = resource("InMemoryGateway", "memory", namespace="b")
        text = MEMORY + streams("memory") + other + streams("memory", namespace="b")
        assert found(text) == []


class TestAliases:
    def test_one_stream_twice(self, read: Read) -> None:
        text = MEMORY + streams("numbers") + processor("p", "numbers numbers")
        assert [str(one) for one in read(text).problems] == [
            (
                'app.yaml:15: Processor "p": spec.inputs[1].alias: "numbers" is the alias of '
                "inputs[0] already (by default it is the stream's name); give one of them an alias "
                "of its own"
            )
        ]

    def test_an_alias_that_is_another_streams_name(self, found: Found) -> None:
        text = MEMORY + streams("a", "b") + processor("p", "a b")
        assert len(found(text.replace("{stream: a}", "{stream: a, alias: b}"))) == 1

    def test_one_alias_on_each_side(self, found: Found) -> None:
        text = MEMORY + streams("a", "b") + processor("p", "a", "b")
        assert found(text.replace("{stream: b}", "{stream: b, alias: a}")) == []


class TestContentTypes:
    @pytest.mark.parametrize(
        ("content_type", "example"),
        [("text/*", "text/plain"), ("application/*", "application/json")],
    )
    @pytest.mark.parametrize("local", [True, False], ids=["local", "cluster"])
    def test_a_range_is_for_inputs_alone(
        self, read: Read, content_type: str, example: str, local: bool
    ) -> None:
        spec = f"{{gateway: {{name: memory}}, contentType: {content_type}}}"
        notes = resource("Stream", "notes", spec)
        run = "[{command: [run]}]" if local else "[{image: run}]"
        text = MEMORY + streams("a") + notes
        assert read(text + processor("p", "notes", "a", run), local=local).problems == []
        problems = read(text + processor("p", "a", "a notes", run), local=local).errors
        assert [str(one) for one in problems] == [
            (
                'app.yaml:20: Processor "p": spec.outputs[1].stream: the content type of Stream '
                f'"notes" is the range {content_type}: an output needs one type, as {example}'
            )
        ]


class TestFunctions:
    def check(self, read: Read, spec: str, *, local: bool) -> list[str]:
        text = (
            MEMORY + streams("a") + resource("Processor", "p", f"{{inputs: [{{stream: a}}]{spec}}}")
        )
        return [str(one) for one in read(text, local=local).problems]

    def test_an_image_alone_is_for_a_cluster(self, read: Read) -> None:
        spec = ", template: {spec: {containers: [{image: averager}]}}"
        assert self.check(read, spec, local=False) == []
        assert self.check(read, spec, local=True) == [
            (
                'app.yaml:15: Processor "p": spec.template.spec.containers[0].command: is missing: '
                "the local runtime starts a command, not an image; give one, as "
                '[penstock-invoker, "module:function"]'
            )
        ]

    def test_a_command_alone_is_for_the_local_runtime(self, read: Read) -> None:
        spec = ", template: {spec: {containers: [{command: [run]}]}}"
        assert self.check(read, spec, local=True) == []
        assert self.check(read, spec, local=False) == [
            (
                'app.yaml:15: Processor "p": spec.template.spec.containers[0].image: is missing, '
                "and so is spec.build: a cluster needs one of the two"
            )
        ]

    @pytest.mark.parametrize(
        ("local", "need"), [(True, "a command"), (False, "an image")], ids=["local", "cluster"]
    )
    def test_nothing_to_run(self, read: Read, local: bool, need: str) -> None:
        assert self.check(read, "", local=local) == [
            (
                'app.yaml:15: Processor "p": spec.template.spec.containers: no container is called '
                f'"function"; the function needs one with {need}'
            )
        ]

    def test_a_container_of_another_name(self, read: Read) -> None:
        spec = ", template: {spec: {containers: [{name: proxy, image: x, command: [run]}]}}"
        assert len(self.check(read, spec, local=True)) == 1
        assert len(self.check(read, spec, local=False)) == 1

    def test_a_port_of_its_own_is_a_warning_of_the_local_runtime(self, read: Read) -> None:
        spec = (
            ", template: {spec: {containers: [{image: x, command: [run], "
            "env: [{name: A}, {name: GRPC_PORT, value: '8081'}]}]}}"
        )
        assert self.check(read, spec, local=False) == []
        assert self.check(read, spec, local=True) == [
            (
                'app.yaml:15: warning: Processor "p": spec.template.spec.containers[0].env[1].name:'
                " GRPC_PORT is set by penstock run to a free port; remove it"
            )
        ]

    def test_a_build_needs_no_container_on_a_cluster(self, read: Read) -> None:
        assert self.check(read, ", build: {containerRef: x}", local=False) == []

    @pytest.mark.parametrize("local", [True, False], ids=["local", "cluster"])
    def test_a_build_and_an_image(self, read: Read, local: bool) -> None:
        spec = (
            ", build: {functionRef: x}, "
            "template: {spec: {containers: [{image: x, command: [run]}]}}"
        )
        assert self.check(read, spec, local=local) == [
            (
                'app.yaml:15: Processor "p": spec.template.spec.containers[0].image: an image and '
                "spec.build exclude each other; remove one"
            )
        ]

    def test_two_builds(self, read: Read) -> None:
        assert self.check(read, ", build: {functionRef: a, containerRef: b}", local=False) == [
            (
                'app.yaml:15: Processor "p": spec.build.containerRef: functionRef and containerRef '
                "exclude each other; remove one"
            )
        ]

    def test_two_containers_for_the_function(self, read: Read) -> None:
        spec = ", template: {spec: {containers: [{command: [a]}, {name: function}]}}"
        assert self.check(read, spec, local=True) == [
            (
                'app.yaml:15: Processor "p": spec.template.spec.containers[1].name: containers[0] '
                "is the function's already; give this one another name"
            )
        ]


class TestCycles:
    def test_a_chain_is_none(self, found: Found) -> None:
        text = MEMORY + streams("a", "b", "c") + processor("p", "a", "b") + processor("q", "b", "c")
        assert found(text) == []

    def test_a_cycle_is_a_warning_that_shows_it(self, read: Read) -> None:
        text = (
            MEMORY
            + streams("a", "b", "c")
            + processor("in", "a", "b")
            + processor("p", "b", "c")
            + processor("q", "c", "b")
        )
        manifests = read(text)
        assert manifests.errors == []
        assert [str(one) for one in manifests.warnings] == [
            (
                'app.yaml:30: warning: Processor "p": spec.outputs: what it writes comes back to '
                "it: p -> c -> q -> b -> p; make sure that this ends"
            )
        ]

    def test_two_cycles_are_two_warnings(self, found: Found) -> None:
        text = MEMORY + streams("a", "b") + processor("p", "a", "a") + processor("q", "b", "b")
        assert len(found(text)) == 2

    def test_the_same_streams_in_two_namespaces_are_none(self, found: Found) -> None:
        second = resource("InMemoryGateway", "memory", namespace="b")
        second += streams("one", "two", namespace="b")
        back = processor("q", "two", "one").replace("namespace: default", "namespace: b")
        assert (
            found(MEMORY + streams("one", "two") + second + processor("p", "one", "two") + back)
            == []
        )

    def test_dead_letters_that_a_function_sends_back_are_a_warning(self, found: Found) -> None:
        text = (
            MEMORY
            + streams("numbers", "oops")
            + processor("averager", "numbers", dead_letters="oops")
            + processor("fixer", "oops", "numbers")
        )
        assert found(text) == [
            (
                'warning: Processor "averager": spec.delivery: what it writes comes back to it: '
                "averager -> oops -> fixer -> numbers -> averager; make sure that this ends"
            )
        ]


class TestDeadLetters:
    def stream(self, name: str, content_type: str, gateway: str = "memory") -> str:
        spec = f"{{gateway: {{name: {gateway}}}, contentType: {content_type}}}"
        return resource("Stream", name, spec)

    def test_a_stream_of_their_own_is_fine(self, found: Found) -> None:
        text = MEMORY + streams("a", "b", "oops")
        text += processor("p", "a", "b", dead_letters="oops")
        text += processor("q", "b", dead_letters="oops") + processor("watch", "oops")
        assert found(text) == []

    def test_it_may_be_of_another_gateway(self, found: Found) -> None:
        text = MEMORY + resource("InMemoryGateway", "another") + streams("a")
        text += self.stream("oops", "'*/*'", "another") + processor("p", "a", dead_letters="oops")
        assert found(text) == []

    def test_a_stream_that_is_not_there(self, read: Read) -> None:
        text = MEMORY + streams("a", "oops") + processor("p", "a", dead_letters="ops")
        assert [str(one) for one in read(text).problems] == [
            (
                'app.yaml:20: Processor "p": spec.delivery.deadLetter.stream: no Stream "ops" in '
                'namespace "default" (there are: a, oops); did you mean "oops"?'
            )
        ]

    def test_an_input(self, found: Found) -> None:
        text = MEMORY + streams("a", "b") + processor("p", "a b", dead_letters="b")
        assert found(text) == [
            (
                'Processor "p": spec.delivery.deadLetter.stream: "b" is inputs[1]: what failed '
                "would come back at once; name a stream that is for dead letters alone"
            )
        ]

    def test_an_output(self, found: Found) -> None:
        text = MEMORY + streams("a", "b") + processor("p", "a", "b", dead_letters="b")
        assert found(text) == [
            (
                'Processor "p": spec.delivery.deadLetter.stream: "b" is outputs[0]: who reads it '
                "would take dead letters for results; name a stream that is for dead letters alone"
            )
        ]

    def test_processors_that_pass_them_round(self, found: Found) -> None:
        text = MEMORY + streams("a", "b", "c") + processor("p", "a", dead_letters="b")
        text += processor("q", "b", dead_letters="c") + processor("r", "c", dead_letters="a")
        assert found(text) == [
            (
                'Processor "p": spec.delivery.deadLetter.stream: dead letters come back to it: '
                "p -> b -> q -> c -> r -> a -> p; a message that none of them can process would "
                "go round for ever"
            )
        ]

    @pytest.mark.parametrize(
        ("held", "taken"),
        [
            ("application/json", "application/json"),
            ("application/json", "application/*"),
            ("application/json", "application/octet-stream"),
            ("text/*", "text/*"),
            ("text/*", "'*/*'"),
            ("application/octet-stream", "'*/*'"),
            ("application/cloudevents+json", "application/json"),
        ],
    )
    def test_a_type_that_takes_what_the_inputs_hold(
        self, found: Found, held: str, taken: str
    ) -> None:
        text = MEMORY + self.stream("a", held) + self.stream("oops", taken)
        assert found(text + processor("p", "a", dead_letters="oops")) == []

    @pytest.mark.parametrize(
        ("held", "taken"),
        [
            ("text/plain", "application/json"),
            ("text/*", "text/plain"),
            ("application/octet-stream", "application/*"),
            ("text/plain", "text/plain; charset=utf-8"),
        ],
    )
    def test_a_type_that_refuses_what_an_input_holds(
        self, found: Found, held: str, taken: str
    ) -> None:
        text = MEMORY + self.stream("a", taken.strip("'")) + self.stream("b", held)
        text += self.stream("oops", taken) + processor("p", "a b", dead_letters="oops")
        assert found(text) == [
            (
                f'Processor "p": spec.delivery.deadLetter.stream: Stream "oops" takes {taken} '
                f'alone, and Stream "b" has {held}: leave out its contentType, or set one that '
                "takes both, as application/octet-stream"
            )
        ]
