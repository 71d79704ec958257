// The documents held against others' rules: OpenAPI by Spectral with the OWASP rules, AsyncAPI by the official parser.
// What is found must be what `findings.json` lists, with its reason; what is listed must be found.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const { Parser } = createRequire(import.meta.url)("@asyncapi/parser");
const here = dirname(fileURLToPath(import.meta.url));
const docs = join(here, "../../docs/api");
const expected = JSON.parse(readFileSync(join(here, "findings.json"), "utf8"));

function spectral() {
  const words = ["lint", join(docs, "openapi.json"), "-r", join(here, ".spectral.yaml"), "-f", "json", "--quiet"];
  const done = spawnSync(join(here, "node_modules/.bin/spectral"), words, { encoding: "utf8", maxBuffer: 1 << 26 });
  if (done.error || ![0, 1].includes(done.status)) throw new Error(done.stderr || String(done.error));
  return JSON.parse(done.stdout).map(({ code, path, message }) => [code, path.join("/"), message]);
}

async function asyncapi() {
  const { document, diagnostics } = await new Parser().parse(readFileSync(join(docs, "asyncapi.json"), "utf8"));
  const found = diagnostics.map(({ code, path, message }) => [code, (path ?? []).join("/"), message]);
  return document ? found : [...found, ["unreadable", "", "the parser made no document of it"]];
}

let failed = false;
for (const [name, found] of [["openapi", spectral()], ["asyncapi", await asyncapi()]]) {
  const unused = new Set(expected[name].map(({ rule }) => rule));
  for (const [rule, place, message] of found) {
    const listed = expected[name].find((known) => known.rule === rule && new RegExp(`^(${known.where})$`).test(place));
    if (listed) unused.delete(rule);
    else {
      failed = true;
      console.log(`${name}: ${rule} at ${place}: ${message}`);
    }
  }
  for (const rule of unused) {
    failed = true;
    console.log(`${name}: ${rule} is listed and not found any more`);
  }
  console.log(JSON.stringify({ document: name, findings: found.length, rules: expected[name].length }));
}
process.exit(failed ? 1 : 0);
