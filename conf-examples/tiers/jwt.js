// Copyright (C) the modelguard authors
//
// Verifies a JSON Web Token (RFC 7519) for auth_request, with njs 0.7.8 or
// newer: 204 with X-Jwt-Sub and X-Jwt-Tier if it is good, else 401.
//
// The object "jwt_key" says which signatures are taken; it is read when nginx
// reads its configuration, so that workers need not be able to read the file:
//
//     js_preload_object jwt_key from keys/jwt.json;
//
//     {"alg": "RS256", "key": "MII...", "aud": "models"}
//
// "alg" is RS256 or HS256, and no token chooses it; "key" is in base64, the
// public key as openssl writes it with -pubout, or the shared secret; "aud",
// if it is there, has to be in the token.

const ALGORITHMS = {
    RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', format: 'spki' },
    HS256: { name: 'HMAC', hash: 'SHA-256', format: 'raw' },
};

const TOKEN = /^Bearer ([\w-]+)\.([\w-]+)\.([\w-]+)$/i;

// the claims become values of headers, and keys of budgets

const NAME = /^[\x21-\x7e]{1,255}$/;


function decoded(part) {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
}


async function signed(parts) {
    const a = ALGORITHMS[jwt_key.alg];

    const key = await crypto.subtle.importKey(a.format,
        Buffer.from(jwt_key.key, 'base64'), { name: a.name, hash: a.hash },
        false, ['verify']);

    return await crypto.subtle.verify({ name: a.name }, key,
        Buffer.from(parts[3], 'base64url'),
        Buffer.from(parts[1] + '.' + parts[2]));
}


function valid(claims) {
    const now = Date.now() / 1000;

    if (typeof claims.exp !== 'number' || claims.exp <= now) {
        return false;
    }

    if (claims.nbf !== undefined
        && !(typeof claims.nbf === 'number' && claims.nbf <= now))
    {
        return false;
    }

    if (jwt_key.aud !== undefined
        && ![].concat(claims.aud).includes(jwt_key.aud))
    {
        return false;
    }

    return typeof claims.sub === 'string' && NAME.test(claims.sub);
}


// The claims of a token that may be believed, or null.  Whatever a token does
// to this code, it is not a good one.

async function claims(authorization) {
    try {
        const parts = TOKEN.exec(authorization);
        const header = decoded(parts[1]);

        if (header.alg !== jwt_key.alg || header.crit !== undefined
            || !(await signed(parts)))
        {
            return null;
        }

        const found = decoded(parts[2]);

        return valid(found) ? found : null;

    } catch (e) {
        return null;
    }
}


async function check(r) {
    const found = await claims(r.headersIn.Authorization);

    if (found === null) {
        r.headersOut['WWW-Authenticate'] = 'Bearer error="invalid_token"';
        r.return(401);
        return;
    }

    r.headersOut['X-Jwt-Sub'] = found.sub;

    if (typeof found.tier === 'string' && NAME.test(found.tier)) {
        r.headersOut['X-Jwt-Tier'] = found.tier;
    }

    r.return(204);
}


export default { check };
