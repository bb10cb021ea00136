"""Categories that are probably one: spelled alike but for the case of their letters."""

from collections import defaultdict
from collections.abc import Sequence

from core.domain.data import ColumnKind, ColumnProfile, Level, Note, NoteKind, TableProfile


def folded(word: str) -> str:
    """What is left of a word when its case and blanks do not count."""
    return " ".join(word.casefold().split())


def same_words(levels: Sequence[Level]) -> tuple[tuple[str, ...], ...]:
    """Groups of levels that differ in case or blanks alone, the most frequent of each first."""
    groups: dict[str, list[Level]] = defaultdict(list)
    for level in levels:
        groups[folded(level.value)].append(level)
    alike = [sorted(group, key=lambda level: -level.count) for group in groups.values() if len(group) > 1]
    return tuple(tuple(level.value for level in group) for group in alike)


def spelling_notes(profile: TableProfile) -> tuple[Note, ...]:
    """A note for each text column with such levels; whether they are the same is for people to say."""
    return tuple(note for column in profile.columns if (note := spelling_note(column)) is not None)


def spelling_note(column: ColumnProfile) -> Note | None:
    """The note of one column; None where all of its levels are words of their own."""
    groups = same_words(column.levels) if column.kind is ColumnKind.STRING else ()
    if not groups:
        return None
    shown = "; ".join(" and ".join(f"'{word[:40]}'" for word in group) for group in groups[:3])
    more = f" and {len(groups) - 3} more" if len(groups) > 3 else ""
    text = f"'{column.name}' has categories that differ only in spelling: {shown}{more}; they are counted separately"
    return Note(NoteKind.SPELLINGS, text, (column.name,), option="merge_spellings")
