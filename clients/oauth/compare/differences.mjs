// Why the two answer differently, case by case: what a standard says of it.
const NO_PROOF_OF_CLIENT = 'RFC 6749 5.2 has `invalid_client` for "no client authentication included"';
const ASSERTION = 'RFC 7521 4.2.1: whatever is wrong with an assertion is `invalid_client`';
const PROOF = 'RFC 9449 5: a proof that is not good, or not there, is `invalid_dpop_proof`';
const METHOD = 'RFC 9110 15.5.6: the address is there, the method is not; `Allow` names the one that is';
const CLIENT_MAY_NOT = 'RFC 6749 5.2 has `unauthorized_client` for a grant that is not the client\'s';
const IAT = 'RFC 9449 11.1: a proof is good for a short time only; a nonce shows when it was made at the earliest, `iat` when it says it was. Both are held';

export default {
    'client.nobody': NO_PROOF_OF_CLIENT,
    'client.two-names': ASSERTION,
    'client.other-type': 'RFC 6749 5.2 has `invalid_client` for an "unsupported authentication method"',
    'client.malformed': ASSERTION,
    'client.far-exp': 'RFC 7523 3 lets a server refuse an `exp` that is unreasonably far ahead: five minutes here',
    'client.iat': 'FAPI 2.0 5.3.2.1-13: what is stamped more than 60 s ahead is refused, `iat` too',
    'proof.none': PROOF,
    'proof.iat-old': IAT,
    'proof.iat-ahead': `${IAT}. FAPI 2.0 5.3.2.1-13: more than 60 s ahead is refused`,
    'proof.replay': PROOF,
    'use.bearer-proof': 'RFC 9449 7.2: a bound token as `Bearer` is refused; 401 is what the challenge goes with',
    'use.no-proof': 'RFC 9449 7.1: 401, with a challenge that says what is missing',
    'use.nothing': 'RFC 6750 3.1: a request without any credentials gets no error code',
    'use.query': 'FAPI 2.0 5.3.4-2: an address holds no token. It is not looked for there, so that the request has none',
    'use.replay': 'RFC 9449 7.1: what is wrong is the proof, and `invalid_dpop_proof` says so; the token is good',
    'push.request-uri': 'RFC 9126 2.1: `request_uri` must not be there, which is `invalid_request` (2.3); the other code is of OpenID Connect Core 3.1.2.6',
    'push.code-id': 'RFC 6749 4.1.2.1: `unsupported_response_type`',
    'push.mode': 'RFC 6749 4.1.2.1 has `invalid_request` for a value that is not taken; the other code is not registered',
    'push.fragment': 'the metadata offer `query` alone (RFC 8414 2); RFC 9700 4.3.1: codes in fragments leak further',
    'push.get': METHOD,
    'push.put': METHOD,
    'page.not-pushed': 'RFC 9126 4 sends `request_uri` alone. Whatever else an address says was not proven by its client, and the person is not sent where it points (RFC 9700 4.11.2)',
    'page.other-client': 'RFC 9101 5: for this client there is no such `request_uri`; whether another has it is not told',
    'page.put': METHOD,
    'code.verifier-short': 'RFC 7636 4.6: a `code_verifier` that does not fit is `invalid_grant`, of whatever length it is',
    'code.no-verifier': 'RFC 6749 5.2: a parameter that is missing is `invalid_request`',
    'code.no-client': NO_PROOF_OF_CLIENT,
    'code.no-proof': PROOF,
    'refresh.other-key': 'RFC 9449 5 binds the refresh tokens of public clients to the key, and leaves those of others to their authentication. Here both must fit: a client\'s stolen assertion key is not enough. An app keeps the key of its tokens as long as the refresh token',
    'refresh.no-proof': PROOF,
    'refresh.no-client': NO_PROOF_OF_CLIENT,
    'grant.not-allowed': CLIENT_MAY_NOT,
    'form.get': METHOD,
    'device.not-allowed': CLIENT_MAY_NOT,
    'device.too-fast': 'RFC 8628 3.5 has `slow_down` for it',
    'device.no-proof': PROOF,
    'introspect.get': METHOD,
};
