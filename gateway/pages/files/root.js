/** Where the tenant's routes are: this file is served at <root>/pages/root.js, behind any proxy. */
export const ROOT = new URL("../", import.meta.url);
