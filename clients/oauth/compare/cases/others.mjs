// Kinds of grants, devices, introspection and revocation, and the form of requests.
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const bare = { prove: null };
const begin = async (side) => (await side.post('device', { client_id: side.one.id, ...side.scope }, bare)).body.device_code;
const device = (changes, options = {}) => async (side) =>
    side.post('token', { grant_type: DEVICE, device_code: await begin(side), ...changes }, typeof options === 'function' ? options(side) : options);
const told = async (answer) => {
    const { status, body, code } = await answer;
    return { status, code: code ?? ('active' in body ? `active: ${body.active}` : undefined) };
};

export default [
    ['grant.none', 'no grant_type', 'RFC 6749 5.2', (side) => side.post('token', {})],
    ['grant.password', 'the grant of a password', 'RFC 9700 2.4', (side) => side.post('token', { grant_type: 'password', username: 'a', password: 'b' })],
    ['grant.unknown', 'a grant that nobody knows', 'RFC 6749 5.2', (side) => side.post('token', { grant_type: 'unheard_of' })],
    ['grant.not-allowed', 'a grant that is not the client\'s', 'RFC 6749 5.2', (side) => side.own({ client: side.two })],
    ['grant.resource', 'a token for another resource', 'RFC 8707 2', (side) => side.own({}, { resource: 'https://other.example' })],
    ['form.get', 'the token endpoint by GET', 'RFC 6749 3.2', (side) => side.post('token', { grant_type: 'client_credentials' }, { method: 'GET', prove: null })],
    ['form.json', 'the token endpoint with JSON', 'RFC 6749 3.2', (side) => side.own({ type: 'application/json' })],
    ['form.text', 'the token endpoint with text', 'RFC 6749 3.2', (side) => side.own({ type: 'text/plain' })],
    ['form.query', 'the token endpoint with everything in the address', 'RFC 6749 2.3.1', async (side) => {
        const form = { grant_type: 'client_credentials', client_assertion: await side.assertion(side.one),
            client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' };
        return side.post('token', {}, { assert: null, query: `?${new URLSearchParams(form)}` });
    }],
    ['form.twice', 'grant_type twice', 'RFC 6749 3.2', (side) =>
        side.post('token', [['grant_type', 'client_credentials'], ['grant_type', 'client_credentials']])],
    ['form.twice-client', 'client_id twice', 'RFC 6749 3.2', (side) =>
        side.post('token', [['grant_type', 'client_credentials'], ['client_id', side.one.id], ['client_id', side.one.id]])],

    ['device.good', 'a device begins', 'RFC 8628 3.2', (side) => side.post('device', { client_id: side.one.id, ...side.scope }, bare)],
    ['device.no-client', 'no proof of the client', 'RFC 8628 3.1', (side) =>
        side.post('device', { client_id: side.one.id, ...side.scope }, { ...bare, assert: null })],
    ['device.not-allowed', 'a client that may not', 'RFC 6749 5.2', (side) =>
        side.post('device', { client_id: side.two.id, ...side.scope }, { ...bare, client: side.two })],
    ['device.pending', 'nobody typed the code yet', 'RFC 8628 3.5', device()],
    ['device.too-fast', 'asked twice within the interval', 'RFC 8628 3.5', async (side) => {
        const fields = { grant_type: DEVICE, device_code: await begin(side) };
        await side.post('token', fields);
        return side.post('token', fields);
    }],
    ['device.unknown', 'a device code that nobody gave', 'RFC 8628 3.5', device({ device_code: 'x'.repeat(43) })],
    ['device.none', 'no device code', 'RFC 8628 3.4', device({ device_code: undefined })],
    ['device.no-proof', 'no proof of a key', 'RFC 9449 5', device({}, bare)],

    ['introspect.own', 'a token of the client\'s own', 'RFC 7662 2.2', (side, tokens) =>
        told(side.post('introspect', { token: tokens.access_token }, bare))],
    ['introspect.no-client', 'no proof of the client', 'RFC 7662 2.1', (side, tokens) =>
        side.post('introspect', { token: tokens.access_token, client_id: side.one.id }, { ...bare, assert: null })],
    ['introspect.unknown', 'a token that nobody gave', 'RFC 7662 2.2', (side) => told(side.post('introspect', { token: 'garbage' }, bare))],
    ['introspect.other', 'the token of another client', 'RFC 7662 2.2', (side, tokens) =>
        told(side.post('introspect', { token: tokens.access_token }, { ...bare, client: side.two }))],
    ['introspect.none', 'no token', 'RFC 7662 2.1', (side) => side.post('introspect', {}, bare)],
    ['introspect.get', 'GET', 'RFC 7662 2.1', (side) => side.post('introspect', { token: 'garbage' }, { ...bare, method: 'GET' })],

    ['revoke.no-client', 'no proof of the client', 'RFC 7009 2.1', (side, tokens) =>
        side.post('revoke', { token: tokens.access_token, client_id: side.one.id }, { ...bare, assert: null })],
    ['revoke.unknown', 'a token that nobody gave', 'RFC 7009 2.2', (side) => side.post('revoke', { token: 'garbage' }, bare)],
    ['revoke.other', 'the token of another client', 'RFC 7009 2.1', (side, tokens) =>
        side.post('revoke', { token: tokens.refresh_token }, { ...bare, client: side.two })],
    ['revoke.other-lives', 'whether that token lives on', 'RFC 7009 2.1', async (side, tokens) => {
        await side.post('revoke', { token: tokens.refresh_token }, { ...bare, client: side.two });
        return told(side.post('introspect', { token: tokens.refresh_token }, bare));
    }],
    ['revoke.none', 'no token', 'RFC 7009 2.1', (side) => side.post('revoke', {}, bare)],
    ['revoke.good', 'a token of the client\'s own', 'RFC 7009 2.2', async (side) =>
        side.post('revoke', { token: (await side.tokens()).access_token }, bare)],
    ['revoke.used', 'a token after its revocation, at the resource', 'RFC 7009 2', async (side) => {
        const { access_token } = await side.tokens();
        await side.post('revoke', { token: access_token }, bare);
        return side.look(access_token);
    }],
    ['revoke.refresh', 'an access token after its refresh token was revoked', 'RFC 7009 2.1', async (side) => {
        const { access_token, refresh_token } = await side.tokens();
        await side.post('revoke', { token: refresh_token }, bare);
        return side.look(access_token);
    }],
];
