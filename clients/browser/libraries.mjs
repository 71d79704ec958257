// Two stock OAuth clients, unmodified, behind the same few words: what a flow needs, and nothing of how it goes.
import * as oauth from "oauth4webapi";
import * as client from "openid-client";

const EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token";

// openid-client finds everything by itself, and repeats with the nonce by itself.
export class OpenidClient {
  static async of(issuer, id, key) {
    const made = new OpenidClient();
    made.own = key;
    made.config = await client.discovery(issuer, id, {}, client.PrivateKeyJwt({ key, kid: "one" }), { algorithm: "oauth2" });
    made.key = await client.randomDPoPKeyPair("ES256");
    made.options = { DPoP: client.getDPoPHandle(made.config, made.key) };
    return made;
  }

  // A pushed request: where the browser goes, and what takes it back.
  async begin(redirect_uri, authorization_details) {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const expectedState = client.randomState();
    const url = await client.buildAuthorizationUrlWithPAR(this.config, {
      redirect_uri, authorization_details, state: expectedState, acr_values: "phr",
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256",
    }, this.options);
    const checks = { pkceCodeVerifier, expectedState };
    return { url, back: (to) => client.authorizationCodeGrant(this.config, new URL(to), checks, {}, this.options) };
  }

  // The same, signed: what is pushed is a request object by the app's own key.
  async beginSigned(redirect_uri, authorization_details) {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const expectedState = client.randomState();
    const signed = await client.buildAuthorizationUrlWithJAR(this.config, {
      redirect_uri, authorization_details, state: expectedState,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: "S256",
    }, { key: this.own, kid: "one" });
    const url = await client.buildAuthorizationUrlWithPAR(this.config, signed.searchParams, this.options);
    const checks = { pkceCodeVerifier, expectedState };
    return { url, back: (to) => client.authorizationCodeGrant(this.config, new URL(to), checks, {}, this.options) };
  }

  credentials(authorization_details) {
    return client.clientCredentialsGrant(this.config, { authorization_details }, this.options);
  }

  refresh(token, authorization_details) {
    return client.refreshTokenGrant(this.config, token, authorization_details && { authorization_details }, this.options);
  }

  async device(authorization_details) {
    const asked = await client.initiateDeviceAuthorization(this.config, { authorization_details });
    return { asked, poll: () => client.pollDeviceAuthorizationGrant(this.config, asked, {}, this.options) };
  }

  exchange(subject_token, authorization_details) {
    const asked = { subject_token, subject_token_type: ACCESS_TOKEN, authorization_details };
    return client.genericGrantRequest(this.config, EXCHANGE, asked, this.options);
  }

  introspect(token) {
    return client.tokenIntrospection(this.config, token);
  }

  revoke(token) {
    return client.tokenRevocation(this.config, token);
  }

  fetch(token, url, method = "GET", body = undefined, headers = undefined) {
    return client.fetchProtectedResource(this.config, token, url, method, body, headers, this.options);
  }
}

// oauth4webapi does one step at a time and checks every answer.
export class Oauth4webapi {
  static async of(issuer, id, key) {
    const made = new Oauth4webapi();
    made.own = { key, kid: "one" };
    const found = await oauth.discoveryRequest(issuer, { algorithm: "oauth2" });
    made.server = await oauth.processDiscoveryResponse(issuer, found);
    made.client = { client_id: id };
    made.proof = oauth.PrivateKeyJwt({ key, kid: "one" });
    made.key = await oauth.generateKeyPair("ES256");
    made.options = { DPoP: oauth.DPoP(made.client, made.key) };
    return made;
  }

  // Asks, and once more with the nonce; `read` checks the answer.
  async #ask(request, read, ...args) {
    const once = async () => read(this.server, this.client, await request(this.server, this.client, this.proof, ...args, this.options));
    try {
      return await once();
    } catch (error) {
      if (!oauth.isDPoPNonceError(error)) throw error;
      return once();
    }
  }

  begin(redirect_uri, authorization_details) {
    return this.#push({ redirect_uri, authorization_details, acr_values: "phr" }, (asked) => asked);
  }

  // The same, signed: what is pushed is a request object by the app's own key.
  beginSigned(redirect_uri, authorization_details) {
    const sign = async (asked) => ({ request: await oauth.issueRequestObject(this.server, this.client, asked, this.own) });
    return this.#push({ redirect_uri, authorization_details }, sign);
  }

  async #push(asked, wrap) {
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const whole = await wrap(new URLSearchParams({
      response_type: "code", ...asked, state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256",
    }));
    const parameters = new URLSearchParams(whole);
    const pushed = await this.#ask(oauth.pushedAuthorizationRequest, oauth.processPushedAuthorizationResponse, parameters);
    const url = new URL(this.server.authorization_endpoint);
    url.search = new URLSearchParams({ client_id: this.client.client_id, request_uri: pushed.request_uri });
    const back = async (to) => {
      const answer = oauth.validateAuthResponse(this.server, this.client, new URL(to), state);
      return this.#ask(oauth.authorizationCodeGrantRequest, oauth.processAuthorizationCodeResponse, answer, asked.redirect_uri, verifier);
    };
    return { url, back };
  }

  credentials(authorization_details) {
    return this.#ask(oauth.clientCredentialsGrantRequest, oauth.processClientCredentialsResponse,
      new URLSearchParams({ authorization_details }));
  }

  async refresh(token, authorization_details) {
    this.options.additionalParameters = authorization_details && { authorization_details };
    try {
      return await this.#ask(oauth.refreshTokenGrantRequest, oauth.processRefreshTokenResponse, token);
    } finally {
      delete this.options.additionalParameters;
    }
  }

  async device(authorization_details) {
    const asked = await this.#ask(oauth.deviceAuthorizationRequest, oauth.processDeviceAuthorizationResponse,
      new URLSearchParams({ authorization_details }));
    const poll = () => this.#ask(oauth.deviceCodeGrantRequest, oauth.processDeviceCodeResponse, asked.device_code);
    return { asked, poll };
  }

  exchange(subject_token, authorization_details) {
    const asked = { subject_token, subject_token_type: ACCESS_TOKEN, authorization_details };
    return this.#ask(oauth.genericTokenEndpointRequest, oauth.processGenericTokenEndpointResponse, EXCHANGE, asked);
  }

  introspect(token) {
    return this.#ask(oauth.introspectionRequest, oauth.processIntrospectionResponse, token);
  }

  revoke(token) {
    return this.#ask(oauth.revocationRequest, (_, __, answer) => oauth.processRevocationResponse(answer), token);
  }

  fetch(token, url, method = "GET", body = undefined, headers = undefined) {
    const read = (_, __, answer) => answer;
    const ask = () => oauth.protectedResourceRequest(token, method, url, headers, body, this.options);
    return this.#ask(ask, read);
  }
}
