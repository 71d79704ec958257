// What each page of the console weighs and how soon it is painted, beside a page of one line that is sent nowhere.
//
//   node paint.mjs READY.json        READY.json: what `tidegate demo --json` printed
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const ROUNDS = 7;
const ready = JSON.parse(readFileSync(process.argv[2], "utf8"));
const link = ready.people.find((one) => one.person === "ray").link;
const AUTHENTICATOR = {
  protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
  isUserVerified: true, automaticPresenceSimulation: true,
};
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const context = await browser.newContext();
const page = await context.newPage();
const cdp = await context.newCDPSession(page);
await cdp.send("WebAuthn.enable");
await cdp.send("WebAuthn.addVirtualAuthenticator", { options: AUTHENTICATOR });
await cdp.send("Network.enable");

let bytes = 0;
let requests = 0;
cdp.on("Network.loadingFinished", (event) => { bytes += event.encodedDataLength; requests += 1; });

// One load: bytes on the wire with their headers, requests, ms until something is painted.
async function load(url, cold) {
  await cdp.send("Network.setCacheDisabled", { cacheDisabled: cold });
  await page.goto("about:blank");
  [bytes, requests] = [0, 0];
  await page.goto(url, { waitUntil: "load" });
  const painted = await page.evaluate(() => new Promise((done) => {
    const found = () => performance.getEntriesByName("first-contentful-paint")[0];
    if (found()) done(found().startTime);
    else new PerformanceObserver((_, observer) => {
      if (found()) { observer.disconnect(); done(found().startTime); }
    }).observe({ type: "paint", buffered: true });
  }));
  return { bytes, requests, painted };
}

const middle = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

async function measure(name, url) {
  const row = { page: name };
  for (const [kind, cold] of [["first", true], ["again", false]]) {
    if (!cold) await load(url, false);
    const loads = [];
    for (let n = 0; n < ROUNDS; n += 1) loads.push(await load(url, cold));
    for (const what of ["bytes", "requests", "painted"]) {
      row[`${kind}_${what}`] = Math.round(middle(loads.map((one) => one[what])));
    }
  }
  return row;
}

const rows = [await measure("one line of text", "data:text/html,<p>one line")];
rows.push(await measure("login", `${ready.console}login`));
await page.goto(link);
await page.getByRole("button", { name: "Make a passkey" }).click();
await page.waitForURL("**/console/login");
await page.goto(`${ready.console}login`);
await page.getByRole("button", { name: "Log in with a passkey" }).click();
await page.waitForURL(ready.console);
for (const name of ["", "approvals", "access", "sessions", "security"]) {
  rows.push(await measure(name || "overview", ready.console + name));
}
console.table(rows);
console.log(JSON.stringify(rows));
await browser.close();
