/** Shows the OpenAPI document as a page. */

import { element } from "./turn.js";

const SOURCE = new URL("../schema/openapi.json", import.meta.url);
const METHODS = ["get", "post", "put", "patch", "delete"];
const [contents, page] = ["contents", "document"].map((id) => document.getElementById(id));

let api = {};

show().catch((error) => page.replaceChildren(element("p", "", `It could not be loaded: ${error.message}`)));

async function show() {
  const response = await fetch(SOURCE);
  if (!response.ok) throw new Error(`status ${response.status}`);
  api = await response.json();
  page.replaceChildren(...introduction());
  for (const tag of api.tags) section(tag);
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function introduction() {
  const { title, version, description } = api.info;
  const source = element("a", "source", "openapi.json");
  source.href = SOURCE;
  const servers = api.servers.map(({ url, description }) => [code(url), prose(description)]);
  return [
    element("h1", "", title),
    row("p", "version", `Version ${version} · `, source),
    prose(description),
    table(["Server", "Tenant"], servers),
  ];
}

function section(tag) {
  page.append(element("h2", "", `${tag.name[0].toUpperCase()}${tag.name.slice(1)}`), prose(tag.description));
  const list = contents.appendChild(element("ul", ""));
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((name) => item[name]?.tags.includes(tag.name))) {
      const id = `${method}${path.replace(/\W+/g, "-")}`;
      page.append(operation(id, method, path, item[method]));
      const link = row("a", "", badge(method), " ", path);
      link.href = `#${id}`;
      list.appendChild(element("li", "")).append(link);
    }
  }
}

function operation(id, method, path, { summary, description, parameters, requestBody, responses }) {
  const made = element("section", "operation");
  made.id = id;
  made.append(row("h3", "", badge(method), " ", code(path)), row("p", "summary", summary));
  if (description) made.append(prose(description));
  const given = parameters.map(resolve).map((one) => [
    row("span", "", code(one.name), ` ${one.in}`),
    row("span", "", kind(one.schema)),
    prose(one.description ?? (one.required ? "Required." : "")),
  ]);
  made.append(element("h4", "", "Parameters"), table(["Name", "Type", ""], given));
  if (requestBody) made.append(element("h4", "", "Body"), ...media(requestBody.content));
  made.append(element("h4", "", "Answers"));
  for (const [status, response] of Object.entries(responses)) made.append(answer(status, resolve(response)));
  return made;
}

function answer(status, { description, content = {} }) {
  const made = element("details", "answer");
  const [first, ...rest] = description.split(/(?<=\.) (?=[A-Z])/);
  const summary = row("summary", "", element("b", `status s${status[0]}`, status), " ", ...inline(first));
  made.append(summary, prose(rest.join(" ")), ...media(content));
  return made;
}

function media(content) {
  return Object.entries(content).flatMap(([type, { schema, example }]) => [
    row("p", "media", code(type)),
    shape(schema),
    ...(example === undefined ? [] : [element("pre", "", JSON.stringify(example, null, 2))]),
  ]);
}

/** The properties of an object; those of objects within it follow when they are opened. */
function shape(schema) {
  const { properties, required = [], description = "" } = resolve(schema);
  if (!properties) return prose(description);
  const rows = Object.entries(properties).map(([name, property]) => [
    row("span", "", code(name), required.includes(name) ? "" : " optional"),
    inner(property),
    prose(property.description ?? ""),
  ]);
  return row("div", "", prose(description), table(["Field", "Type", ""], rows));
}

function inner(property) {
  const parts = [property, property.items, ...(property.items?.anyOf ?? []), ...(property.anyOf ?? [])];
  const objects = parts.filter((part) => part?.$ref && resolve(part).properties);
  if (!objects.length) return row("span", "", kind(property));
  const made = element("details", "");
  made.append(element("summary", "", kind(property)));
  // Filled when it is opened, since shapes may hold themselves.
  made.addEventListener("toggle", () => made.append(...objects.map(shape)), { once: true });
  return made;
}

function kind(schema) {
  const found = resolve(schema);
  if (found.enum) return found.enum.join(" | ");
  if (found.anyOf) return found.anyOf.map(kind).join(" | ");
  if (found.type === "array") return found.items ? `list of ${kind(found.items)}` : "list";
  return found.title ?? found.type ?? "any";
}

function resolve(thing) {
  return thing.$ref ? thing.$ref.slice(2).split("/").reduce((at, name) => at[name], api) : thing;
}

function table(heads, rows) {
  const made = element("table", "");
  const head = made.createTHead().insertRow();
  for (const text of heads) head.append(element("th", "", text));
  const body = made.createTBody();
  for (const cells of rows) {
    const line = body.insertRow();
    for (const cell of cells) line.insertCell().append(cell);
  }
  return row("div", "wide", made);
}

/** Paragraphs of a text, in which backticks mark code. */
function prose(text) {
  const made = element("div", "prose");
  for (const part of text.split("\n\n").filter(Boolean)) made.append(row("p", "", ...inline(part)));
  return made;
}

function inline(text) {
  return text.split(/`+/).map((part, at) => (at % 2 ? code(part) : part));
}

function badge(method) {
  return element("b", `method ${method}`, method.toUpperCase());
}

function code(text) {
  return element("code", "", text);
}

function row(tag, className, ...parts) {
  const made = element(tag, className);
  made.append(...parts);
  return made;
}
