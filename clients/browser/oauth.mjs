// Every flow of the authorization server, from end to end, by two stock clients: the app's part is the library's, the person's
// is Chromium's with a passkey. What comes of each flow places orders, and is refused where it should be.
//
//   node oauth.mjs READY.json FOLDER      READY.json: what `tidegate demo --json` printed
import { writeFileSync } from "node:fs";
import assert from "node:assert/strict";
import { NARROW, console_, device, enrol, folder, noSidewaysScroll, noUnnamedField, play, ready, tg, violations } from "./desk.mjs";
import { Oauth4webapi, OpenidClient } from "./libraries.mjs";

const ISSUER = new URL(new URL(console_).origin);
const ACCOUNT = "binance-main";
const CALLBACK = "https://app.example/callback";
const GRANTS = "authorization_code,client_credentials,refresh_token,device_code,token_exchange";
const OWNED = [];

const details = (notional) => JSON.stringify([{
  type: "tidegate_trading", venue: "binance", account: ACCOUNT, instruments: ["BTCUSDT"], sides: ["buy"], order_types: ["limit"],
  max_order: { notional }, max_open_notional: "100000",
}]);
// An order of a notional of 500, and where it goes: the exchange's own route, and the unified API.
const NATIVE = new URL("/binance/fapi/v1/order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000", ISSUER);
const UNIFIED = new URL("/v1/orders", ISSUER);

// A caller of the desk with a grant, as an app with a key of its own.
async function app(Library, id, ...words) {
  const keys = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", keys.publicKey);
  const jwks = `${folder}/${id}.jwks.json`;
  writeFileSync(jwks, JSON.stringify({ keys: [{ kty, crv, x, y, alg: "ES256", kid: "one" }] }));
  tg("caller", "add", id);
  tg("grant", "set", id, "--account", ACCOUNT, "--max-order", "100000", "--max-open", "400000");
  tg("app", "add", id, "--title", `Olga's ${id}`, "--jwks", jwks, "--redirect-uri", CALLBACK, "--grants", GRANTS, ...words);
  OWNED.push(id);
  return Library.of(ISSUER, id, keys.privateKey);
}

// Both ways take the order of a token that allows it.
async function trades(library, token) {
  const native = await library.fetch(token, NATIVE, "POST");
  const placed = await native.json();
  assert.deepEqual([native.status, placed.symbol, placed.side], [200, "BTCUSDT", "BUY"], JSON.stringify(placed));
  const order = { instrument: "binance/BTCUSDT", side: "buy", type: "limit", quantity: "0.01", price: "50000" };
  const headers = new Headers({ "content-type": "application/json", "idempotency-key": crypto.randomUUID() });
  const unified = await library.fetch(token, UNIFIED, "POST", JSON.stringify(order), headers);
  const told = await unified.json();
  assert.deepEqual([unified.status, told.state], [201, "open"], JSON.stringify(told));
}

// Neither takes it of one that does not.
async function tradesNot(library, token, code) {
  const native = await library.fetch(token, NATIVE, "POST");
  assert.match(await native.text(), new RegExp(code));
}

// A token that is over is told so.
async function isOver(library, token) {
  const asked = library.fetch(token, new URL("/v1/limits", ISSUER)).then((answer) => answer.status);
  assert.equal(await asked.catch((error) => error.status ?? error.cause?.status ?? error), 401);
}

async function refused(asked, code) {
  await assert.rejects(asked, (error) => assert.equal(error.error, code) ?? true);
}

// The app's own page, on another site: the browser comes from there without its cookies.
let at;
async function openAt(page, begun) {
  at = begun.url;
  await page.goto("https://app.example/");
  await page.getByRole("link", { name: "Connect" }).click();
}

// The person allows what the app asks; where the browser is sent.
async function allowed(page, begun) {
  await openAt(page, begun);
  await page.getByRole("button", { name: "Allow with your passkey" }).click();
  await page.waitForURL(`${CALLBACK}?**`);
  return page.url();
}

let page;
const steps = {
  async "a person enrols with a passkey"() {
    const olga = await device({ viewport: NARROW });
    page = olga.page;
    await page.route("https://app.example/**", (route) => route.fulfill({
      contentType: "text/html", body: `<title>app</title><a href="${at?.href.replaceAll("&", "&amp;")}">Connect</a>`,
    }));
    tg("person", "set", "olga", "--roles", "trader");
    await enrol(olga, "olga", tg("person", "invite", "olga").link);
  },
};

for (const Library of [OpenidClient, Oauth4webapi]) {
  const name = Library.name.toLowerCase();
  const step = (what, run) => { steps[`${Library.name}: ${what}`] = run; };
  let notebook, bot, tokens, handed;

  step("client credentials", async () => {
    bot = await app(Library, `${name}-bot`);
    notebook = await app(Library, `${name}-app`, "--delegate", `${name}-bot`);
    tg("person", "set", "olga", "--roles", "trader", "--owns", OWNED.join(","));
    const own = await bot.credentials(details("1000"));
    assert.equal(own.token_type, "dpop");
    await trades(bot, own.access_token);
    await refused(bot.credentials(details("900000000")), "invalid_authorization_details");
  });

  step("a code by a person's consent, with PKCE, PAR and iss", async () => {
    const begun = await notebook.begin(CALLBACK, details("1000"));
    assert.deepEqual([...begun.url.searchParams.keys()].sort(), ["client_id", "request_uri"]);
    await openAt(page, begun);
    await page.waitForURL(/console\/(login|consent)/);
    if (page.url().endsWith("login")) await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await page.waitForURL("**/console/consent?**");
    const text = await page.locator("main").innerText();
    for (const said of [`Olga's ${name}-app`, "app.example", ACCOUNT, "BTCUSDT", "1000"]) assert.ok(text.includes(said), `${said}: ${text}`);
    await noSidewaysScroll(page, "consent");
    await noUnnamedField(page, "consent");
    await page.screenshot({ path: `${folder}/consent-${name}.png`, fullPage: true });
    const to = await allowed(page, begun);
    for (const [word, value] of [["iss", "https://evil.example"], ["iss", undefined], ["state", "another"]]) {
      const spoilt = new URL(to);
      if (value) spoilt.searchParams.set(word, value);
      else spoilt.searchParams.delete(word);
      await assert.rejects(begun.back(spoilt), undefined, `${word} ${value}`);
    }
    tokens = await begun.back(to);
    assert.equal(tokens.authorization_details[0].max_order.notional, "1000");
    await trades(notebook, tokens.access_token);
    const limits = await notebook.fetch(tokens.access_token, new URL("/v1/limits", ISSUER));
    assert.deepEqual([limits.status, (await limits.json()).account], [200, ACCOUNT]);
  });

  step("a code by a request that the app signed, as it must", async () => {
    const signer = await app(Library, `${name}-signer`, "--signs-requests");
    tg("person", "set", "olga", "--roles", "trader", "--owns", OWNED.join(","));
    await refused(signer.begin(CALLBACK, details("1000")), "invalid_request");
    const begun = await signer.beginSigned(CALLBACK, details("1000"));
    const given = await begun.back(await allowed(page, begun));
    assert.equal(given.authorization_details[0].max_order.notional, "1000");
    await trades(signer, given.access_token);
  });

  step("a no", async () => {
    const begun = await notebook.begin(CALLBACK, details("1000"));
    await openAt(page, begun);
    await page.getByRole("button", { name: "Deny" }).click();
    await page.waitForURL(`${CALLBACK}?**`);
    await refused(begun.back(page.url()), "access_denied");
  });

  step("refresh narrows, never widens, and does not turn over", async () => {
    const narrow = await notebook.refresh(tokens.refresh_token, details("400"));
    assert.equal(narrow.authorization_details[0].max_order.notional, "400");
    await tradesNot(notebook, narrow.access_token, "TG5");
    await refused(notebook.refresh(tokens.refresh_token, details("2000")), "invalid_authorization_details");
    const whole = await notebook.refresh(tokens.refresh_token);
    assert.ok([undefined, tokens.refresh_token].includes(whole.refresh_token), "it stays the same");
    assert.notEqual(whole.access_token, tokens.access_token);
    await trades(notebook, whole.access_token);
    await refused(bot.refresh(tokens.refresh_token), "invalid_grant");
  });

  step("a bot acts for the trader by exchange, within what the trader gave", async () => {
    await refused(notebook.exchange(tokens.access_token, details("600")), "unauthorized_client");
    await refused(bot.exchange(tokens.access_token, details("2000")), "invalid_authorization_details");
    handed = await bot.exchange(tokens.access_token, details("600"));
    assert.deepEqual([handed.token_type, handed.authorization_details[0].max_order.notional], ["dpop", "600"]);
    await trades(bot, handed.access_token);
    const known = await bot.introspect(handed.access_token);
    const trader = (await notebook.introspect(tokens.access_token)).sub;
    assert.match(trader, /^person:/);
    assert.deepEqual([known.sub, known.client_id, known.act.sub], [trader, `${name}-bot`, `${name}-bot`]);
  });

  step("a device, whose code a person types", async () => {
    const { asked, poll } = await notebook.device(details("1000"));
    await page.goto(asked.verification_uri);
    await page.waitForURL("**/console/device");
    await page.getByLabel("Code").fill("BBBB-BBBB");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Code").fill(asked.user_code.toLowerCase());
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("button", { name: "Allow with your passkey" }).click();
    await page.getByText("The device goes on by itself").waitFor();
    const given = await poll();
    assert.equal(given.token_type, "dpop");
    await trades(notebook, given.access_token);
  });

  step("introspection and revocation, of a token and of all that came of a consent", async () => {
    const known = await notebook.introspect(tokens.access_token);
    assert.deepEqual([known.active, known.client_id, known.token_type, known.iss], [true, `${name}-app`, "DPoP", ISSUER.origin]);
    assert.equal((await bot.introspect(tokens.access_token)).active, false, "another's");
    await notebook.revoke(tokens.access_token);
    assert.equal((await notebook.introspect(tokens.access_token)).active, false);
    await isOver(notebook, tokens.access_token);
    const next = await notebook.refresh(tokens.refresh_token);
    await notebook.revoke(tokens.refresh_token);
    await isOver(notebook, next.access_token);
    await isOver(bot, handed.access_token);
    await refused(notebook.refresh(tokens.refresh_token), "invalid_grant");
  });

  step("what a person may not give any more is over", async () => {
    const begun = await notebook.begin(CALLBACK, details("1000"));
    const given = await begun.back(await allowed(page, begun));
    await trades(notebook, given.access_token);
    tg("person", "set", "olga", "--roles", "trader");
    await isOver(notebook, given.access_token);
    await refused(notebook.refresh(given.refresh_token), "invalid_grant");
    tg("person", "set", "olga", "--roles", "trader", "--owns", OWNED.join(","));
  });
}

steps["no page broke its own policy"] = async () => assert.deepEqual(violations, []);
await play(steps);
