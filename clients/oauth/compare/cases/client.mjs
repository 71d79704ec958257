// Who a client is: its assertion, shown for a token of its own.
import { randomUUID } from 'node:crypto';
import { newKey, now } from '../side.mjs';

const HOUR = 3600;
const own = (assert) => (side) => side.own({ assert });
const other = await newKey();
const rsa = await newKey('RS256');

export default [
    ['client.good', 'a good assertion', 'RFC 7523 3', own({})],
    ['client.none', 'a name and no proof', 'FAPI 2.0 5.3.2.1-6', (side) => side.own({ assert: null }, { client_id: side.one.id })],
    ['client.nobody', 'no name and no proof', 'RFC 6749 5.2', own(null)],
    ['client.basic', 'a secret in the Authorization header', 'FAPI 2.0 5.3.2.1-6', (side) => side.own({
        assert: null, headers: [['Authorization', `Basic ${Buffer.from(`${side.one.id}:secret`).toString('base64')}`]] })],
    ['client.secret', 'a secret in the form', 'FAPI 2.0 5.3.2.1-6', (side) =>
        side.own({ assert: null }, { client_id: side.one.id, client_secret: 'secret' })],
    ['client.unknown', 'a client that nobody registered', 'RFC 6749 5.2', own({ iss: 'nobody', sub: 'nobody' })],
    ['client.two-names', 'client_id is another than the assertion\'s', 'RFC 7521 4.2', (side) =>
        side.own({}, { client_id: side.two.id })],
    ['client.no-type', 'client_assertion without its type', 'RFC 7521 4.2', (side) =>
        side.own({}, { client_assertion_type: '' })],
    ['client.other-type', 'a client_assertion_type that nobody knows', 'RFC 7521 4.2', (side) =>
        side.own({}, { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' })],
    ['client.malformed', 'an assertion that is no JWT', 'RFC 7523 3', own('a.b')],
    ['client.iss', 'iss is somebody else', 'RFC 7523 3', own({ iss: 'somebody' })],
    ['client.no-iss', 'no iss', 'RFC 7523 3', own({ iss: undefined })],
    ['client.no-sub', 'no sub', 'RFC 7523 3', own({ sub: undefined })],
    ['client.aud-token', 'aud is the token endpoint', 'FAPI 2.0 5.3.2.1-8', (side) => side.own({ assert: { aud: side.at.token } })],
    ['client.aud-par', 'aud is the endpoint of pushes, at that endpoint', 'FAPI 2.0 5.3.2.1-8', async (side) =>
        (await side.push({}, { assert: { aud: side.at.par } })).answer],
    ['client.aud-token-par', 'aud is the token endpoint, at the endpoint of pushes', 'FAPI 2.0 5.3.2.1-8', async (side) =>
        (await side.push({}, { assert: { aud: side.at.token } })).answer],
    ['client.aud-list-par', 'aud is a list with the issuer, at the endpoint of pushes', 'FAPI 2.0 5.3.2.1-8', async (side) =>
        (await side.push({}, { assert: { aud: [side.issuer] } })).answer],
    ['client.aud-list', 'aud is a list with the issuer', 'FAPI 2.0 5.3.2.1-8', (side) => side.own({ assert: { aud: [side.issuer] } })],
    ['client.aud-lists', 'aud is a list with the issuer and another', 'FAPI 2.0 5.3.2.1-8', (side) =>
        side.own({ assert: { aud: [side.issuer, 'https://other.example'] } })],
    ['client.aud-other', 'aud is another server', 'RFC 7523 3', own({ aud: 'https://other.example' })],
    ['client.no-aud', 'no aud', 'RFC 7523 3', own({ aud: undefined })],
    ['client.expired', 'exp was five minutes ago', 'RFC 7523 3', own({ iat: now() - 600, exp: now() - 300 })],
    ['client.no-exp', 'no exp', 'RFC 7523 3', own({ exp: undefined })],
    ['client.far-exp', 'exp is a day ahead', 'RFC 7523 3', own({ exp: now() + 24 * HOUR })],
    ['client.clock', 'iat and nbf are 8 s ahead', 'FAPI 2.0 5.3.2.1-13', (side) => side.own({ assert: { iat: now() + 8, nbf: now() + 8 } })],
    ['client.nbf', 'nbf is more than a minute ahead', 'FAPI 2.0 5.3.2.1-13', own({ nbf: now() + HOUR, exp: now() + 2 * HOUR })],
    ['client.iat', 'iat is more than a minute ahead', 'FAPI 2.0 5.3.2.1-13', own({ iat: now() + HOUR, exp: now() + HOUR + 60 })],
    ['client.no-jti', 'no jti', 'FAPI 2.0 5.3.2.1-8, RFC 7523 3', own({ jti: undefined })],
    ['client.replay', 'the same assertion again', 'RFC 7523 3', async (side) => {
        const assert = await side.assertion(side.one);
        await side.own({ assert });
        return side.own({ assert });
    }],
    ['client.jti', 'another assertion with the same jti', 'RFC 7523 3', async (side) => {
        const jti = randomUUID();
        await side.own({ assert: { jti } });
        return side.own({ assert: { jti, exp: now() + 61 } });
    }],
    ['client.alg-none', 'alg is none', 'FAPI 2.0 5.4.1', own({ header: { alg: 'none' } })],
    ['client.alg-rs256', 'alg is RS256', 'FAPI 2.0 5.4.1', own({ header: { alg: 'RS256' }, key: rsa.privateKey })],
    ['client.alg-hs256', 'alg is HS256, by the public key', 'RFC 8725 3.1', (side) => side.own({
        assert: { header: { alg: 'HS256' }, key: Buffer.from(JSON.stringify(side.one.key.jwk)) } })],
    ['client.other-key', 'signed by another key', 'RFC 7523 3', own({ key: other.privateKey })],
    ['client.no-kid', 'a kid that is not registered', 'RFC 7515 4.1.4', own({ header: { kid: 'two' } })],
];
