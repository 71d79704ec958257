// oauth4webapi, unmodified: every flow that needs no browser, and orders with the token.
import * as oauth from 'oauth4webapi';
import { CALLBACK, ISSUER, ORDERS, app, details, order, same, step, tidegate } from './desk.mjs';

const found = await oauth.discoveryRequest(ISSUER, { algorithm: 'oauth2' });
const server = await oauth.processDiscoveryResponse(ISSUER, found);
same('par only', server.require_pushed_authorization_requests, true);
const resource = await oauth.processResourceDiscoveryResponse(ISSUER, await oauth.resourceDiscoveryRequest(ISSUER));
same('resource', resource.authorization_servers, [ISSUER.origin]);

const second = { client_id: 'second' };
const wide = { client_id: 'wide' };
const prove = { second: oauth.PrivateKeyJwt(await app('second', '--delegate', 'wide')), wide: oauth.PrivateKeyJwt(await app('wide')) };
const keys = await oauth.generateKeyPair('ES256');
const DPoP = oauth.DPoP(second, keys);
const others = oauth.DPoP(wide, await oauth.generateKeyPair('Ed25519'));

// The nonce comes with the first refusal: the same again is the client's business.
async function again(ask, asked = ask) {
    try {
        return await ask();
    } catch (error) {
        if (!oauth.isDPoPNonceError(error)) throw error;
        step('nonce', error.status ?? error.cause?.status ?? 'asked for');
        return asked();
    }
}

async function refused(ask) {
    try {
        await ask();
    } catch (error) {
        const challenge = error.cause?.[0]?.parameters?.error;
        return [error.status, error.error ?? challenge];
    }
    throw new Error('it was not refused');
}

const credentials = (params) => again(async () => {
    const said = await oauth.clientCredentialsGrantRequest(server, second, prove.second, params, { DPoP });
    return oauth.processClientCredentialsResponse(server, second, said);
});
const token = await credentials(new URLSearchParams({ authorization_details: details() }));
same('token type', token.token_type, 'dpop');
same('granted', token.authorization_details[0].max_order.notional, '50000');

const place = (text, holder = DPoP, shown = token.access_token) => again(async () => {
    const url = new URL(ORDERS);
    url.search = text;
    return oauth.protectedResourceRequest(shown, 'POST', url, undefined, null, { DPoP: holder });
});
const placed = await place(order('0.01', '50000'));
const told = await placed.json();
same('order', [placed.status, told.symbol, told.side], [200, 'BTCUSDT', 'BUY']);
same('beyond the token', (await place(order('2', '50000'))).status, 400);
same('another key', await refused(() => place(order('0.01', '50000'), others)), [401, 'invalid_token']);

same('more than the app may', await refused(() =>
    credentials(new URLSearchParams({ authorization_details: details('900000000') }))), [400, 'invalid_authorization_details']);

const verifier = oauth.generateRandomCodeVerifier();
const pushed = await again(async () => {
    const said = await oauth.pushedAuthorizationRequest(server, second, prove.second, new URLSearchParams({
        response_type: 'code', redirect_uri: CALLBACK, state: 'a b', authorization_details: details(),
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    }), { DPoP });
    return oauth.processPushedAuthorizationResponse(server, second, said);
});
same('pushed', [pushed.request_uri.startsWith('urn:ietf:params:oauth:request_uri:'), pushed.expires_in], [true, 90]);

const device = await oauth.processDeviceAuthorizationResponse(server, second,
    await oauth.deviceAuthorizationRequest(server, second, prove.second, new URLSearchParams({ authorization_details: details() })));
same('device', [device.verification_uri, device.interval], [`${ISSUER.origin}/oauth/device`, 5]);
same('nobody typed it yet', await refused(() => again(async () => {
    const said = await oauth.deviceCodeGrantRequest(server, second, prove.second, device.device_code, { DPoP });
    return oauth.processDeviceCodeResponse(server, second, said);
})), [400, 'authorization_pending']);

// Only a person's token is handed on; this one is the app's own.
same('not to be handed on', await refused(() => again(async () => {
    const said = await oauth.genericTokenEndpointRequest(server, wide, prove.wide,
        'urn:ietf:params:oauth:grant-type:token-exchange', {
            subject_token: token.access_token, subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
            authorization_details: details('600'),
        }, { DPoP: others });
    return oauth.processGenericTokenEndpointResponse(server, wide, said);
})), [400, 'unauthorized_client']);
const foreign = await again(async () => {
    const said = await oauth.clientCredentialsGrantRequest(server, wide, prove.wide, {}, { DPoP: others });
    return oauth.processClientCredentialsResponse(server, wide, said);
});

async function introspected(shown) {
    const said = await oauth.introspectionRequest(server, second, prove.second, shown);
    return oauth.processIntrospectionResponse(server, second, said);
}
const known = await introspected(token.access_token);
same('introspected', [known.active, known.client_id, known.token_type], [true, 'second', 'DPoP']);
same("another's", (await introspected(foreign.access_token)).active, false);

await oauth.processRevocationResponse(await oauth.revocationRequest(server, second, prove.second, token.access_token));
same('after revocation', (await introspected(token.access_token)).active, false);
same('an order after revocation', await refused(() => place(order('0.01', '50000'))), [401, 'invalid_token']);

const last = await credentials(new URLSearchParams({ authorization_details: details() }));
same('a token again', (await place(order('0.01', '50000'), DPoP, last.access_token)).status, 200);
tidegate('app', 'revoke', 'second');
same('an order after its app', await refused(() => place(order('0.01', '50000'), DPoP, last.access_token)), [401, 'invalid_token']);
same('a token after its app', await refused(() => credentials(new URLSearchParams())), [401, 'invalid_client']);
