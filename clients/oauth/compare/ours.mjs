// Tidegate's demo, with two apps and the trader whose callers they are. Nothing that is asked for trades, so that the trader's
// session is enough for a yes: no passkey, and no real browser, is needed.
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { ISSUER, tidegate } from '../desk.mjs';
import { Browser, form, text } from './http.mjs';
import { CALLBACK, Side, newKey } from './side.mjs';

const ACCOUNT = 'binance-main';
const PASSWORD = 'vier blaue Esel singen leise';
const OFFERED = ['authorization_code', 'client_credentials', 'refresh_token', 'device_code'];

async function client(id, grants, ...words) {
    const key = await newKey();
    const file = `${process.env.HOME}/${id}.jwks.json`;
    writeFileSync(file, JSON.stringify({ keys: [{ ...key.jwk, kid: 'one', alg: 'ES256' }] }));
    tidegate('caller', 'add', id);
    tidegate('grant', 'set', id, '--account', ACCOUNT, '--read-only');
    tidegate('app', 'add', id, '--title', `App ${id}`, '--jwks', file, '--redirect-uri', CALLBACK, '--grants', grants.join(','), ...words);
    return { id, key, kid: 'one', proofKey: await newKey() };
}

export async function ours() {
    const one = await client('first', OFFERED);
    const two = await client('other', ['authorization_code', 'refresh_token']);
    const signer = await client('signer', ['authorization_code'], '--signs-requests');
    tidegate('person', 'set', 'olga', '--roles', 'trader', '--owns', 'first,other');
    const browser = await loggedIn('olga');
    const issuer = ISSUER.origin;
    const path = (name) => `${issuer}/oauth/${name}`;
    const at = {
        par: path('par'), token: path('token'), authorize: path('authorize'), introspect: path('introspect'),
        revoke: path('revoke'), device: path('device_authorization'), resource: `${issuer}/v1/limits`,
    };
    const details = [{ type: 'tidegate_trading', venue: 'binance', account: ACCOUNT, instruments: ['*'], read_only: true }];
    const scope = { authorization_details: JSON.stringify(details) };
    const narrow = { authorization_details: JSON.stringify([{ ...details[0], instruments: ['BTCUSDT'] }]) };
    const wide = scope.authorization_details;
    const browse = (url) => arrive(browser, url);
    const says = (url, yes) => decide(browser, url, yes);
    const side = new Side({ issuer, at, scope, narrow, wide, one, two, signer, browse, decide: says });
    return { side, stop() {} };
}

// Enrols by a link with a password and an app, and logs in with a recovery code.
async function loggedIn(person) {
    const { link } = tidegate('person', 'invite', person);
    const browser = new Browser();
    const at = (path) => new URL(path, link);
    const page = await browser.post(at('/console/enrol'), { link: new URL(link).hash.slice(1) });
    const secret = page.text.match(/id="secret">([^<]*)</)[1].replaceAll(' ', '');
    const fields = form(page, '/console/enrol/password');
    const done = await browser.post(at('/console/enrol/password'), { ...fields, password: PASSWORD, code: totp(secret) });
    const recovery = text(done.text.match(/id="codes"><li><code>([^<]*)</)[1]);
    await browser.get(at('/console/login'));
    const login = form(await browser.get(at('/console/login')), '/console/login/password');
    const code = await browser.follow(await browser.post(at('/console/login/password'), { ...login, name: person, password: PASSWORD }));
    const asked = form(code, '/console/login/code');
    const home = await browser.follow(await browser.post(at('/console/login/code'), { ...asked, code: recovery }));
    if (home.status !== 200) throw new Error(`${person} is not logged in: ${home.status} ${home.text}`);
    return browser;
}

// The code of an authenticator app now (RFC 6238).
function totp(secret) {
    const bits = [...secret].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('');
    const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30000)));
    const mac = createHmac('sha1', key).update(counter).digest();
    return String((mac.readUInt32BE(mac.at(-1) & 15) & 0x7fffffff) % 1000000).padStart(6, '0');
}

// Where a browser ends that an app sends: our pages lead on by themselves from one to the next.
async function arrive(browser, url) {
    const page = await browser.follow(await browser.get(url));
    const on = onward(page);
    return on ? arrive(browser, on) : page;
}

// Where a page leads by itself.
function onward(page) {
    const to = page.text.match(/http-equiv="refresh" content="0; ?url=([^"]*)"/i)?.[1];
    return to && new URL(text(to), page.url);
}

async function decide(browser, url, yes) {
    const page = await arrive(browser, url);
    const action = `/console/consent/${yes ? 'approve' : 'deny'}`;
    const said = await browser.post(new URL(action, page.url), form(page, action));
    const to = onward(said);
    if (!to) throw new Error(`the decision leads nowhere: ${said.status} ${said.text.slice(0, 600)}`);
    return to;
}
