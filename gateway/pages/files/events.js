/** Server-Sent Events out of the body of a fetch (WHATWG HTML, section 9.2.6). */

/**
 * Read a response's events as they come.
 * @param {Response} response of the type text/event-stream
 * @returns {AsyncGenerator<{id: string, name: string, data: any}>} data is decoded JSON
 */
export async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new Parser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      // What is left without its blank line was cut off, and an event that was cut off is none.
      if (done) return;
      yield* parser.feed(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

class Parser {
  #rest = "";
  #event = { id: "", name: "message", data: [] };

  *feed(text) {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop();
    for (const line of lines) {
      const event = this.#take(line.endsWith("\r") ? line.slice(0, -1) : line);
      if (event) yield event;
    }
  }

  #take(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "id") this.#event.id = value;
    if (field === "event") this.#event.name = value;
    if (field === "data") this.#event.data.push(value);
    return null;
  }

  #dispatch() {
    const { id, name, data } = this.#event;
    this.#event = { id: "", name: "message", data: [] };
    return data.length ? { id, name, data: JSON.parse(data.join("\n")) } : null;
  }
}
