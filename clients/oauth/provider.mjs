// An outside OpenID provider, `oidc-provider`, whose people log in by typing who they are and what they show.
//
//   node provider.mjs PORT CONSOLE      CONSOLE: where the console of the desk is that it serves
import http from "node:http";
import { randomBytes } from "node:crypto";
import Provider from "oidc-provider";

// It is for Node 22; of what Node 20 has not, it uses this alone.
URL.parse ??= (text, base) => (URL.canParse(text, base) ? new URL(text, base) : null);

const [port, console_] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
// What an account shows when it logs in.
const SHOWS = {
  strong: { acr: "phr", amr: ["hwk", "mfa"] },
  weak: { acr: "pwd", amr: ["pwd"] },
};

async function newSigning() {
  const algorithm = { name: "RSASSA-PKCS1-v1_5", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]),
    hash: "SHA-256" };
  const { privateKey } = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const { kty, n, e, d, p, q, dp, dq, qi } = await crypto.subtle.exportKey("jwk", privateKey);
  return { kty, n, e, d, p, q, dp, dq, qi, use: "sig", alg: "RS256", kid: "signing" };
}

const provider = new Provider(issuer, {
  clients: [{
    client_id: "tidegate", grant_types: ["authorization_code"], response_types: ["code"],
    redirect_uris: [`${console_}login/outside/answer`],
    token_endpoint_auth_method: "private_key_jwt", token_endpoint_auth_signing_alg: "ES256",
    jwks_uri: `${console_}outside/jwks.json`, id_token_signed_response_alg: "RS256",
    backchannel_logout_uri: `${console_}outside/logout`,
  }],
  clientAuthMethods: ["private_key_jwt"],
  enabledJWA: { clientAuthSigningAlgValues: ["ES256"] },
  jwks: { keys: [await newSigning()] },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  acrValues: ["phr", "pwd"],
  claims: { openid: ["sub", "acr", "amr", "auth_time"] },
  pkce: { required: () => true },
  // Its own fetch refuses addresses of this machine, where the desk is.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
  async loadExistingGrant({ oidc }) {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid");
    await grant.save();
    return grant;
  },
  features: {
    devInteractions: { enabled: false },
    pushedAuthorizationRequests: { enabled: true },
    backchannelLogout: { enabled: true },
  },
  ttl: { Interaction: 600, Session: 3600, Grant: 600, AuthorizationCode: 60, AccessToken: 60, IdToken: 60 },
});

// The codes of one account are for another login than the one that was begun.
const { save } = provider.AuthorizationCode.prototype;
provider.AuthorizationCode.prototype.save = function (...rest) {
  if (this.accountId === "replayed") this.nonce = "of another login";
  return save.apply(this, rest);
};

const page = (uid) => `<!doctype html><title>Provider</title><form method="post" action="/login/${uid}">
  <label>Account <input name="account"></label>
  <label>Shows <select name="shows"><option>strong</option><option>weak</option></select></label>
  <button>Sign in</button></form>`;

const answer = provider.callback();
http.createServer(async (request, response) => {
  const uid = request.url.match(/^\/login\/([\w-]+)$/)?.[1];
  if (!uid) return answer(request, response);
  if (request.method === "GET") return response.setHeader("content-type", "text/html").end(page(uid));
  let form = "";
  for await (const part of request) form += part;
  const { account, shows } = Object.fromEntries(new URLSearchParams(form));
  const login = { accountId: account, remember: false, ...SHOWS[shows] };
  return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
}).listen(Number(port), "127.0.0.1", () => console.log(issuer));
