// Reads the AsyncAPI document with the official parser, references and all, and judges it by its rules.
// Called with the path of the document; prints what is wrong, and what was found, as one line of JSON.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const path = resolve(process.argv[2]);
// The packages are installed below target/, not beside this file.
const require = createRequire(join(resolve(process.argv[3]), "package.json"));
const { Parser } = require("@asyncapi/parser");

const parser = new Parser();
const { document, diagnostics } = await parser.parse(await readFile(path, "utf8"), { source: path });
// 0 is an error, 1 a warning; what is below that is advice.
const wrong = diagnostics
  .filter((found) => found.severity <= 1)
  .map((found) => `${found.path.join(".")}: ${found.message} (${found.code})`);
const found = document && {
  version: document.version(),
  channels: document.channels().all().map((channel) => channel.address()),
  messages: document.allMessages().all().map((message) => message.id()),
  operations: document.allOperations().all().length,
};
console.log(JSON.stringify({ wrong, found: found ?? null }));
