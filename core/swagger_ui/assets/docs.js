"use strict";
// The page of one endpoint: its own document, and its operations to try with a key (Authorize).
SwaggerUIBundle({
  url: "swagger.json?version=3.1",
  dom_id: "#ui",
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  docExpansion: "list",
  tryItOutEnabled: true,
});
