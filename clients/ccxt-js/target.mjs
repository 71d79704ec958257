// Stock ccxt, pointed at the target by base URLs alone, and what every scenario shares: steps that
// print what they saw, refusals. See `lib/scenario.py`, which says the same in Python.
import { readFileSync } from 'node:fs';

export const TARGET = JSON.parse(readFileSync(process.env.TARGET, 'utf8'));
export const THROUGH_TIDEGATE = TARGET.gateway;

const keyOf = (caller) => (caller ? TARGET.others[caller] : TARGET);

function settings(caller) {
    const { key, secret } = keyOf(caller);
    return { apiKey: key, secret, enableRateLimit: false };
}

function replaced(urls, hosts) {
    if (typeof urls !== 'string') {
        return Object.fromEntries(Object.entries(urls).map(([key, value]) => [key, replaced(value, hosts)]));
    }
    const found = Object.keys(hosts).find((host) => urls.startsWith(host));
    return found ? hosts[found] + urls.slice(found.length) : urls;
}

export function binance(module, caller) {
    const exchange = new module.binanceusdm(settings(caller));
    exchange.urls.api = replaced(exchange.urls.api, {
        'https://fapi.binance.com': TARGET.rest, 'https://dapi.binance.com': TARGET.rest,
        'https://api.binance.com': TARGET.rest,
        'wss://fstream.binance.com': TARGET.ws, 'wss://ws-fapi.binance.com': TARGET.ws,
    });
    return exchange;
}

export function deribit(module, caller) {
    // The venue gives a new account five orders a second, so the client keeps to its own rates.
    const exchange = new module.deribit({ ...settings(caller), enableRateLimit: true });
    exchange.urls.api = { rest: TARGET.rest, ws: TARGET.ws + '/ws/api/v2' };
    return exchange;
}

export function step(name, value) {
    console.log(JSON.stringify({ step: name, value: value === undefined ? null : value }));
}

export function check(condition, what) {
    if (!condition) {
        throw new Error(`failed: ${what}`);
    }
}

export async function refused(name, call) {
    const error = await caught(name, call);
    const code = /"code":\s*"?(-?\d+)/.exec(error.message);
    step(name, { class: error.constructor.name, code: code ? code[1] : null });
}

export async function refusedHere(name, tg, cls, call) {
    const error = await caught(name, call);
    const code = /TG\d{3}/.exec(error.message);
    const seen = [code ? code[0] : null, error.constructor.name];
    if (seen[0] !== tg || seen[1] !== cls) {
        otherwise.push(`${name}: wanted ${[tg, cls]}, saw ${seen}: ${error.message.slice(0, 200)}`);
    }
}

const otherwise = [];

export function done() {
    check(otherwise.length === 0, otherwise.join('\n'));
    step('done', true);
}

async function caught(name, call) {
    let error;
    try {
        await call();
    } catch (thrown) {
        error = thrown;
    }
    check(error, `${name}: was not refused`);
    return error;
}

export async function until(what, condition, seconds = 10) {
    const end = Date.now() + seconds * 1000;
    while (Date.now() < end) {
        const value = await condition();
        if (value) {
            return value;
        }
        await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`failed: ${what}: not within ${seconds} s`);
}

export async function within(what, promise, seconds = 20) {
    let timer;
    const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`failed: ${what}: not within ${seconds} s`)), seconds * 1000);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
