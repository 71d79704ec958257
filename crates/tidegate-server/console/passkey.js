// Makes and shows passkeys. A form with data-passkey asks the server for options, the browser for a
// passkey, and sends what that answers. A form with data-fresh is sent once a passkey was shown moments
// ago, here if need be. Whatever goes wrong is said in the form's output element.
"use strict";

const toBytes = (text) => Uint8Array.from(
  atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (buffer) => buffer && btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
// Fields of a form that are called like what is read of it here hide nothing.
const attribute = (form, name) => Element.prototype.getAttribute.call(form, name);
const inside = (form, what) => Element.prototype.querySelector.call(form, what);
const everywhere = (what) => Document.prototype.querySelectorAll.call(document, what);
const ids = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));

async function send(url, body) {
  const reply = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    credentials: "same-origin",
    redirect: "error",
  });
  const told = await reply.json();
  if (!reply.ok) throw new Error(told.error);
  return told;
}

async function make(options) {
  const user = { ...options.user, id: toBytes(options.user.id) };
  const made = await navigator.credentials.create({ publicKey: {
    ...options, user,
    challenge: toBytes(options.challenge),
    excludeCredentials: ids(options.excludeCredentials),
  } });
  return {
    credential: toText(made.rawId),
    client_data: toText(made.response.clientDataJSON),
    attestation: toText(made.response.attestationObject),
  };
}

async function show(options) {
  const shown = await navigator.credentials.get({ publicKey: {
    ...options,
    challenge: toBytes(options.challenge),
    allowCredentials: ids(options.allowCredentials),
  } });
  const answer = {
    credential: toText(shown.rawId),
    client_data: toText(shown.response.clientDataJSON),
    authenticator_data: toText(shown.response.authenticatorData),
    signature: toText(shown.response.signature),
  };
  const person = toText(shown.response.userHandle);
  if (person) answer.person = person;
  return answer;
}

// Shows a passkey again where the last time was too long ago. The session goes on under another id, and
// every form of the page under another token.
async function stepUp(csrf) {
  const options = await send("/console/step-up/options", { csrf });
  if (!options.challenge) return;
  const told = await send("/console/step-up", { csrf, answer: await show(options) });
  for (const field of everywhere("input[name=csrf]")) field.value = told.csrf;
}

async function runPasskey(form) {
  const fields = Object.fromEntries(new FormData(form));
  const options = await send(attribute(form, "data-options"), fields);
  const answer = await (attribute(form, "data-passkey") === "make" ? make : show)(options);
  const told = await send(attribute(form, "action"), { ...fields, answer });
  location.assign(told.next);
}

async function run(form) {
  const said = inside(form, "output");
  const button = inside(form, "button");
  said.textContent = "";
  button.disabled = true;
  try {
    if (attribute(form, "data-fresh") !== null) await stepUp(new FormData(form).get("csrf"));
    if (attribute(form, "data-passkey") !== null) await runPasskey(form);
    else HTMLFormElement.prototype.submit.call(form);
  } catch (error) {
    said.textContent = error.name === "NotAllowedError"
      ? "No passkey was shown. Try again, or log in another way."
      : error.message;
    button.disabled = false;
    button.focus();
  }
}

for (const form of everywhere("form[data-passkey], form[data-fresh]")) {
  EventTarget.prototype.addEventListener.call(form, "submit", (event) => {
    event.preventDefault();
    run(form);
  });
  if (attribute(form, "data-passkey") !== null && !window.PublicKeyCredential) {
    inside(form, "output").textContent = "This browser, or this address, has no passkeys.";
  }
}
