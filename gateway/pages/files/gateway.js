/** The gateway's conversation routes, for one tenant. */

import { authorization } from "./access.js";
import { events } from "./events.js";
import { ROOT } from "./root.js";

const ATTEMPTS = 8;
const FIRST_WAIT_MS = 400;
const LONGEST_WAIT_MS = 10_000;
const ENDS = new Set(
  ["completed", "failed", "incomplete", "cancelled", "expired"].map((end) => `thread.run.${end}`),
);

/** An answer that says what went wrong, as a problem document (RFC 9457) where it is one. */
export class Problem extends Error {
  constructor(status, document, wait) {
    const detail = document.detail || document.title || `The gateway answered with status ${status}.`;
    super(wait ? `${detail} Try again in ${wait} s.` : detail);
    this.status = status;
    this.reference = document.correlation_id || "";
  }
}

/** The connection could not be had, or had again. */
class Unreachable extends Error {}

/**
 * Follow a turn to its end, over as many connections as it takes.
 *
 * A run outlives its connection: one that breaks is followed again from the last event that came,
 * and one whose first answer never came is asked for again under the same key.
 * @param {{message: string, key: string, threadId: ?string, runId: ?string}} turn gets its ids
 *   as they become known
 * @returns {AsyncGenerator<{id: string, name: string, data: any}>}
 */
export async function* follow(turn) {
  let last = "";
  for (let failures = 0, ended = false; !ended; ) {
    try {
      const response = turn.runId ? await resume(turn.runId, last) : await say(turn);
      if (response.status === 204) return;
      for await (const event of events(response)) {
        failures = 0;
        last = event.id || last;
        ended ||= ENDS.has(event.name) || event.name === "error";
        yield event;
      }
    } catch (error) {
      if (isFinal(error, turn)) throw error;
    }
    if (!ended) await pause(++failures);
  }
}

/** Ask a run to end; one that has ended already is no error. */
export async function cancel(runId) {
  try {
    await ask(`runs/${encodeURIComponent(runId)}/cancel`, { method: "POST" });
  } catch (error) {
    if (error.status !== 409) throw error;
  }
}

/** All messages of a thread, oldest first. */
export async function history(threadId) {
  const found = [];
  for (let after = "", more = true; more; ) {
    const query = new URLSearchParams({ limit: "100", order: "asc", ...(after && { after }) });
    const path = `threads/${encodeURIComponent(threadId)}/messages?${query}`;
    const page = await (await ask(path)).json();
    found.push(...page.data);
    after = page.last_id;
    more = page.has_more;
  }
  return found;
}

function say(turn) {
  return ask("chat", {
    method: "POST",
    headers: {
      Accept: "text/event-stream",
      "Content-Type": "application/json",
      "Idempotency-Key": turn.key,
    },
    body: JSON.stringify({ thread_id: turn.threadId, message: turn.message }),
  });
}

function resume(runId, last) {
  const headers = { Accept: "text/event-stream", ...(last && { "Last-Event-ID": last }) };
  return ask(`runs/${encodeURIComponent(runId)}/events`, { headers });
}

async function ask(path, options = {}) {
  const headers = { ...options.headers, ...(await authorization(mint)) };
  return send(path, { ...options, headers });
}

/** A session of a new, anonymous user. */
async function mint() {
  return (await (await send("sessions", { method: "POST" })).json()).token;
}

async function send(path, options) {
  const response = await fetch(new URL(path, ROOT), { cache: "no-store", ...options });
  if (response.ok) return response;
  const document = await response.json().catch(() => ({}));
  throw new Problem(response.status, document, response.headers.get("Retry-After"));
}

/** Whether only the user can say if it is asked again: a refusal, or no run came to exist. */
function isFinal(error, turn) {
  return error instanceof Problem && (!turn.runId || error.status < 500);
}

/** Wait longer each time, but no longer than the network is away. */
async function pause(failures) {
  if (failures >= ATTEMPTS) throw new Unreachable();
  const wait = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
  await new Promise((resolve) => {
    setTimeout(resolve, wait);
    addEventListener("online", resolve, { once: true });
  });
}
