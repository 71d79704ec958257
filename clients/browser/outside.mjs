// Logs people in to the console through an outside OpenID provider (../oauth/provider.mjs), in Chromium.
//
//   node outside.mjs READY.json FOLDER      READY.json: what `tidegate demo --json` printed
import assert from "node:assert/strict";
import {
  asked, console_, device, enrol, folder, linkOf, logIn, logOut, noSidewaysScroll, noUnnamedField, play, tg, violations,
} from "./desk.mjs";

const NAME = "Example ID";
const people = {};

async function signIn(page, account, shows = "strong") {
  await page.getByLabel("Account").fill(account);
  await page.getByLabel("Shows").selectOption(shows);
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function begin(page) {
  await page.goto(console_ + "login");
  await page.getByRole("button", { name: `Log in with ${NAME}` }).click();
  await page.getByLabel("Account").waitFor();
}

// Where the provider sends the browser back to, without going there.
async function answered({ page, context }, account) {
  await begin(page);
  const form = { account, shows: "strong" };
  const action = await page.locator("form").evaluate((it) => it.action);
  let reply = await context.request.post(action, { form, maxRedirects: 0 });
  const next = () => new URL(reply.headers().location, action);
  while (next().origin === new URL(action).origin) reply = await context.request.get(next().href, { maxRedirects: 0 });
  return next().href;
}

async function isRefused(page, words) {
  assert.match(await page.getByRole("alert").innerText(), words);
  await page.goto(console_);
  assert.equal(page.url(), console_ + "login");
}

const NOBODY = /that login is nobody's here/;
const NOT_TAKEN = /the login there cannot be taken/;

await play({
  async "a login that nobody linked opens nothing"() {
    const { page, context } = await device();
    await begin(page);
    await signIn(page, "pia@example");
    await isRefused(page, NOBODY);
    await context.close();
  },

  async "who is in by passkey links it"() {
    people.pia = await device();
    const { page } = people.pia;
    await enrol(people.pia, "pia");
    await logIn(people.pia);
    await page.goto(console_ + "security");
    await page.getByRole("button", { name: `Link ${NAME}` }).click();
    await signIn(page, "pia@example");
    await page.waitForURL(console_ + "security");
    await page.getByText("pia@example").waitFor();
    await noSidewaysScroll(page, "linked");
    await noUnnamedField(page, "linked");
    await page.screenshot({ path: `${folder}/linked.png`, fullPage: true });
    const [linked] = tg("person", "linked", "pia").linked;
    assert.equal(linked.subject, "pia@example");
    await logOut(people.pia);
  },

  async "it logs in from then on"() {
    const { page } = await (people.other = await device());
    await begin(page);
    await page.screenshot({ path: `${folder}/provider.png` });
    await signIn(page, "pia@example");
    await page.waitForURL(console_);
    assert.match(await page.locator("header").innerText(), /pia · approver/);
    assert.equal(tg("person", "sessions", "pia").sessions.length, 1);
    assert.ok(tg("person", "linked", "pia").linked[0].last_used_ms > 0);
  },

  async "another account, or a token of another login, does not"() {
    for (const [account, words] of [["mallory@example", NOBODY], ["replayed", NOT_TAKEN]]) {
      const { page, context } = await device();
      await begin(page);
      await signIn(page, account);
      await isRefused(page, words);
      await context.close();
    }
  },

  async "one factor there takes another here"() {
    const { page, context } = await device();
    await begin(page);
    await signIn(page, "pia@example", "weak");
    await isRefused(page, /takes a code of an authenticator app/);
    await context.close();
  },

  async "a one-time link enrols by it"() {
    const { page, context } = await device();
    await page.goto(linkOf("udo"));
    await page.getByRole("button", { name: `Log in with ${NAME}` }).click();
    await signIn(page, "udo@example");
    await page.waitForURL("**/console/login");
    await page.getByRole("button", { name: `Log in with ${NAME}` }).click();
    await page.waitForURL(console_);
    assert.match(await page.locator("header").innerText(), /udo · auditor/);
    await page.goto(linkOf("udo"));
    await page.getByText("not good any more").waitFor();
    await context.close();
  },

  async "an answer is good in the browser that asked, once and as it was given"() {
    const [asking, other] = [await device(), await device()];
    const answer = await answered(asking, "pia@example");
    await other.page.goto(answer);
    await isRefused(other.page, NOT_TAKEN);
    await asking.page.goto(answer);
    await isRefused(asking.page, NOT_TAKEN);

    for (const name of ["state", "code", "iss"]) {
      await asking.context.clearCookies();
      const changed = new URL(await answered(asking, "pia@example"));
      changed.searchParams.set(name, "https://evil.example");
      await asking.page.goto(changed.href);
      await isRefused(asking.page, NOT_TAKEN);
    }
    await asking.context.close();
    await other.context.close();
  },

  async "approving takes the person's own passkey all the same"() {
    tg("approvals", "set", "two");
    tg("halt", "account:binance-bots", "--reason", "a test of approvals");
    const id = asked("resume", "account:binance-bots", "--reason", "tested");
    const stage = () => tg("approvals").requests.find((one) => one.id === id).stage;
    const { page } = people.other;
    await page.goto(`${console_}approvals/${id}`);
    // No passkey is in this browser.
    await page.getByRole("button", { name: "Approve with your passkey" }).click();
    await page.locator("output", { hasText: /./ }).waitFor();
    assert.equal(stage(), "waiting");
    await page.goto(console_ + "security");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.locator("output", { hasText: /./ }).waitFor();
    assert.equal(tg("person", "sessions", "pia").passkeys.length, 1);

    await logIn(people.pia);
    await people.pia.page.goto(`${console_}approvals/${id}`);
    await people.pia.page.getByRole("button", { name: "Approve with your passkey" }).click();
    await people.pia.page.getByText("carried-out").waitFor();
    assert.equal(stage(), "carried-out");
  },

  async "a logout at the provider ends what rests on it, and nothing else"() {
    const { page } = people.other;
    assert.equal(tg("person", "sessions", "pia").sessions.length, 2);
    await page.goto(`${tg("person", "linked", "pia").linked[0].issuer}/session/end`);
    await page.getByRole("button", { name: /yes/i }).click();
    await page.waitForURL("**/session/end/**");
    await page.goto(console_);
    assert.equal(page.url(), console_ + "login");
    await people.pia.page.goto(console_);
    assert.equal(people.pia.page.url(), console_);
  },

  async "unlinked by an administrator it logs in no more"() {
    assert.equal(tg("person", "unlink", "pia").unlinked, 1);
    await people.pia.page.goto(console_);
    assert.equal(people.pia.page.url(), console_ + "login");
    const { page } = people.other;
    await begin(page);
    await signIn(page, "pia@example");
    await isRefused(page, NOBODY);
  },

  async "no page broke its own policy"() {
    assert.deepEqual(violations, []);
  },
});
