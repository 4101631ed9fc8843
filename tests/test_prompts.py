"""Prompts: their form, their versions, and fences that nobody can guess."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import prompts
from assistant.errors import Internal
from assistant.llm import unbounded_part

NAMES = sorted(p.stem for p in prompts.root().glob("*.md"))


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_prompt_needs_a_new_version(name: str) -> None:
    prompt = prompts.load(name)
    assert prompt.name == name
    assert prompts.versions().get(str(prompt)) == prompt.sha256, f"{name} was changed: raise its version and record it in prompts/versions.toml"


def test_every_recorded_version_is_recorded_once_and_the_newest_is_in_use() -> None:
    newest: dict[str, int] = {}
    for key in prompts.versions():
        name, _, version = key.partition("@")
        newest[name] = max(newest.get(name, 0), int(version))
    assert newest == {name: prompts.load(name).version for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_every_reply_schema_is_bounded(name: str) -> None:
    assert unbounded_part(prompts.load(name).schema()) == ""


def test_a_changed_word_changes_the_hash() -> None:
    text = (prompts.root() / "answer.md").read_text("utf8")
    assert prompts.parse(text).sha256 == prompts.load("answer").sha256
    assert prompts.parse(text.replace("plain English", "plain French")).sha256 != prompts.load("answer").sha256


@pytest.mark.parametrize(
    "text",
    ["", "+++\n", "+++\nname='x'\n+++\nfixed\n+++\nopen", "hello +++\n+++\n+++\n", '+++\nname="x"\nversion=1\nvariables=[]\nreply="{}"\n+++\na\n+++\n$unknown'],
)
def test_a_broken_form_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        prompts.parse(text)


def test_a_variable_that_is_not_given_is_our_own_error() -> None:
    with pytest.raises(Internal):
        prompts.load("rewrite").filled({"before": "x"})


def test_what_is_filled_in_is_not_looked_into() -> None:
    filled = prompts.load("rewrite").filled({"before": "$question ${fence}", "question": "why?", "fence": "==="})
    assert "$question ${fence}" in filled


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_no_text_contains_its_own_fence(parts: list[str]) -> None:
    line = prompts.fence(parts)
    assert line == prompts.fence(parts)
    assert all(line not in part for part in parts)
    assert prompts.fence([*parts, line]) != line


def test_schemas_are_fresh_copies() -> None:
    first = prompts.load("answer").schema()
    first["properties"]["claims"]["maxItems"] = 1
    assert prompts.load("answer").schema()["properties"]["claims"]["maxItems"] == 6
    assert json.loads(prompts.load("answer").reply)
