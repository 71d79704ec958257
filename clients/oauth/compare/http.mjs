// Requests as they are written here: headers twice where they are twice, no redirect followed by itself.
import http from 'node:http';
import https from 'node:https';

// The answer to a request; headers are pairs.
export function ask(url, { method = 'GET', headers = [], body = '' } = {}) {
    const to = new URL(url);
    const all = [['Host', to.host], ...headers];
    if (method !== 'GET' || body) all.push(['Content-Length', Buffer.byteLength(body)]);
    return new Promise((done, failed) => {
        const request = (to.protocol === 'https:' ? https : http).request(to, { method, headers: all.flat() });
        request.on('error', failed);
        request.on('response', (response) => {
            const parts = [];
            response.on('data', (part) => parts.push(part));
            response.on('end', () => done({
                status: response.statusCode, headers: response.headers, text: Buffer.concat(parts).toString(), url: to,
            }));
        });
        request.end(body);
    });
}

// What a page has as `NAME="…"` in the form that leads to `action`.
export function form(page, action) {
    const whole = page.text.split('<form').slice(1).find((part) => part.includes(`action="${action}"`));
    if (!whole) throw new Error(`no form leads to ${action}: ${page.status} ${page.text.slice(0, 600)}`);
    const fields = {};
    for (const [input] of whole.split('</form')[0].matchAll(/<input[^>]*>/g)) {
        const part = (name) => text(input.match(new RegExp(` ${name}="([^"]*)"`))?.[1]);
        if (part('name')) fields[part('name')] = part('value');
    }
    return fields;
}

// What HTML writes so.
export function text(html = '') {
    return html.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

// A browser as far as it takes one to log in and to consent: cookies, forms, redirects within a site.
export class Browser {
    #cookies = new Map();

    async get(url) {
        return this.#send(url, {});
    }

    async post(url, fields) {
        const headers = [['Content-Type', 'application/x-www-form-urlencoded'], ['Origin', new URL(url).origin]];
        return this.#send(url, { method: 'POST', headers, body: new URLSearchParams(fields).toString() });
    }

    // Goes where redirects lead, until one leads to another site.
    async follow(answer) {
        let at = answer;
        while (at.status >= 301 && at.status <= 303) {
            const next = new URL(at.headers.location, at.url);
            if (next.origin !== at.url.origin) return at;
            at = await this.get(next);
        }
        return at;
    }

    async #send(url, options) {
        const cookies = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
        const headers = [...(options.headers ?? []), ['Accept', 'text/html'], ...(cookies ? [['Cookie', cookies]] : [])];
        const answer = await ask(url, { ...options, headers });
        for (const set of answer.headers['set-cookie'] ?? []) {
            const [pair] = set.split(';');
            const at = pair.indexOf('=');
            this.#cookies.set(pair.slice(0, at), pair.slice(at + 1));
        }
        return answer;
    }
}
