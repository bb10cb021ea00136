"""A definition's file: everything that is wrong with it at once, each with its line; and written, it reads back."""

import json
from contextlib import suppress
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.definitions import parse_definition, parse_pipeline, shipped, write_pipeline
from core.domain.errors import DefinitionInvalid, DefinitionProblem, SpecInvalid
from core.domain.pipeline import Parameter, ParameterType, PipelineSpec, PipelineStep, StepKind, ValueType


def problems(text: str) -> list[tuple[int, str]]:
    """What is wrong with a file, each with its line."""
    with pytest.raises(DefinitionInvalid) as refused:
        parse_pipeline(text, "pipeline.yaml")
    return [(problem.line, f"{problem.message} | {problem.hint}") for problem in refused.value.problems]


def only(text: str) -> tuple[int, str]:
    (found,) = problems(text)
    return found


def pipeline(*steps: str, parameters: str = "{}") -> str:
    return "\n".join(["name: P", f"parameters: {parameters}", "steps:", *(f"  - {step}" for step in steps)])


PREPARE = "{name: prepare, kind: prepare, settings: {data: people}}"
AUTOML = "{name: automl, kind: automl, settings: {target: y}}"

MANY = """\
name: Nightly
descripton: nightly
parameters:
  flag: yes
  count: 010
  metric: {type: string, default: auc, choices: [AUC_weighted, accuracy]}
  low: {type: number, default: 1, minimum: 5, maximun: 7}
steps:
  - name: search
    kind: automl
    settings: {target: y, timeout_s: "${timeout}", folds: "3"}
  - name: load
    kind: prepair
  - name: prep
    kind: prepare
    settings:
      data: people
      target: 7
    when: search.score
    name: prep
"""


def test_everything_that_is_wrong_is_said_at_once_with_its_line():
    found = problems(MANY)
    assert found == sorted(found, key=lambda each: each[0])
    for line, said in [
        (2, "unknown key 'descripton' | Did you mean 'description'?"),
        (4, "'flag' is yes, which some readers of YAML take for true or false"),
        (5, "'count' is 010, which some readers of YAML take for a number | Write 10"),
        (6, "The default of parameter 'metric' is 'auc', expected one of AUC_weighted, accuracy"),
        (7, "unknown key 'maximun' | Did you mean 'maximum'?"),
        (11, "'folds' is '3', expected a whole number"),
        (11, "refers to parameter 'timeout', which is not in the definition"),
        (13, "the kind is 'prepair'"),
        (18, "'target' is 7, expected a text | Write it in quotes"),
        (19, "when is 'search.score' of type number, expected type boolean"),
        (20, "'name' stands here again | It stands in line 14 already"),
    ]:
        assert any(at == line and said in text for at, text in found), (line, said, found)
    assert len(found) == 11


def test_the_message_names_the_file_and_each_line():
    with pytest.raises(DefinitionInvalid) as refused:
        parse_pipeline(MANY, "nightly.yaml")
    lines = refused.value.message.splitlines()
    assert lines[0] == "nightly.yaml has 11 problems:"
    assert lines[1].startswith("- line 2: The definition has an unknown key 'descripton'")
    with pytest.raises(SpecInvalid, match=r"nightly\.yaml, line 4: "):
        parse_pipeline(pipeline("{kind: prepare, settings: {}}"), "nightly.yaml")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "The file is empty"),
        ("# nothing\n", 1, "The file is empty"),
        ("name: A\n---\nname: B\n", 2, "A second document begins here"),
        ("name: A\nsteps:\n\t- x\n", 3, "A tab indents this line"),
        ("name: [A\nsteps: []\n", 2, "It is not YAML"),
        ("name: A\nsteps: [\x00]\n", 2, "cannot stand in YAML"),
        ("name: &n A\ndescription: *n\n", 2, "The alias *n stands for something else"),
        ("name: !!str A\n", 1, "The tag tag:yaml.org,2002:str is not read"),
        ("name: A\nsteps: " + "[" * 100_000, 2, "nested more than"),
        ("name: A\nsteps: " + "- " * 100_000, 2, "not YAML"),
        ("name: A\nsteps:\n  " + "- " * 100_000, 3, "nested more than"),
        ("name: " + "A" * 1_000_001, 1, "expected at most 1,000,000"),
        ("? [a]\n: b\n", 1, "A key is a list or a mapping"),
        ("steps: []\n", 1, "needs a name"),
        ("name: A\n", 1, "at least one step"),
        ("name: a/b\nsteps: [" + PREPARE + "]\n", 1, "'a/b' is not a name for a pipeline"),
        ("name: on\nsteps: 7\n", 2, "'steps' is 7, expected a list"),
        ("name: A\nsteps: [7]\n", 2, "Step 1 is 7, expected a mapping"),
        ("name: A\nmax_concurrent: 0\nsteps: [" + PREPARE + "]\n", 2, "max_concurrent is 0"),
    ],
)
def test_a_file_that_is_no_definition_is_refused_at_its_line(text, line, said):
    found = problems(text)
    assert any(at == line and said in told for at, told in found), found


def test_a_bomb_of_aliases_costs_nothing():
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20)
    )
    assert "The alias" in problems(bomb)[0][1] or "unknown key" in problems(bomb)[0][1]


def test_a_large_file_is_read():
    steps = [f"{{name: prepare {i}, kind: prepare, settings: {{data: people{i}}}}}" for i in range(500)]
    assert len(parse_pipeline(pipeline(*steps) + "\n" + "# more\n" * 120_000).steps) == 500


def test_a_mark_before_the_text_and_windows_line_ends_are_read_over():
    text = pipeline(PREPARE, AUTOML)
    assert parse_pipeline("\ufeff" + text.replace("\n", "\r\n")) == parse_pipeline(text)


@pytest.mark.parametrize("word", ["on", "yes", "no", "010", "1:30", "2024-01-01", "0x1f", "1_000", ".inf"])
def test_a_word_that_readers_of_yaml_take_for_something_else_is_a_text_where_a_text_is_expected(word):
    (step,) = parse_pipeline(pipeline(f"{{kind: prepare, settings: {{data: people, target: {word}}}}}")).steps
    assert step.settings["target"] == word


@pytest.mark.parametrize(("word", "said"), [("yes", "Write true"), ("off", "Write false"), ("1:30", "decimal number")])
def test_where_no_text_is_expected_the_word_is_named(word, said):
    key = "allow_reuse" if word.isalpha() else "timeout_s"
    line, told = only(pipeline(f"{{kind: prepare, settings: {{data: people}}, {key}: {word}}}"))
    assert (line, f"is {word}, which some readers of YAML take for" in told, said in told) == (4, True, True)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_steps_may_stand_in_any_order(order):
    steps = [
        PREPARE,
        "{name: automl, kind: automl, needs: [prepare], settings: {target: y}}",
        "{name: register, kind: register, inputs: {job: automl.job}, settings: {model: m}}",
    ]
    spec = parse_pipeline(pipeline(*(steps[i] for i in order)))
    assert [step.name for step in spec.steps] == ["prepare", "automl", "register"]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (["{name: a, kind: command, command: [x], needs: [a]}"], "Step 'a' waits for itself"),
        (
            [
                "{name: a, kind: command, command: [x], needs: [c]}",
                "{name: b, kind: command, command: [x], needs: [a]}",
                "{name: c, kind: command, command: [x], needs: [b]}",
                "{name: d, kind: command, command: [x], needs: [c]}",
            ],
            "Steps 'a', 'c', 'b' wait for each other in a circle",
        ),
        ([AUTOML], "Step 'automl' needs a step before it that gives 'data' | Name that step in `needs`"),
        ([PREPARE, AUTOML, "{kind: register, needs: [prepare], settings: {model: m}}"], "gives 'job'"),
        ([PREPARE, "{kind: automl, needs: [prepar], settings: {target: y}}"], "Did you mean 'prepare'?"),
        ([PREPARE, "{kind: automl, inputs: {data: prepare}, settings: {target: y}}"], "expected STEP.OUTPUT"),
        ([PREPARE, "{kind: automl, inputs: {data: prepare.dat}, settings: {target: y}}"], "gives no 'dat' | Did you"),
        ([PREPARE, "{kind: automl, inputs: {data: prepare.rows}, settings: {target: y}}"], "of type integer, expected"),
        ([PREPARE, "{kind: automl, inputs: {table: prepare.data}, settings: {target: y}}"], "has no input 'table'"),
        ([PREPARE, "{kind: automl, when: prepare.rows, settings: {target: y}}"], "expected type boolean"),
        ([PREPARE, PREPARE], "Two steps are named 'prepare'"),
        (["{name: a.b, kind: prepare, settings: {data: x}}"], "'a.b' is not a step's name"),
        (["{kind: prepare, settings: {data: x}, outputs: {a: file}}"], "the outputs of kind prepare are fixed"),
        (["{kind: command, command: [x], outputs: {a: files}}"], "is 'files', expected one of data"),
        (["{kind: prepare, settings: {data: x}, command: [x]}"], "'command' is nothing that kind prepare takes"),
        (["{kind: command}"], "kind command needs the setting 'command'"),
        (["{kind: command, command: []}"], "command is empty"),
        (["{kind: command, command: echo hello}"], "'command' is 'echo hello', expected a list of texts"),
        (["{kind: python, code: a.py, function: main}"], "function is 'main', expected module:function"),
        (["{kind: python, function: 'a:b', inputs: {x: p.rows}, arguments: {x: 1}}", PREPARE[:7] + "p" + PREPARE[14:]],
         "has an input and an argument named 'x'"),
        (["{kind: prepare, settings: {data: x, holdout_pct: 90}}"], "holdout_pct is 90, expected a number from"),
        ([PREPARE, "{kind: automl, settings: {target: y, timeout_s: 1}}"], "timeout_s must be at least 3 seconds"),
        ([PREPARE, "{kind: automl, settings: {target: y, algorithms: [GPT]}}"], "There is no algorithm 'GPT'"),
        ([PREPARE, "{kind: automl, retries: -1, settings: {target: y}}"], "retries is -1"),
        ([PREPARE, "{kind: automl, timeout_s: 0, settings: {target: y}}"], "timeout_s is 0"),
        ([PREPARE, "{kind: automl, memory_mb: 1, settings: {target: y}}"], "memory_mb is 1"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_steps_is_named(steps, said):
    found = problems(pipeline(*steps))
    assert any(said in told for _, told in found), found
    assert all(line >= 4 for line, _ in found)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("{n: }", "Parameter 'n' has neither a default nor a type"),
        ("{n: {description: x}}", "Parameter 'n' has neither a default nor a type"),
        ("{n: {type: text}}", "type is 'text', expected one of string"),
        ("{n: {type: number, default: 1, minimum: 5}}", "The default of parameter 'n' is 1, expected at least 5"),
        ("{n: {type: number, minimum: 5, maximum: 1}}", "a minimum of 5, above its maximum of 1"),
        ("{n: {type: integer, default: 1.5}}", "The default of parameter 'n' is 1.5, expected a whole number"),
        ("{n: {type: boolean, default: true, minimum: 1}}", "is true or false, and has no minimum"),
        ("{n: {type: string, choices: [1]}}", "Parameter 'n' is 1, expected a text"),
        ("{n: {type: string, default: c, choices: [a, b]}}", "expected one of a, b"),
        ("{n: {type: list, default: [a, c], choices: [a, b]}}", "has the entry 'c', expected one of a, b"),
        ("{a-b: 1}", "'a-b' is not a parameter's name"),
        ("{n: [[a]]}", "expected a list of texts"),
        ("[n]", "'parameters' is a list, expected a mapping"),
    ],
)
def test_a_mistake_in_the_parameters_is_named(parameters, said):
    found = problems(pipeline(PREPARE, parameters=parameters))
    assert any(line == 2 and said in told for line, told in found), found


def test_a_parameter_that_stands_for_a_setting_has_a_type_that_fits_it():
    text = pipeline(
        "{kind: prepare, settings: {data: '${table}', target: '${n}'}}",
        parameters="{table: {type: string, default: people}, n: 3}",
    )
    said = " ".join(told for _, told in problems(text))
    assert "'data' is parameter 'table' of type string, expected type data" in said
    assert "'target' is parameter 'n' of type integer, expected type string" in said


def test_the_short_form_takes_its_type_from_the_default_and_from_what_it_stands_for():
    spec = parse_pipeline(
        pipeline(
            "{kind: prepare, settings: {data: '${table}'}}",
            "{kind: automl, settings: {target: '${y}', timeout_s: '${s}', max_trials: '${n}', exclude: '${x}'}}",
            parameters="{table: people, y: y, s: 60, n: 5, x: [], other: 2.5, flag: true, when: 2024-01-01}",
        )
    )
    types = {p.name: p.type.value for p in spec.parameters}
    assert types == {
        "table": "data", "y": "string", "s": "number", "n": "integer", "x": "list",
        "other": "number", "flag": "boolean", "when": "string",
    }  # fmt: skip


def test_the_long_form_says_everything_and_without_a_default_it_is_required():
    long = (
        "{n: {type: number, default: 60, minimum: 5, maximum: 86400, description: 'For how long', choices: [60, 90]}}"
    )
    (parameter,) = parse_pipeline(pipeline(PREPARE, parameters=long)).parameters
    assert parameter == Parameter("n", ParameterType.NUMBER, 60, "For how long", 5, 86400, (60, 90))
    (needed,) = parse_pipeline(pipeline(PREPARE, parameters="{n: {type: list}}")).parameters
    assert needed.required


def test_a_step_with_code_of_its_own_names_the_folder():
    definition = parse_definition(
        pipeline(
            PREPARE,
            "{name: clean, kind: python, code: steps/clean, function: 'clean:run', inputs: {data: prepare.data},"
            " arguments: {n: 3}, outputs: {rows: integer, table: file}, timeout_s: 60, memory_mb: 512, retries: 2,"
            " backoff_s: 1.5, allow_reuse: false, when: prepare.new}",
            "{name: send, kind: command, command: [python, send.py, '--rows'], needs: [clean]}",
        )
    )
    _, clean, send = definition.spec.steps
    assert definition.code == {"clean": "steps/clean"}
    assert clean == PipelineStep(
        "clean",
        StepKind.PYTHON,
        settings={"function": "clean:run", "arguments": {"n": 3}},
        inputs={"data": "prepare.data"},
        outputs={"rows": ValueType.INTEGER, "table": ValueType.FILE},
        when="prepare.new",
        timeout_s=60,
        memory_mb=512,
        retries=2,
        backoff_s=1.5,
        allow_reuse=False,
    )
    assert send.settings == {"command": ["python", "send.py", "--rows"]}
    assert parse_definition(write_pipeline(definition.spec, definition.code)) == definition


@pytest.mark.parametrize("spec", shipped(), ids=lambda spec: spec.name)
def test_a_shipped_definition_reads_back_as_it_is_written(spec):
    assert parse_pipeline(write_pipeline(spec)) == spec


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12).filter(lambda text: "\0" not in text)
WORD = st.sampled_from(
    ["on", "yes", "010", "1:30", "1e5", "~", "null", "true", "7", "-", "a b", "é", "${n}", "#", "x: y"]
)
SAID = TEXT | WORD
STEP = st.builds(
    PipelineStep,
    st.just("step"),
    st.just(StepKind.PYTHON),
    settings=st.fixed_dictionaries(
        {"function": st.just("a:b")},
        optional={
            "arguments": st.dictionaries(
                st.sampled_from(["k", "l"]),
                st.recursive(
                    SAID.filter(lambda t: "${" not in t) | st.integers() | st.booleans(), st.lists, max_leaves=4
                ),
            )
        },
    ),
    outputs=st.dictionaries(st.sampled_from(["o", "p"]), st.sampled_from(ValueType)),
    timeout_s=st.none() | st.floats(0.1, 1e6),
    memory_mb=st.none() | st.integers(16, 10**6),
    retries=st.integers(0, 9),
    backoff_s=st.floats(0, 1e4),
    allow_reuse=st.booleans(),
)
PARAMETER = st.builds(Parameter, st.just("n"), st.just(ParameterType.STRING), SAID, SAID) | st.builds(
    Parameter, st.just("n"), st.just(ParameterType.LIST), st.lists(SAID, max_size=3), SAID
)
PARAMETER |= st.builds(Parameter, st.just("n"), st.just(ParameterType.NUMBER), st.floats(-1e300, 1e300), SAID)
PARAMETER |= st.builds(Parameter, st.just("n"), st.just(ParameterType.BOOLEAN), st.none() | st.booleans())
SPEC = st.builds(
    lambda name, description, step, parameter: PipelineSpec(name, (step,), description, (parameter,)),
    st.sampled_from(
        ["p", "on", "010", "1:x", "~", "null", "é", "${n}", "#", "x: y", "2024-01-01", "a\u2028b", "'", '"']
    ),
    SAID,
    STEP,
    PARAMETER,
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(SPEC)
def test_whatever_is_written_reads_back_as_the_same(spec):
    assert parse_pipeline(write_pipeline(spec)) == spec


PIECES = st.sampled_from(
    [
        *MANY.splitlines(keepends=True),
        *"[]{}:,-&*!|>'\"%@`#?",
        "\n",
        "  ",
        "\t",
        "\r",
        "---\n",
        "...",
        "<<",
        "é",
        "\x07",
    ]
)
CHANGED = st.tuples(st.integers(0, len(MANY)), st.integers(0, 30), st.text(max_size=4) | PIECES).map(
    lambda change: MANY[: change[0]] + change[2] + MANY[change[0] + change[1] :]
)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(max_size=30) | st.lists(PIECES, max_size=12).map("".join) | CHANGED)
def test_any_text_is_a_definition_or_refused_with_a_line(text):
    refused: tuple[DefinitionProblem, ...] = ()
    try:
        parse_pipeline(text)
    except DefinitionInvalid as e:
        refused = e.problems
    assert all(problem.line >= 1 and problem.message for problem in refused)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "kind", "steps", "settings", "needs", "parameters", "type", "default", "when", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.fixed_dictionaries({"name": st.just("p"), "parameters": JSON, "steps": st.lists(JSON, max_size=3)}) | JSON)
def test_any_document_gives_a_definition_or_an_explained_refusal(document):
    with suppress(DefinitionInvalid):
        assert isinstance(parse_pipeline(json.dumps(document)), PipelineSpec)
