/** One turn as it is shown: its texts, the tools that it uses, and how it ended. */

const ENDINGS = {
  max_tokens: "This answer is incomplete: it reached its greatest length.",
  max_completion_tokens: "This answer is incomplete: it reached its greatest length.",
  content_filter: "This answer is incomplete: the rest was withheld by a content filter.",
  run_cancelled: "Stopped. This answer is incomplete.",
  run_expired: "This answer is incomplete: it took too long.",
  run_failed: "This answer is incomplete: it failed.",
};
const STATES = { running: "in progress", done: "done", failed: "failed", stopped: "stopped" };
// What a tool does now, and what it did.
const WORDS = {
  function: ["Using", "Used"],
  code_interpreter: ["Running code", "Ran code"],
  file_search: ["Searching files", "Searched files"],
};

/** An element with a text, which is never read as HTML. */
export function element(tag, className, text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** What the user said. */
export function question(text) {
  const article = element("article", "user");
  article.append(element("p", "text", text));
  return article;
}

/** What the assistant does and says in one turn. */
export class Answer {
  #texts = new Map();
  #calls = new Map();
  #sources = new Set();

  constructor() {
    this.article = element("article", "assistant");
    this.clear();
  }

  /** Show what one event of the run says. */
  show(name, thing) {
    const [, kind, news] = name.match(/^thread\.(message|run\.step|run)\.(.+)$/) ?? [];
    if (kind === "message" && news === "delta") this.#say(thing);
    if (kind === "run.step" && news === "delta") this.#use(thing.id, thing.delta.step_details);
    if (kind === "run.step" && news !== "delta") this.#step(thing);
    if (kind === "run") this.#run(thing);
    if (name === "error") this.fail(thing.error, thing.correlation_id);
  }

  /** Show a whole message, as the history has it. */
  recall(message) {
    message.content.forEach((block, index) => this.#write(message.id, index, block));
    if (message.status === "incomplete") this.#note(ENDINGS[message.incomplete_details?.reason]);
    this.#settle();
  }

  /**
   * Say that the answer is not whole, and why.
   * @param {string} why
   * @param {string} reference the correlation id
   * @param {?{label: string, act: function}} remedy a button that mends it
   */
  fail(why, reference = "", remedy = null) {
    const note = this.#note(why, "failed");
    note.setAttribute("role", "alert");
    if (reference) note.append(element("small", "", `Reference: ${reference}`));
    if (remedy) note.append(button(remedy.label, () => (note.remove(), remedy.act())));
    this.#settle();
  }

  /** Whether something is still to come. */
  get busy() {
    return this.article.getAttribute("aria-busy") === "true";
  }

  /** Whether nothing is missing. */
  get whole() {
    return !this.article.querySelector(".note");
  }

  /** Start again with nothing shown. */
  clear() {
    this.#texts.clear();
    this.#calls.clear();
    this.#sources.clear();
    this.article.replaceChildren();
    this.article.setAttribute("aria-busy", "true");
  }

  #note(text, kind = "") {
    return this.article.appendChild(element("div", `note ${kind}`, text ?? ENDINGS.run_failed));
  }

  #settle() {
    this.article.setAttribute("aria-busy", "false");
    for (const call of this.#calls.values()) call.settle();
  }

  #run(run) {
    const reason = run.incomplete_details?.reason ?? "content_filter";
    const why = run.last_error?.message ?? "";
    if (run.status === "incomplete") this.#note(ENDINGS[reason]);
    if (run.status === "cancelled") this.#note(ENDINGS.run_cancelled);
    if (run.status === "expired") this.fail(ENDINGS.run_expired);
    if (run.status === "failed") this.fail(`This answer is incomplete. ${why}`);
    if (["completed", "incomplete", "cancelled"].includes(run.status)) this.#settle();
  }

  #say({ id, delta }) {
    for (const block of delta.content) this.#write(id, block.index, block);
  }

  #write(id, index, block) {
    for (const note of block.text?.annotations ?? []) this.#cite(note);
    const key = `${id}/${index}`;
    const piece = block.text?.value ?? block.refusal ?? "";
    if (!piece) return;
    if (!this.#texts.has(key)) {
      const paragraph = this.article.appendChild(element("p", "text"));
      this.#texts.set(key, paragraph.appendChild(new Text()));
      if (this.#sources.size) this.article.append(this.sources);
    }
    this.#texts.get(key).appendData(piece);
  }

  /** Name a file that the answer draws on, once; the list of them stays below the text. */
  #cite(note) {
    const name = (note.file_citation ?? note.file_path)?.filename;
    if (!name || this.#sources.has(name)) return;
    if (!this.#sources.size) {
      this.sources = element("div", "sources");
      this.sources.append(element("span", "", "Sources"), element("ul", ""));
    }
    this.#sources.add(name);
    this.sources.lastChild.append(element("li", "", name));
    this.article.append(this.sources);
  }

  #step(step) {
    if (step.type !== "tool_calls") return;
    this.#use(step.id, step.step_details);
    if (step.status === "in_progress") return;
    const state = step.status === "completed" ? "done" : "failed";
    for (const [key, call] of this.#calls) if (key.startsWith(`${step.id}/`)) call.settle(state);
  }

  #use(stepId, details) {
    details.tool_calls?.forEach((news, place) => {
      const key = `${stepId}/${news.index ?? place}`;
      if (!this.#calls.has(key)) this.#calls.set(key, new ToolCall(this.article));
      this.#calls.get(key).take(news);
    });
  }
}

/** One use of a tool; its input and output come only where the tenant shows them to its users. */
class ToolCall {
  #type = "function";
  #name = "";
  #input = "";
  #output = "";
  #state = "running";

  constructor(article) {
    this.row = article.appendChild(element("div", "tool"));
    this.label = this.row.appendChild(element("span", "label"));
    this.state = this.row.appendChild(element("span", "unseen"));
    this.#tell();
  }

  /** Take a piece of it (which has an index) or all of it. */
  take(news) {
    const called = news.function ?? {};
    const input = called.arguments ?? news.code_interpreter?.input ?? "";
    this.#type = news.type in WORDS ? news.type : "function";
    this.#name = called.name || this.#name;
    this.#input = "index" in news ? this.#input + input : input || this.#input;
    this.#output = called.output || this.#output;
    this.#tell();
  }

  /** Say how it ended, if that was not said yet. */
  settle(state = "stopped") {
    if (this.#state !== "running") return;
    this.#state = state;
    this.#tell();
  }

  #tell() {
    const [now, then] = WORDS[this.#type];
    const what = this.#type === "function" ? ` ${this.#name || "a function"}` : "";
    this.label.textContent = (this.#state === "running" ? now : then) + what;
    this.row.className = `tool ${this.#state}`;
    this.state.textContent = STATES[this.#state];
    this.#detail([this.#input, this.#output].filter(Boolean).join("\n\n"));
  }

  #detail(text) {
    if (!text) return;
    if (!this.details) {
      this.details = this.row.appendChild(element("details", ""));
      this.details.append(element("summary", "", "Details"), element("pre", ""));
    }
    this.details.lastChild.textContent = text;
  }
}

function button(label, act) {
  const made = element("button", "quiet", label);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}
