/** The chat page: one conversation a tab, kept over reloads. */

import { boundThread, forget, isPublic, isShut } from "./access.js";
import { Problem, cancel, follow, history } from "./gateway.js";
import { kept, keep } from "./storage.js";
import { Answer, element, question } from "./turn.js";

const [scroller, log, greeting, form, field, send, stop, fresh, status] = [
  "scroller", "log", "greeting", "composer", "message", "send", "stop", "new", "status",
].map((id) => document.getElementById(id));

/**
 * What a reload must find again: the thread, and its newest turn. The turn's answer is replayed
 * from its first event, so its text is never kept here.
 * @type {{threadId: ?string, turn: ?object}}
 */
const CONVERSATION = "conversation";
const ACCESS_NEEDED =
  "Access is needed to chat here. Open this page from the site that led you to it.";
const ACCESS_ENDED =
  "Your access has ended. Open this page again from the site that led you to it.";
const SESSION_ENDED = "Your session has ended, and this conversation with it.";
let conversation = { threadId: null, turn: null };
let following = null;
let recalling = true;
let ready = false;
let sendWhenReady = false;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const message = field.value.trim();
  if (!message) return;
  if (following || recalling) {
    sendWhenReady = !ready;
    return;
  }
  field.value = "";
  ask(message);
});

field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

addEventListener("keydown", (event) => {
  if (event.key === "Escape" && following) stopTurn(following);
});

stop.addEventListener("click", () => stopTurn(following));
fresh.addEventListener("click", () => {
  if (recalling) return;
  if (following) stopTurn(following);
  begin();
  field.focus();
});

fresh.hidden = Boolean(boundThread);
if (isShut()) shut(ACCESS_NEEDED);
else load();

/** Show what was said before the reload; a message that is sent meanwhile goes out after it. */
async function load() {
  recalling = true;
  ready = false;
  await recall().catch(unrecalled);
  ready = true;
  if (sendWhenReady) form.requestSubmit();
}

/** Forget the conversation, and greet. */
function begin() {
  following = null;
  remember({ threadId: null, turn: null });
  log.replaceChildren(greeting);
  settle("");
}

function ask(message) {
  const turn = { message, key: randomKey(), threadId: conversation.threadId, runId: null };
  // Their turns are no longer the newest.
  for (const remedy of log.querySelectorAll(".note button")) remedy.remove();
  log.append(question(message));
  answer(turn);
}

/** Show a turn from its first event to its end. */
async function answer(turn) {
  const mine = { turn, shown: new Answer(), stopAsked: false };
  following = mine;
  remember({ ...conversation, turn });
  log.append(mine.shown.article);
  settle("Answering …");
  scroll(true);
  await show(mine).catch(async (error) => {
    const pinned = isPinned();
    await explain(error, mine);
    scroll(pinned);
  });
  if (following !== mine) return;
  following = null;
  settle(mine.shown.whole ? "Answered." : "The answer is incomplete.");
}

async function show(mine) {
  const { turn, shown } = mine;
  for await (const { name, data } of follow(turn)) {
    const pinned = isPinned();
    if (name === "thread.run.created") known(mine, data.data);
    shown.show(name, data.data ?? data);
    scroll(pinned);
  }
  if (shown.busy) await fromHistory(mine);
}

/** The run exists: a reload from here on follows it. */
function known(mine, run) {
  mine.turn.runId = run.id;
  mine.turn.threadId = run.thread_id;
  if (following === mine) remember({ threadId: run.thread_id, turn: mine.turn });
  if (mine.stopAsked) stopTurn(mine);
}

/** The run's events are kept no longer: what became of it is in the thread. */
async function fromHistory({ turn, shown }) {
  shown.clear();
  for (const message of await history(turn.threadId)) {
    if (message.role === "assistant" && message.run_id === turn.runId) shown.recall(message);
  }
  if (shown.busy) shown.fail("This answer is incomplete.");
}

async function explain(error, mine) {
  const { turn, shown } = mine;
  if (error.status === 401) {
    lapsed(mine);
  } else if (error.status === 410) {
    await fromHistory(mine).catch((cause) => explain(cause, mine));
  } else if (!(error instanceof Problem)) {
    const why = "The connection to the gateway was lost, so this answer is incomplete.";
    shown.fail(why, "", again("Reconnect", mine));
  } else if (turn.runId) {
    shown.fail(`This answer is incomplete. ${error.message}`, error.reference);
  } else {
    // Nothing of it was kept by the gateway, and a reload must not send it again by itself.
    if (following === mine) remember({ ...conversation, turn: null });
    shown.fail(error.message, error.reference, error.status === 400 ? null : again("Try again", mine));
  }
}

/** The token died. Who is anybody goes on as somebody new, who has no conversation yet. */
function lapsed(mine) {
  forget();
  if (!isPublic) return shut(ACCESS_ENDED, mine.shown);
  remember({ threadId: null, turn: null });
  Object.assign(mine.turn, { threadId: null, runId: null });
  mine.shown.fail(SESSION_ENDED, "", again("Ask again in a new one", mine));
}

/** Say that there is no way in. */
function shut(words, shown = new Answer()) {
  recalling = sendWhenReady = false;
  shown.fail(words);
  log.append(shown.article);
  field.disabled = send.disabled = fresh.disabled = true;
}

function again(label, { turn, shown }) {
  const act = () => {
    if (following) return;
    shown.article.remove();
    answer(turn);
  };
  return { label, act };
}

async function stopTurn(mine) {
  mine.stopAsked = true;
  leaveStop();
  stop.disabled = true;
  if (!mine.turn.runId) return;
  await cancel(mine.turn.runId).catch(() => (stop.disabled = false));
}

/** After a reload: the thread's messages, then its newest turn from the first event on. */
async function recall() {
  conversation = kept(CONVERSATION) ?? conversation;
  if (boundThread && boundThread !== conversation.threadId) {
    conversation = { threadId: boundThread, turn: null };
  }
  const { threadId, turn } = conversation;
  for (const message of threadId ? await history(threadId) : []) {
    if (message.role === "user") log.append(question(message.content[0].text.value));
    else if (message.run_id !== turn?.runId) log.append(recalled(message));
  }
  recalling = false;
  if (turn && !turn.runId) log.append(question(turn.message));
  if (turn) await answer(turn);
}

function unrecalled(error) {
  recalling = false;
  if (error.status === 401) return unknown();
  if (error.status === 404) return begin();
  sendWhenReady = false;
  const shown = new Answer();
  const act = () => (shown.article.remove(), load());
  const why = "The conversation could not be loaded.";
  shown.fail(why, error.reference, { label: "Try again", act });
  log.append(shown.article);
}

/** Nobody knows the token any more. */
function unknown() {
  forget();
  if (!isPublic) return shut(ACCESS_ENDED);
  begin();
  log.append(element("div", "note", SESSION_ENDED));
}

function recalled(message) {
  const shown = new Answer();
  shown.recall(message);
  return shown.article;
}

function remember(next) {
  conversation = next;
  keep(CONVERSATION, next);
}

function settle(words) {
  leaveStop();
  status.textContent = words;
  send.hidden = Boolean(following);
  stop.hidden = !following;
  stop.disabled = false;
}

/** A button that goes away takes the focus with it. */
function leaveStop() {
  if (document.activeElement === stop) field.focus();
}

function isPinned() {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
}

function scroll(wanted) {
  if (wanted) scroller.scrollTop = scroller.scrollHeight;
}

/** Of 128 random bits; `randomUUID` is missing on pages without TLS. */
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
