"""Prompts of a wanted number of tokens, none of which a server can have in a cache."""

from __future__ import annotations

from random import Random

# Short everyday words: one token each in most vocabularies, so that a few words more are a few tokens more.
_TEXT = (
    "the of and to in is it you that he was for on are with as his they be at one have this from or had by hot word but"
    " what some we can out other were all there when up use your how said an each she which do their time if will way"
    " about many then them write would like so these her long make thing see him two has look more day could go come"
    " did number sound no most people my over know water than call first who may down side been now find any new work"
    " part take get place made live where after back little only round man year came show every good me give our under"
    " name very through just form great think say help low line differ turn cause much mean before move right boy old"
)
_WORDS = tuple(_TEXT.split(" "))
_LETTERS = 8  # more than a word and its blank have on average
_APART = 0.25  # of the longer one: closer ones differ by which words they hold as much as by how many
_TASK = "\nContinue the list of words above. Write at least a thousand more words, and nothing else:\n"


def prompt(words: int, seed: int) -> str:
    """That many words in an order of their own, and a task that takes a long answer."""
    dice = Random(seed)  # noqa: S311  varied, not secret
    return f"{dice.getrandbits(64):x} " + " ".join(dice.choices(_WORDS, k=words)) + _TASK


def words_for(tokens: int, seen: list[tuple[int, int]]) -> int:
    """How many words make a prompt of ``tokens`` tokens, from (words, tokens) of prompts that a server counted.

    Through the two that differ most goes a line, whose slope is tokens per word and whose rest is the template. With
    one, or with two that differ too little for a slope, words are taken in proportion. With none it is few enough to
    fit should every letter be a token.
    """
    if not seen:
        return max(1, tokens // _LETTERS)
    words, counted = seen[-1]
    (fewest, least), (most, highest) = min(seen), max(seen)
    if most - fewest >= _APART * most and highest > least:
        slope = (highest - least) / (most - fewest)
        return max(1, round(words + (tokens - counted) / slope))
    return max(1, round(words * tokens / max(1, counted)))
