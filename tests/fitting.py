"""What a browser tells of a page's looks: text that is cut, what is wider than the window, text that is too faint."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from playwright.sync_api import Page
from waiting import wait_until

WIDTHS = (1440, 1024, 390)
SETTLES_S = 20.0
"""A busy machine draws a page anew so late: for another width, and above all in the other theme."""
CONTRAST_MIN = 4.5
"""WCAG 2.2, level AA, for text of normal size."""

_SHOWN = """
const shown = element => {
  const box = element.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && element.checkVisibility({visibilityProperty: true, opacityProperty: true});
};
const name = element => (element.innerText || element.textContent || "").trim().slice(0, 40);
// Tables, charts and code scroll by themselves; a closed menu is not seen.
const ASIDE = "[data-testid=stDataFrame], .js-plotly-plot, [data-testid=stCode], [inert], svg, iframe, "
  + "[data-testid=stSidebar][data-collapsed=true]";
const own = element => [...element.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
"""

_CUT = f"""() => {{
{_SHOWN}
const cut = [...document.querySelectorAll("[data-testid=stApp] *")].filter(element => {{
  const style = getComputedStyle(element);
  if (element.closest(ASIDE)) return false;
  // What can be scrolled is not cut, and an input's text moves with the caret.
  if (!["hidden", "clip"].includes(style.overflowX) || element.matches("input, textarea")) return false;
  return shown(element) && name(element) && element.scrollWidth > element.clientWidth + 1;
}});
// Choices side by side that are wider than their place can be scrolled, but nobody sees that.
const hidden = [...document.querySelectorAll("[data-testid=stMain] [role=radiogroup]")]
  .filter(element => shown(element) && element.scrollWidth > element.clientWidth + 1);
// A letter a line.
const squeezed = [...document.querySelectorAll("[data-testid=stMain] p")].filter(element => {{
  const box = element.getBoundingClientRect(), em = parseFloat(getComputedStyle(element).fontSize);
  return shown(element) && !element.closest(ASIDE) && box.height > 3 * em && box.width < 1.5 * em;
}});
return [...new Set([...cut, ...hidden, ...squeezed].map(name))];
}}"""

_WIDER = f"""() => {{
{_SHOWN}
const holder = [...document.querySelectorAll("[data-testid=stMain], html")]
  .find(element => element.scrollWidth > element.clientWidth);
if (!holder) return [];
const edge = holder.getBoundingClientRect().left + holder.clientWidth;
const wider = [...holder.querySelectorAll("*")].filter(
  element => shown(element) && element.getBoundingClientRect().right > edge);
return ["wider than the window", ...new Set(wider.map(name))];
}}"""

_FAINT = f"""minimum => {{
{_SHOWN}
const canvas = document.createElement("canvas").getContext("2d", {{willReadFrequently: true}});
const read = css => {{
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}};
const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const light = color => {{
  const [r, g, b] = color.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}};
const behind = element => {{
  const layers = [];
  for (let at = element; at; at = at.parentElement) {{
    const color = read(getComputedStyle(at).backgroundColor);
    if (color[3] > 0) layers.push(color);
    if (color[3] === 1) break;
  }}
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
}};
const opacity = element => {{
  let all = 1;
  for (let at = element; at; at = at.parentElement) all *= Number(getComputedStyle(at).opacity);
  return all;
}};
const faint = [];
for (const element of document.querySelectorAll("[data-testid=stApp] *, body > #ui *")) {{
  if (!own(element) || !shown(element) || !name(element)) continue;
  // What is disabled may be faint, a chart and a table draw their own, and an icon is not text,
  // and a slider shows its ends only under the pointer.
  if (element.closest(":disabled, [aria-disabled=true], .js-plotly-plot, [data-testid=stDataFrame], [inert], svg, "
      + "[data-testid=stIconMaterial], [role=img], [data-testid=stSlider], style, script")) continue;
  const below = behind(element), style = getComputedStyle(element);
  const ink = read(style.color); ink[3] *= opacity(element);
  if (ink[3] < 0.05) continue; // hidden on purpose
  const [a, b] = [light(over(ink, below)), light(below)].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < minimum) faint.push(`${{ratio.toFixed(2)}} ${{name(element)}}`);
}}
return [...new Set(faint)];
}}"""


def cut_texts(page: Page) -> list[str]:
    """Texts that end in an ellipsis, or in nothing, since their place is too narrow."""
    return list(page.evaluate(_CUT))


def wider_than_window(page: Page) -> list[str]:
    """Texts of what reaches over the window's right edge, where the page can be scrolled sideways."""
    return list(page.evaluate(_WIDER))


def faint_texts(page: Page, minimum: float = CONTRAST_MIN) -> list[str]:
    """Texts whose color is too near to what is behind them, each with its contrast."""
    return list(page.evaluate(_FAINT, minimum))


def assert_none(look: Callable[[], list[str]], what: str) -> None:
    """What `look` finds is gone as soon as the page has settled."""
    found: list[str] = []

    def nothing() -> bool:
        found[:] = look()
        return not found

    with suppress(AssertionError):
        wait_until(nothing, SETTLES_S)
    assert found == [], f"{what}: {found}"


def assert_fits(page: Page, what: str) -> None:
    """Nothing is cut or wider than the window at any width, and text is read in both themes: one visit for all."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert_none(lambda: [*cut_texts(page), *wider_than_window(page)], f"{what}, {width} px")
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    # The theme that is on comes first: each page then changes it once, not twice.
    for theme in ("dark", "light") if dark else ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert_none(partial(faint_in, page, theme), f"{what}, {theme}")
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})


def faint_in(page: Page, theme: str) -> list[str]:
    """What is too faint in that theme, or that it is not on yet."""
    scheme = page.get_by_test_id("stApp").evaluate("app => getComputedStyle(app).colorScheme")
    return faint_texts(page) if scheme == theme else [f"not {theme} yet"]
