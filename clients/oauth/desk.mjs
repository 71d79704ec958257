// Apps of the demo's desk with keys of their own, and what both libraries' scenarios share.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const TARGET = JSON.parse(readFileSync(process.env.TARGET, 'utf8'));
export const ISSUER = new URL(`https://localhost:${new URL(TARGET.rest).port}`);
export const ORDERS = new URL(`${ISSUER.origin}/binance/fapi/v1/order`);
export const CALLBACK = 'https://app.example/callback';

export function tidegate(...words) {
    const said = execFileSync(process.env.TIDEGATE, [...words, '--json', '--data-dir', TARGET.data_dir]);
    return JSON.parse(said);
}

// Registers a caller of the desk as an app; its key for assertions.
export async function app(caller, ...words) {
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    const jwk = await crypto.subtle.exportKey('jwk', keys.publicKey);
    const file = join(mkdtempSync(join(tmpdir(), 'tidegate-app-')), 'jwks.json');
    writeFileSync(file, JSON.stringify({ keys: [{ kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y, alg: 'ES256', kid: 'one' }] }));
    const grants = 'client_credentials,authorization_code,refresh_token,device_code,token_exchange';
    tidegate('app', 'add', caller, '--title', `App ${caller}`, '--jwks', file, '--grants', grants,
        '--redirect-uri', CALLBACK, ...words);
    return { key: keys.privateKey, kid: 'one' };
}

// What a token may be asked for: one account, one instrument, small orders.
export const details = (notional = '50000') => JSON.stringify([{
    type: 'tidegate_trading', venue: 'binance', account: 'binance-main', instruments: ['BTCUSDT'],
    sides: ['buy'], order_types: ['limit'], max_order: { notional }, max_open_notional: '100000',
}]);

export function order(quantity, price) {
    return new URLSearchParams({
        symbol: 'BTCUSDT', side: 'BUY', type: 'LIMIT', timeInForce: 'GTC', quantity, price,
    }).toString();
}

export function step(name, value) {
    console.log(JSON.stringify({ step: name, value }));
}

export function same(name, found, wanted) {
    if (JSON.stringify(found) !== JSON.stringify(wanted)) {
        throw new Error(`${name}: ${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
    }
    step(name, found);
}
