// Makes and shows passkeys. A form with data-passkey asks the server for options, the browser for a
// passkey, and sends what that answers. Whatever goes wrong is said in the form's output element.
"use strict";

const toBytes = (text) => Uint8Array.from(
  atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const toText = (buffer) => buffer && btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
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

async function run(form) {
  const said = form.querySelector("output");
  const button = form.querySelector("button");
  const fields = Object.fromEntries(new FormData(form));
  said.textContent = "";
  button.disabled = true;
  try {
    const options = await send(form.dataset.options, fields);
    const answer = await (form.dataset.passkey === "make" ? make : show)(options);
    const told = await send(form.action, { ...fields, answer });
    location.assign(told.next);
  } catch (error) {
    said.textContent = error.name === "NotAllowedError"
      ? "No passkey was shown. Try again, or log in another way."
      : error.message;
    button.disabled = false;
    button.focus();
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(form);
  });
  if (!window.PublicKeyCredential) {
    form.querySelector("output").textContent = "This browser, or this address, has no passkeys.";
  }
}
