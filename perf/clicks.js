// Started before a click: notes when the click came, when the script was at rest again, and when the page last changed.
() => {
  const app = document.querySelector("[data-testid=stApp]")
  const state = () => app.getAttribute("data-test-script-state")
  const clock = { clicked: null, changed: null, asked: false, rested: null }
  const click = () => { clock.clicked = performance.now() }
  document.addEventListener("click", click, true)
  const inPage = node => {
    const element = node.nodeType === 1 ? node : node.parentElement
    // A table is painted on a canvas; what lies inside of it is its copy for screen readers, which the grid writes 200 ms
    // later and nobody sees.
    return element !== null && element.closest("[data-testid=stMain]") !== null && element.closest("canvas") === null
  }
  const observer = new MutationObserver(found => {
    const now = performance.now()
    for (const one of found) {
      if (one.target === app && one.attributeName === "data-test-script-state") {
        if (state() === "notRunning") clock.rested = now
        else { clock.asked = true; clock.rested = null }
      } else if (inPage(one.target)) clock.changed = now
    }
  })
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true })
  const started = performance.now()
  clock.drawn = quiet => new Promise((give, fail) => {
    const look = () => {
      const now = performance.now()
      const from = clock.clicked ?? started
      const last = Math.max(from, clock.changed ?? 0, clock.rested ?? 0)
      const waited = clock.asked || now - from > 4 * quiet
      if (waited && state() === "notRunning" && now - last > quiet) {
        observer.disconnect()
        document.removeEventListener("click", click, true)
        give(last - from)
      } else if (now - started > 20000) {
        observer.disconnect()
        fail(new Error("the page does not come to rest"))
      } else setTimeout(look, 10)
    }
    look()
  })
  window.clickClock = clock
}
