// oauth4webapi, unmodified, as an app that is known by its TLS client certificate (RFC 8705): at a gateway of its
// own, because the demo's listener asks nobody for one.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as oauth from 'oauth4webapi';
import { details, order, same } from './desk.mjs';

const folder = mkdtempSync(join(tmpdir(), 'tidegate-certificate-'));
const data = join(folder, 'desk');
const tidegate = (...words) => JSON.parse(execFileSync(process.env.TIDEGATE, [...words, '--json', '--data-dir', data]));

async function demo() {
    const words = ['demo', '--approvals', 'one', '--listen', '127.0.0.1:0', '--json', '--data-dir', data];
    const child = spawn(process.env.TIDEGATE, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    process.once('exit', () => child.kill());
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    return { child, ready: JSON.parse(line) };
}

const before = await demo();
before.child.kill();
await once(before.child, 'exit');
const config = join(data, 'tidegate.toml');
const asks = readFileSync(config, 'utf8').replace(/client_certificates = false/, 'client_certificates = true');
writeFileSync(config, asks.includes('client_certificates') ? asks : asks.replace('[listen]', '[listen]\nclient_certificates = true'));
const { child, ready } = await demo();

function certificate(name) {
    const files = { key: join(folder, `${name}.key`), cert: join(folder, `${name}.pem`) };
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
        '-subj', `/CN=${name}`, '-keyout', files.key, '-out', files.cert], { stdio: 'ignore' });
    return files;
}

// A fetch over connections that show a certificate, or none.
function shows(files) {
    const own = files ? { key: readFileSync(files.key), cert: readFileSync(files.cert) } : {};
    const agent = new Agent({ ca: readFileSync(ready.ca), ...own });
    const fetch = (url, { method, headers, body }) => new Promise((resolve, reject) => {
        const sent = { agent, method, headers: Object.fromEntries(new Headers(headers)) };
        const text = body ? String(body) : '';
        if (text) sent.headers['content-length'] = Buffer.byteLength(text);
        request(url, sent, async (reply) => {
            const parts = await reply.toArray();
            resolve(new Response(Buffer.concat(parts), { status: reply.statusCode, headers: reply.headers }));
        }).on('error', reject).end(text);
    });
    return { [oauth.customFetch]: fetch };
}

const issuer = new URL(`https://localhost:${new URL(ready.venues.binance.prefixed).port}`);
const orders = new URL(`${issuer.origin}/binance/fapi/v1/order`);
for (const caller of ['quoter', 'other']) {
    tidegate('caller', 'add', caller);
    tidegate('grant', 'set', caller, '--account', 'binance-main', '--max-order', '100000', '--max-open', '400000');
}
const [files, foreign] = [certificate('quoter'), certificate('other')];
tidegate('app', 'add', 'quoter', '--title', 'Quoter', '--certificate', files.cert);
tidegate('app', 'add', 'other', '--title', 'Other', '--certificate', foreign.cert);
const [own, others, bare] = [shows(files), shows(foreign), shows()];

const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...bare }));
same('methods', server.token_endpoint_auth_methods_supported, ['private_key_jwt', 'self_signed_tls_client_auth']);
same('tokens are bound', server.tls_client_certificate_bound_access_tokens, true);

const client = { client_id: 'quoter' };
const asked = new URLSearchParams({ authorization_details: details() });
async function token(by, who = client) {
    const said = await oauth.clientCredentialsGrantRequest(server, who, oauth.TlsClientAuth(), asked, by);
    return oauth.processClientCredentialsResponse(server, who, said);
}
async function refused(ask) {
    try {
        await ask();
    } catch (error) {
        return [error.status, error.error ?? error.cause?.find((it) => it.scheme === 'bearer')?.parameters?.error];
    }
    throw new Error('it was not refused');
}

const given = await token(own);
same('token type', given.token_type, 'bearer');
same('a token by another certificate', await refused(() => token(others)), [401, 'invalid_client']);
same('a token without one', await refused(() => token(bare)), [401, 'invalid_client']);

const place = (by, shown = given.access_token) => {
    const url = new URL(orders);
    url.search = order('0.01', '50000');
    return oauth.protectedResourceRequest(shown, 'POST', url, undefined, null, by);
};
const placed = await place(own);
same('order', [placed.status, (await placed.json()).symbol], [200, 'BTCUSDT']);
same('an order by another certificate', await refused(() => place(others)), [401, 'invalid_token']);
same('an order without one', await refused(() => place(bare)), [401, 'invalid_token']);

const about = async () => oauth.processIntrospectionResponse(server, client,
    await oauth.introspectionRequest(server, client, oauth.TlsClientAuth(), given.access_token, own));
const known = await about();
same('introspected', [known.active, known.client_id, typeof known.cnf['x5t#S256']], [true, 'quoter', 'string']);
await oauth.processRevocationResponse(
    await oauth.revocationRequest(server, client, oauth.TlsClientAuth(), given.access_token, own));
same('after revocation', (await about()).active, false);
same('an order after revocation', await refused(() => place(own)), [401, 'invalid_token']);

const last = await token(own);
tidegate('app', 'revoke-key', known.cnf['x5t#S256']);
same('an order after its certificate', await refused(() => place(own, last.access_token)), [401, 'invalid_token']);
same('a token after its certificate', await refused(() => token(own)), [401, 'invalid_client']);
child.kill();
await once(child, 'exit');
process.exit(0);
