"use strict";
// A Streamlit component without a build step: it is told of a document, shows it, and tells its own height.
// The messages are Streamlit's component protocol, version 1.
const tell = (type, more) =>
  window.parent.postMessage({ isStreamlitMessage: true, type, ...more }, "*");

let shown = "";

function show(document_) {
  const text = JSON.stringify(document_);
  if (text === shown) return;
  shown = text;
  SwaggerUIBundle({
    spec: document_,
    dom_id: "#ui",
    validatorUrl: null,
    supportedSubmitMethods: [], // another origin: the endpoint's own page is where it can be tried
    defaultModelsExpandDepth: 0,
    docExpansion: "list",
  });
}

// Swagger UI brings a dark theme of its own, which follows a class of the root.
function follow(theme) {
  const root = document.documentElement;
  root.classList.toggle("dark-mode", theme?.base === "dark");
  root.style.setProperty("--app-background", theme?.backgroundColor ?? "transparent");
}

window.addEventListener("message", (event) => {
  if (event.data.type !== "streamlit:render") return;
  follow(event.data.theme);
  show(event.data.args.document);
});
new ResizeObserver(() =>
  tell("streamlit:setFrameHeight", { height: document.documentElement.scrollHeight })
).observe(document.getElementById("ui"));
tell("streamlit:componentReady", { apiVersion: 1 });
