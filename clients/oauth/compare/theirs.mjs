// The certified server: `oidc-provider` under its FAPI 2.0 profile, on a port of this machine.
import http from 'node:http';
import { randomBytes } from 'node:crypto';
import Provider from 'oidc-provider';
import { Browser, ask } from './http.mjs';
import { CALLBACK, Side, newKey } from './side.mjs';

// It is for Node 22; of what Node 20 has not, it uses this alone.
URL.parse ??= (text, base) => (URL.canParse(text, base) ? new URL(text, base) : null);

const ALGORITHMS = ['PS256', 'ES256', 'EdDSA', 'Ed25519'];

const KEPT = ['AccessToken', 'AuthorizationCode', 'ClientCredentials', 'DeviceCode', 'Grant', 'IdToken', 'Interaction',
    'RefreshToken', 'Session'];

async function client(id, grants, more = {}) {
    const key = await newKey();
    const metadata = {
        client_id: id, grant_types: grants, response_types: ['code'], redirect_uris: [CALLBACK],
        token_endpoint_auth_method: 'private_key_jwt', dpop_bound_access_tokens: true, id_token_signed_response_alg: 'ES256',
        jwks: { keys: [{ ...key.jwk, kid: 'one', alg: 'ES256', use: 'sig' }] },
        ...more,
    };
    return { metadata, id, key, kid: 'one', proofKey: await newKey() };
}

export async function theirs() {
    const one = await client('first', ['authorization_code', 'client_credentials', 'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code']);
    const two = await client('other', ['authorization_code', 'refresh_token']);
    const signer = await client('signer', ['authorization_code'], { require_signed_request_object: true });
    const signing = { ...(await newKey()).secret, kid: 'signing', alg: 'ES256', use: 'sig' };
    const server = http.createServer();
    await new Promise((done) => server.listen(0, '127.0.0.1', done));
    const issuer = `http://127.0.0.1:${server.address().port}`;
    const provider = quietly(() => new Provider(issuer, configuration([one.metadata, two.metadata, signer.metadata], signing)));
    server.on('request', provider.callback());
    const at = {
        par: `${issuer}/request`, token: `${issuer}/token`, authorize: `${issuer}/auth`, resource: `${issuer}/me`,
        introspect: `${issuer}/token/introspection`, revoke: `${issuer}/token/revocation`, device: `${issuer}/device/auth`,
    };
    const browse = (url) => ask(url, { headers: [['Accept', 'application/json']] });
    // A person grants no `account` there: whatever is asked of that type is more.
    const wide = JSON.stringify([{ type: 'account', actions: ['read'] }]);
    const side = new Side({ issuer, at, scope: { scope: 'openid' }, narrow: {}, wide, one, two, signer, browse, decide });
    return { side, stop: () => server.close() };
}

function configuration(clients, signing) {
    return {
        clients,
        jwks: { keys: [signing] },
        cookies: { keys: [randomBytes(16).toString('hex')] },
        enabledJWA: {
            clientAuthSigningAlgValues: ALGORITHMS, dPoPSigningAlgValues: ALGORITHMS, idTokenSigningAlgValues: ['ES256'],
            requestObjectSigningAlgValues: ALGORITHMS,
        },
        clientAuthMethods: ['private_key_jwt'],
        findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
        issueRefreshToken: () => true,
        renderError: (context, said) => { context.body = said; },
        ttl: Object.fromEntries(KEPT.map((kind) => [kind, 600])),
        features: {
            fapi: { enabled: true, profile: '2.0' },
            pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
            requestObjects: { enabled: true },
            dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
            clientCredentials: { enabled: true },
            deviceFlow: { enabled: true },
            introspection: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
            revocation: { enabled: true },
            richAuthorizationRequests: { enabled: true, types: { account: { validate() {} } } },
        },
    };
}

// It warns of what is for development only, which this is.
function quietly(make) {
    const { info, warn } = console;
    Object.assign(console, { info() {}, warn() {} });
    try {
        return make();
    } finally {
        Object.assign(console, { info, warn });
    }
}

// Its own pages for development take any name and any password.
async function decide(url, yes) {
    const browser = new Browser();
    let at = await browser.get(url);
    for (const fields of [{ prompt: 'login', login: 'tom', password: 'any' }, { prompt: 'consent' }]) {
        const page = new URL(at.headers.location ?? fail(at), at.url);
        if (page.origin !== at.url.origin) return page;
        const said = yes ? await browser.post(page, fields) : await browser.get(`${page}/abort`);
        at = await browser.get(new URL(said.headers.location ?? fail(said), page));
    }
    return new URL(at.headers.location ?? fail(at), at.url);
}

function fail(answer) {
    throw new Error(`oidc-provider leads nowhere: ${answer.status} ${answer.text.slice(0, 400)}`);
}

