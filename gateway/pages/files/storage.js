/** What a reload must find again, in the tab's storage. */

import { ROOT } from "./root.js";

/** What was kept under a name; null where nothing was, or where it cannot be read. */
export function kept(name) {
  try {
    return JSON.parse(sessionStorage.getItem(place(name)));
  } catch {
    return null;
  }
}

/** Keep it, where the browser lets us: in a frame of another site it may not. */
export function keep(name, value) {
  try {
    sessionStorage.setItem(place(name), JSON.stringify(value));
  } catch {
    // The conversation goes on; it only does not outlive a reload.
  }
}

function place(name) {
  return `${name}:${ROOT.pathname}`;
}
