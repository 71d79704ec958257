// Request objects that a client signs (RFC 9101), pushed, as FAPI 2.0 Message Signing 5.3.1 has them.
import { digest, newKey, now } from '../side.mjs';

const other = await newKey();
const SECTION = 'FAPI 2.0 MS 5.3.1';
const push = (changes, beside, options) => async (side) => (await side.signed(changes, beside, options)).answer;

export default [
    ['signed.good', 'a good one', SECTION, push()],
    ['signed.audiences', 'for several audiences, this server among them', SECTION, async (side) =>
        (await side.signed({ aud: ['https://other.example', side.issuer] })).answer],
    ['signed.ahead', 'an nbf of 8 s ahead', SECTION, push({ nbf: now() + 8 })],
    ['signed.far-ahead', 'an nbf of 100 s ahead', SECTION, push({ nbf: now() + 100, exp: now() + 200 })],
    ['signed.no-nbf', 'no nbf', SECTION, push({ nbf: undefined })],
    ['signed.old-nbf', 'an nbf of 70 minutes ago', SECTION, push({ nbf: now() - 4200 })],
    ['signed.no-exp', 'no exp', SECTION, push({ exp: undefined })],
    ['signed.over', 'one that is over', SECTION, push({ nbf: now() - 600, exp: now() - 300 })],
    ['signed.long', 'good for 70 minutes', SECTION, push({ exp: now() + 4200 })],
    ['signed.aud', 'for somebody else', SECTION, push({ aud: 'https://other.example' })],
    ['signed.no-aud', 'for nobody', SECTION, push({ aud: undefined })],
    ['signed.iss', 'by somebody else', 'RFC 9101 4', push({ iss: 'other' })],
    ['signed.client', 'of another client', 'RFC 9101 5', push({ client_id: 'other' })],
    ['signed.none', 'signed by nobody', SECTION, push({ header: { alg: 'none', kid: undefined } })],
    ['signed.key', 'signed by a key that is not registered', SECTION, push({ key: other.privateKey })],
    ['signed.unnamed', 'signed by a key of a name that is not registered', SECTION, push({ key: other.privateKey, header: { kid: 'two' } })],
    ['signed.rs256', 'signed by RS256', SECTION, async (side) =>
        (await side.signed({ key: (await newKey('RS256')).privateKey, header: { alg: 'RS256' } })).answer],
    ['signed.form', 'no JWT', 'RFC 9101 6', async (side) => (await side.push({ request: 'text' })).answer],
    ['signed.spoilt', 'a signature that does not fit', 'RFC 9101 6.2', async (side) => {
        const header = { typ: 'oauth-authz-req+jwt', alg: 'ES256', kid: 'one' };
        const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
        return (await side.push({ request: `${part(header)}.${part({ iss: 'first' })}.${'A'.repeat(86)}` })).answer;
    }],
    ['signed.reference', 'a request_uri inside', 'RFC 9101 4', push({ request_uri: 'urn:ietf:params:oauth:request_uri:abc' })],
    ['signed.within', 'a request inside', 'RFC 9101 4', push({ request: 'a.b.c' })],
    ['signed.no-redirect', 'no redirect_uri inside, one beside it', 'FAPI 2.0 MS 5.3.1, RFC 9101 5', push(
        { redirect_uri: undefined }, { redirect_uri: 'https://app.example/callback' })],
    ['signed.no-pkce', 'no code_challenge inside, one beside it', 'RFC 9101 5', push(
        { code_challenge: undefined, code_challenge_method: undefined },
        { code_challenge: digest('verifier'), code_challenge_method: 'S256' })],
    ['signed.beside', 'a state inside, another beside it', 'RFC 9101 5', async (side) => {
        const back = await side.decide(side.page(await side.signed({}, { state: 'beside' })), true);
        return { status: back.searchParams.has('code') ? 'a code' : 'no code', code: back.searchParams.get('state') };
    }],
    ['signed.must', 'a good one by a client that must sign', 'RFC 9101 10.5', (side) => push({}, {}, { client: side.signer })(side)],
    ['signed.unsigned', 'nothing signed by a client that must', 'RFC 9101 10.5', async (side) =>
        (await side.push({}, { client: side.signer })).answer],
];
