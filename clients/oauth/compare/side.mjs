// One of the two servers: what cases send it, good but for what a case changes.
import { createHash, randomUUID } from 'node:crypto';
import { SignJWT, base64url, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import { ask } from './http.mjs';

export const CALLBACK = 'https://app.example/callback';
const FORM = 'application/x-www-form-urlencoded';
const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

export const now = () => Math.floor(Date.now() / 1000);
export const digest = (text) => createHash('sha256').update(text).digest('base64url');

// A key for assertions or proofs.
export async function newKey(alg = 'ES256') {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = await exportJWK(publicKey);
    return { alg, privateKey, jwk, secret: await exportJWK(privateKey), jkt: await calculateJwkThumbprint(jwk) };
}

// A JWT; claims and headers that are `undefined` are left out. `none` is signed by nothing.
async function jwt(claims, header, key) {
    const protectedHeader = JSON.parse(JSON.stringify(header));
    const payload = JSON.parse(JSON.stringify(claims));
    if (header.alg !== 'none') return new SignJWT(payload).setProtectedHeader(protectedHeader).sign(key);
    return `${base64url.encode(JSON.stringify(protectedHeader))}.${base64url.encode(JSON.stringify(payload))}.`;
}

export class Side {
    // `at`: the addresses of par, token, authorize, introspect, revoke, device and a resource to GET.
    // `one`, `two`, `signer`: clients, the last of which must sign what it asks. `scope`: what every authorization asks for. `browse(url)`: the page a person sees there. `decide(url, yes)`: the
    // person's yes or no; where it leads. `narrow`: what is pushed for less than the first client may have; `wide`: the
    // `authorization_details` of all of it.
    constructor({ issuer, at, scope, narrow, wide, one, two, signer, browse, decide }) {
        Object.assign(this, { issuer, at, scope, narrow, wide, one, two, signer, browse, decide });
        this.nonce = undefined;
    }

    async assertion(client, { key = client.key.privateKey, header = {}, ...claims } = {}) {
        const base = { iss: client.id, sub: client.id, aud: this.issuer, iat: now(), exp: now() + 60, jti: randomUUID() };
        return jwt({ ...base, ...claims }, { alg: client.key.alg, kid: client.kid, ...header }, key);
    }

    async proof(htu, { by = this.one.proofKey, key = by.privateKey, header = {}, ...claims } = {}) {
        const base = { jti: randomUUID(), htm: 'POST', htu: String(htu), iat: now(), nonce: this.nonce };
        return jwt({ ...base, ...claims }, { typ: 'dpop+jwt', alg: by.alg, jwk: by.jwk, ...header }, key);
    }

    // A form to an endpoint. `client`: who, `assert`: changes of the assertion, a text for it, or null for none;
    // `prove`: changes of the proof, a list of proofs, or null for none.
    async post(endpoint, fields, options = {}) {
        const { client = this.one, assert = {}, prove = {}, headers = [], method = 'POST', type = FORM, query = '' } = options;
        const pairs = (Array.isArray(fields) ? fields : Object.entries(fields)).filter(([, value]) => value !== undefined);
        if (assert !== null) {
            const text = typeof assert === 'string' ? assert : await this.assertion(client, assert);
            const named = pairs.map(([name]) => name);
            for (const pair of [['client_assertion_type', JWT_BEARER], ['client_assertion', text]]) {
                if (!named.includes(pair[0])) pairs.push(pair);
            }
        }
        const url = this.at[endpoint];
        const sent = [...headers, ['Accept', 'application/json']];
        for (const proof of await this.#proofs(url, prove, client)) sent.push(['DPoP', proof]);
        const words = new URLSearchParams(pairs.filter(([, value]) => value !== ''));
        const whole = type === FORM ? words.toString() : JSON.stringify(Object.fromEntries(words));
        if (method === 'GET') return this.take(await ask(`${url}?${words}`, { headers: sent }));
        return this.take(await ask(url + query, { method, headers: [...sent, ['Content-Type', type]], body: whole }));
    }

    async #proofs(url, prove, client) {
        if (prove === null) return [];
        return Array.isArray(prove) ? prove : [await this.proof(url, { by: client.proofKey, ...prove })];
    }

    // A question to the resource with a token.
    async look(token, { scheme = 'DPoP', prove = {}, query = '', headers = [], client = this.one } = {}) {
        const url = this.at.resource;
        const sent = [...headers, ['Accept', 'application/json']];
        if (token !== null && scheme !== null) sent.push(['Authorization', `${scheme} ${token}`]);
        const changes = Array.isArray(prove) || prove === null ? prove : { htm: 'GET', ath: digest(token ?? ''), ...prove };
        for (const proof of await this.#proofs(url, changes, client)) sent.push(['DPoP', proof]);
        return this.take(await ask(url + query, { headers: sent }));
    }

    // Notes the nonce, and reads what an answer says is wrong.
    take(answer) {
        this.nonce = answer.headers['dpop-nonce'] ?? this.nonce;
        let body = { error: answer.text.match(/\. \(([a-z_]+)\)</)?.[1] };
        try {
            body = JSON.parse(answer.text);
        } catch {
            // No JSON: a page, which may name a code, or nothing.
        }
        const challenge = answer.headers['www-authenticate']?.match(/error="([^"]*)"/)?.[1];
        return { ...answer, body, code: challenge ?? (typeof body.error === 'string' ? body.error : undefined) };
    }

    // What is pushed, good but for `changes`; its verifier.
    async push(changes = {}, options = {}) {
        const verifier = digest(randomUUID()) + digest(randomUUID());
        const fields = {
            response_type: 'code', client_id: (options.client ?? this.one).id, redirect_uri: CALLBACK, state: 'a b',
            code_challenge: digest(verifier), code_challenge_method: 'S256', ...this.scope, ...changes,
        };
        return { verifier, answer: await this.post('par', fields, options) };
    }

    // What is pushed as an object that the client signs, good but for `changes` of its claims; `beside`: what else the
    // form holds.
    async signed({ key, header = {}, ...changes } = {}, beside = {}, options = {}) {
        const { client = this.one } = options;
        const verifier = digest(randomUUID()) + digest(randomUUID());
        const claims = {
            iss: client.id, client_id: client.id, aud: this.issuer, nbf: now(), exp: now() + 300, response_type: 'code',
            redirect_uri: CALLBACK, state: 'inside', code_challenge: digest(verifier), code_challenge_method: 'S256',
            ...this.scope, ...changes,
        };
        const said = { typ: 'oauth-authz-req+jwt', alg: client.key.alg, kid: client.kid, ...header };
        const request = await jwt(claims, said, key ?? client.key.privateKey);
        return { verifier, answer: await this.post('par', { client_id: client.id, ...beside, request }, options) };
    }

    // The address of a browser with a request that was pushed.
    page({ answer }, client = this.one) {
        if (!answer.body.request_uri) throw new Error(`nothing was pushed: ${answer.status} ${answer.text}`);
        return `${this.at.authorize}?${new URLSearchParams({ client_id: client.id, request_uri: answer.body.request_uri })}`;
    }

    // A person says yes: the code, and what its app must send for it.
    async code({ client = this.one, push = {}, ...options } = {}) {
        const pushed = await this.push(push, { client, ...options });
        const back = await this.decide(this.page(pushed, client), true);
        const code = back.searchParams.get('code');
        if (!code) throw new Error(`no code came back: ${back}`);
        return { grant_type: 'authorization_code', code, code_verifier: pushed.verifier, redirect_uri: CALLBACK };
    }

    // The tokens for a code; fails when there are none.
    async tokens(options = {}) {
        const said = await this.post('token', await this.code(options), options);
        if (said.status !== 200) throw new Error(`no tokens: ${said.status} ${said.text}`);
        return said.body;
    }

    // A token of the client's own.
    own(options = {}, changes = {}) {
        return this.post('token', { grant_type: 'client_credentials', ...changes }, options);
    }
}
