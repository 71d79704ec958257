// openid-client, unmodified: it finds everything by itself and repeats with the nonce by itself.
import * as client from 'openid-client';
import { CALLBACK, ISSUER, ORDERS, app, details, order, same } from './desk.mjs';

const proof = client.PrivateKeyJwt(await app('reader'));
const config = await client.discovery(ISSUER, 'reader', {}, proof, { algorithm: 'oauth2' });
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
const reading = JSON.stringify([{
    type: 'tidegate_trading', venue: 'binance', account: 'binance-main', instruments: ['*'], read_only: true,
}]);

const token = await client.clientCredentialsGrant(config, { authorization_details: reading }, { DPoP });
same('token', [token.token_type, token.authorization_details[0].read_only], ['dpop', true]);

const balance = new URL(`${ISSUER.origin}/binance/fapi/v3/balance`);
const read = await client.fetchProtectedResource(config, token.access_token, balance, 'GET', undefined, undefined, { DPoP });
same('balance', [read.status, Array.isArray(await read.json())], [200, true]);
const url = new URL(ORDERS);
url.search = order('0.01', '50000');
const placed = await client.fetchProtectedResource(config, token.access_token, url, 'POST', null, undefined, { DPoP });
same('an order by a reader', (await placed.json()).msg.includes('TG301'), true);

const verifier = client.randomPKCECodeVerifier();
const page = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: CALLBACK, authorization_details: reading, code_challenge_method: 'S256',
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
}, { DPoP });
same('page', [page.pathname, [...page.searchParams.keys()].sort()], ['/oauth/authorize', ['client_id', 'request_uri']]);
const sent = await fetch(page, { redirect: 'manual' });
same('sent on', [sent.status, sent.headers.get('location').startsWith('/consent?')], [303, true]);

const device = await client.initiateDeviceAuthorization(config, { authorization_details: reading });
same('device', /^[B-Z]{4}-[B-Z]{4}$/.test(device.user_code), true);

const known = await client.tokenIntrospection(config, token.access_token);
same('introspected', known.active, true);
await client.tokenRevocation(config, token.access_token);
same('revoked', (await client.tokenIntrospection(config, token.access_token)).active, false);
