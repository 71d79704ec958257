// What is given for a code and for a refresh token.
import { newKey } from '../side.mjs';

const other = await newKey();
const code = (changes, options = {}) => async (side) =>
    side.post('token', { ...await side.code(), ...changes }, typeof options === 'function' ? options(side) : options);
const refresh = (changes, options = {}) => async (side, { refresh_token }) =>
    side.post('token', { grant_type: 'refresh_token', refresh_token, ...changes }, typeof options === 'function' ? options(side) : options);
// Whether what was given is still good.
const alive = async (side, token) => (await side.post('introspect', { token }, { prove: null })).body.active;

export default [
    ['code.good', 'a good code', 'RFC 6749 4.1.3', code()],
    ['code.verifier', 'another code_verifier', 'RFC 7636 4.6', code({ code_verifier: 'x'.repeat(43) })],
    ['code.verifier-short', 'a code_verifier of four letters', 'RFC 7636 4.1', code({ code_verifier: 'abcd' })],
    ['code.no-verifier', 'no code_verifier', 'RFC 7636 4.6', code({ code_verifier: undefined })],
    ['code.redirect', 'another redirect_uri', 'RFC 6749 4.1.3', code({ redirect_uri: 'https://app.example/other' })],
    ['code.no-redirect', 'no redirect_uri', 'RFC 6749 4.1.3', code({ redirect_uri: undefined })],
    ['code.no-code', 'no code', 'RFC 6749 5.2', code({ code: undefined })],
    ['code.unknown', 'a code that nobody gave', 'RFC 6749 5.2', code({ code: 'x'.repeat(43) })],
    ['code.other-client', 'the code of another client', 'RFC 6749 5.2', code({}, (side) => ({ client: side.two }))],
    ['code.no-client', 'no proof of the client', 'RFC 6749 5.2', code({}, { assert: null })],
    ['code.no-proof', 'no proof of a key', 'FAPI 2.0 5.3.2.1-4', code({}, { prove: null })],
    ['code.other-key', 'the proof of another key than at the push', 'RFC 9449 10.1', code({}, { prove: { by: other } })],
    ['code.jkt', 'dpop_jkt at the push, and its key here', 'RFC 9449 10', async (side) =>
        side.post('token', await side.code({ push: { dpop_jkt: side.one.proofKey.jkt }, prove: null }))],
    ['code.other-jkt', 'dpop_jkt at the push, and another key here', 'RFC 9449 10', async (side) =>
        side.post('token', await side.code({ push: { dpop_jkt: other.jkt }, prove: null }))],
    ['code.again', 'a code again', 'RFC 6749 4.1.2', async (side) => {
        const fields = await side.code();
        await side.post('token', fields);
        return side.post('token', fields);
    }],
    ['code.again-tokens', 'what was given for a code that came again', 'RFC 6749 4.1.2', async (side) => {
        const fields = await side.code();
        const { body } = await side.post('token', fields);
        const before = await alive(side, body.access_token);
        await side.post('token', fields);
        return { status: `active: ${before}, then ${await alive(side, body.access_token)}` };
    }],
    ['refresh.good', 'a good refresh token', 'RFC 6749 6', refresh()],
    ['refresh.rotation', 'whether the refresh token changes', 'FAPI 2.0 5.3.2.1-9', async (side, tokens) => {
        const { body } = await refresh()(side, tokens);
        return { status: [undefined, tokens.refresh_token].includes(body.refresh_token) ? 'stays' : 'changes' };
    }],
    ['refresh.other-client', 'by another client', 'RFC 6749 6', refresh({}, (side) => ({ client: side.two }))],
    ['refresh.other-key', 'by another key', 'RFC 9449 5', refresh({}, { prove: { by: other } })],
    ['refresh.no-proof', 'no proof of a key', 'RFC 9449 5', refresh({}, { prove: null })],
    ['refresh.no-client', 'no proof of the client', 'RFC 6749 6', refresh({}, { assert: null })],
    ['refresh.unknown', 'one that nobody gave', 'RFC 6749 5.2', refresh({ refresh_token: 'x'.repeat(43) })],
    ['refresh.none', 'no refresh token', 'RFC 6749 5.2', refresh({ refresh_token: undefined })],
    ['refresh.revoked', 'one that was revoked', 'RFC 7009 2.1', async (side) => {
        const { refresh_token } = await side.tokens();
        await side.post('revoke', { token: refresh_token }, { prove: null });
        return refresh()(side, { refresh_token });
    }],
    ['refresh.details-unknown', 'authorization_details of an unknown type', 'RFC 9396 5', refresh({ authorization_details: '[{"type":"unheard_of"}]' })],
    // What would be given to whoever asked a person for it: it is only more than this person granted.
    ['refresh.wider', 'authorization_details beyond what was granted', 'RFC 9396 6', async (side) => {
        const tokens = await side.tokens({ push: side.narrow });
        const same = await refresh(side.narrow)(side, tokens);
        if (same.status !== 200) throw new Error(`what was granted is not given again: ${same.status} ${same.text}`);
        return refresh({ authorization_details: side.wide })(side, { refresh_token: same.body.refresh_token ?? tokens.refresh_token });
    }],
];
