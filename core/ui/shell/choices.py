"""What the visitor looks at: chosen, kept in the address by its id, and remembered for the session.

Whatever decides what a page shows goes through here, so that F5, back and forward, another tab, a link and a way back
by the menu show the same. An address that names what does not exist says so, and the default is shown.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import streamlit as st

from core.ui.shell import address
from core.ui.shell.markup import literal


class Draw(Protocol):
    """Draws a widget of this key that gives one of the ids; `shown` is the one that a browser begins with.

    A browser that draws a widget only after a second run has told of it, as a busy one does, never hears of a value
    that the first run has set: it would show none, or another one than the page.
    """

    def __call__(
        self, label: str, ids: list[str], key: str, name: Callable[[str], str], shown: str | None, /
    ) -> str | None: ...


def select(label: str, ids: list[str], key: str, name: Callable[[str], str], shown: str | None, /) -> str | None:
    """A list that opens."""
    return st.selectbox(label, ids, key=key, format_func=name, index=ids.index(shown) if shown else 0)


def segments(label: str, ids: list[str], key: str, name: Callable[[str], str], shown: str | None, /) -> str | None:
    """All of them side by side, under their label."""
    return st.segmented_control(label, ids, key=key, format_func=name, required=True, default=shown)


def tabs(label: str, ids: list[str], key: str, name: Callable[[str], str], shown: str | None, /) -> str | None:
    """All of them side by side, without a label that can be seen."""
    return st.segmented_control(
        label, ids, key=key, format_func=name, required=True, default=shown, label_visibility="collapsed"
    )


def choose(
    label: str,
    options: Mapping[str, str],
    *,
    key: str,
    first: str = "",
    scope: str = "",
    noun: str = "",
    draw: Draw = select,
) -> str:
    """One of `options` (id -> what people read), chosen by the visitor or by the address's `?key=id`, else `first`.

    `scope` says what the choice belongs to, such as the table of a column: each table then has its own. `noun` stands
    in the sentence that one does not exist, the label unless told. Labels that two options share get a number.
    """
    ids = list(options)
    default = first if first in options else ids[0]
    widget = _widget(key, scope)
    wanted = _settled(key, scope, options, default, st.session_state.get(widget))
    known = st.session_state.get(widget) == wanted
    if not known:
        st.session_state[widget] = wanted
    labels = _told_apart(options)
    # Where the value is set in this very run, Streamlit tells of it, and warns of a default beside it.
    picked = draw(label, ids, widget, labels.__getitem__, wanted if known else None) or wanted
    _keep(key, scope, picked)
    _say_missing(noun or label.lower(), key, picked, labels)
    return picked


def opened(noun: str, ids: Iterable[str], *, key: str, scope: str = "") -> str:
    """What was opened, such as a trial: by `put`, or by the address's `?key=id`; empty while nothing is.

    `noun` stands in the sentence that one does not exist: "trial".
    """
    known = [*ids, ""]
    picked = _settled(key, scope, known, "", None)
    _keep(key, scope, picked)
    _say_missing(noun, key, picked, {})
    return picked


def sought(key: str, *, scope: str = "") -> tuple[str, ...]:
    """The ids that `opened` may be about to open, of which it needs to know whether they exist, where all are many."""
    named = (st.session_state.get(_put(key, scope)), address.read(key), st.session_state.get(_kept(key, scope)))
    return tuple(dict.fromkeys(str(each) for each in named if each))


def put(key: str, picked: str, *, scope: str = "") -> None:
    """Choose for the visitor: what was just made, or the row that was clicked; empty closes what is `opened`."""
    st.session_state[_put(key, scope)] = picked


def chosen(key: str, *, scope: str = "") -> str:
    """What was chosen last in this session; empty before."""
    return str(st.session_state.get(_kept(key, scope), ""))


def _settled(key: str, scope: str, known: Iterable[str], default: str, drawn: str | None) -> str:
    """What is put counts first, then an address that the visitor came by, then the widget, then what is remembered."""
    known = set(known)
    named = address.take(key)
    put_in = st.session_state.pop(_put(key, scope), None)
    if put_in in known:
        return str(put_in)
    kept = st.session_state.get(_kept(key, scope))
    fallback = kept if kept in known else default
    if named is None:
        return drawn if drawn in known and drawn is not None else fallback
    st.session_state.pop(_missing(key), None)
    if named and named not in known:
        st.session_state[_missing(key)] = (named, default)
        return default
    return named or fallback


def _keep(key: str, scope: str, picked: str) -> None:
    st.session_state[_kept(key, scope)] = picked
    address.write({key: picked})


def _say_missing(noun: str, key: str, picked: str, labels: Mapping[str, str]) -> None:
    """The address named what does not exist: said until something else is chosen."""
    named, instead = st.session_state.get(_missing(key), ("", ""))
    if not named:
        return
    if picked != instead:
        del st.session_state[_missing(key)]
        return
    shown = f" Shown instead: {literal(labels[picked])}." if picked else ""
    st.warning(f"There is no {noun} **{literal(named)}** here.{shown}", icon=":material/link_off:")


def _widget(key: str, scope: str) -> str:
    return f"choice.{key}.{scope}" if scope else f"choice.{key}"


def _kept(key: str, scope: str) -> str:
    return f"slipway.chosen.{key}.{scope}"


def _put(key: str, scope: str) -> str:
    return f"slipway.put.{key}.{scope}"


def _missing(key: str) -> str:
    return f"slipway.missing.{key}"


def _told_apart(options: Mapping[str, str]) -> dict[str, str]:
    """There can be thousands of options: each label is counted under all that it may be taken for."""
    labels, taken = dict[str, str](), Counter[str]()
    for option, label in options.items():
        same = taken[label]
        made = labels[option] = f"{label} ({same + 1})" if same else label
        taken.update([made, *(made[: found.start()] for found in re.finditer(r" \(", made))])
    return labels
