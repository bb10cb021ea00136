// Four things that Streamlit 1.67 leaves to the browser. The page is told once; every later run finds it done.
//
// 1. A page writes what it shows into its address. Streamlit makes each such write a step of the history, so that Back
//    would lead to the same page without its parameters. Here a write is a step only when the visitor has done
//    something on the page since the last one; what a page adds by itself replaces.
// 2. Streamlit closes the menu after a choice on a phone, and leaves it over the page in a window as narrow as one.
// 3. A page begins at its top; Streamlit keeps how far the page before was scrolled, which hides a form that just opened.
// 4. What a click has opened is brought into sight, with the table that was clicked where both have room.
if (!window.slipwayHistory) {
  window.slipwayHistory = true
  const NARROW_PX = 768
  const SWITCH_MS = 1500
  const HEADER_PX = 56
  const SHARE = 0.6
  const DRAWN_MS = 200
  const push = history.pushState.bind(history)
  const replace = history.replaceState.bind(history)
  let acted = false
  let added = -Infinity
  let closed = false
  for (const kind of ["pointerdown", "keydown"]) {
    window.addEventListener(kind, () => { acted = true }, true)
  }
  // Streamlit remembers for every later visit whether the menu was open. This one was opened to choose from and closed for
  // want of room: the next visit begins with it where there is room, and without it where it would cover the page.
  const forgetMenu = () => {
    for (const name of Object.keys(localStorage)) {
      if (name.startsWith("stSidebarCollapsed")) localStorage.removeItem(name)
    }
  }
  const closeMenu = () => {
    const button = document.querySelector('[data-testid="stSidebarCollapseButton"] button[aria-expanded="true"]')
    if (!button || window.innerWidth >= NARROW_PX) return
    button.click()
    forgetMenu()
    closed = true
  }
  window.addEventListener("resize", () => {
    if (!closed || window.innerWidth < NARROW_PX) return
    closed = false
    document.querySelector('[data-testid="stExpandSidebarButton"]')?.click()
    forgetMenu()
  })
  window.slipwayBring = (what, below) => setTimeout(() => {
    const main = document.querySelector('[data-testid="stMain"]')
    const opened = document.querySelector(`.st-key-${what}`)
    if (!main || !opened) return
    const table = document.querySelector(`.st-key-${below}`) ?? opened
    const seen = main.getBoundingClientRect()
    const top = (element) => element.getBoundingClientRect().top - seen.top - HEADER_PX
    if (top(opened) >= 0 && top(opened) < seen.height / 2) return
    const to = top(opened) - top(table) < SHARE * seen.height ? table : opened
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches
    main.scrollBy({ top: top(to), behavior: still ? "auto" : "smooth" })
  }, DRAWN_MS)
  history.pushState = (state, title, url) => {
    const to = new URL(url, location.href)
    const moves = to.pathname !== location.pathname
    // A way to another page by code writes that page's parameters here first: this is no step of its own.
    const half = moves && to.search === location.search && performance.now() - added < SWITCH_MS
    const step = (moves && !half) || (!moves && acted)
    if (!moves && acted) added = performance.now()
    acted = false
    if (step) push(state, title, url)
    else replace(state, title, url)
    if (moves) {
      closeMenu()
      document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0)
    }
  }
}
