// What is pushed, and what a browser brings of it.
import { newKey } from '../side.mjs';
import { ask } from '../http.mjs';

const other = await newKey();
const push = (changes, options) => async (side) => (await side.push(changes, options)).answer;
const browse = async (side, url, options) => side.take(await ask(url, { headers: [['Accept', 'application/json']], ...options }));
const page = async (side, url) => side.take(await side.browse(url));

// The state that comes back with a yes.
async function state(side, pushed, outside = '') {
    const back = await side.decide(side.page(await side.push({ state: pushed })) + outside, true);
    const found = back.searchParams.get('state');
    return { status: back.searchParams.has('code') ? 'a code' : 'no code', code: found === null ? 'without state' : `state ${found.slice(0, 8)}, ${found.length}` };
}

export default [
    ['push.good', 'a good request', 'RFC 9126 2.2', push()],
    ['push.no-state', 'without state', 'RFC 6749 4.1.1', push({ state: undefined })],
    ['push.long-state', 'a state of 1,500 letters', 'FAPI 2.0 5.3.2.2', push({ state: 'a'.repeat(1500) })],
    ['push.nonce', 'a nonce of 64 letters, which is OpenID Connect\'s', 'RFC 6749 3.1', push({ nonce: 'a'.repeat(64) })],
    ['push.long-nonce', 'a nonce of 384 letters', 'RFC 6749 3.1', push({ nonce: 'a'.repeat(384) })],
    ['push.no-client', 'a client without a proof of itself', 'RFC 9126 2.1', push({}, { assert: null })],
    ['push.no-pkce', 'no code_challenge', 'FAPI 2.0 5.3.2.2-5', push({ code_challenge: undefined, code_challenge_method: undefined })],
    ['push.plain', 'PKCE is plain', 'FAPI 2.0 5.3.2.2-5', push({ code_challenge_method: 'plain' })],
    ['push.no-method', 'a code_challenge without its method', 'RFC 7636 4.3', push({ code_challenge_method: undefined })],
    ['push.challenge', 'a code_challenge of four letters', 'RFC 7636 4.2', push({ code_challenge: 'abcd' })],
    ['push.redirect', 'a redirect_uri that is not registered', 'RFC 9126 2.3', push({ redirect_uri: 'https://app.example/other' })],
    ['push.redirect-longer', 'a registered redirect_uri with more at its end', 'RFC 9700 2.1', push({ redirect_uri: 'https://app.example/callback/x' })],
    ['push.redirect-plain', 'a redirect_uri without TLS', 'FAPI 2.0 5.3.2.2-8', push({ redirect_uri: 'http://app.example/callback' })],
    ['push.no-redirect', 'no redirect_uri', 'FAPI 2.0 5.3.2.2-6', push({ redirect_uri: undefined })],
    ['push.request-uri', 'a request_uri in what is pushed', 'RFC 9126 2.1', push({ request_uri: 'urn:ietf:params:oauth:request_uri:abc' })],
    ['push.request', 'a request object that nobody signed', 'RFC 9101 6', push({ request: 'eyJhbGciOiJub25lIn0.e30.' })],
    ['push.token', 'response_type=token', 'FAPI 2.0 5.3.2.2-1', push({ response_type: 'token' })],
    ['push.code-id', 'response_type=code id_token', 'FAPI 2.0 5.3.2.2-1', push({ response_type: 'code id_token' })],
    ['push.no-type', 'no response_type', 'RFC 6749 4.1.1', push({ response_type: undefined })],
    ['push.mode', 'a response_mode that nobody knows', 'OAuth Multiple Response Types 2.1', push({ response_mode: 'loud' })],
    ['push.fragment', 'response_mode=fragment', 'RFC 9700 4.3.1', push({ response_mode: 'fragment' })],
    ['push.twice', 'a parameter twice', 'RFC 6749 3.1', async (side) => side.post('par', [
        ...Object.entries({ response_type: 'code', redirect_uri: 'https://app.example/callback', client_id: side.one.id, ...side.scope }),
        ['state', 'a'], ['state', 'b'], ['code_challenge', 'x'.repeat(43)], ['code_challenge_method', 'S256']])],
    ['push.unknown', 'a parameter that nobody knows', 'RFC 6749 3.1', push({ unheard: 'of' })],
    ['push.details', 'authorization_details of a type that nobody knows', 'RFC 9396 5', push({ authorization_details: '[{"type":"unheard_of"}]' })],
    ['push.details-form', 'authorization_details that are no JSON', 'RFC 9396 5', push({ authorization_details: '[{' })],
    ['push.jkt', 'dpop_jkt is another key than the proof\'s', 'RFC 9449 10.1', push({ dpop_jkt: other.jkt })],
    ['push.proof', 'a proof with a wrong htu', 'RFC 9449 10.1', push({}, { prove: { htu: 'https://other.example/' } })],
    ['push.get', 'GET', 'RFC 9126 2.3', (side) => side.post('par', {}, { method: 'GET', prove: null })],
    ['push.put', 'PUT', 'RFC 9110 15.5.6', (side) => side.post('par', {}, { method: 'PUT', prove: null })],
    ['push.json', 'a body in JSON', 'RFC 9126 2.1', push({}, { type: 'application/json' })],

    ['page.not-pushed', 'an authorization request that was not pushed', 'FAPI 2.0 5.3.2.2-3', (side) => page(side,
        `${side.at.authorize}?response_type=code&client_id=${side.one.id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcallback`
        + '&code_challenge_method=S256&code_challenge=' + 'x'.repeat(43))],
    ['page.unknown', 'a request_uri that nobody gave', 'RFC 9126 4', (side) => page(side,
        `${side.at.authorize}?client_id=${side.one.id}&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aabc`)],
    ['page.other-client', 'the request_uri of another client', 'RFC 9126 4', async (side) =>
        page(side, side.page(await side.push(), side.two))],
    ['page.no-client', 'a request_uri without client_id', 'RFC 9101 5', async (side) =>
        page(side, side.page(await side.push()).replace(/client_id=[^&]*&/, ''))],
    ['page.again', 'a request_uri again, before the person decided', 'FAPI 2.0 5.3.2.2, note 3', async (side) => {
        const url = side.page(await side.push());
        await side.browse(url);
        const back = await side.decide(url, true);
        return { status: back.searchParams.has('code') ? 'a code' : 'no code', code: back.searchParams.get('error') };
    }],
    ['page.used', 'a request_uri again, after the person decided', 'RFC 9126 7.3', async (side) => {
        const url = side.page(await side.push());
        await side.decide(url, true);
        return page(side, url);
    }],
    ['page.put', 'the authorization endpoint by PUT', 'RFC 6749 3.1', (side) => browse(side, side.at.authorize, { method: 'PUT' })],
    ['page.cors', 'a page of another site asks the authorization endpoint', 'FAPI 2.0 5.2.3-2', async (side) => {
        const { headers } = await ask(side.page(await side.push()), { headers: [['Origin', 'https://other.example']] });
        return { status: headers['access-control-allow-origin'] ?? 'no CORS' };
    }],
    ['page.no', 'the person says no', 'RFC 6749 4.1.2.1', async (side) => {
        const back = await side.decide(side.page(await side.push()), false);
        return { status: 'back', code: back.searchParams.get('error') };
    }],
    ['page.state', 'a state of 384 letters', 'RFC 6749 4.1.2', (side) => state(side, 'a'.repeat(384))],
    ['page.no-state', 'no state', 'RFC 6749 4.1.2', (side) => state(side, undefined)],
    ['page.two-states', 'a state that was pushed, and another in the address', 'RFC 9126 4', (side) => state(side, 'pushed', '&state=other')],
    ['page.state-outside', 'a state in the address alone', 'RFC 9126 4', (side) => state(side, undefined, '&state=other')],
    ['page.iss', 'what comes back with a yes', 'RFC 9207 2', async (side) => {
        const back = await side.decide(side.page(await side.push()), true);
        const right = back.searchParams.get('iss') === side.issuer;
        return { status: [...back.searchParams.keys()].sort().join(' '), code: right ? 'iss is right' : 'iss is wrong' };
    }],
    ['page.iss-no', 'what comes back with a no', 'RFC 9207 2', async (side) => {
        const back = await side.decide(side.page(await side.push()), false);
        const keys = [...back.searchParams.keys()].filter((key) => key !== 'error_description').sort().join(' ');
        return { status: keys, code: back.searchParams.get('iss') === side.issuer ? 'iss is right' : 'iss is wrong' };
    }],
];
