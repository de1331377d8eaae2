/** What lets this page in: a token, which rides on every request. */

import { keep, kept } from "./storage.js";

/** `open`: nothing is asked for; `public`: anybody is given a session; `token`: the site's own. */
const KIND = document.body.dataset.access;
const SESSION = "session";

// A fragment never leaves the browser; it is taken away, so that nobody copies it with the address.
const given = new URLSearchParams(location.hash.slice(1));
if (given.has("token")) history.replaceState(null, "", location.pathname + location.search);
addEventListener("hashchange", () => {
  if (new URLSearchParams(location.hash.slice(1)).has("token")) location.reload();
});

// Given ones stay in memory. Nobody's session may outlive a reload, or the conversation would not.
let token = given.get("token") || (KIND === "public" ? kept(SESSION) : null);

/** The one thread that the token is for, where the site says so. */
export const boundThread = given.has("token") ? given.get("thread") : null;

/** Whether anybody may ask for a session. */
export const isPublic = KIND === "public" && !given.has("token");

/** Whether there is no way in. */
export function isShut() {
  return KIND === "token" && !token;
}

/**
 * The headers that a request carries.
 * @param {function(): Promise<string>} mint asks for a session where that is needed
 */
export async function authorization(mint) {
  if (!token && isPublic) keep(SESSION, (token = await mint()));
  return token ? { Authorization: `Bearer ${token}` } : {};
}

/** The token opens nothing any more. */
export function forget() {
  token = null;
  if (isPublic) keep(SESSION, null);
}
