// The same requests, good and bad, to Tidegate and to a certified FAPI 2.0 server, and what each answers, held against the
// table in docs/security/oauth.md. With WRITE=1 it writes the table.
import { readFileSync, writeFileSync } from 'node:fs';
import { ours } from './ours.mjs';
import { theirs } from './theirs.mjs';
import client from './cases/client.mjs';
import code from './cases/code.mjs';
import others from './cases/others.mjs';
import proof from './cases/proof.mjs';
import pushed from './cases/pushed.mjs';
import signed from './cases/signed.mjs';
import differences from './differences.mjs';

const PAGE = new URL('../../../docs/security/oauth.md', import.meta.url);
const CHAPTERS = [
    ['Clients', client], ['Proofs of a key', proof], ['Pushed requests, and the browsers that bring them', pushed],
    ['Signed requests', signed], ['Codes and refresh tokens', code], ['Other grants, forms, introspection and revocation', others],
];
const HEAD = readFileSync(new URL('head.md', import.meta.url), 'utf8');

// What every case has on one side: case → what came back.
async function play({ side, stop }) {
    const told = new Map();
    try {
        await side.own({ prove: { nonce: undefined } });
        const tokens = await side.tokens();
        for (const [id, , , run] of CHAPTERS.flatMap(([, cases]) => cases)) {
            const answer = await run(side, tokens).catch((error) => { throw new Error(`${id} on ${side.issuer}`, { cause: error }); });
            told.set(id, [answer.status, answer.code].filter((part) => part !== undefined && part !== null).join(' '));
        }
    } finally {
        stop();
    }
    return told;
}

function render(here, there) {
    let [text, same, all] = ['', 0, 0];
    for (const [title, cases] of CHAPTERS) {
        text += `\n## ${title}\n\n| case | what | section | Tidegate | oidc-provider | |\n|---|---|---|---|---|---|\n`;
        for (const [id, what, section] of cases) {
            const [one, other] = [here.get(id), there.get(id)];
            [same, all] = [same + (one === other), all + 1];
            text += `| ${id} | ${what} | ${section} | ${one} | ${other} | ${one === other ? 'same' : differences[id] ?? 'UNEXPLAINED'} |\n`;
        }
    }
    return `${HEAD}\n${all} cases: ${same} the same, ${all - same} different and explained.\n${text}`;
}

const [here, there] = [await play(await ours()), await play(await theirs())];
const wrong = [];
for (const [id, told] of here) {
    const differs = told !== there.get(id);
    if (differs && !differences[id]) wrong.push(`${id}: ${told} here, ${there.get(id)} there, and no reason`);
    if (!differs && differences[id]) wrong.push(`${id}: has a reason, and ${told} on both sides`);
}
const known = CHAPTERS.flatMap(([, cases]) => cases.map(([id]) => id));
if (new Set(known).size !== known.length) wrong.push('a case comes twice');
for (const id of Object.keys(differences)) if (!known.includes(id)) wrong.push(`${id}: no such case`);
const page = render(here, there);
if (process.env.WRITE) writeFileSync(PAGE, page);
const recorded = new Set(readFileSync(PAGE, 'utf8').split('\n'));
for (const line of page.split('\n')) if (!recorded.has(line)) wrong.push(`not in docs/security/oauth.md: ${line}`);
if (readFileSync(PAGE, 'utf8') !== page && !wrong.length) wrong.push('docs/security/oauth.md says more than that');
console.log(JSON.stringify({ step: 'cases', value: known.length }));
if (wrong.length) {
    console.error(wrong.join('\n'));
    process.exit(1);
}
