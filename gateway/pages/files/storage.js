/** What a reload must find again, in the tab's storage. */

import { ROOT } from "./gateway.js";

const PLACE = `conversation:${ROOT.pathname}`;

/** What was kept; null where nothing was, or where it cannot be read. */
export function kept() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE));
  } catch {
    return null;
  }
}

/** Keep it, where the browser lets us: in a frame of another site it may not. */
export function keep(conversation) {
  try {
    sessionStorage.setItem(PLACE, JSON.stringify(conversation));
  } catch {
    // The conversation goes on; it only does not outlive a reload.
  }
}
