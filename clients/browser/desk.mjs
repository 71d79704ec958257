// The demo's desk for tests in Chromium: its command line, people's browsers with a device each, and what every page must keep to.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [readyPath, pictures] = process.argv.slice(2);
const program = process.env.TIDEGATE;

// Where pictures of the pages are kept.
export const folder = pictures;
// What `tidegate demo --json` printed.
export const ready = JSON.parse(readFileSync(readyPath, "utf8"));
export const console_ = ready.console;
export const linkOf = (person) => ready.people.find((one) => one.person === person).link;
const AUTHENTICATOR = {
  protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
  isUserVerified: true, automaticPresenceSimulation: true,
};
export const NARROW = { width: 360, height: 740 };
const AXE = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

export const violations = [];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// A person's browser, with a device of its own.
export async function device(options = {}) {
  const context = await browser.newContext({ ...options });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to|Trusted/i.test(message.text())) violations.push(message.text());
  });
  page.on("pageerror", (error) => violations.push(String(error)));
  page.setDefaultTimeout(15_000);
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", { options: AUTHENTICATOR });
  return { context, page, cdp, authenticatorId };
}

export async function enrol({ page }, person, link = linkOf(person)) {
  await page.goto(link);
  await page.getByRole("button", { name: "Make a passkey" }).click();
  await page.waitForURL("**/console/login");
}

export async function logIn({ page }) {
  await page.goto(console_ + "login");
  await page.getByRole("button", { name: "Log in with a passkey" }).click();
  await page.waitForURL(console_);
}

export async function logOut({ page }) {
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForURL("**/console/login");
}

export const tg = (...words) => {
  const list = [...words, "--json", "--data-dir", ready.data_dir];
  return JSON.parse(execFileSync(program, list, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
};

// What waits for a second person ends with 3.
export function asked(...words) {
  try {
    return tg(...words).pending;
  } catch (error) {
    return JSON.parse(error.stdout).pending;
  }
}

// What is refused ends with something else than 3, and says by what rule.
export function refused(...words) {
  let told;
  try {
    told = tg(...words);
  } catch (error) {
    assert.notEqual(error.status, 3, `${words.join(" ")} waits for somebody: ${error.stdout}`);
    return JSON.parse(error.stdout).error;
  }
  throw new Error(`${words.join(" ")} was carried out: ${JSON.stringify(told)}`);
}

export async function noSidewaysScroll(page, name) {
  const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= seen, `${name} is ${wide} wide on ${seen}`);
}

export async function noUnnamedField(page, name) {
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll("input:not([type=hidden]):not([hidden]), button, a")]
      .filter((one) => !(one.labels?.length || one.textContent.trim() || one.ariaLabel))
      .map((one) => one.outerHTML));
  assert.deepEqual(unnamed, [], name);
}

// What axe-core finds against WCAG 2.2, levels A and AA, and its own good practice.
export async function accessible(page, name) {
  // Through the debugger: the page's policy lets no script in.
  await page.evaluate(`${AXE}; 0`);
  const { violations: found } = await page.evaluate(() => axe.run(document, { preload: false }));
  const told = found.map(({ id, nodes }) => `${id}: ${nodes.map((one) => one.html).join(" ")}`);
  assert.deepEqual(told, [], name);
}

// Plays the steps in their order, tells how each went, and ends the program.
export async function play(steps) {
  let failed = 0;
  for (const [name, step] of Object.entries(steps)) {
    const began = Date.now();
    try {
      await step();
      console.log(`ok     ${name} ${((Date.now() - began) / 1000).toFixed(1)} s`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED ${name}\n       ${String(error.stack).split("\n").slice(0, 6).join("\n       ")}`);
    }
  }
  await browser.close();
  console.log(`${Object.keys(steps).length - failed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}
