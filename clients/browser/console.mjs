// Drives the console in Chromium as people would: enrols by link, logs in by passkey and by password,
// approves by passkey, and looks whether any page breaks its own rules.
//
//   node console.mjs READY.json FOLDER      READY.json: what `tidegate demo --json` printed
import { execFileSync } from "node:child_process";
import assert from "node:assert/strict";
import {
  NARROW, accessible, asked, console_, device, enrol, folder, linkOf, logIn, logOut, noSidewaysScroll, noUnnamedField, play, ready,
  refused, tg, violations,
} from "./desk.mjs";

const PASSWORD = "vier blaue Esel singen leise";
const people = {};

// Goes on with the Tab key until what is so named has the focus.
async function tabTo(page, name) {
  await page.bringToFront();
  for (let left = 150; left > 0; left -= 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const one = document.activeElement;
      return one === document.body ? "" : (one.labels?.[0] ?? one).textContent.trim();
    });
    if (name.test(at)) return;
  }
  throw new Error(`the Tab key does not lead to ${name}`);
}

async function press(page, name) {
  await tabTo(page, name);
  await page.keyboard.press("Enter");
}

// Puts fields and pictures that are called like what scripts look up into a page, once it has what `trigger` finds.
async function hideNames(page, trigger) {
  const names = ["action", "dataset", "elements", "querySelector", "getAttribute", "addEventListener", "submit"];
  const ofDocument = ["querySelector", "querySelectorAll", "forms"];
  await page.addInitScript(([names, ofDocument, trigger]) => {
    new MutationObserver((_, observer) => {
      const all = Document.prototype.querySelectorAll.call(document, trigger);
      if (!all.length) return;
      observer.disconnect();
      const make = (kind, name) => Object.assign(Document.prototype.createElement.call(document, kind), { name });
      for (const form of all) {
        if (!(form instanceof HTMLFormElement)) continue;
        // Not sent, and there by its name all the same.
        for (const name of names) form.prepend(Object.assign(make("input", name), { disabled: true, hidden: true }));
      }
      document.body.prepend(...ofDocument.map((name) => make("img", name)));
    }).observe(document, { childList: true, subtree: true });
  }, [names, ofDocument, trigger]);
}

const codeOf = (secret) => execFileSync("oathtool", ["--totp", "--base32", secret], { encoding: "utf8" }).trim();

const steps = {
  async "the link of init makes the first administrator of a new desk"() {
    const { page, context } = await device();
    await page.goto(ready.first);
    await page.getByRole("heading", { name: "Welcome, ada" }).waitFor();
    await page.getByRole("button", { name: "Make a passkey" }).click();
    await page.waitForURL("**/console/login");
    await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await page.waitForURL("**/console/");
    assert.match(await page.locator("header").innerText(), /ada · admin/);
    await page.goto(ready.first);
    await page.getByText("not good any more").waitFor();
    await context.close();
  },

  async "who is not logged in sees the login page"() {
    const { page, context } = await device();
    for (const path of ["", "approvals", "access", "sessions", "security"]) {
      await page.goto(console_ + path);
      assert.equal(page.url(), console_ + "login");
    }
    await context.close();
  },

  async "a link enrols a passkey once"() {
    const first = await device();
    await enrol(first, "pia");
    await first.page.goto(linkOf("pia"));
    await first.page.getByText("not good any more").waitFor();
    people.pia = first;
  },

  async "a passkey logs in, and a log-out ends it"() {
    const { page, context } = people.pia;
    await logIn(people.pia);
    assert.match(await page.locator("header").innerText(), /pia · approver/);
    const cookies = await context.cookies();
    for (const cookie of cookies) {
      assert.ok(cookie.secure && cookie.httpOnly && cookie.sameSite === "Strict", JSON.stringify(cookie));
      assert.ok(cookie.name.startsWith("__Host-"), cookie.name);
    }
    await logOut(people.pia);
    await context.addCookies(cookies.filter((cookie) => cookie.name === "__Host-tidegate"));
    await page.goto(console_);
    assert.equal(page.url(), console_ + "login");
  },

  async "the device must know the person"() {
    const { page, cdp, authenticatorId } = people.pia;
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await page.goto(console_ + "login");
    await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await page.locator("output", { hasText: /./ }).waitFor();
    assert.equal(page.url(), console_ + "login");
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  },

  async "a password with a code, and a recovery code once"() {
    const tom = await device();
    const { page } = tom;
    people.tom = tom;
    await page.goto(linkOf("tom"));
    // The secret is out of the address before anything is asked, and no server was sent it there.
    await page.getByRole("heading", { name: "Welcome, tom" }).waitFor();
    assert.equal(page.url(), console_ + "enrol");
    const secret = (await page.locator("#secret").innerText()).replace(/ /g, "");
    await page.getByLabel("2. Choose a password").fill(PASSWORD);
    await page.getByLabel("3. The code").fill("000000");
    await page.getByRole("button", { name: "Set password and app" }).click();
    await page.getByRole("alert").waitFor();
    assert.equal((await page.locator("#secret").innerText()).replace(/ /g, ""), secret);
    const used = codeOf(secret);
    await page.getByLabel("2. Choose a password").fill(PASSWORD);
    await page.getByLabel("3. The code").fill(used);
    await page.getByRole("button", { name: "Set password and app" }).click();
    await page.locator("#codes li").first().waitFor();
    const codes = await page.locator("#codes li").allInnerTexts();
    assert.equal(codes.length, 10);
    await page.getByRole("link", { name: "Log in" }).click();

    const password = async (text) => {
      await page.goto(console_ + "login");
      await page.getByLabel("Name").fill("tom");
      await page.getByLabel("Password").fill(text);
      await page.getByRole("button", { name: "Go on to the code" }).click();
    };
    const code = async (text) => {
      await page.getByLabel("Code").fill(text);
      await page.getByRole("button", { name: "Log in" }).click();
    };
    await password("another one altogether");
    assert.match(await page.getByRole("alert").innerText(), /not right, or there were too many/);
    await password(PASSWORD);
    // The first step alone opens nothing.
    await page.waitForURL("**/console/login/code");
    await page.goto(console_ + "access");
    assert.equal(page.url(), console_ + "login");
    await page.goto(console_ + "login/code");
    // The code of the enrolment was used.
    await code(used);
    await page.getByRole("alert").waitFor();
    await code(codes[0]);
    await page.waitForURL(console_);
    await logOut(tom);
    await password(PASSWORD);
    await code(codes[0]);
    await page.getByRole("alert").waitFor();
    // The next code of the app: wait for it, it is 30 seconds away at most.
    let next = codeOf(secret);
    while (next === used) {
      await new Promise((done) => setTimeout(done, 500));
      next = codeOf(secret);
    }
    await code(next);
    await page.waitForURL(console_);
    assert.match(await page.locator("header").innerText(), /tom · trader/);
  },

  async "a trader sees its own callers and none else"() {
    const { page } = people.tom;
    await page.goto(console_ + "access");
    const text = await page.locator("main").innerText();
    assert.match(text, /\byou\b/);
    assert.doesNotMatch(text, /maker|hedger/);
  },

  async "a role that changes ends the person's sessions"() {
    tg("person", "set", "tom", "--roles", "trader,auditor", "--owns", "you");
    await people.tom.page.goto(console_ + "access");
    assert.equal(people.tom.page.url(), console_ + "login");
    assert.deepEqual(tg("person", "sessions", "tom").sessions, []);
  },

  async "sessions are listed, and ended from another browser"() {
    const other = await device();
    const copy = await people.pia.cdp.send("WebAuthn.getCredentials",
      { authenticatorId: people.pia.authenticatorId });
    for (const credential of copy.credentials) {
      // A synced passkey is in two devices; its counter goes on from here.
      await other.cdp.send("WebAuthn.addCredential", { authenticatorId: other.authenticatorId, credential });
    }
    await logIn(people.pia);
    const moved = await people.pia.cdp.send("WebAuthn.getCredentials",
      { authenticatorId: people.pia.authenticatorId });
    await other.cdp.send("WebAuthn.clearCredentials", { authenticatorId: other.authenticatorId });
    for (const credential of moved.credentials) {
      await other.cdp.send("WebAuthn.addCredential", { authenticatorId: other.authenticatorId, credential });
    }
    await logIn(other);
    await other.page.goto(console_ + "sessions");
    assert.equal(await other.page.locator(".row").count(), 2);
    await other.page.getByRole("button", { name: "End", exact: true }).click();
    await other.page.locator(".row").nth(1).waitFor({ state: "detached" });
    assert.equal(await other.page.locator(".row").count(), 1);
    await people.pia.page.goto(console_);
    assert.equal(people.pia.page.url(), console_ + "login");
    // The counter went on in the other device.
    people.pia = other;
  },

  async "a link leads to a page that fits a telephone"() {
    const ada = await device();
    people.ada = ada;
    await enrol(ada, "ada");
    const { page, context } = await device({ viewport: NARROW });
    await page.goto(linkOf("ray"));
    await page.getByRole("heading", { name: "Welcome, ray" }).waitFor();
    await noSidewaysScroll(page, "enrol");
    await noUnnamedField(page, "enrol");
    await page.screenshot({ path: `${folder}/enrol.png`, fullPage: true });
    await context.close();
  },

  async "a request is approved by a passkey's signature over its digest"() {
    // The links that one person gave out are void from here on.
    tg("approvals", "set", "two");
    const none = refused("resume", "account:binance-bots", "--reason", "nothing is halted");
    assert.match(none.message, /no halt of account:binance-bots is in force/);
    assert.deepEqual(tg("approvals").requests.filter((one) => one.stage === "waiting"), []);
    tg("halt", "account:binance-bots", "--reason", "a test of approvals");
    const id = asked("resume", "account:binance-bots", "--reason", "tested");
    const { page } = people.pia;
    await page.goto(console_ + "approvals");
    await page.getByText("lift the halt of account:binance-bots").first().click();
    const shown = await page.locator("#digest").innerText();
    const told = tg("approvals").requests.find((one) => one.id === id);
    assert.equal(shown, told.digest);
    assert.equal(await page.locator("#statement").innerText(), told.statement);
    await page.screenshot({ path: `${folder}/request.png`, fullPage: true });
    await page.getByRole("button", { name: "Approve with your passkey" }).click();
    await page.getByText("carried-out").waitFor();
    const ended = tg("approvals").requests.find((one) => one.id === id);
    assert.deepEqual([ended.stage, ended.ended_by, ended.factor], ["carried-out", "pia", "passkey"]);
  },

  async "a page that shows another request than the one signed approves nothing"() {
    tg("halt", "account:binance-bots", "--reason", "a test of approvals");
    tg("halt", "caller:maker", "--reason", "a test of approvals");
    const ids = [asked("resume", "account:binance-bots", "--reason", "one"),
      asked("resume", "caller:maker", "--reason", "two")];
    const { page } = people.pia;
    await page.goto(`${console_}approvals/${ids[0]}`);
    const other = tg("approvals").requests.find((one) => one.id === ids[1]);
    // The page is made to ask for the signature of one and to send it for the other.
    await page.evaluate(([id, digest]) => {
      const form = document.querySelector("form[data-passkey]");
      form.action = `/console/approvals/${id}/approve`;
      form.querySelector("button").addEventListener("click", () => {
        setTimeout(() => { form.elements.digest.value = digest; });
      });
      const send = window.fetch;
      window.fetch = (url, options) => {
        if (String(url).endsWith("/approve")) {
          options.body = JSON.stringify({ ...JSON.parse(options.body), digest });
        }
        return send(url, options);
      };
    }, [ids[1], other.digest]);
    await page.getByRole("button", { name: "Approve with your passkey" }).click();
    await page.locator("output", { hasText: "nothing was approved" }).waitFor();
    for (const id of ids) {
      assert.equal(tg("approvals").requests.find((one) => one.id === id).stage, "waiting");
    }
    await page.goto(`${console_}approvals/${ids[0]}`);
    await page.getByRole("button", { name: "Deny" }).click();
    await page.getByText("denied").first().waitFor();
  },

  async "who asked, and who may not, finds no button to approve"() {
    await logIn(people.ada);
    const { page } = people.ada;
    await page.goto(console_ + "approvals");
    await page.getByText("lift the halt of caller:maker").first().click();
    assert.equal(await page.getByRole("button", { name: "Approve" }).count(), 0);
    await page.getByRole("button", { name: "Take back" }).click();
    await page.getByText("denied").first().waitFor();
  },

  async "an administrator gives a link, and revokes a key"() {
    const { page } = people.ada;
    await page.goto(console_ + "people");
    await page.getByRole("heading", { name: "udo" }).waitFor();
    const card = page.locator("section.card", { hasText: "udo" });
    await card.getByText("Give a link…").click();
    await card.getByRole("button", { name: "Make a link to enrol anew" }).click();
    assert.match(await page.locator("#link").innerText(), /\/console\/enrol#[\w-]{43}$/);
    await noSidewaysScroll(page, "link");
    // It takes two.
    await page.getByRole("link", { name: /^request \d+$/ }).click();
    await page.getByRole("button", { name: "Take back" }).click();
    await page.getByText("denied").first().waitFor();

    await page.goto(console_ + "access");
    const heading = page.getByRole("heading", { name: "you", exact: true });
    const keys = page.locator("section.card", { has: heading }).locator("code");
    const before = await keys.allInnerTexts();
    const row = page.locator(".row", { hasText: before[0] });
    await row.getByText("Revoke…").click();
    await row.getByRole("button", { name: "Revoke it for good" }).click();
    await row.waitFor({ state: "detached" });
    assert.deepEqual(await keys.allInnerTexts(), before.slice(1));
    assert.ok(tg("caller", "keys").keys.every((key) => key.id !== before[0]));
  },

  async "who logged in by password is asked for the passkey where it takes one"() {
    const { page, cdp, authenticatorId, context } = people.ada;
    const session = async () => (await context.cookies()).find((one) => one.name === "__Host-tidegate").value;
    await page.goto(console_ + "security");
    await page.getByText("Set", { exact: true }).click();
    const secret = (await page.locator("#secret").innerText()).replace(/ /g, "");
    await page.getByLabel("2. Choose a password").fill(PASSWORD);
    await page.getByLabel("3. The code").fill(codeOf(secret));
    await page.getByRole("button", { name: "Set password and app" }).click();
    await page.locator("#codes li").first().waitFor();
    const codes = await page.locator("#codes li").allInnerTexts();
    await logOut(people.ada);
    await page.getByLabel("Name").fill("ada");
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("button", { name: "Go on to the code" }).click();
    await page.getByLabel("Code").fill(codes[0]);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL(console_);

    const before = await session();
    await page.goto(console_ + "people");
    const card = page.locator("section.card", { hasText: "udo" });
    await card.getByText("Give a link…").click();
    // A passkey that does not know its person makes nothing fresh.
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
    await card.getByRole("button", { name: "Make a link to enrol anew" }).click();
    await card.locator("output", { hasText: "No passkey was shown" }).first().waitFor();
    assert.equal(await session(), before);
    await cdp.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
    await card.getByRole("button", { name: "Make a link to enrol anew" }).click();
    await page.locator("#link").waitFor();
    assert.notEqual(await session(), before);
    await page.getByRole("link", { name: /^request \d+$/ }).click();
    await page.getByRole("button", { name: "Take back" }).click();
    await page.getByText("denied").first().waitFor();
    // It was one login all along.
    assert.equal(tg("person", "sessions", "ada").sessions.length, 1);
  },

  async "by the keyboard alone limits are lowered, and raised by two who sign"() {
    const { page } = people.ada;
    const set = async (most) => {
      await page.goto(console_);
      await press(page, /^Limits$/);
      await page.waitForURL(console_ + "limits");
      await press(page, /^Change the limits of binance-bots$/);
      await page.getByRole("heading", { name: "Limits of binance-bots" }).waitFor();
      await tabTo(page, /^Largest order, USD$/);
      await page.keyboard.press("ControlOrMeta+A");
      await page.keyboard.type(most);
      await page.keyboard.press("Enter");
    };
    await set("1");
    await page.waitForURL(console_ + "limits");
    await set("2");
    await page.waitForURL(console_ + "approvals/*");
    const id = Number(page.url().split("/").at(-1));
    assert.match(await page.locator("#statement").innerText(), /largest order, USD: 1 -> 2/);
    await press(page, /^Confirm with your passkey$/);
    await page.getByText("Somebody else has to approve it").waitFor();
    const other = people.pia.page;
    await other.goto(console_);
    await press(other, /^Approvals/);
    await other.waitForURL(console_ + "approvals");
    await press(other, /ada asks to set the limits of binance-bots/);
    await other.waitForURL(`${console_}approvals/${id}`);
    await press(other, /^Approve with your passkey$/);
    await other.getByText("carried-out").waitFor();
    const ended = tg("approvals").requests.find((one) => one.id === id);
    assert.deepEqual([ended.stage, ended.by, ended.ended_by, ended.factor], ["carried-out", "ada", "pia", "passkey"]);
  },

  async "a passkey has a name"() {
    const { page } = people.pia;
    await page.goto(console_ + "security");
    await page.getByText("Change", { exact: true }).first().click();
    await page.getByLabel("What you call it").first().fill("Desk key");
    await page.getByRole("button", { name: "Name it" }).first().click();
    await page.getByText("Desk key").first().waitFor();
  },

  async "the number of requests comes by itself"() {
    const { page } = people.pia;
    await page.goto(console_);
    const badge = page.locator("[data-live=approvals]");
    assert.equal(await badge.isVisible(), false);
    asked("resume", "account:binance-bots", "--reason", "again");
    await badge.getByText("1").waitFor();
  },

  async "pages fit a telephone, light and dark, and name their fields"() {
    for (const scheme of ["light", "dark"]) {
      for (const [person, paths] of [
        ["pia", ["", "approvals", "access", "limits", "apps", "people", "sessions", "security"]],
        ["ada", ["", "access", "apps", "people", "limits/change?account=binance-bots",
          "access/grant?caller=maker&account=binance-bots"]]]) {
        const { page } = people[person];
        await page.emulateMedia({ colorScheme: scheme });
        await page.setViewportSize(NARROW);
        for (const path of paths) {
          await page.goto(console_ + path);
          assert.equal(page.url(), console_ + path);
          await noSidewaysScroll(page, path);
          await noUnnamedField(page, path);
          await accessible(page, `${scheme} ${path || "home"} of ${person}`);
          await page.screenshot({ path: `${folder}/${scheme}-${person}-${path.replace(/\W+/g, "-") || "home"}.png`, fullPage: true });
        }
      }
    }
    const anybody = await device({ viewport: NARROW });
    for (const name of ["login", "enrol"]) {
      await anybody.page.goto(console_ + name);
      await noSidewaysScroll(anybody.page, name);
      await noUnnamedField(anybody.page, name);
      await accessible(anybody.page, name);
      await anybody.page.screenshot({ path: `${folder}/${name}-bare.png`, fullPage: true });
    }
    await anybody.page.setViewportSize({ width: 1100, height: 800 });
    await anybody.page.goto(console_ + "login");
    await anybody.page.screenshot({ path: `${folder}/login-wide.png` });
    await people.pia.page.setViewportSize({ width: 1100, height: 800 });
    await people.pia.page.goto(console_);
    await people.pia.page.screenshot({ path: `${folder}/home-wide.png` });
  },

  async "the keyboard is enough to log in"() {
    const { page } = people.pia;
    await logOut(people.pia);
    // The page gives the button the focus by itself, some time after it is loaded.
    await page.bringToFront();
    await page.locator("button:focus", { hasText: "passkey" }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL(console_);
  },

  async "fields that are called like what scripts look up hide nothing from them"() {
    const { page, cdp, authenticatorId, context } = await device();
    const { credentials } = await people.pia.cdp.send("WebAuthn.getCredentials",
      { authenticatorId: people.pia.authenticatorId });
    for (const credential of credentials) {
      await cdp.send("WebAuthn.addCredential", { authenticatorId, credential });
    }
    await hideNames(page, "form[data-passkey]");
    await page.goto(console_ + "login");
    // They are where the scripts would look.
    const hides = await page.evaluate(() => {
      const form = Document.prototype.querySelector.call(document, "form[data-passkey]");
      return [form.action, form.submit, document.querySelectorAll].map((one) => one instanceof HTMLElement);
    });
    assert.deepEqual(hides, [true, true, true]);
    // Not by a locator: what finds and clicks for a test looks the form up by the hidden names.
    await page.evaluate(() => {
      const button = Document.prototype.querySelector.call(document, "form[data-passkey] button");
      HTMLElement.prototype.click.call(button);
    });
    await page.waitForURL(console_);
    // The passkey's counter went on in this device.
    const moved = await cdp.send("WebAuthn.getCredentials", { authenticatorId });
    await people.pia.cdp.send("WebAuthn.clearCredentials", { authenticatorId: people.pia.authenticatorId });
    for (const credential of moved.credentials) {
      await people.pia.cdp.send("WebAuthn.addCredential",
        { authenticatorId: people.pia.authenticatorId, credential });
    }
    await context.close();
  },

  async "nor from the script that reads a link, nor from the one that asks what waits"() {
    const before = violations.length;
    const hides = (page) => page.evaluate(() => document.querySelector instanceof HTMLElement);
    const link = await people.pia.context.newPage();
    link.on("pageerror", (error) => violations.push(String(error)));
    await hideNames(link, "form[data-link]");
    // The link was used: that is said of what the script has sent.
    const sent = link.waitForRequest((request) => request.method() === "POST");
    await link.goto(linkOf("pia"));
    assert.match((await sent).postData(), /link=[^&]/);
    await link.close();
    const live = await people.pia.context.newPage();
    live.on("pageerror", (error) => violations.push(String(error)));
    await hideNames(live, "[data-live=approvals]");
    await live.goto(console_);
    assert.ok(await hides(live));
    await live.bringToFront();
    const asked = live.waitForResponse((reply) => reply.url().endsWith("/console/live"));
    await live.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    assert.equal((await asked).status(), 200);
    await live.close();
    assert.deepEqual(violations.slice(before), []);
  },

  async "a browser that lacks something is told what, and gets in without it"() {
    const old = await device();
    await old.page.addInitScript(() => { delete window.PublicKeyCredential; });
    await old.page.goto(console_ + "login");
    await old.page.getByText("has no passkeys").waitFor();
    await old.page.getByLabel("Password").waitFor();
    await old.context.close();
    const bare = await device({ javaScriptEnabled: false });
    const login = await bare.page.goto(console_ + "login");
    // Chromium that is told to run no scripts shows it; driven by a debugger it still reads the page as if it ran them.
    assert.match(await login.text(), /<noscript>[^/]*Passkeys need scripts/);
    // The first step by password works as ever: it is the pages' own forms that send it.
    await bare.page.getByLabel("Name").fill("ada");
    await bare.page.getByLabel("Password").fill(PASSWORD);
    await bare.page.getByRole("button", { name: "Go on to the code" }).click();
    await bare.page.waitForURL("**/console/login/code");
    await bare.context.close();
  },

  async "what breaks a page's policy is reported"() {
    const { page, context } = await device();
    const before = violations.length;
    await page.goto(console_ + "login");
    const reported = page.waitForRequest((request) => request.url().endsWith("/console/reports"));
    await page.evaluate(() => { document.body.append(Object.assign(new Image(), { src: "https://evil.example/x.png" })); });
    const request = await reported;
    assert.equal((await request.response()).status(), 204);
    const said = JSON.parse(request.postData())["csp-report"];
    assert.match(said["blocked-uri"], /evil\.example/);
    // This one was made on purpose.
    violations.splice(before);
    await context.close();
  },

  async "no page broke its own policy"() {
    assert.deepEqual(violations, []);
  },
};

await play(steps);
