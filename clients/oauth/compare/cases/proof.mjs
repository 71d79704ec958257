// The proof of a key, for a token and at the resource.
import { randomBytes } from 'node:crypto';
import { digest, newKey, now } from '../side.mjs';

const HOUR = 3600;
const own = (prove) => (side) => side.own({ prove });
const other = await newKey();
const rsa = await newKey('RS256');

const asking = [
    ['proof.none', 'a token without a proof', 'RFC 9449 5, FAPI 2.0 5.3.2.1-4', own(null)],
    ['proof.no-nonce', 'no nonce', 'RFC 9449 8', own({ nonce: undefined })],
    ['proof.nonce', 'a nonce that was made up', 'RFC 9449 8', own({ nonce: randomBytes(32).toString('base64url') })],
    ['proof.htu', 'htu is another endpoint', 'RFC 9449 4.3', (side) => side.own({ prove: { htu: side.at.par } })],
    ['proof.htu-host', 'htu is another host', 'RFC 9449 4.3', own({ htu: 'https://other.example/token' })],
    ['proof.no-htu', 'no htu', 'RFC 9449 4.2', own({ htu: undefined })],
    ['proof.htu-query', 'htu with a query and a fragment', 'RFC 9449 4.3', (side) => side.own({ prove: { htu: `${side.at.token}?a=b#c` } })],
    ['proof.htm', 'htm is GET', 'RFC 9449 4.3', own({ htm: 'GET' })],
    ['proof.htm-case', 'htm is post', 'RFC 9110 9.1', own({ htm: 'post' })],
    ['proof.no-htm', 'no htm', 'RFC 9449 4.2', own({ htm: undefined })],
    ['proof.typ', 'typ is JWT', 'RFC 9449 4.3', own({ header: { typ: 'JWT' } })],
    ['proof.alg-none', 'alg is none', 'RFC 9449 4.3', own({ header: { alg: 'none' } })],
    ['proof.alg-rs256', 'alg is RS256', 'FAPI 2.0 5.4.1', own({ by: rsa })],
    ['proof.alg-hs256', 'a symmetric key', 'RFC 9449 4.2', own({
        header: { alg: 'HS256', jwk: { kty: 'oct', k: Buffer.alloc(32, 7).toString('base64url') } }, key: Buffer.alloc(32, 7) })],
    ['proof.secret', 'jwk is the private key', 'RFC 9449 4.3', (side) =>
        side.own({ prove: { header: { jwk: side.one.proofKey.secret } } })],
    ['proof.no-jwk', 'no jwk', 'RFC 9449 4.2', own({ header: { jwk: undefined } })],
    ['proof.signature', 'signed by another key than jwk', 'RFC 9449 4.3', own({ key: other.privateKey })],
    ['proof.malformed', 'no JWT', 'RFC 9449 4.3', own(['a.b'])],
    ['proof.no-jti', 'no jti', 'RFC 9449 4.2', own({ jti: undefined })],
    ['proof.no-iat', 'no iat', 'RFC 9449 4.2', own({ iat: undefined })],
    ['proof.iat-before', 'iat was 10 s ago', 'FAPI 2.0 5.3.2.1-13', (side) => side.own({ prove: { iat: now() - 10 } })],
    ['proof.iat-after', 'iat is 10 s ahead', 'FAPI 2.0 5.3.2.1-13', (side) => side.own({ prove: { iat: now() + 10 } })],
    ['proof.iat-old', 'iat was an hour ago, with a good nonce', 'RFC 9449 11.1', own({ iat: now() - HOUR })],
    ['proof.iat-ahead', 'iat is an hour ahead, with a good nonce', 'FAPI 2.0 5.3.2.1-13', own({ iat: now() + HOUR })],
    ['proof.times', 'nbf and exp that fit', 'RFC 7519 4.1', (side) => side.own({ prove: { nbf: now(), exp: now() + 60 } })],
    ['proof.exp', 'exp was a minute ago', 'RFC 7519 4.1.4', own({ exp: now() - 60 })],
    ['proof.nbf', 'nbf is an hour ahead', 'RFC 7519 4.1.5', own({ nbf: now() + HOUR })],
    ['proof.replay', 'the same proof again', 'RFC 9449 11.1', async (side) => {
        const proof = [await side.proof(side.at.token)];
        await side.own({ prove: proof });
        return side.own({ prove: proof });
    }],
    ['proof.two', 'two proofs', 'RFC 9449 4.3', async (side) =>
        side.own({ prove: [await side.proof(side.at.token), await side.proof(side.at.token)] })],
];

// Each with a token that is good.
const looking = [
    ['use.good', 'a token with its proof', 'RFC 9449 7.1', {}],
    ['use.lower-case', 'the scheme is written dpop', 'RFC 9110 11.1', { scheme: 'dpop' }],
    ['use.bearer', 'a bound token as Bearer', 'RFC 9449 7.2', { scheme: 'Bearer', prove: null }],
    ['use.bearer-proof', 'a bound token as Bearer, with its proof', 'RFC 9449 7.2', { scheme: 'Bearer' }],
    ['use.no-proof', 'no proof', 'RFC 9449 7.1', { prove: null }],
    ['use.no-ath', 'no ath', 'RFC 9449 7', { prove: { ath: undefined } }],
    ['use.ath', 'ath is another token\'s', 'RFC 9449 7', { prove: { ath: digest('another') } }],
    ['use.other-key', 'the proof of another key', 'RFC 9449 7.1', { prove: { by: other } }],
    ['use.htm', 'htm is POST', 'RFC 9449 4.3', { prove: { htm: 'POST' } }],
    ['use.htu', 'htu is another address', 'RFC 9449 4.3', { prove: { htu: 'https://other.example/' } }],
    ['use.no-nonce', 'no nonce', 'RFC 9449 9', { prove: { nonce: undefined } }],
    ['use.nonce', 'a nonce that was made up', 'RFC 9449 9', { prove: { nonce: 'made-up' } }],
    ['use.garbage', 'a token that nobody gave', 'RFC 6750 3.1', { token: 'garbage' }],
    ['use.nothing', 'no token at all', 'RFC 6750 3.1', { token: null, prove: null }],
].map(([id, what, section, options]) => [id, what, section, (side, { access_token }) =>
    side.look('token' in options ? options.token : access_token, options)]);

export default [
    ...asking,
    ...looking,
    ['use.query', 'the token in the address', 'FAPI 2.0 5.3.4-2', (side, { access_token }) =>
        side.look(null, { prove: null, query: `?access_token=${access_token}` })],
    ['use.replay', 'the same proof again', 'RFC 9449 11.1', async (side, { access_token }) => {
        const prove = [await side.proof(side.at.resource, { htm: 'GET', ath: digest(access_token) })];
        await side.look(access_token, { prove });
        return side.look(access_token, { prove });
    }],
];
